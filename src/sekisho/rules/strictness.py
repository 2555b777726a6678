"""The strictest rule decides; what is open matters only where it could be stricter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from sekisho.rules.answer import DecisionWord
from sekisho.rules.logic import Truth
from sekisho.rules.pack import Outcome

__all__ = ["Held", "could_raise", "decision_word", "outcome_if_lifted", "strictest_of"]

# What a rule comes to, after exceptions, and whether it holds.
Held: TypeAlias = tuple[Outcome, Truth]

_SEVERITY: Final[Mapping[Outcome, int]] = {
    "permit": 0,
    "report": 1,
    "licence": 2,
    "deny": 3,
    "unsure": 3,  # only a person can tell: it could turn out as strict as any
}
_WORDS: Final[tuple[DecisionWord, ...]] = ("permit", "report", "licence", "deny")


def decision_word(rules: Sequence[Held]) -> DecisionWord:
    """Deny over licence over report over permit; unsure where an open rule could be stricter than what is definite."""
    definite = _definite(rules)
    if any(_is_stricter(held, definite) for held in rules):
        return "unsure"
    return _WORDS[definite]


def could_raise(rules: Sequence[Held]) -> tuple[bool, ...]:
    """For each rule, whether it is open and could make the decision stricter than it is without it."""
    definite = _definite(rules)
    return tuple(_is_stricter(held, definite) for held in rules)


def outcome_if_lifted(notices: Iterable[int]) -> Outcome:
    """What a licence comes to under exceptions, each with so many notices: the easiest one counts."""
    return "permit" if min(notices) == 0 else "report"


def strictest_of(words: Iterable[DecisionWord]) -> DecisionWord:
    """Of several regimes' answers: a deny stays one, else an unsure one could still be the strictest."""
    found = set(words)
    order: tuple[DecisionWord, ...] = ("deny", "unsure", "licence", "report", "permit")
    return next(word for word in order if word in found)


def _definite(rules: Sequence[Held]) -> int:
    true = (outcome for outcome, truth in rules if truth == "true" and outcome != "unsure")
    return max((_SEVERITY[outcome] for outcome in true), default=0)


def _is_stricter(held: Held, definite: int) -> bool:
    outcome, truth = held
    is_open = truth == "unknown" or (truth == "true" and outcome == "unsure")
    return is_open and _SEVERITY[outcome] > definite
