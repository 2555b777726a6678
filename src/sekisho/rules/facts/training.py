"""The quantities of a training run: its FLOP, its lineage's, the post-training in it."""

from __future__ import annotations

from typing import Final

from sekisho.model.chips import ChipTable
from sekisho.rules.facts.clusters import cluster_facts
from sekisho.rules.facts.places import stated_places
from sekisho.rules.facts.shapes import (
    NOTHING,
    UNBOUNDED,
    AmountFact,
    Fact,
    FlagFact,
    given_flop,
    plus,
    ratio,
)
from sekisho.rules.requests.training_run import RunRequest

__all__ = ["run_facts"]

_WORST: Final = AmountFact(
    low=UNBOUNDED, high=UNBOUNDED, notes=("origin unknown: counted as the rule's worst case",)
)


def run_facts(request: RunRequest, chips: ChipTable) -> dict[str, Fact]:
    """What a training run tells."""
    planned = given_flop(request.planned_flop, "planned_flop")
    lineage = _lineage(request)
    return {
        "run_flop": planned,
        "training_flop": plus(planned, lineage),
        "post_training_flop": _post_training(request, planned, lineage),
        "post_training": _post_training_flag(request),
        "modification_share": _modification(request, planned, lineage),
        "jurisdictions": stated_places(request.jurisdictions, "jurisdictions"),
        **cluster_facts(request.cluster, chips),
    }


def _lineage(request: RunRequest) -> AmountFact:
    if request.origin == "scratch":
        return NOTHING
    if request.origin == "unknown":
        return _WORST
    fact = given_flop(request.lineage_flop, "lineage_flop")
    if request.origin == "known":
        return fact
    # Nobody said where the weights come from: what was stated is a floor only.
    return AmountFact(low=fact.low, high=UNBOUNDED, missing=("origin", *fact.missing))


def _modification(request: RunRequest, planned: AmountFact, lineage: AmountFact) -> AmountFact:
    """This run over its lineage; a lineage that nobody knows may have cost nearly nothing."""
    if request.origin == "scratch":
        return NOTHING
    return _WORST if request.origin == "unknown" else ratio(planned, lineage)


def _post_training_flag(request: RunRequest) -> FlagFact:
    if request.origin == "scratch":
        return FlagFact(value=False)
    if request.origin == "unknown" and request.post_training is None:
        return FlagFact(value=True, notes=_WORST.notes)
    missing = () if request.post_training is not None else ("post_training",)
    return FlagFact(value=request.post_training, missing=missing)


def _post_training(request: RunRequest, planned: AmountFact, lineage: AmountFact) -> AmountFact:
    flag = _post_training_flag(request).value
    if flag is False:
        return NOTHING
    total = plus(planned, _earlier_post_training(request, lineage))
    if flag:
        return total
    missing = ("post_training", *total.missing)
    return AmountFact(low=0, high=total.high, missing=missing, notes=total.notes)


def _earlier_post_training(request: RunRequest, lineage: AmountFact) -> AmountFact:
    """Earlier post-training is part of the lineage, so the lineage's total bounds it where it is not given."""
    if request.origin == "unknown":
        return _WORST
    earlier = given_flop(request.lineage_post_training_flop, "lineage_post_training_flop")
    if earlier.missing:
        return AmountFact(low=0, high=lineage.high, missing=earlier.missing if lineage.high else ())
    if request.origin == "known":
        return earlier
    return plus(earlier, AmountFact(low=0, high=UNBOUNDED, missing=("origin",)))
