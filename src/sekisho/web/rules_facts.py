"""The facts that a form of the console asks for: what the chosen packs declare, what an answer still lacks, what first.

An unsure answer names what is missing; the form then shows those fields first, so that a person fills them and asks
again. What is not told stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from sekisho.model.instants import Instant
from sekisho.rules import Decision, Pack, Request, decide
from sekisho.rules.pack import Reading, StatedQuantity
from sekisho.rules.requests.shapes import AskedFact
from sekisho.web.rules_forms import Fields, read_truth

__all__ = [
    "FACT",
    "FactFields",
    "Gaps",
    "asked_quantities",
    "fact_fields",
    "find_gaps",
    "read_facts",
    "weigh_facts",
]

FACT: Final = "fact-"
MOST_TRIES: Final = 200  # one decision each, about a millisecond
_PARTY: Final[Mapping[str, str]] = {
    "country": "country",
    "headquarters": "headquarters",
    "parent_headquarters": "parent",
}
_RECEIVER: Final[Mapping[str, str]] = {
    **_PARTY,
    "listed": "listed",
    "listed_owner_known": "owner_known",
    "listed_owner_share": "owner_share",
}
_PARTIES: Final[Mapping[str, Mapping[str, str]]] = {
    "exporter": _PARTY,
    "consignee": _RECEIVER,
    "end_user": {**_RECEIVER, "authorisation": "authorisation"},
}
# A missing fact of a request -> the fields of its form that tell it. What is in no row is told as JSON.
_TRANSFER: Final[Mapping[str, tuple[str, ...]]] = {
    "activity": ("activity",),
    "item": ("chip",),
    "item.chip": ("chip",),
    "item.form": ("item_form",),
    "item.chips_each": ("chips_each",),
    "count": ("count",),
    "origin": ("origin",),
    "destination": ("destination",),
    "end_use": ("end_use",),
    "end_user_is_consignee": ("end_user_is_consignee",),
    **{
        name: (
            *(("end_user_is_consignee",) if name == "end_user" else ()),
            *(f"{name}_{field}" for field in fields.values()),
        )
        for name, fields in _PARTIES.items()
    },
    **{
        f"{name}.{path}": (f"{name}_{field}",)
        for name, fields in _PARTIES.items()
        for path, field in fields.items()
    },
}
_RUN: Final[Mapping[str, tuple[str, ...]]] = {
    "planned_flop": ("planned_flop",),
    "origin": ("run_origin",),
    "lineage_flop": ("lineage_flop",),
    "post_training": ("post_training",),
    "jurisdictions": ("jurisdictions",),
    "cluster": ("chip", "count"),
    "cluster.networked": ("networked",),
}
_FIELDS: Final = {"transfer": _TRANSFER, "training-run": _RUN}


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """What an unsure answer lacks: fields of the form, facts that packs declare, and what no field here tells."""

    fields: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()
    elsewhere: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields or self.facts or self.elsewhere)


class FactFields(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of the chosen packs: those to fill in first, and the others; `carried` belongs to packs not chosen."""

    first: tuple[StatedQuantity, ...] = ()
    rest: tuple[StatedQuantity, ...] = ()
    carried: tuple[tuple[str, str], ...] = ()


def asked_quantities(packs: Iterable[Pack]) -> Mapping[str, StatedQuantity]:
    """Every quantity that one of the packs declares, in the order of their files."""
    found: dict[str, StatedQuantity] = {}
    for pack in packs:
        for name, quantity in pack.quantities.items():
            found.setdefault(name, quantity)
    return found


def read_facts(
    fields: Fields, quantities: Mapping[str, StatedQuantity]
) -> Mapping[str, bool | str | list[str]]:
    """What the form tells of them; an empty field is a missing fact. Raises InvalidInput where a flag is neither."""
    found: dict[str, bool | str | list[str]] = {}
    for name, quantity in quantities.items():
        text = fields.text(f"{FACT}{name}")
        if not text:
            continue
        if quantity.kind == "flag":
            found[name] = read_truth(text, f"facts.{name}")
        elif quantity.kind == "places":
            found[name] = [part.strip() for part in text.split(",") if part.strip()]
        else:
            found[name] = text
    return found


def find_gaps(tab: str, decisions: Iterable[Decision]) -> Gaps:
    """What the unsure ones of these answers lack, by the fields of that form."""
    known = _FIELDS.get(tab)
    paths = dict.fromkeys(
        path for decision in decisions if decision.decision == "unsure" for path in decision.missing
    )
    if known is None:
        return Gaps()
    facts = {path.removeprefix("facts.") for path in paths if path.startswith("facts.")}
    fields = {field for path in paths for field in known.get(path, ())}
    elsewhere = [path for path in paths if path not in known and not path.startswith("facts.")]
    return Gaps(
        fields=frozenset(fields),
        facts=frozenset(facts),
        # A pack may also say in a sentence why it cannot tell: that is no fact that anybody could fill in.
        elsewhere=tuple(path for path in elsewhere if " " not in path),
    )


def fact_fields(
    quantities: Mapping[str, StatedQuantity], first: Sequence[str], fields: Fields
) -> FactFields:
    """The fields in their order; what was told of packs that are not chosen now travels on unseen."""
    shown = [name for name in first if name in quantities]
    rest = [name for name in quantities if name not in shown]
    rest.sort(
        key=lambda name: not fields.text(f"{FACT}{name}")
    )  # what was told stands before the rest
    return FactFields(
        first=tuple(quantities[name] for name in shown),
        rest=tuple(quantities[name] for name in rest),
        carried=tuple(
            (name, value)
            for name, value in fields.pairs()
            if name.startswith(FACT) and value and name.removeprefix(FACT) not in quantities
        ),
    )


def weigh_facts(
    request: Request,
    packs: Iterable[Pack],
    law: tuple[Instant, Instant | None, Reading],
    names: Iterable[str],
) -> tuple[str, ...]:
    """Those of these facts that decide most, best first: one answer to them makes other missing facts needless.

    Each is tried with every answer that it can have, on this request; an answer by which no rule falls away settles
    nothing and does not count. What settles only itself is left out.
    """
    wanted = list(names)
    scores: dict[str, int] = {}
    tries = MOST_TRIES
    for pack in packs:
        at, as_of, reading = law
        before = decide(_with_facts(request, pack, {}), pack, at, as_of, reading=reading)
        for name in wanted:
            for value in _answers(pack.quantities.get(name)):
                tries -= 1
                if tries < 0:
                    return _ordered(scores)
                asked = _with_facts(request, pack, {name: value})
                after = decide(asked, pack, at, as_of, reading=reading)
                scores[name] = max(scores.get(name, 0), _settled(name, before, after))
    return _ordered(scores)


def _ordered(scores: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted((name for name in scores if scores[name]), key=lambda name: -scores[name]))


def _answers(quantity: StatedQuantity | None) -> Iterator[AskedFact]:
    """Every answer that it can have; an amount has too many to be tried."""
    if quantity is None:
        return
    yield from (True, False) if quantity.kind == "flag" else quantity.words


def _with_facts(request: Request, pack: Pack, more: Mapping[str, AskedFact]) -> Request:
    """The request with those of its facts that this pack asks for, and more."""
    told = {name: value for name, value in request.facts.items() if name in pack.quantities}
    return msgspec.structs.replace(request, facts={**told, **more})


def _settled(name: str, before: Decision, after: Decision) -> int:
    """How many other missing facts nobody needs any more, where a rule falls away; else none."""
    if {rule.id for rule in before.rules} <= {rule.id for rule in after.rules}:
        return 0
    return len(set(before.missing) - set(after.missing) - {f"facts.{name}"})
