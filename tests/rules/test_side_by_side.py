"""Several regimes beside one another: nothing merged, every difference in words."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import Decision, RunRequest, SideBySide, decide, decide_side_by_side
from sekisho.rules.side_by_side import conflicts_in_words
from sekisho.rules.strictness import strictest_of
from tests.rule_packs import rule_text, small_pack

AT = parse_date_or_instant("2024-06-01")
LICENCE = small_pack(rule_text("r-licence", "licence", "a"), name="one")
DENY = small_pack(rule_text("r-deny", "deny", "b"), name="two")
REPORT = small_pack(rule_text("r-report", "report", "c"), name="three")


def judged(**facts: bool) -> SideBySide:
    """The three regimes on a run of which these flags are known."""
    request = RunRequest(id="r", facts={**facts})
    return decide_side_by_side(request, [LICENCE, DENY, REPORT], AT)


def test_each_regime_answers_as_if_it_were_alone() -> None:
    """In the order of the call, with its own reasons."""
    side = judged(a=True, b=True, c=False)
    assert [answer.policy.name for answer in side.regimes] == ["one", "two", "three"]
    assert [answer.decision for answer in side.regimes] == ["licence", "deny", "permit"]
    alone: Decision = decide(RunRequest(id="r", facts={"a": True, "b": True, "c": False}), DENY, AT)
    assert side.regimes[1] == alone


@pytest.mark.parametrize(
    ("words", "strictest"),
    [
        (("permit", "report"), "report"),
        (("permit", "unsure"), "unsure"),
        (("licence", "unsure"), "unsure"),
        (("deny", "unsure"), "deny"),
        (("licence", "deny"), "deny"),
        (("permit",), "permit"),
    ],
)
def test_the_strictest_is_named_and_an_unsure_one_may_be_it(
    words: tuple[str, ...], strictest: str
) -> None:
    """Only a deny is certain whatever else turns out."""
    for order in itertools.permutations(words):
        assert strictest_of(order) == strictest  # type: ignore[arg-type]  # words are parametrised


def test_what_the_unsure_ones_miss_is_named_once() -> None:
    """Each fact in the order of the regimes."""
    side = judged(c=True)
    assert side.decision == "unsure"
    assert side.missing == ("facts.a", "facts.b")


def test_a_conflict_is_told_in_words_of_both_languages() -> None:
    """One sentence for each two regimes that differ; none where they agree."""
    side = judged(a=True, b=False, c=False)
    assert side.conflicts == (
        "one says licence (r-licence); two says permit (no rule)",
        "one says licence (r-licence); three says permit (no rule)",
    )
    assert conflicts_in_words(side.regimes, "ja")[0].startswith("one は「要許可」(r-licence)")
    assert judged(a=False, b=False, c=False).conflicts == ()


def test_a_regime_that_says_nothing_is_not_taken_for_a_permit() -> None:
    """It is unsure, and so is the whole."""
    early = parse_date_or_instant("2019-01-01")
    side = decide_side_by_side(RunRequest(id="r"), [LICENCE, DENY], early)
    assert side.decision == "unsure"
    assert side.missing[0] == "one says nothing about training runs on that date"


@pytest.mark.parametrize("packs", [[], [LICENCE, LICENCE]], ids=["none", "twice"])
def test_each_pack_stands_once(packs: list[object]) -> None:
    """A call without packs, or with one twice, is refused."""
    with pytest.raises(InvalidInput, match="name each pack once"):
        decide_side_by_side(RunRequest(id="r"), packs, AT)  # type: ignore[arg-type]  # parametrised


def test_a_fact_that_one_of_the_packs_asks_for_is_taken_by_the_call() -> None:
    """Refused alone, where that pack does not ask for it."""
    bare = small_pack(rule_text("r0", "deny", "{quantity: post_training, op: is, value: true}"))
    bare = msgspec.structs.replace(bare, quantities={})
    request = RunRequest(id="r", facts={"a": True})
    with pytest.raises(InvalidInput, match=r"facts\.a"):
        decide(request, bare, AT)
    side = decide_side_by_side(request, [bare, LICENCE], AT)
    assert [answer.decision for answer in side.regimes] == ["unsure", "licence"]
