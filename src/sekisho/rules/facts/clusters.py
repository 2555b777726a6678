"""What a cluster amounts to: 16-bit rate, fastest rate, TPP, memory, network; unknown chips open it above."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Final

from sekisho.model.chips import TREATY_H100, ChipTable
from sekisho.rules.facts.shapes import (
    AmountFact,
    Fact,
    FlagFact,
    decimal,
    exactly,
    exactly_or_unknown,
    given_decimal,
    total,
    unknown,
)
from sekisho.rules.requests.training_run import (
    NETWORKED_GBIT_S,
    ChipsAsked,
    Cluster,
    DeclaredDevice,
)

__all__ = ["cluster_facts"]

_TERA: Final = 10**12
_SUGGESTED: Final = 10  # lines whose unknown chips are compared with the table, which is slow
_SUMS: Final = ("cluster_fp16", "cluster_peak", "cluster_tpp", "cluster_memory")
_UNKNOWN: Final[Mapping[str, Fact]] = {
    "cluster_networked": FlagFact(value=None, missing=("cluster",)),
    "cluster_network": unknown("cluster"),
    **dict.fromkeys(_SUMS, unknown("cluster")),
}


def cluster_facts(cluster: Cluster | None, chips: ChipTable) -> Mapping[str, Fact]:
    """The cluster's quantities; of no cluster nothing is known."""
    if cluster is None:
        return _UNKNOWN
    lines = [
        _line_amounts(asked, chips, f"cluster.chips[{index}]", near=index < _SUGGESTED)
        for index, asked in enumerate(cluster.chips)
    ]
    sums = {name: total(line[name] for line in lines) for name in _SUMS}
    return {
        "cluster_networked": _networked(cluster),
        "cluster_network": given_decimal(cluster.network_gbit_s, "cluster.network_gbit_s"),
        **sums,
    }


def _networked(cluster: Cluster) -> FlagFact:
    if cluster.networked is not None:
        return FlagFact(value=cluster.networked)
    if cluster.network_gbit_s is not None and decimal(cluster.network_gbit_s) > NETWORKED_GBIT_S:
        return FlagFact(
            value=True, notes=(f"by its network of more than {NETWORKED_GBIT_S} Gbit/s",)
        )
    return FlagFact(value=None, missing=("cluster.networked",))


def _line_amounts(
    asked: ChipsAsked, chips: ChipTable, path: str, *, near: bool
) -> Mapping[str, AmountFact]:
    """What so many chips of one type add."""
    one = _one_chip(asked.chip, chips)
    if one is not None:
        return {name: _so_many(each, asked.count, path) for name, each in one.items()}
    if asked.declared is None:
        notes = _suggestion(asked.chip, chips, near=near)
        return dict.fromkeys(_SUMS, unknown(f"{path}.chip", notes=notes))
    return _declared(asked.declared, asked, path)


@lru_cache(maxsize=1024)
def _suggestion(name: str, chips: ChipTable, *, near: bool) -> tuple[str, ...]:
    names = chips.nearest(name) if near else []
    listed = f"; near it: {', '.join(names)}" if names else ""
    return (f"{name[:60]!r} is no chip of the table{listed}",)


def _declared(device: DeclaredDevice, asked: ChipsAsked, path: str) -> Mapping[str, AmountFact]:
    peak = int(device.peak_flop_per_s) * asked.count
    tera = Fraction(peak, _TERA)
    notes = (f"{asked.chip}: as declared",)
    memory = decimal(device.memory_gb) * asked.count if device.memory_gb is not None else None
    return {
        # A rate at 16 bits or more counts as it is: FP16-equivalent operations are at least as many.
        "cluster_fp16": exactly(max(tera * device.bits / 16, tera), notes),
        "cluster_peak": exactly(peak, notes),
        "cluster_tpp": exactly(tera * device.bits, notes),
        "cluster_memory": exactly_or_unknown(memory, f"{path}.declared.memory_gb", notes),
    }


def _so_many(each: AmountFact, count: int, path: str) -> AmountFact:
    if isinstance(each.low, float) or each.missing:
        return unknown(*(f"{path}.{name}" for name in each.missing), notes=each.notes)
    return exactly(each.low * count, each.notes)


@lru_cache(maxsize=4096)
def _one_chip(name: str, chips: ChipTable) -> Mapping[str, AmountFact] | None:
    """What one chip of the table adds; None where the name is of none."""
    chip = chips.find(name)
    if chip is None:
        return None
    recalled = {
        field: f"{chip.name}: {field} is recalled, to be verified"
        for field in chip.to_be_verified(["memory", *chip.peaks])
    }
    return {
        "cluster_fp16": exactly(
            chip.fp16_flop_per_s_under(TREATY_H100) / _TERA, _notes(recalled, "fp16")
        ),
        "cluster_peak": exactly(
            chip.fastest_peak_flop_per_s, _notes(recalled, chip.fastest_format)
        ),
        "cluster_tpp": exactly(chip.tpp_under(TREATY_H100), _notes(recalled, *chip.peaks)),
        "cluster_memory": exactly_or_unknown(
            chip.memory_gb, f"memory of {chip.name}", _notes(recalled, "memory")
        ),
    }


def _notes(recalled: Mapping[str, str], *fields: str) -> tuple[str, ...]:
    return tuple(recalled[field] for field in fields if field in recalled)
