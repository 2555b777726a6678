"""From a request to the quantities that rules ask about: intervals, flags and places, each with what is missing.

An amount is an interval: what is known bounds it from below, what is missing opens it above. So 2e24 planned
FLOP are over 1e24 whatever the lineage turns out to be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

import msgspec

from sekisho.model.chips import TREATY_H100, Chip, ChipTable
from sekisho.rules.requests import Request
from sekisho.rules.requests.training_run import ChipsAsked, Cluster, RunRequest

__all__ = ["Amount", "AmountFact", "Fact", "FlagFact", "PlacesFact", "WordFact", "facts_of"]

# The only floating-point value here is infinity, which Python compares exactly with integers and Fractions.
Amount: TypeAlias = int | Fraction | float
UNBOUNDED = math.inf
_TERA = 10**12


class AmountFact(msgspec.Struct, frozen=True, kw_only=True):
    """The quantity lies between `low` and `high`; `missing` names the facts that would narrow it."""

    low: Amount
    high: Amount
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class FlagFact(msgspec.Struct, frozen=True, kw_only=True):
    """Yes, no, or nobody said."""

    value: bool | None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class PlacesFact(msgspec.Struct, frozen=True, kw_only=True):
    """The places that were named, or None where nobody named any; not `complete` where there may be more."""

    values: tuple[str, ...] | None
    complete: bool = True
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class WordFact(msgspec.Struct, frozen=True, kw_only=True):
    """The words that were said (of several one is enough to meet a limb), or None where nobody said any."""

    values: tuple[str, ...] | None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


Fact: TypeAlias = AmountFact | FlagFact | PlacesFact | WordFact


def facts_of(request: Request, chips: ChipTable) -> Mapping[str, Fact]:
    """Every quantity of `quantities.py`, as far as the request tells it."""
    return _run_facts(request, chips) if isinstance(request, RunRequest) else {}


def _run_facts(request: RunRequest, chips: ChipTable) -> Mapping[str, Fact]:
    planned = _given(request.planned_flop, "planned_flop")
    return {
        "run_flop": planned,
        "training_flop": _plus(planned, _lineage(request)),
        "post_training_flop": _post_training(request, planned),
        "post_training": _post_training_flag(request),
        "jurisdictions": PlacesFact(
            values=request.jurisdictions,
            missing=("jurisdictions",) if request.jurisdictions is None else (),
        ),
        **_cluster_facts(request.cluster, chips),
    }


def _given(text: str | None, name: str) -> AmountFact:
    if text is None:
        return AmountFact(low=0, high=UNBOUNDED, missing=(name,))
    return AmountFact(low=int(text), high=int(text))


def _plus(first: AmountFact, second: AmountFact) -> AmountFact:
    return AmountFact(
        low=first.low + second.low,
        high=first.high + second.high,
        missing=tuple(dict.fromkeys(first.missing + second.missing)),
        notes=tuple(dict.fromkeys(first.notes + second.notes)),
    )


_WORST = AmountFact(
    low=UNBOUNDED, high=UNBOUNDED, notes=("origin unknown: counted as the rule's worst case",)
)


def _lineage(request: RunRequest) -> AmountFact:
    if request.origin == "scratch":
        return AmountFact(low=0, high=0)
    if request.origin == "unknown":
        return _WORST
    fact = _given(request.lineage_flop, "lineage_flop")
    if request.origin == "known":
        return fact
    # Nobody said where the weights come from: what was stated is a floor only.
    missing = ("origin", *fact.missing)
    return AmountFact(low=fact.low, high=UNBOUNDED, missing=missing)


def _post_training_flag(request: RunRequest) -> FlagFact:
    if request.origin == "scratch":
        return FlagFact(value=False)
    if request.origin == "unknown" and request.post_training is None:
        return FlagFact(value=True, notes=_WORST.notes)
    missing = () if request.post_training is not None else ("post_training",)
    return FlagFact(value=request.post_training, missing=missing)


def _post_training(request: RunRequest, planned: AmountFact) -> AmountFact:
    flag = _post_training_flag(request).value
    if flag is False:
        return AmountFact(low=0, high=0)
    total = _plus(planned, _earlier_post_training(request))
    if flag:
        return total
    return AmountFact(
        low=0, high=total.high, missing=("post_training", *total.missing), notes=total.notes
    )


def _earlier_post_training(request: RunRequest) -> AmountFact:
    """Earlier post-training is part of the lineage, so the lineage's total bounds it where it is not given."""
    if request.origin == "unknown":
        return _WORST
    earlier = _given(request.lineage_post_training_flop, "lineage_post_training_flop")
    lineage = _lineage(request)
    if earlier.missing:
        return AmountFact(low=0, high=lineage.high, missing=earlier.missing if lineage.high else ())
    return (
        earlier
        if request.origin == "known"
        else _plus(earlier, AmountFact(low=0, high=UNBOUNDED, missing=("origin",)))
    )


def _cluster_facts(cluster: Cluster | None, chips: ChipTable) -> dict[str, Fact]:
    if cluster is None:
        nothing = AmountFact(low=0, high=UNBOUNDED, missing=("cluster",))
        amounts = dict.fromkeys(("cluster_fp16", "cluster_tpp", "cluster_memory"), nothing)
        return {"cluster_networked": FlagFact(value=None, missing=("cluster",)), **amounts}
    missing = () if cluster.networked is not None else ("cluster.networked",)
    sums = dict.fromkeys(
        ("cluster_fp16", "cluster_tpp", "cluster_memory"), AmountFact(low=0, high=0)
    )
    for index, asked in enumerate(cluster.chips):
        parts = _chip_amounts(asked, chips, f"cluster.chips[{index}]")
        sums = {name: _plus(total, parts[name]) for name, total in sums.items()}
    return {"cluster_networked": FlagFact(value=cluster.networked, missing=missing), **sums}


def _chip_amounts(asked: ChipsAsked, chips: ChipTable, path: str) -> dict[str, AmountFact]:
    """16-bit peak in TFLOP/s, TPP and memory in GB of one line of the cluster."""
    chip = chips.find(asked.chip)
    if chip is not None:
        return _known_chip(chip, asked.count, path)
    if asked.declared is None:
        unknown = AmountFact(low=0, high=UNBOUNDED, missing=(f"{path}.chip",))
        return dict.fromkeys(("cluster_fp16", "cluster_tpp", "cluster_memory"), unknown)
    device, count = asked.declared, asked.count
    tera = Fraction(int(device.peak_flop_per_s) * count, _TERA)
    notes = (f"{asked.chip}: as declared",)
    memory = Fraction(device.memory_gb) * count if device.memory_gb is not None else None
    return {
        # A rate at 16 bits or more counts as it is: FP16-equivalent operations are at least as many.
        "cluster_fp16": _exactly(max(tera * device.bits / 16, tera), notes),
        "cluster_tpp": _exactly(tera * device.bits, notes),
        "cluster_memory": _memory(memory, f"{path}.declared.memory_gb", notes),
    }


def _known_chip(chip: Chip, count: int, path: str) -> dict[str, AmountFact]:
    recalled = {
        field: f"{chip.name}: {field} is recalled, to be verified"
        for field in chip.to_be_verified(["memory", *chip.peaks])
    }
    tpp_formats = [name for name in chip.peaks if name in recalled]
    memory = chip.memory_gb * count if chip.memory_gb is not None else None
    return {
        "cluster_fp16": _exactly(
            chip.fp16_flop_per_s_under(TREATY_H100) * count / _TERA, _notes(recalled, "fp16")
        ),
        "cluster_tpp": _exactly(
            chip.tpp_under(TREATY_H100) * count, _notes(recalled, *tpp_formats)
        ),
        "cluster_memory": _memory(
            memory, f"{path}.memory of {chip.name}", _notes(recalled, "memory")
        ),
    }


def _notes(recalled: Mapping[str, str], *fields: str) -> tuple[str, ...]:
    return tuple(recalled[field] for field in fields if field in recalled)


def _exactly(value: Fraction, notes: tuple[str, ...]) -> AmountFact:
    return AmountFact(low=value, high=value, notes=notes)


def _memory(value: Fraction | None, name: str, notes: tuple[str, ...]) -> AmountFact:
    if value is None:
        return AmountFact(low=0, high=UNBOUNDED, missing=(name,), notes=notes)
    return _exactly(value, notes)
