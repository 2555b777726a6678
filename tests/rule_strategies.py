"""Random requests of every kind and random packs, for laws that hold of all of them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
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
_USES = ["commercial", "training", "inference", "military", "wmd"]


def _maybe(strategy: st.SearchStrategy[Anything]) -> st.SearchStrategy[Anything]:
    """Told nine times out of ten: where much is missing, all is unsure."""
    return st.integers(0, 9).flatmap(lambda chance: strategy if chance else st.none())


def _from(values: list[Anything]) -> st.SearchStrategy[Anything]:
    return _maybe(st.sampled_from(values))


def _sound(
    shape: Callable[..., _Made], **fields: st.SearchStrategy[Anything]
) -> st.SearchStrategy[_Made]:
    """Values whose fields do not contradict each other."""

    def make(told: dict[str, Anything]) -> list[_Made]:
        try:
            return [shape(**told)]
        except InvalidInput:
            return []

    return st.fixed_dictionaries(fields).map(make).filter(bool).map(lambda found: found[0])


_FLAGS = st.sampled_from([None, True, False])
_PARTIES = _maybe(
    _sound(
        PartyAsked,
        name=_from(["Alpha", "Beta"]),
        country=_from(_COUNTRIES),
        headquarters=_from(_COUNTRIES),
        parent=_from(["Alpha", "Gamma"]),
        parent_headquarters=_from(_COUNTRIES),
        listed=_FLAGS,
        listed_owner_known=_FLAGS,
        listed_owner_share=_from(_SHARES),
        authorisation=_from(["none", "universal", "national"]),
    )
)
_CLUSTERS = _sound(
    Cluster,
    chips=st.lists(
        _sound(
            ChipsAsked,
            chip=st.sampled_from(_CHIPS),
            count=st.sampled_from([1, 8, 16, 17, 100_000]),
            declared=_maybe(
                _sound(
                    DeclaredDevice,
                    peak_flop_per_s=st.sampled_from(["989000000000000", "1"]),
                    bits=st.sampled_from([8, 16, 32]),
                    memory_gb=_from(["80", "0.5"]),
                )
            ),
        ),
        min_size=1,
        max_size=2,
    ).map(tuple),
    networked=st.sampled_from([None, True]),
    network_gbit_s=_from(["25", "25.5", "400"]),
)
_JURISDICTIONS = _maybe(st.lists(st.sampled_from(_PLACES), max_size=3, unique=True).map(tuple))
_END_USES = _maybe(st.lists(st.sampled_from(_USES), max_size=2, unique=True).map(tuple))
_ITEMS = _sound(
    ItemAsked,
    form=st.sampled_from(["ic", "computer", "hbm", "weights", "other"]),
    chip=_from(_CHIPS),
    spec=_maybe(
        _sound(
            ChipSpec,
            fp16_dense_tflops=_from(["150", "299.999999", "300", "1000"]),
            fp8_dense_tflops=_from(["300", "600"]),
            die_mm2=_from(["50.6", "100", "814"]),
            mem_bw_gbs=_from(["500", "4800"]),
            interconnect_bidir_gbs=_from(["400", "600", "900"]),
            datacenter=_FLAGS,
        )
    ),
    chips_each=st.sampled_from([1, 8]),
    datacenter=_FLAGS,
    designer_country=_from(_COUNTRIES),
    eccn=_from(["3A001", "5A992"]),
    weights=_maybe(
        _sound(WeightsAsked, training_flop=_from(_FLOP), published=_FLAGS, base_published=_FLAGS)
    ),
)


def _facts(pack: Pack) -> st.SearchStrategy[dict[str, Anything]]:
    """Some of the facts that the pack declares, each with a value of its kind."""
    if not pack.quantities:
        return st.just({})
    values = {
        "amount": st.sampled_from([*_SHARES, *_FLOP[:3], "45", "3"]),
        "flag": st.booleans(),
        "places": st.lists(st.sampled_from(_PLACES), max_size=2, unique=True).map(tuple),
    }
    one = [
        st.tuples(
            st.just(name),
            st.sampled_from(quantity.words or ("anything",))
            if quantity.kind == "word"
            else values[quantity.kind],
        )
        for name, quantity in pack.quantities.items()
    ]
    return st.lists(st.one_of(one), max_size=6, unique_by=lambda pair: pair[0]).map(dict)


def requests_for(pack: Pack, only: str = "") -> st.SearchStrategy[Request]:
    """Requests of the kinds that the pack speaks about, and now and then of another; or of one kind."""
    facts = _facts(pack)
    kinds: dict[str, st.SearchStrategy[Request]] = {
        "training-run": _sound(
            RunRequest,
            id=st.just("r"),
            planned_flop=_from(_FLOP),
            origin=st.sampled_from(["scratch", "known", "unknown", None]),
            lineage_flop=_from(_FLOP),
            lineage_post_training_flop=_from(_FLOP),
            post_training=_FLAGS,
            cluster=_maybe(_CLUSTERS),
            jurisdictions=_JURISDICTIONS,
            facts=facts,
        ),
        "cluster": _sound(
            ClusterRequest,
            kind=st.just("cluster"),
            id=st.just("c"),
            jurisdictions=_JURISDICTIONS,
            cluster=_CLUSTERS,
            facts=facts,
        ),
        "transfer": _sound(
            TransferRequest,
            kind=st.just("transfer"),
            id=st.just("t"),
            activity=_from(["export", "reexport", "in-country"]),
            item=_ITEMS,
            count=_from([1, 100, 26_900_000]),
            origin=_from(_COUNTRIES),
            destination=_from(_COUNTRIES),
            exporter=_PARTIES,
            intermediates=st.lists(_PARTIES.filter(bool), max_size=1).map(tuple),
            consignee=_PARTIES,
            end_user=_PARTIES,
            end_user_is_consignee=_FLAGS,
            end_use=_END_USES,
            so_far=_maybe(
                _sound(
                    SoFar,
                    parent_year_tpp=_from(_TPP),
                    country_tpp=_from(_TPP),
                    end_user_tpp=_from(_TPP),
                    market_share=_from(_SHARES),
                )
            ),
            facts=facts,
        ),
        "cloud-use": _sound(
            CloudUseRequest,
            kind=st.just("cloud-use"),
            id=st.just("u"),
            provider=_PARTIES,
            customer=_PARTIES,
            place=_from(_COUNTRIES),
            jurisdictions=_JURISDICTIONS,
            cluster=_maybe(_CLUSTERS),
            planned_flop=_from(_FLOP),
            owner_window_flop=_from(_FLOP),
            end_use=_END_USES,
            facts=facts,
        ),
        "access": _sound(
            AccessRequest,
            kind=st.just("access"),
            id=st.just("a"),
            model=_from(["Mythos 5", "other"]),
            training_flop=_from(_FLOP),
            provider=_PARTIES,
            user=_PARTIES,
            user_class=_from(["public", "enterprise", "government"]),
            place=_from(_COUNTRIES),
            weights=_FLAGS,
            jurisdictions=_JURISDICTIONS,
            facts=facts,
        ),
    }
    if only:
        return kinds[only]
    asked = sorted({kind for rule in pack.rules for kind in rule.kinds})
    likely = st.sampled_from(asked).flatmap(kinds.__getitem__)
    return st.one_of(likely, likely, likely, st.one_of(list(kinds.values())))


# --- packs ----------------------------------------------------------------------------------------

_SOURCES = {"law": RuleSource(title="A law", where="nowhere", mark="O")}
_WORDS = {
    "form": ("ic", "computer", "weights"),
    "eccn": ("3A001",),
    "activity": ("export", "reexport"),
    "end_use": ("training", "military", "wmd"),
    "authorisation": ("universal", "national"),
    "model": ("Mythos 5",),
    "user_class": ("public", "government"),
}
_THRESHOLDS: st.SearchStrategy[Anything] = st.sampled_from(
    [0, 1, 2, 16, 100, 4800, 26_900_000, 10**22, 10**24, 10**26, Fraction(1, 2), Fraction(148, 25)]
)
_STATED = {
    "own-amount": StatedQuantity(name="own-amount", kind="amount", unit="days", means="m"),
    "own-flag": StatedQuantity(name="own-flag", kind="flag", means="m"),
    "own-places": StatedQuantity(name="own-places", kind="places", means="m"),
    "own-word": StatedQuantity(name="own-word", kind="word", means="m", words=("x", "y")),
}
_KINDS: list[Anything] = ["training-run", "cluster", "transfer", "cloud-use", "access"]
_OPS: st.SearchStrategy[Anything] = st.sampled_from([">", ">=", "<", "<=", "=", "!="])


@st.composite
def _dated(draw: st.DrawFn) -> dict[str, Anything]:
    """A period with what every dated entry carries."""
    start = draw(st.sampled_from([*[DATES[0]] * 6, *DATES[1:-1]]))
    later = [date for date in DATES if start < date]
    return {
        "start": start,
        "end": draw(st.sampled_from([*[None] * 8, *later])),
        "recorded": draw(st.sampled_from([*[start] * 8, *later])),
        "review_by": draw(st.sampled_from([None, None, *later])),
        "source": "law",
        "cite": draw(st.sampled_from(["Art. 1", "Art. 2"])),
        "mark": draw(st.sampled_from(["P", "R", "O"])),
    }


@st.composite
def _limb(draw: st.DrawFn, names: tuple[str, ...], told: list[str]) -> Condition:
    """A limb about a quantity that is told, now and then about any, or about one of the definitions above."""
    if names and draw(st.integers(0, 3)) == 0:
        return DefinitionLimb(definition=draw(st.sampled_from(names)), value=draw(st.booleans()))
    quantity = draw(st.sampled_from(told if draw(st.integers(0, 9)) else [*QUANTITIES, *_STATED]))
    known = QUANTITIES.get(quantity) or _STATED[quantity]
    if known.kind == "amount":
        parameter = draw(st.sampled_from(["", "x", "y"]))
        value = 0 if parameter else draw(_THRESHOLDS)
        return AmountLimb(
            quantity=quantity, op=draw(_OPS), parameter=parameter, value=value, unit="u"
        )
    if known.kind == "flag":
        return FlagLimb(quantity=quantity, value=draw(st.booleans()))
    if known.kind == "word":
        return WordLimb(quantity=quantity, words=_WORDS.get(quantity, ("x",)))
    places = st.lists(st.sampled_from(_PLACES), min_size=1, max_size=4, unique=True).map(tuple)
    named = draw(st.booleans())
    return PlaceLimb(
        quantity=quantity,
        op=draw(st.sampled_from(["any-of", "all-of"])),
        places=() if named else draw(places),
        place_set="s" if named else "",
    )


def _conditions(told: list[str], names: tuple[str, ...]) -> st.SearchStrategy[Condition]:
    return st.recursive(
        _limb(names, told),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(tuple).map(All),
            st.lists(inner, min_size=1, max_size=3).map(tuple).map(Any),
            inner.map(Not),
        ),
        max_leaves=6,
    )


def _entries(
    shape: Callable[..., _Made], least: int = 0, /, **fields: st.SearchStrategy[Anything]
) -> st.SearchStrategy[tuple[_Made, ...]]:
    """The history of something: up to two entries."""
    one = st.tuples(_dated(), st.fixed_dictionaries(fields)).map(
        lambda pair: shape(**pair[0], **pair[1])
    )
    return st.lists(one, min_size=least, max_size=2).map(tuple)


_STATUSES = _entries(
    Status,
    1,
    word=st.sampled_from(
        [*["in force"] * 4, "codified", "announced", "draft", "suspended", "ended"]
    ),
    acts=st.booleans() | st.just(value=True),
)
_DUTIES = st.lists(st.just(Duty(id="d", what="tell somebody", per="shipment")), max_size=1).map(
    tuple
)


@st.composite
def packs(draw: st.DrawFn) -> Pack:
    """A pack of a few rules with definitions, sets, parameters, exceptions and reviews."""
    kind = draw(st.sampled_from(_KINDS))
    told = [*(name for name, known in QUANTITIES.items() if kind in known.kinds), *_STATED]
    names: tuple[str, ...] = ()
    definitions = {}
    for name in ("d1", "d2", "d3"):
        versions = draw(_entries(DatedCondition, when=_maybe(_conditions(told, names))))
        definitions[name] = Definition(name=name, means="m", label=name, versions=versions)
        names = (*names, name)
    conditions = _conditions(told, names)
    ids = [f"r{number}" for number in range(draw(st.integers(1, 5)))]
    rules = tuple(_rule(draw, (rule, kind), conditions) for rule in ids)
    exceptions = tuple(
        LicenceException(
            id=f"e{number}",
            cite="c",
            title="t",
            statuses=draw(_STATUSES),
            lifts=tuple(draw(st.lists(st.sampled_from(ids), min_size=1, max_size=2, unique=True))),
            eligibility=tuple(
                Eligibility(says=f"condition {n}", when=draw(conditions))
                for n in range(draw(st.integers(1, 2)))
            ),
            notices=draw(_DUTIES),
        )
        for number in range(draw(st.integers(0, 2)))
    )
    values = _entries(DatedValue, value=_maybe(_THRESHOLDS))
    members = _maybe(st.frozensets(st.sampled_from(_PLACES), min_size=1, max_size=5))
    return Pack(
        name="p",
        version="1",
        sha256="0" * 64,
        title="t",
        note="n",
        coverage=draw(
            st.sampled_from(
                [None, Coverage(start=DATES[1]), Coverage(start=DATES[2], until=DATES[5])]
            )
        ),
        sources=_SOURCES,
        quantities=_STATED,
        sets={
            "s": PlaceSet(name="s", means="m", versions=draw(_entries(DatedSet, members=members)))
        },
        parameters={
            name: Parameter(name=name, unit="u", means="m", values=draw(values))
            for name in ("x", "y")
        },
        definitions=definitions,
        rules=rules,
        exceptions=exceptions,
    )


def _rule(
    draw: st.DrawFn, named: tuple[str, Anything], conditions: st.SearchStrategy[Condition]
) -> Rule:
    others = draw(st.lists(st.sampled_from(_KINDS), max_size=1))
    reviews = _entries(
        Review,
        policy=st.sampled_from(["approval", "case-by-case", "denial"]),
        when=_maybe(conditions),
    )
    return Rule(
        id=named[0],
        cite="c",
        binding="b",
        kinds=tuple(dict.fromkeys([named[1], *others])),
        statuses=draw(_STATUSES),
        when=draw(conditions),
        outcome=draw(st.sampled_from(["permit", "report", "licence", "licence", "deny", "unsure"])),
        duty="d",
        duties=draw(_DUTIES),
        reviews=draw(reviews),
    )
