"""Who is late under an order, and the ladder against them: pure rules, each step in its order and time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.instants import Instant
from sekisho.model.statements import HaltJudged, RefusalRecorded, Span
from sekisho.orders.lifecycle import OrderLives
from sekisho.orders.refusals import (
    LADDER,
    RefusalBook,
    Straggler,
    check_step,
    halt_due,
    is_late,
    next_step,
)
from tests.factory import NOW, charter, order_issued, receipt_given
from tests.licensing.ledgers import recorded
from tests.orders.books import known

TERMS = charter()
PAUSE = known(order_issued(effect="checkpoint-then-stop", grace_s=30))
DUE = NOW.plus(30 + TERMS.halt_due_s)
STEP = TERMS.refusal_step_s


def lives(*stages: str) -> OrderLives:
    """The life of host-1 under the pause after these receipts."""
    fold = OrderLives()
    for n, stage in enumerate(stages, 1):
        fact = receipt_given(n, stage=stage, order=PAUSE.reference)
        fold = fold.after(recorded(fact, n))
    return fold


def late(fold: OrderLives, at: Instant, **more: Any) -> Straggler | None:
    life = fold.of(PAUSE.reference, "host-1")
    return is_late(PAUSE, life, TERMS, **{"recorded": None, "at": at, **more})


def judged(fold: OrderLives, degree: str, *, lapses_s: float = 60) -> OrderLives:
    """The fold with a verdict on its halted receipt."""
    halted = fold.of(PAUSE.reference, "host-1").halted
    assert halted is not None
    fact = HaltJudged(
        effective=NOW,
        host="host-1",
        order=PAUSE.reference,
        degree=degree,  # type: ignore[arg-type]  # the test's own word
        interval=Span(start=NOW, end=NOW),
        lapses=NOW.plus(lapses_s),
        evidence=(halted.digest,),
    )
    return fold.after(recorded(fact, 99))


def step(word: str, at: Instant, **changes: object) -> RefusalRecorded:
    fact = RefusalRecorded(
        effective=at,
        host="host-1",
        order=PAUSE.reference,
        step=word,  # type: ignore[arg-type]  # the test's own word
        answer_by=at.plus(STEP),
        measure="a visit" if word in ("inspection", "supply-measure") else None,
    )
    return msgspec.structs.replace(fact, **changes)


def book(*facts: RefusalRecorded) -> RefusalBook:
    found = RefusalBook()
    for n, fact in enumerate(facts, 1):
        found = found.after(recorded(fact, n))
    return found


@pytest.mark.parametrize(
    ("stages", "why"),
    [
        ((), "silent"),
        (("received",), "not-halted"),
        (("received", "refused"), "not-halted"),
        (("received", "halted", "resumed"), "went-on"),
        (("received", "halted"), None),
    ],
)
def test_a_host_is_late_by_what_the_log_holds(stages: tuple[str, ...], why: str | None) -> None:
    """Silent, not halted, or gone on: each is said; a host that halted is not late."""
    found = late(lives(*stages), DUE)
    assert (found.why if found else None) == why


def test_nobody_is_late_before_the_charters_time_is_over() -> None:
    """Grace and the charter's time both count, from the order's begin."""
    assert late(lives(), DUE.plus(-0.001)) is None
    found = late(lives(), DUE.plus(5))
    assert found is not None
    assert (found.due, found.late_s(DUE.plus(5))) == (DUE, 5)


def test_the_time_counts_from_when_the_order_was_recorded() -> None:
    """An order that was written down an hour after its begin leaves the same time to halt."""
    known_late = NOW.plus(3_600)
    assert halt_due(PAUSE.order, TERMS, known_late) == known_late.plus(30 + TERMS.halt_due_s)
    assert halt_due(PAUSE.order, TERMS, NOW.plus(-3_600)) == DUE
    assert late(lives(), DUE, recorded=known_late) is None


def test_a_contradiction_is_not_healed_by_waiting() -> None:
    """A host whose halt was contradicted stays late after the verdict lapsed; another verdict ends that."""
    fold = judged(lives("halted"), "contradicted", lapses_s=1)
    found = late(fold, DUE.plus(10**6))
    assert found is not None
    assert found.why == "contradicted"
    assert late(judged(fold, "corroborated"), DUE.plus(10)) is None


def test_a_contradiction_of_an_earlier_halt_says_nothing_of_the_next() -> None:
    """Between them the host resumed: it halts anew, and that was seen by nobody yet."""
    fold = judged(lives("halted"), "contradicted")
    for sequence, stage in ((5, "resumed"), (6, "halted")):
        again = receipt_given(sequence, stage=stage, order=PAUSE.reference)
        fold = fold.after(recorded(again, 95 + sequence))
    assert late(fold, DUE) is None


def test_a_contradicted_host_is_late_though_it_says_again_that_it_halted() -> None:
    """Its own word takes back nothing that another saw; a verdict on the new claim does."""
    fold = judged(lives("halted"), "contradicted")
    again = recorded(receipt_given(5, stage="halted", order=PAUSE.reference), 100)
    found = late(fold.after(again), DUE)
    assert found is not None
    assert found.why == "contradicted"


@pytest.mark.parametrize(
    "changes",
    [
        {"drill": True},
        {"kind": "cap", "effect": "cap", "cap_percent": 50},
        {"kind": "resume", "effect": "lift"},
    ],
)
def test_only_an_order_that_stops_has_stragglers(changes: dict[str, Any]) -> None:
    """A drill is an exercise, a cap and a resume ask nobody to halt."""
    order = known(order_issued(**{"effect": "freeze", **changes}))
    life = OrderLives().of(order.reference, "host-1")
    assert is_late(order, life, TERMS, recorded=None, at=DUE.plus(10**6)) is None


def test_under_a_sealed_order_that_was_not_shown_nobody_is_known_to_be_late() -> None:
    """Its stand-in covers everybody, and says nothing of whom it is for."""
    unseen = msgspec.structs.replace(PAUSE, is_shown=False)
    life = OrderLives().of(PAUSE.reference, "host-1")
    assert is_late(unseen, life, TERMS, recorded=None, at=DUE.plus(10**6)) is None


def test_the_ladder_is_climbed_step_by_step() -> None:
    """Each step opens the next one, not before its time and its answer; at the end nothing is left."""
    straggler = late(lives(), DUE)
    assert straggler is not None
    at = DUE
    made: list[RefusalRecorded] = []
    for word in ("notice", "leases-ended", "refusal", "supply-measure", "inspection"):
        upcoming = next_step(book(*made).of(PAUSE.reference, "host-1"), straggler, TERMS)
        assert word in upcoming.steps
        assert upcoming.from_ == at
        fact = step(word, at)
        assert check_step(fact, upcoming, TERMS, earliest=at, latest=at) == []
        made.append(fact)
        at = at.plus(STEP)
    over = next_step(book(*made).of(PAUSE.reference, "host-1"), straggler, TERMS)
    assert over.steps == ()


@pytest.mark.parametrize("word", ["leases-ended", "refusal", "inspection", "supply-measure"])
def test_no_step_is_left_out(word: str) -> None:
    """What does not come next is refused by name."""
    straggler = late(lives(), DUE)
    assert straggler is not None
    upcoming = next_step((), straggler, TERMS)
    (problem,) = check_step(step(word, DUE), upcoming, TERMS, earliest=DUE, latest=DUE)
    assert f"{word} is not the next step, which is notice" in problem


def test_a_step_waits_for_the_answer_that_the_one_before_allowed() -> None:
    """A notice that gives a week holds the next step up for a week."""
    straggler = late(lives(), DUE)
    assert straggler is not None
    notice = step("notice", DUE, answer_by=DUE.plus(7 * STEP))
    upcoming = next_step(book(notice).of(PAUSE.reference, "host-1"), straggler, TERMS)
    assert upcoming.from_ == DUE.plus(7 * STEP)
    early = DUE.plus(STEP)
    (problem,) = check_step(
        step("leases-ended", early), upcoming, TERMS, earliest=early, latest=early
    )
    assert "at the earliest" in problem


def test_a_step_that_was_dated_back_wins_no_time() -> None:
    """The time to the next one counts from when the log held it."""
    straggler = late(lives(), DUE)
    assert straggler is not None
    made = book(step("notice", DUE)).of(PAUSE.reference, "host-1")
    upcoming = next_step(made, straggler, TERMS, last_recorded=DUE.plus(500))
    assert upcoming.from_ == DUE.plus(500 + STEP)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"answer_by": DUE.plus(STEP - 1)}, "to answer"),
        ({"measure": "a visit"}, "names no measure"),
    ],
)
def test_a_notice_that_says_too_little_or_too_much_is_refused(
    changes: dict[str, Any], word: str
) -> None:
    """It leaves the charter's time to answer, and measures nothing."""
    straggler = late(lives(), DUE)
    assert straggler is not None
    fact = step("notice", DUE, **changes)
    (problem,) = check_step(fact, next_step((), straggler, TERMS), TERMS, earliest=DUE, latest=DUE)
    assert word in problem


def test_a_measure_says_what_it_is() -> None:
    """An inspection without words is no inspection."""
    straggler = late(lives(), DUE)
    assert straggler is not None
    made = book(*(step(word, DUE) for word in ("notice", "leases-ended", "refusal")))
    upcoming = next_step(made.of(PAUSE.reference, "host-1"), straggler, TERMS)
    at = upcoming.from_
    fact = step("inspection", at, measure=None)
    (problem,) = check_step(fact, upcoming, TERMS, earliest=at, latest=at)
    assert "what is to be done" in problem


def test_ended_leases_are_found_by_host() -> None:
    """Under whichever order, and for no other host."""
    other = known(order_issued(legal_basis="Another act"))
    found = book(
        step("notice", DUE),
        step("leases-ended", DUE.plus(STEP)),
        step("leases-ended", DUE, order=other.reference),
        step("notice", DUE, host="host-2"),
    )
    orders = {made.fact.order.digest for made in found.ended_leases("host-1")}
    assert orders == {PAUSE.digest, other.digest}
    assert found.ended_leases("host-2") == ()


@given(st.lists(st.sampled_from([w for row in LADDER for w in row]), max_size=8))
def test_whatever_is_tried_the_ladder_keeps_its_order(words: list[str]) -> None:
    """Of any row of attempts the steps taken are notice, leases-ended, refusal, and then each measure at most once."""
    straggler = Straggler(host="host-1", order=PAUSE.reference, due=DUE, why="silent")
    taken: list[RefusalRecorded] = []
    at = DUE
    for word in words:
        upcoming = next_step(book(*taken).of(PAUSE.reference, "host-1"), straggler, TERMS)
        fact = step(word, at)
        if not check_step(fact, upcoming, TERMS, earliest=at, latest=at):
            taken.append(fact)
        at = at.plus(STEP)
    said = [fact.step for fact in taken]
    assert said[:3] == ["notice", "leases-ended", "refusal"][: len(said)]
    assert len(set(said)) == len(said)
