"""What to find out next: from the facts that the rules miss back to the questions that tell them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from sekisho.rules.impact.question import Answer
from sekisho.rules.impact.questions import QUESTIONS, open_questions
from sekisho.rules.impact.scope import Scope
from sekisho.rules.pack import Pack

__all__ = ["FindOut", "find_out"]


class FindOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to find out: the question that tells it, or where none does what a pack says that it means."""

    fact: str
    question: str = ""
    means: str = ""
    means_ja: str = ""


# Fields of requests, and which questions they come from; of several those that are open.
_FROM: Final[tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]] = tuple(
    (re.compile(pattern), questions)
    for pattern, questions in (
        (r"planned_flop", ("chip", "chip_peak", "chip_count", "hours", "use", "customers_flop")),
        (r"lineage|origin$", ("use", "base_flop")),
        (r"post_training", ("use",)),
        (r"jurisdictions", ("country", "chips_in", "markets")),
        (r"cluster\.networked", ("networked",)),
        (r"cluster", ("use", "chip", "chip_peak", "chip_count")),
        (r"destination", ("export_to",)),
        (r"origin", ("country",)),
        (
            r"item\.(chip|spec)|item",
            ("export_chip", "chips_each", "weights_flop", "weights_published"),
        ),
        (r"count", ("export_count", "chips_each")),
        (r"end_use", ("end_use", "purpose", "customers_use")),
        (
            r"(consignee|end_user|intermediates\[[0-9]+\])(\.|$)",
            ("end_user_known", "end_user_headquarters", "end_user_listed", "end_user_listed_share"),
        ),
        (
            r"customer",
            ("customers_headquarters", "parent_in", "customers_listed", "listed_owner_share"),
        ),
        (r"(exporter|provider)", ("country", "parent_in")),
        (r"place", ("chips_in", "cloud_in", "users_in")),
        (r"user_class|user$", ("user_class", "users_in")),
        (r"training_flop", ("hosted_flop",)),
        (r"weights", ("gives_weights", "weights_flop", "weights_published")),
        (r"facts\.annual-revenue", ("revenue",)),
        (r"facts\.generates-language-images-or-video", ("generates",)),
        (r"facts\.base-of-another", ("base_other",)),
        (r"facts\.list-controlled", ("list_controlled",)),
        (r"facts\.prc-designed-chips", ("chip", "chip_designed_in", "offers_prc_chips")),
        (r"facts\.(red-flags-resolved|rf[0-9]+)", ("red_flags_resolved",)),
        (r"facts\.conventional-arms-end-user", ("arms_end_user", "end_user_known")),
    )
)


def find_out(
    lines: Sequence[Scope], given: Mapping[str, Answer], packs: Iterable[Pack]
) -> tuple[FindOut, ...]:
    """Of every unsure line what would settle it; each thing once, questions before what no question tells."""
    facts = dict.fromkeys(
        name for line in lines if line.touches == "unsure" for name in line.missing
    )
    means = {f"facts.{name}": told for pack in packs for name, told in pack.quantities.items()}
    found: dict[str, FindOut] = {}
    for fact in facts:
        questions = _questions(fact, given)
        for question in questions:
            found.setdefault(question, FindOut(fact=fact, question=question))
        if not questions:
            told = means.get(fact)
            found.setdefault(
                fact,
                FindOut(
                    fact=fact,
                    means=told.means if told is not None else "",
                    means_ja=told.means_ja if told is not None else "",
                ),
            )
    if any(line.only_at_bound for line in lines):
        found.setdefault("measured", FindOut(fact="measured"))
    return tuple(sorted(found.values(), key=lambda one: not one.question))


def _questions(fact: str, given: Mapping[str, Answer]) -> list[str]:
    """The open questions behind a fact that nobody has answered for certain."""
    opened = {question.id for question in open_questions(given)}
    if fact in QUESTIONS:
        return [fact]
    for pattern, questions in _FROM:
        if pattern.match(fact):
            left = [name for name in questions if name in opened and _is_open(name, given)]
            if left:
                return left
    return []


def _is_open(question: str, given: Mapping[str, Answer]) -> bool:
    """Not answered for certain; that nobody knows the end user is not an answer to rest on either."""
    answer = given.get(question)
    return answer is None or (question in _STILL_OPEN and answer is False)


_STILL_OPEN: Final = frozenset({"end_user_known", "red_flags_resolved"})
