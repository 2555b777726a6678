"""Facts: what a request tells of the quantities that rules ask about, each with what is missing."""

from sekisho.rules.facts.gathering import facts_of
from sekisho.rules.facts.shapes import (
    Amount,
    AmountFact,
    Fact,
    FlagFact,
    PlacesFact,
    WordFact,
)

__all__ = ["Amount", "AmountFact", "Fact", "FlagFact", "PlacesFact", "WordFact", "facts_of"]
