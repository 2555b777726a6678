"""What several regimes say of one request: each answer whole, nothing merged, and where they differ in words."""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.catalogue import Language, say
from sekisho.model.chips import ChipTable
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.rules.answer import Decision, SideBySide
from sekisho.rules.engine import judge_of
from sekisho.rules.pack import Pack, Reading
from sekisho.rules.reliance import in_order
from sekisho.rules.requests import Request
from sekisho.rules.stated import check_facts
from sekisho.rules.strictness import strictest_of

__all__ = ["conflicts_in_words", "decide_side_by_side", "put_side_by_side", "words_apart"]


def decide_side_by_side(
    request: Request,
    packs: Sequence[Pack],
    at: Instant,
    as_of: Instant | None = None,
    *,
    chips: ChipTable | None = None,
    reading: Reading = "enforced",
) -> SideBySide:
    """Judge one request under each pack by itself, in the order given.

    Raises InvalidInput where no pack is given, one is given twice, or a stated fact is none that one of them asks for.
    """
    names = [pack.name for pack in packs]
    if not names or len(set(names)) < len(names):
        raise InvalidInput(
            "the packs of a call differ by name", path="pack", remedy="name each pack once"
        )
    check_facts(request, packs)
    return put_side_by_side(
        [judge_of(pack, at, as_of, reading, chips).decide(request) for pack in packs]
    )


def put_side_by_side(regimes: Sequence[Decision]) -> SideBySide:
    """Answers of several packs to one request; a regime that is unsure may still be the strictest."""
    unsure = [answer.missing for answer in regimes if answer.decision == "unsure"]
    return SideBySide(
        id=regimes[0].id,
        decision=strictest_of(answer.decision for answer in regimes),
        regimes=tuple(regimes),
        conflicts=conflicts_in_words(regimes, "en"),
        missing=in_order(unsure),
    )


def conflicts_in_words(regimes: Sequence[Decision], language: Language) -> tuple[str, ...]:
    """One sentence for each two regimes that answer differently."""
    return tuple(
        say(
            "rules.conflict",
            language,
            first=_said(one, language),
            second=_said(other, language),
        )
        for number, one in enumerate(regimes)
        for other in regimes[number + 1 :]
        if one.decision != other.decision
    )


def words_apart(regimes: Sequence[Decision], language: Language) -> tuple[str, ...]:
    """Where they differ, for people: two regimes as a sentence, more of them once under each word."""
    apart = conflicts_in_words(regimes, language)
    if len(apart) < 2:
        return apart
    words = dict.fromkeys(answer.decision for answer in regimes)
    return tuple(
        say(
            "rules.apart",
            language,
            word=say(f"rules.word.{word}", language),
            packs=", ".join(one.policy.name for one in regimes if one.decision == word),
        )
        for word in words
    )


def _said(answer: Decision, language: Language) -> str:
    rules = ", ".join(rule.id for rule in answer.rules) or say("rules.no-rule", language)
    word = say(f"rules.word.{answer.decision}", language)
    return say("rules.said", language, pack=answer.policy.name, word=word, rules=rules)
