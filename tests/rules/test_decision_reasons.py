"""What a decision tells beside its word: exceptions, reviews, readings, warnings, kinds, definitions."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import Decision, Pack, RunRequest, decide
from sekisho.rules.pack import Reading
from tests.rule_packs import NOTICE, exception_text, rule_text, small_pack, status

AT = parse_date_or_instant("2024-06-01")


def asked(pack: Pack, reading: Any = "enforced", at: Any = "", **facts: bool) -> Decision:
    """The decision on a run of which these flags are known."""
    moment = parse_date_or_instant(at) if at else AT
    request = RunRequest(id="r", planned_flop="5", facts={**facts})
    return decide(request, pack, moment, reading=reading)


# --- exceptions -----------------------------------------------------------------------------------

TRUTHS = {True: "true", False: "false", None: "unknown"}


@pytest.mark.parametrize("outcome", ["licence", "deny"])
@pytest.mark.parametrize("notices", ["", NOTICE], ids=["quietly", "with notice"])
@pytest.mark.parametrize(
    ("rule", "one", "other"), list(itertools.product([True, False, None], repeat=3)), ids=str
)
def test_an_exception_lifts_a_licence_only_where_every_condition_is_known_to_hold(
    rule: bool | None, one: bool | None, other: bool | None, notices: str, outcome: str
) -> None:
    """And never a deny; where it asks for a notice the answer is a report."""
    pack = small_pack(
        rule_text("r0", "licence", "a"),
        more="exceptions:\n" + exception_text("e0", "r0", "b", "c", notices=notices),
    )
    # No file can say so of a deny: the reader refuses it. Deciding must not rest on that.
    rules = (msgspec.structs.replace(pack.rules[0], outcome=outcome),)
    pack = msgspec.structs.replace(pack, rules=rules)
    facts = {n: v for n, v in (("a", rule), ("b", one), ("c", other)) if v is not None}
    answer = asked(pack, **facts)
    lifted = outcome == "licence" and one is True and other is True
    comes_to = ("report" if notices else "permit") if lifted else outcome
    expected = {True: comes_to, False: "permit", None: "unsure"}[rule]
    if comes_to == "permit":
        expected = "permit"
    assert answer.decision == expected
    if rule is True and outcome == "licence":
        assert [found.truth for found in answer.exceptions] == [
            "false" if False in (one, other) else "unknown" if None in (one, other) else "true"
        ]
        assert answer.rules[0].lifted_by == (("e0",) if lifted else ())
    if outcome == "deny":
        assert answer.exceptions == ()


def test_an_open_exception_names_its_conditions_and_the_facts_that_would_settle_them() -> None:
    """The answer stays a licence: whoever claims an exception has to show that it holds."""
    pack = small_pack(
        rule_text("r0", "licence", "a"),
        more="exceptions:\n" + exception_text("e0", "r0", "b", "c", "d", notices=NOTICE),
    )
    answer = asked(pack, a=True, b=True)
    assert answer.decision == "licence"
    found = answer.exceptions[0]
    assert found.open == ("the flag c is up", "the flag d is up")
    assert found.missing == ("facts.c", "facts.d")
    assert found.notices[0].what == "tell the authority"
    failed = asked(pack, a=True, b=False).exceptions[0]
    assert (failed.truth, failed.failed, failed.missing) == ("false", ("the flag b is up",), ())


def test_every_licence_that_holds_has_to_be_lifted() -> None:
    """An exception for one rule does not help where another asks for a licence too."""
    pack = small_pack(
        rule_text("r0", "licence", "a"),
        rule_text("r1", "licence", "b"),
        more="exceptions:\n" + exception_text("e0", "r0", "c") + exception_text("e1", "r1", "d"),
    )
    assert asked(pack, a=True, b=True, c=True, d=False).decision == "licence"
    assert asked(pack, a=True, b=True, c=True, d=True).decision == "permit"
    assert asked(pack, a=True, b=False, c=True).decision == "permit"


def test_of_several_exceptions_the_easiest_counts() -> None:
    """One without a notice beside one with."""
    pack = small_pack(
        rule_text("r0", "licence", "a"),
        more="exceptions:\n"
        + exception_text("e0", "r0", "b", notices=NOTICE)
        + exception_text("e1", "r0", "c"),
    )
    assert asked(pack, a=True, b=True, c=False).decision == "report"
    answer = asked(pack, a=True, b=True, c=True)
    assert (answer.decision, answer.rules[0].lifted_by) == ("permit", ("e0", "e1"))


# --- reviews --------------------------------------------------------------------------------------

REVIEWS = (
    "    reviews:\n"
    "      - {policy: denial, when: {quantity: b, op: is, value: true}, from: 2020-01-01, source: law,"
    " cite: first, mark: P}\n"
    "      - {policy: case-by-case, from: 2020-01-01, source: law, cite: last, mark: S}\n"
)


@pytest.mark.parametrize(
    ("flag", "policy", "truth"),
    [(True, "denial", "true"), (False, "case-by-case", "true"), (None, "case-by-case", "unknown")],
)
def test_the_first_review_that_holds_counts(flag: bool | None, policy: str, truth: str) -> None:
    """An open row before it that names another policy leaves it unknown, and tells what is missing."""
    pack = small_pack(rule_text("r0", "licence", "a", more=REVIEWS))
    facts = {"a": True} if flag is None else {"a": True, "b": flag}
    review = asked(pack, **facts).rules[0].review
    assert review is not None
    assert (review.policy, review.truth) == (policy, truth)
    assert review.missing == (("facts.b",) if truth == "unknown" else ())


def test_an_open_review_that_would_change_nothing_leaves_it_certain() -> None:
    """Both rows name the same policy."""
    same = REVIEWS.replace("policy: denial", "policy: case-by-case")
    review = asked(small_pack(rule_text("r0", "licence", "a", more=same)), a=True).rules[0].review
    assert review is not None
    assert (review.truth, review.missing, review.cite) == ("true", (), "last")


# --- readings and kinds ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "acts", "readings"),
    [
        ("enforced", "true", {"enforced", "codified", "announced"}),
        ("codified", "false", {"codified", "announced"}),
        ("announced", "false", {"announced"}),
        ("proposed", "false", {"announced"}),
        ("draft", "false", {"announced"}),
        ("draft", "true", {"enforced", "codified", "announced"}),
        ("suspended", "false", set()),
        ("revoked", "false", set()),
        ("ended", "false", set()),
    ],
)
def test_each_reading_takes_its_words(word: str, acts: str, readings: set[str]) -> None:
    """What is suspended, revoked or ended binds under none."""
    pack = small_pack(
        rule_text("r0", "deny", "a", statuses=status(word=word, acts=acts)),
        rule_text("r1", "report", "b"),
    )
    every: tuple[Reading, ...] = ("enforced", "codified", "announced")
    found = {reading for reading in every if asked(pack, reading, a=True).decision == "deny"}
    assert found == readings


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        ({"a": True}, "codified, not enforced: would say licence"),
        ({"a": False}, "codified, not enforced: would not say licence"),
        ({}, "codified, not enforced: could say licence"),
    ],
)
def test_a_codified_rule_says_in_the_trace_what_it_would_do(
    facts: dict[str, bool], note: str
) -> None:
    """It has its limbs and no effect."""
    codified = status(word="codified", acts="false")
    pack = small_pack(
        rule_text("r0", "licence", "a", statuses=codified), rule_text("r1", "report", "b")
    )
    answer = asked(pack, **facts, b=False)
    assert answer.decision == "permit"
    assert (answer.trace[0].truth, answer.trace[0].note) == ("not in force", note)
    assert [limb.quantity for limb in answer.trace[0].limbs] == ["a"]


def test_a_rule_about_other_requests_is_not_asked() -> None:
    """And says what it speaks about."""
    other = rule_text("r0", "deny", "a").replace("[training-run]", "[cluster, access]")
    answer = asked(small_pack(other, rule_text("r1", "report", "b")), a=True, b=False)
    assert answer.decision == "permit"
    assert (answer.trace[0].truth, answer.trace[0].note) == (
        "not asked",
        "speaks about clusters, access",
    )
    alone = asked(small_pack(other), a=True)
    assert (alone.decision, alone.missing) == (
        "unsure",
        ("p says nothing about training runs on that date",),
    )


def test_before_its_coverage_a_pack_says_nothing() -> None:
    """Even where a rule of its would act."""
    pack = small_pack(rule_text("r0", "deny", "a"), more="coverage: {from: 2023-01-01}\n")
    answer = asked(pack, at="2022-12-31", a=False)
    assert (answer.decision, answer.missing) == ("unsure", ("p says nothing before 2023-01-01",))
    assert asked(pack, at="2023-01-01", a=False).decision == "permit"


def test_a_rule_that_permits_gives_a_reason_and_weakens_nothing() -> None:
    """Whether it holds or is open."""
    pack = small_pack(rule_text("r0", "permit", "a"), rule_text("r1", "licence", "b"))
    answer = asked(pack, a=True, b=False)
    assert (answer.decision, [rule.id for rule in answer.rules]) == ("permit", ["r0"])
    assert asked(pack, a=True, b=True).decision == "licence"
    assert asked(pack, b=False).decision == "permit"


# --- warnings -------------------------------------------------------------------------------------


def test_what_an_answer_rests_on_is_warned_of_where_it_is_recalled_or_stale() -> None:
    """The rule's status is recalled; its threshold should have been looked at."""
    recalled = status(mark="R", note="to be verified")
    over = "{quantity: run_flop, op: '>', parameter: x, unit: FLOP}"
    pack = small_pack(rule_text("r0", "deny", over, statuses=recalled))
    assert asked(pack).warnings == ("r0: to be verified",)
    stale = status(review_by="2024-01-01")
    answer = asked(small_pack(rule_text("r0", "deny", over, statuses=stale)))
    assert answer.decision == "permit"
    assert answer.warnings == ("r0: was to be looked at again by 2024-01-01",)
    assert (
        asked(small_pack(rule_text("r0", "deny", over, statuses=stale)), at="2023-12-31").warnings
        == ()
    )


def test_after_its_coverage_a_pack_answers_with_a_warning() -> None:
    """What came later is not in it."""
    more = "coverage: {from: 2020-01-01, until: 2024-01-01}\n"
    pack = small_pack(rule_text("r0", "deny", "a"), more=more)
    answer = asked(pack, a=False)
    assert answer.decision == "permit"
    assert answer.warnings == ("p knows the law until 2024-01-01; what came later is not in it",)
    assert asked(pack, at="2023-12-31", a=False).warnings == ()


# --- what is traced -------------------------------------------------------------------------------

DEFINITION = (
    "definitions:\n  big:\n    means: a big run\n    label: Big\n    versions:\n"
    "      - {from: 2020-01-01, when: {quantity: run_flop, op: '>', parameter: x, unit: FLOP},"
    " source: law, cite: Art. 2, mark: P}\n"
)


def test_the_deciding_threshold_is_told_from_within_a_definition_with_its_source() -> None:
    """The rule asks for a big run; the row names the FLOP and where the threshold stands."""
    pack = small_pack(rule_text("r0", "deny", "{definition: big, is: true}"), more=DEFINITION)
    request = RunRequest(id="r", planned_flop=str(10**24 + 1))
    answer = decide(request, pack, AT)
    row = answer.rules[0]
    assert (row.quantity, row.threshold, row.unit) == ("run_flop", str(10**24), "FLOP")
    assert (row.source, row.mark) == ("law, Art. 1", "P")
    told = answer.definitions[0]
    assert (told.definition, told.label, told.truth, told.source) == (
        "big",
        "Big",
        "true",
        "law, Art. 2",
    )
    assert [limb.quantity for limb in told.limbs] == ["run_flop"]
    assert [limb.definition for limb in answer.trace[0].limbs] == ["big"]


def test_a_threshold_is_the_one_in_force_on_the_date() -> None:
    """1e24 first, 1e23 from 2025 on."""
    over = "{quantity: run_flop, op: '>', parameter: x, unit: FLOP}"
    pack = small_pack(rule_text("r0", "deny", over))
    request = RunRequest(id="r", planned_flop=str(10**24))
    words = {
        day: decide(request, pack, parse_date_or_instant(day)).decision
        for day in ("2024-12-31", "2025-01-01")
    }
    assert words == {"2024-12-31": "permit", "2025-01-01": "deny"}
    earlier = parse_date_or_instant("2024-01-01")
    assert decide(request, pack, parse_date_or_instant("2025-06-01"), earlier).decision == "permit"
