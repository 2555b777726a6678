"""Random requests of every kind and random packs, for laws that hold of all of them.

Each is made from one number: thousands of small choices would be more than a property test draws, and it would then
try the same few over and over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random
from typing import Any as Anything
from typing import TypeVar

from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    Coverage,
    DatedCondition,
    DatedSet,
    DatedValue,
    Definition,
    DefinitionLimb,
    Duty,
    Eligibility,
    FlagLimb,
    LicenceException,
    Not,
    Pack,
    Parameter,
    PlaceLimb,
    PlaceSet,
    Review,
    Rule,
    RuleSource,
    StatedQuantity,
    Status,
    WordLimb,
)
from sekisho.rules.quantities import QUANTITIES
from sekisho.rules.requests import (
    AccessRequest,
    ChipsAsked,
    ChipSpec,
    CloudUseRequest,
    Cluster,
    ClusterRequest,
    DeclaredDevice,
    ItemAsked,
    PartyAsked,
    Request,
    RunRequest,
    SoFar,
    TransferRequest,
    WeightsAsked,
)

__all__ = ["DATES", "packs", "requests_for"]

DATES = [
    parse_date_or_instant(text)
    for text in (
        "2020-01-01",
        "2022-10-08",
        "2023-12-01",
        "2025-01-20",
        "2025-06-01",
        "2026-02-01",
        "2026-11-10",
    )
]
_Made = TypeVar("_Made")
_CHIPS = ["H100", "H20", "A100 80GB", "L40S", "RTX 4090", "no such chip"]
_COUNTRIES = ["US", "JP", "CN", "HK", "MO", "AE", "MY", "IN", "CH", "RU"]
_PLACES = [*_COUNTRIES, "US-CA", "US-NY", "EU", "FR"]
_FLOP = [str(10**power + step) for power in (22, 23, 24, 25, 26) for step in (-1, 0, 1)]
_TPP = ["0", "4799.999999", "4800", "4800.000001", "26900000", "790000000", "100000000"]
_SHARES = ["0", "0.249999", "0.25", "0.333333", "0.5", "0.500001", "1"]
_USES: list[Anything] = ["commercial", "training", "inference", "military", "wmd"]
_KINDS: list[Anything] = ["training-run", "cluster", "transfer", "cloud-use", "access"]
_TRIES = 1000


class _Dice:
    """Choices from one number."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)

    def one(self, values: Sequence[_Made]) -> _Made:
        return self._random.choice(values)

    def some(self, values: Sequence[_Made], least: int, most: int) -> tuple[_Made, ...]:
        count = min(len(values), least + self.below(most - least + 1))
        return tuple(self._random.sample(values, count))

    def told(self, make: Callable[[], _Made]) -> _Made | None:
        """Told nine times out of ten: where much is missing, all is unsure."""
        return make() if self.below(10) else None

    def among(self, values: Sequence[_Made]) -> _Made | None:
        return self.told(lambda: self.one(values))

    def flag(self) -> bool | None:
        return self.told(lambda: bool(self.below(2)))


def requests_for(pack: Pack, only: str = "") -> st.SearchStrategy[Request]:
    """Requests of the kinds that the pack speaks about, and now and then of another; or of one kind."""
    asked = sorted({kind for rule in pack.rules for kind in rule.kinds})

    def make(seed: int) -> Request:
        dice = _Dice(seed)
        kind = only or dice.one(asked if dice.below(5) else _KINDS)
        for _ in range(_TRIES):
            try:
                return _MAKERS[kind](dice, _facts(dice, pack))
            except InvalidInput:  # fields that contradict each other make no request
                continue
        raise AssertionError(f"no {kind} could be made of {seed}")

    return st.integers(0, 2**48).map(make)


def _facts(dice: _Dice, pack: Pack) -> dict[str, Anything]:
    """Some of the facts that the pack declares, each with a value of its kind."""
    names = list(pack.quantities)
    told = dice.some(names, 0, len(names)) if dice.below(4) else dice.some(names, 0, 3)
    return {name: _fact(dice, pack.quantities[name]) for name in told}


def _fact(dice: _Dice, quantity: StatedQuantity) -> Anything:
    if quantity.kind == "amount":
        return dice.one([*_SHARES, *_FLOP[:3], "45", "3"])
    if quantity.kind == "flag":
        return bool(dice.below(2))
    if quantity.kind == "places":
        return dice.some(_PLACES, 0, 2)
    return dice.one(quantity.words or ("anything",))


def _party(dice: _Dice) -> PartyAsked:
    return PartyAsked(
        name=dice.among(["Alpha", "Beta"]),
        country=dice.among(_COUNTRIES),
        headquarters=dice.among(_COUNTRIES),
        parent=dice.among(["Alpha", "Gamma"]),
        parent_headquarters=dice.among(_COUNTRIES),
        listed=dice.flag(),
        listed_owner_known=dice.flag(),
        listed_owner_share=dice.among(_SHARES),
        authorisation=dice.among(["none", "universal", "national"]),
    )


def _cluster(dice: _Dice) -> Cluster:
    chips = tuple(
        ChipsAsked(
            chip=dice.one(_CHIPS),
            count=dice.one([1, 8, 16, 17, 100_000]),
            declared=dice.told(
                lambda: DeclaredDevice(
                    peak_flop_per_s=dice.one(["989000000000000", "1"]),
                    bits=dice.one([8, 16, 32]),
                    memory_gb=dice.among(["80", "0.5"]),
                )
            ),
        )
        for _ in range(1 + dice.below(2))
    )
    return Cluster(
        chips=chips, networked=dice.flag(), network_gbit_s=dice.among(["25", "25.5", "400"])
    )


def _item(dice: _Dice) -> ItemAsked:
    form: Anything = dice.one(["ic", "ic", "ic", "computer", "hbm", "weights", "other"])
    spec = ChipSpec(
        fp16_dense_tflops=dice.among(["150", "299.999999", "300", "1000"]),
        fp8_dense_tflops=dice.among(["300", "600"]),
        die_mm2=dice.among(["50.6", "100", "814"]),
        mem_bw_gbs=dice.among(["500", "4800"]),
        interconnect_bidir_gbs=dice.among(["400", "600", "900"]),
        datacenter=dice.flag(),
    )
    weights = WeightsAsked(
        training_flop=dice.among(_FLOP), published=dice.flag(), base_published=dice.flag()
    )
    return ItemAsked(
        form=form,
        chip=dice.among(_CHIPS) if dice.below(2) else None,
        spec=spec if dice.below(3) == 0 else None,
        chips_each=dice.one([1, 8]),
        datacenter=dice.flag(),
        designer_country=dice.among(_COUNTRIES),
        eccn=dice.among(["3A001", "5A992"]),
        weights=weights if form == "weights" else None,
    )


def _run(dice: _Dice, facts: dict[str, Anything]) -> Request:
    return RunRequest(
        id="r",
        planned_flop=dice.among(_FLOP),
        origin=dice.one(["scratch", "known", "unknown", None]),
        lineage_flop=dice.among(_FLOP) if dice.below(2) else None,
        lineage_post_training_flop=dice.among(_FLOP) if dice.below(2) else None,
        post_training=dice.flag() if dice.below(2) else None,
        cluster=dice.told(lambda: _cluster(dice)),
        jurisdictions=dice.told(lambda: dice.some(_PLACES, 0, 3)),
        facts=facts,
    )


def _cluster_request(dice: _Dice, facts: dict[str, Anything]) -> Request:
    return ClusterRequest(
        kind="cluster",
        id="c",
        jurisdictions=dice.told(lambda: dice.some(_PLACES, 0, 3)),
        cluster=_cluster(dice),
        facts=facts,
    )


def _transfer(dice: _Dice, facts: dict[str, Anything]) -> Request:
    return TransferRequest(
        kind="transfer",
        id="t",
        activity=dice.among(["export", "reexport", "in-country"]),
        item=_item(dice),
        count=dice.among([1, 100, 26_900_000]),
        origin=dice.among(_COUNTRIES),
        destination=dice.among(_COUNTRIES),
        exporter=dice.told(lambda: _party(dice)),
        intermediates=tuple(_party(dice) for _ in range(dice.below(2))),
        consignee=dice.told(lambda: _party(dice)),
        end_user=dice.told(lambda: _party(dice)) if dice.below(2) else None,
        end_user_is_consignee=dice.flag(),
        end_use=dice.told(lambda: dice.some(_USES, 1, 2)),
        so_far=dice.told(
            lambda: SoFar(
                parent_year_tpp=dice.among(_TPP),
                country_tpp=dice.among(_TPP),
                end_user_tpp=dice.among(_TPP),
                market_share=dice.among(_SHARES),
            )
        ),
        facts=facts,
    )


def _cloud_use(dice: _Dice, facts: dict[str, Anything]) -> Request:
    return CloudUseRequest(
        kind="cloud-use",
        id="u",
        provider=dice.told(lambda: _party(dice)),
        customer=dice.told(lambda: _party(dice)),
        place=dice.among(_COUNTRIES),
        jurisdictions=dice.told(lambda: dice.some(_PLACES, 0, 3)),
        cluster=dice.told(lambda: _cluster(dice)),
        planned_flop=dice.among(_FLOP),
        owner_window_flop=dice.among(_FLOP),
        end_use=dice.told(lambda: dice.some(_USES, 1, 2)),
        facts=facts,
    )


def _access(dice: _Dice, facts: dict[str, Anything]) -> Request:
    return AccessRequest(
        kind="access",
        id="a",
        model=dice.among(["Mythos 5", "other"]),
        training_flop=dice.among(_FLOP),
        provider=dice.told(lambda: _party(dice)),
        user=dice.told(lambda: _party(dice)),
        user_class=dice.among(["public", "enterprise", "government"]),
        place=dice.among(_COUNTRIES),
        weights=dice.flag(),
        jurisdictions=dice.told(lambda: dice.some(_PLACES, 0, 3)),
        facts=facts,
    )


_MAKERS: dict[str, Callable[[_Dice, dict[str, Anything]], Request]] = {
    "training-run": _run,
    "cluster": _cluster_request,
    "transfer": _transfer,
    "cloud-use": _cloud_use,
    "access": _access,
}


# --- packs ----------------------------------------------------------------------------------------

_WORDS = {
    "form": ("ic", "computer", "weights"),
    "eccn": ("3A001",),
    "activity": ("export", "reexport"),
    "end_use": ("training", "military", "wmd"),
    "authorisation": ("universal", "national"),
    "model": ("Mythos 5",),
    "user_class": ("public", "government"),
}
_WHOLE = [0, 1, 2, 16, 100, 4800, 26_900_000, 10**22, 10**24, 10**26]
_THRESHOLDS: list[int | Fraction] = [*_WHOLE, Fraction(1, 2), Fraction(148, 25)]
_STATED = {
    "own-amount": StatedQuantity(name="own-amount", kind="amount", unit="days", means="m"),
    "own-flag": StatedQuantity(name="own-flag", kind="flag", means="m"),
    "own-places": StatedQuantity(name="own-places", kind="places", means="m"),
    "own-word": StatedQuantity(name="own-word", kind="word", means="m", words=("x", "y")),
}
_OPS: list[Anything] = [">", ">=", "<", "<=", "=", "!="]
_STATUS_WORDS: list[Anything] = [
    *["in force"] * 6,
    "codified",
    "announced",
    "draft",
    "suspended",
    "ended",
]
_OUTCOMES: list[Anything] = ["permit", "report", "licence", "licence", "licence", "deny", "unsure"]
_POLICIES: list[Anything] = ["approval", "case-by-case", "denial"]


def packs() -> st.SearchStrategy[Pack]:
    """A pack of a few rules with definitions, sets, parameters, exceptions and reviews."""
    return st.integers(0, 2**48).map(lambda seed: _Author(_Dice(seed)).pack())


class _Author:
    """Writes one pack, mostly about one kind of request."""

    def __init__(self, dice: _Dice) -> None:
        self.dice = dice
        self.kind = dice.one(_KINDS)
        known = [name for name, quantity in QUANTITIES.items() if self.kind in quantity.kinds]
        self.told = [*known, *_STATED]
        self.names: list[str] = []

    def pack(self) -> Pack:
        definitions = {}
        for name in ("d1", "d2", "d3"):
            versions = self.entries(DatedCondition, lambda: {"when": self.dice.told(self.tree)})
            definitions[name] = Definition(name=name, means="m", label=name, versions=versions)
            self.names.append(name)
        ids = [f"r{number}" for number in range(1 + self.dice.below(5))]
        return Pack(
            name="p",
            version="1",
            sha256="0" * 64,
            title="t",
            note="n",
            coverage=self.dice.one(
                [None, None, Coverage(start=DATES[1]), Coverage(start=DATES[2], until=DATES[5])]
            ),
            sources={"law": RuleSource(title="A law", where="nowhere", mark="O")},
            quantities=_STATED,
            sets={"s": PlaceSet(name="s", means="m", versions=self.members())},
            parameters={name: self.parameter(name) for name in ("x", "y")},
            definitions=definitions,
            rules=tuple(self.rule(name) for name in ids),
            exceptions=tuple(self.exception(f"e{n}", ids) for n in range(self.dice.below(3))),
        )

    def members(self) -> tuple[DatedSet, ...]:
        dice = self.dice
        return self.entries(
            DatedSet, lambda: {"members": dice.told(lambda: frozenset(dice.some(_PLACES, 1, 5)))}
        )

    def parameter(self, name: str) -> Parameter:
        values = self.entries(DatedValue, lambda: {"value": self.dice.among(_THRESHOLDS)})
        return Parameter(name=name, unit="u", means="m", values=values)

    def statuses(self) -> tuple[Status, ...]:
        dice = self.dice
        return self.entries(
            Status, lambda: {"word": dice.one(_STATUS_WORDS), "acts": bool(dice.below(5))}
        )

    def rule(self, name: str) -> Rule:
        dice = self.dice
        return Rule(
            id=name,
            cite="c",
            binding="b",
            kinds=tuple(dict.fromkeys([self.kind, *dice.some(_KINDS, 0, 1)])),
            statuses=self.statuses(),
            when=self.tree(),
            outcome=dice.one(_OUTCOMES),
            duty="d",
            duties=self.duties(),
            reviews=self.entries(
                Review,
                lambda: {
                    "policy": dice.one(_POLICIES),
                    "when": self.tree() if dice.below(2) else None,
                },
            ),
        )

    def exception(self, name: str, ids: Sequence[str]) -> LicenceException:
        return LicenceException(
            id=name,
            cite="c",
            title="t",
            statuses=self.statuses(),
            lifts=self.dice.some(ids, 1, 3),
            eligibility=tuple(
                Eligibility(says=f"condition {n}", when=self.tree())
                for n in range(1 + self.dice.below(2))
            ),
            notices=self.duties(),
        )

    def duties(self) -> tuple[Duty, ...]:
        return (Duty(id="d", what="tell somebody", per="shipment"),) if self.dice.below(2) else ()

    def entries(
        self, shape: Callable[..., _Made], more: Callable[[], dict[str, Anything]]
    ) -> tuple[_Made, ...]:
        """The history of something: one entry or two."""
        return tuple(shape(**self.dated(), **more()) for _ in range(1 + self.dice.below(2)))

    def dated(self) -> dict[str, Anything]:
        """A period with what every dated entry carries."""
        dice = self.dice
        start = dice.one([*[DATES[0]] * 6, *DATES[1:-1]])
        later = [date for date in DATES if start < date]
        return {
            "start": start,
            "end": dice.one([*[None] * 8, *later]),
            "recorded": dice.one([*[start] * 8, *later]),
            "review_by": dice.one([None, None, *later]),
            "source": "law",
            "cite": dice.one(["Art. 1", "Art. 2"]),
            "mark": dice.one(["P", "S", "D", "R", "O"]),
        }

    def tree(self, depth: int = 3) -> Condition:
        turn = self.dice.below(6) if depth else 5
        if turn == 0:
            return Not(self.tree(depth - 1))
        if turn < 4:
            parts = tuple(self.tree(depth - 1) for _ in range(1 + self.dice.below(3)))
            return All(parts) if self.dice.below(2) else Any(parts)
        return self.limb()

    def limb(self) -> Condition:
        """A limb about a quantity that is told, now and then about any, or about a definition above."""
        dice = self.dice
        if self.names and dice.below(4) == 0:
            return DefinitionLimb(definition=dice.one(self.names), value=bool(dice.below(2)))
        quantity = dice.one(self.told if dice.below(12) else [*QUANTITIES, *_STATED])
        kind = (QUANTITIES.get(quantity) or _STATED[quantity]).kind
        if kind == "amount":
            parameter = dice.one(["", "", "x", "y"])
            value = 0 if parameter else dice.one(_THRESHOLDS)
            return AmountLimb(
                quantity=quantity, op=dice.one(_OPS), parameter=parameter, value=value, unit="u"
            )
        if kind == "flag":
            return FlagLimb(quantity=quantity, value=bool(dice.below(2)))
        if kind == "word":
            return WordLimb(quantity=quantity, words=_WORDS.get(quantity, ("x",)))
        op: Anything = dice.one(["any-of", "all-of"])
        if dice.below(2):
            return PlaceLimb(quantity=quantity, op=op, place_set="s")
        return PlaceLimb(quantity=quantity, op=op, places=dice.some(_PLACES, 1, 4))
