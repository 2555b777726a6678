"""The class of a chip or another item by a pack's labelled definitions, with every limb that says so.

The first definition with a label that holds is the class; where one before it cannot be told, the class is unsure and
the answer names the fact that would decide. A class here follows the text of a pack: it is no official classification.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import msgspec

from sekisho.model.chips import BITS, Chip, ChipTable, known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import PackReference
from sekisho.rules.acting import is_acting, is_before, says_nothing
from sekisho.rules.answer import DefinitionTrace
from sekisho.rules.facts import AmountFact, Fact
from sekisho.rules.facts.items import item_facts
from sekisho.rules.facts.specs import tpp_by_bits
from sekisho.rules.limbs import LimbTrace, Truth, fact_text
from sekisho.rules.logic import Verdict, World, evaluate
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    Definition,
    DefinitionLimb,
    Not,
    Pack,
)
from sekisho.rules.requests.items import ChipSpec, ItemAsked

__all__ = ["ITEM_QUANTITIES", "Classification", "OpenException", "classify"]

PLACES: Final = 6  # decimal places to which density and H100 equivalents are written
# Quantities that an item tells by itself, whatever its way and its parties.
ITEM_QUANTITIES: Final = frozenset(
    {
        *("tpp", "h100e", "performance_density", "interconnect", "memory_bandwidth"),
        *("total_bandwidth", "memory_bandwidth_density", "datacenter", "form"),
    }
)


class OpenException(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A licence exception in force of which the item alone meets a condition and fails none."""

    id: str
    title: str
    title_ja: str = ""
    cite: str


class Classification(msgspec.Struct, frozen=True, kw_only=True):
    """What an item is under a pack on a date.

    `tpp` is exact, `performance_density` (TPP/mm2) and `h100e` are rounded to six places, half to even; None is
    unknown. `notes` are the pack's notes that decide with the class, and the values that are recalled; `marks` tells
    of each figure whether all that it rests on was read (S, P) or some of it recalled (R). `limits` are the pack's
    other limits on what an item tells by itself, `definitions` what else it settles by itself, `exceptions` the licence
    exceptions that are open to such an item.
    """

    name: str
    tpp: str | None
    tpp_bits: int | None
    performance_density: str | None
    item_class: str = msgspec.field(name="class")
    h100e: str | None
    datacenter: bool | None
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    marks: dict[str, str]
    limits: tuple[LimbTrace, ...]
    definitions: dict[str, Truth]
    exceptions: tuple[OpenException, ...]
    policy: PackReference
    at: Instant
    as_of: Instant | None
    trace: tuple[DefinitionTrace, ...]


def classify(
    item: ItemAsked | ChipSpec | Chip,
    pack: Pack,
    at: Instant,
    as_of: Instant | None = None,
    *,
    chips: ChipTable | None = None,
) -> Classification:
    """The class of an item at `at`, by what was known at `as_of` (None: all that the pack knows).

    Steps: 1 what the item tells; 2 each labelled definition, in the order of the pack; 3 the first that holds, unless
    one before it is open. Raises InvalidInput where the pack has no classes.
    """
    labelled = [one for one in pack.definitions.values() if one.label]
    if not labelled:
        raise InvalidInput(
            f"{pack.name} has no classes of items", path="pack", remedy="take one that has: us-ear"
        )
    asked, table = _as_item(item, chips if chips is not None else known_chips())
    facts = item_facts(asked, table)
    world = World(
        facts=facts,
        parameters=pack.parameters,
        sets=pack.sets,
        definitions=pack.definitions,
        at=at,
        as_of=as_of,
    )
    verdicts = [(one, _verdict(one, world)) for one in labelled]
    word, missing = _class(verdicts)
    if is_before(pack.coverage, at):
        word, missing = "unsure", (says_nothing(pack.name, "transfer", pack.coverage),)
    return Classification(
        name=_name(asked, table),
        tpp=_exact_text(facts["tpp"]),
        tpp_bits=_bits(asked, table),
        performance_density=_rounded_text(facts["performance_density"]),
        item_class=word,
        h100e=_rounded_text(facts["h100e"]),
        datacenter=getattr(facts["datacenter"], "value", None),
        missing=missing,
        notes=_notes(labelled, world),
        marks=_marks(asked, table),
        limits=tuple(_limits(pack, world)),
        definitions=dict(_decided(pack, world)),
        exceptions=tuple(_exceptions(pack, world)),
        policy=pack.reference,
        at=at,
        as_of=as_of,
        trace=tuple(_trace(labelled, world)),
    )


# --- 1: the item ----------------------------------------------------------------------------------


def _as_item(item: ItemAsked | ChipSpec | Chip, chips: ChipTable) -> tuple[ItemAsked, ChipTable]:
    if isinstance(item, Chip):
        return ItemAsked(chip=item.name), ChipTable([item])
    if isinstance(item, ChipSpec):
        return ItemAsked(form="hbm" if item.hbm else "ic", spec=item), chips
    return item, chips


def _chip(item: ItemAsked, chips: ChipTable) -> Chip | None:
    return chips.find(item.chip) if item.chip is not None else None


def _name(item: ItemAsked, chips: ChipTable) -> str:
    if item.spec is not None:
        return item.spec.name
    chip = _chip(item, chips)
    return chip.name if chip is not None else item.chip or item.form


def _bits(item: ItemAsked, chips: ChipTable) -> int | None:
    """The bit length that gives the TPP, the longer one where two tie; None where the TPP is not known."""
    if _exact_text(item_facts(item, chips)["tpp"]) is None:
        return None
    chip = _chip(item, chips)
    if chip is not None:
        return chip.tpp_bits
    by_bits = tpp_by_bits(item.spec) if item.spec is not None else {}
    return max(by_bits, key=lambda bits: (by_bits[bits], bits), default=None)


def _exact_text(fact: Fact) -> str | None:
    known = isinstance(fact, AmountFact) and fact.low == fact.high
    return fact_text(fact) if known else None


def _rounded_text(fact: Fact) -> str | None:
    """An exact amount to six places, half to even, without ending zeros."""
    if not isinstance(fact, AmountFact) or fact.low != fact.high:
        return None
    whole, part = divmod(round(Fraction(fact.low) * 10**PLACES), 10**PLACES)
    return f"{whole}.{part:0{PLACES}d}".rstrip("0").rstrip(".")


def _marks(item: ItemAsked, chips: ChipTable) -> dict[str, str]:
    """R where a figure rests on a recalled value, else the weakest mark of what was read; none for a sheet."""
    chip = _chip(item, chips)
    if chip is None:
        return {}
    peaks = [name for name in BITS if name in chip.peaks]
    rests_on = {
        "tpp": peaks,
        "performance_density": [*peaks, *(["die"] if chip.die_mm2 is not None else [])],
        "h100e": peaks,
        "memory_bandwidth": ["bandwidth"] if chip.bandwidth_gbs is not None else [],
        "interconnect": ["interconnect"] if chip.interconnect_gbs is not None else [],
    }
    if chip.die_mm2 is None:
        del rests_on["performance_density"]
    return {
        figure: max((chip.mark(field) for field in fields), key="PSR".index)
        for figure, fields in rests_on.items()
        if fields
    }


# --- 2 and 3: the class ---------------------------------------------------------------------------


def _verdict(definition: Definition, world: World) -> Verdict:
    """The definition's condition; outside its periods nothing of that name exists."""
    dated = definition.at(world.at, world.as_of)
    when = dated.when if dated is not None else None
    return Verdict(truth="false") if when is None else evaluate(when, world)


def _class(verdicts: list[tuple[Definition, Verdict]]) -> tuple[str, tuple[str, ...]]:
    missing: list[str] = []
    for definition, verdict in verdicts:
        if verdict.truth == "unknown":
            missing.extend(verdict.missing)
        elif verdict.truth == "true":
            if not missing:
                return definition.label, ()
            break
    return ("unsure", tuple(dict.fromkeys(missing))) if missing else ("none", ())


def _trace(labelled: list[Definition], world: World) -> Iterator[DefinitionTrace]:
    """The definitions that carry a class and those that they ask about, in the order of the pack."""
    names = {one.name for one in labelled}
    for definition in reversed(list(world.definitions.values())):
        if definition.name in names:
            names.update(_asked_of(definition, world))
    for definition in world.definitions.values():
        if definition.name in names:
            yield _traced(definition, _verdict(definition, world), world)


def _decided(pack: Pack, world: World) -> Iterator[tuple[str, Truth]]:
    """The other definitions of which the item alone decides whether they hold."""
    for definition in pack.definitions.values():
        truth = _verdict(definition, world).truth
        if truth != "unknown" and not definition.label:
            yield definition.name, truth


def _traced(definition: Definition, verdict: Verdict, world: World) -> DefinitionTrace:
    dated = definition.at(world.at, world.as_of)
    return DefinitionTrace(
        definition=definition.name,
        label=definition.label,
        truth=verdict.truth,
        limbs=verdict.limbs,
        missing=verdict.missing,
        source=f"{dated.source}, {dated.cite}" if dated is not None else "",
        mark=dated.mark if dated is not None else "",
        since=dated.start if dated is not None else None,
        until=dated.end if dated is not None else None,
    )


# --- what else the pack says of the item ----------------------------------------------------------


def _notes(labelled: list[Definition], world: World) -> tuple[str, ...]:
    """Notes of the text that decide with the class, as Note 2 to 3A090 does; and what is recalled."""
    names = dict.fromkeys(name for one in labelled for name in _asked_of(one, world))
    deciding = []
    for name in names:
        definition = world.definitions[name]
        dated = definition.at(world.at, world.as_of)
        if definition.label or dated is None or _verdict(definition, world).truth != "true":
            continue
        cited = dated.cite in definition.means
        deciding.append(definition.means if cited else f"{definition.means} ({dated.cite})")
    figures = ("tpp", "performance_density")
    recalled = [note for name in figures for note in world.facts[name].notes]
    return tuple(dict.fromkeys((*deciding, *recalled)))


def _asked_of(definition: Definition, world: World) -> Iterator[str]:
    dated = definition.at(world.at, world.as_of)
    if dated is not None and dated.when is not None:
        for limb in _leaves(dated.when):
            if isinstance(limb, DefinitionLimb):
                yield limb.definition


def _limits(pack: Pack, world: World) -> Iterator[LimbTrace]:
    """The pack's parameters on an item's own quantities that its classes do not ask about, once each."""
    seen = {key for one in pack.definitions.values() if one.label for key in _keys(one, world)}
    for limb in _all_limbs(pack, world):
        if not isinstance(limb, AmountLimb) or limb.quantity not in ITEM_QUANTITIES:
            continue
        key = (limb.quantity, limb.op, limb.parameter)
        if key in seen or not limb.parameter:
            continue
        seen.add(key)
        if pack.parameters[limb.parameter].at(world.at, world.as_of) is not None:
            yield from evaluate(limb, world).limbs


def _keys(definition: Definition, world: World) -> Iterator[tuple[str, str, str]]:
    dated = definition.at(world.at, world.as_of)
    if dated is not None and dated.when is not None:
        for limb in _leaves(dated.when):
            if isinstance(limb, AmountLimb):
                yield limb.quantity, limb.op, limb.parameter


def _all_limbs(pack: Pack, world: World) -> Iterator[Condition]:
    for definition in pack.definitions.values():
        dated = definition.at(world.at, world.as_of)
        if dated is not None and dated.when is not None:
            yield from _leaves(dated.when)
    for rule in pack.rules:
        if "transfer" in rule.kinds and is_acting(
            rule.status_at(world.at, world.as_of), "enforced"
        ):
            yield from _leaves(rule.when)


def _leaves(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, All | Any):
        for part in condition.parts:
            yield from _leaves(part)
    elif isinstance(condition, Not):
        yield from _leaves(condition.part)
    else:
        yield condition


def _exceptions(pack: Pack, world: World) -> Iterator[OpenException]:
    for exception in pack.exceptions:
        if is_acting(exception.status_at(world.at, world.as_of), "enforced"):
            truths = {evaluate(one.when, world).truth for one in exception.eligibility}
            if "true" in truths and "false" not in truths:
                yield OpenException(
                    id=exception.id,
                    title=exception.title,
                    title_ja=exception.title_ja,
                    cite=exception.cite,
                )
