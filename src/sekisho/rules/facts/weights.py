"""What model weights tell (ECCN 4E091): training operations with synthetic data, and what a derivation added.

Technical Note 3: where more than a tenth of the operations trained on unpublished data that one model generated, the
operations that generated it count as well; where that model's weights are unpublished also the operations that
trained it, of several such models only the largest, and nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Final

from sekisho.rules.facts.shapes import (
    NOTHING,
    AmountFact,
    Fact,
    given_flop,
    plus,
    ratio,
    union,
)
from sekisho.rules.facts.words import NO, flag
from sekisho.rules.requests.items import SyntheticData, WeightsAsked

__all__ = ["NO_WEIGHTS", "weights_facts"]

_PATH: Final = "item.weights"
_TENTH: Final = Fraction(1, 10)  # 4E091 Technical Note 3: more than 10 % of the operations
# An item that is no weights has cost no training and was derived from nothing.
NO_WEIGHTS: Final[Mapping[str, Fact]] = {
    **dict.fromkeys(("weights_flop", "added_flop", "added_share"), NOTHING),
    **dict.fromkeys(("weights_published", "base_published", "below_most_advanced_published"), NO),
}


@lru_cache(maxsize=4096)
def weights_facts(weights: WeightsAsked) -> Mapping[str, Fact]:
    """The quantities that weights tell."""
    added = _added(weights)
    return {
        "weights_flop": _with_synthetic(weights),
        "weights_published": flag(weights.published, f"{_PATH}.published"),
        "base_published": flag(weights.base_published, f"{_PATH}.base_published"),
        "added_flop": added,
        "added_share": ratio(added, given_flop(weights.base_flop, f"{_PATH}.base_flop")),
        "below_most_advanced_published": flag(
            weights.below_most_advanced_published, f"{_PATH}.below_most_advanced_published"
        ),
    }


def _added(weights: WeightsAsked) -> AmountFact:
    """What the derivation added; operations that are neither the base's nor added may be added ones too."""
    name = f"{_PATH}.added_flop"
    stated = given_flop(weights.added_flop, name)
    if stated.missing or weights.base_flop is None or weights.training_flop is None:
        return stated
    rest = int(weights.training_flop) - int(weights.base_flop)
    if rest <= stated.low:
        return stated
    missing = (f"{name}: of training_flop more than base_flop and this",)
    return AmountFact(low=stated.low, high=rest, missing=missing)


def _with_synthetic(weights: WeightsAsked) -> AmountFact:
    """Training operations with the additions: of every generator its generation, of the largest its training."""
    own = given_flop(weights.training_flop, f"{_PATH}.training_flop")
    generation = NOTHING
    trainings: list[AmountFact] = []
    for path, data in _generators(weights):
        counts = _counts(own, data, path)
        generated = given_flop(data.generation_flop, f"{path}generation_flop")
        generation = plus(generation, _where(counts, generated))
        trainings.append(_where(counts, _generator_training(data, path)))
    return plus(plus(own, generation), _largest(trainings))


def _generators(weights: WeightsAsked) -> tuple[tuple[str, SyntheticData], ...]:
    """Each generator with the beginning of its fields' paths."""
    if weights.synthetic is not None:
        rows = enumerate(weights.synthetic)
        return tuple((f"{_PATH}.synthetic[{number}].", data) for number, data in rows)
    data = SyntheticData(
        training_flop=weights.synthetic_training_flop,
        generation_flop=weights.synthetic_generation_flop,
        generator_flop=weights.synthetic_generator_flop,
        generator_published=weights.synthetic_generator_published,
    )
    return ((f"{_PATH}.synthetic_", data),)


_Counts = tuple[bool | None, tuple[str, ...]]


def _counts(own: AmountFact, data: SyntheticData, path: str) -> _Counts:
    """Whether more than a tenth of the operations trained on what this model generated."""
    if data.training_flop is None:
        return None, (f"{path}training_flop",)
    trained = int(data.training_flop)
    if trained == 0:
        return False, ()
    if own.missing:
        return None, own.missing
    return trained > own.low * _TENTH, ()


def _where(counts: _Counts, amount: AmountFact) -> AmountFact:
    """An addition that is made, is not made, or may have to be made."""
    is_made, missing = counts
    if is_made is None:
        return AmountFact(low=0, high=amount.high, missing=(*missing, *amount.missing))
    return amount if is_made else NOTHING


def _generator_training(data: SyntheticData, path: str) -> AmountFact:
    """The operations that trained an unpublished generator, unless the lineage counts them already."""
    if data.generator_published or data.generator_in_lineage:
        return NOTHING
    # The fields read `generator_flop` in a list and `synthetic_generator_flop` beside the weights: one path fits both.
    trained = given_flop(data.generator_flop, f"{path}generator_flop")
    if data.generator_published is False:
        return trained
    missing = (f"{path}generator_published", *trained.missing)
    return AmountFact(low=0, high=trained.high, missing=missing)


def _largest(amounts: list[AmountFact]) -> AmountFact:
    if not amounts:
        return NOTHING
    return AmountFact(
        low=max(fact.low for fact in amounts),
        high=max(fact.high for fact in amounts),
        missing=union(fact.missing for fact in amounts),
    )
