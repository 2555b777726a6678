"""What the item of a transfer tells: TPP, performance density, bandwidths, market, designer.

15 CFR 774 Supp. 1, 3A090 Technical Notes 1 to 4: dense operations x bit length, summed over processing units, the
largest over bit lengths; density over the area of the logic dies on non-planar nodes. An item is read once: the same
item gives the same facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from sekisho.model.chips import EXPORT_H100, Chip, ChipTable
from sekisho.rules.facts.places import place
from sekisho.rules.facts.shapes import (
    NOTHING,
    Fact,
    FlagFact,
    PlacesFact,
    exactly,
    exactly_or_unknown,
    plus,
    ratio,
    unknown,
)
from sekisho.rules.facts.specs import NO_STACK, spec_facts
from sekisho.rules.facts.weights import NO_WEIGHTS, weights_facts
from sekisho.rules.facts.words import flag, word
from sekisho.rules.requests.items import ItemAsked

__all__ = ["item_facts"]

_AMOUNTS: Final = (
    "tpp",
    "h100e",
    "performance_density",
    "interconnect",
    "memory_bandwidth",
    "total_bandwidth",
    "memory_bandwidth_density",
)


_OTHERWISE: Final = "the chip table says otherwise; for another product write `spec`"


@lru_cache(maxsize=8192)
def item_facts(item: ItemAsked, chips: ChipTable) -> Mapping[str, Fact]:
    """The quantities that depend on the item alone."""
    weights = weights_facts(item.weights) if item.weights is not None else NO_WEIGHTS
    return {
        "form": word(item.form, "item.form"),
        "eccn": word(item.eccn, "item.eccn"),
        **_chip_side(item, chips),
        **weights,
    }


def _chip_side(item: ItemAsked, chips: ChipTable) -> dict[str, Fact]:
    if item.form == "weights":
        return {**dict.fromkeys(_AMOUNTS, NOTHING), **_market(item, False, None)}
    if item.spec is not None:
        spec = item.spec
        told: dict[str, Fact] = {**spec_facts(spec, hbm=item.form == "hbm")}
        return {**told, **_market(item, spec.datacenter, spec.designer_country)}
    chip = chips.find(item.chip) if item.chip is not None else None
    if chip is None:
        nothing = unknown("item.chip", notes=_suggestion(item, chips))
        return {**dict.fromkeys(_AMOUNTS, nothing), **_market(item, None, None)}
    return {**_table_chip(chip), **_market_of(chip, item)}


def _market_of(chip: Chip, item: ItemAsked) -> dict[str, Fact]:
    """The table's word; where the request says otherwise, nobody knows: another product has a sheet of its own."""
    told = _market(item, chip.datacenter, chip.designer_country)
    if None not in (chip.datacenter, item.datacenter) and chip.datacenter != item.datacenter:
        told["datacenter"] = FlagFact(value=None, missing=(f"item.datacenter: {_OTHERWISE}",))
    designers = {chip.designer_country, item.designer_country} - {None}
    if len(designers) > 1:
        missing = (f"item.designer_country: {_OTHERWISE}",)
        told["designer"] = PlacesFact(values=None, complete=False, missing=missing)
    return told


def _market(item: ItemAsked, datacenter: bool | None, designer: str | None) -> dict[str, Fact]:
    """What the request says of the item, else the table or the sheet."""
    stated = item.datacenter if item.datacenter is not None else datacenter
    return {
        "datacenter": flag(stated, "item.datacenter"),
        "designer": place(item.designer_country or designer, "item.designer_country"),
    }


def _suggestion(item: ItemAsked, chips: ChipTable) -> tuple[str, ...]:
    if item.chip is None:
        return ()
    names = chips.nearest(item.chip)
    listed = f"; near it: {', '.join(names)}" if names else ""
    return (f"{item.chip[:60]!r} is no chip of the table{listed}",)


def _table_chip(chip: Chip) -> dict[str, Fact]:
    """A chip of the table, with a note for each recalled value that a figure rests on."""
    tpp_notes = _recalled(chip, *chip.peaks)
    tpp = exactly(chip.tpp, tpp_notes)
    area = exactly_or_unknown(chip.die_mm2, f"item.die_mm2 of {chip.name}", _recalled(chip, "die"))
    interconnect = exactly_or_unknown(
        chip.interconnect_gbs,
        f"item.interconnect_gbs of {chip.name}",
        _recalled(chip, "interconnect"),
    )
    memory = exactly_or_unknown(
        chip.bandwidth_gbs, f"item.bandwidth_gbs of {chip.name}", _recalled(chip, "bandwidth")
    )
    return {
        "tpp": tpp,
        "h100e": exactly(chip.tpp / EXPORT_H100.tpp, tpp_notes),
        "performance_density": ratio(tpp, area),
        "interconnect": interconnect,
        "memory_bandwidth": memory,
        "total_bandwidth": plus(memory, interconnect),
        "memory_bandwidth_density": NO_STACK,
    }


def _recalled(chip: Chip, *fields: str) -> tuple[str, ...]:
    return tuple(
        f"{chip.name}: {field} is recalled, to be verified" for field in chip.to_be_verified(fields)
    )
