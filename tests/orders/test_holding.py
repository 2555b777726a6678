"""The limits of holds as a pure fold: windows, overlap, budget, and what the pause quorum frees."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.instants import Instant, Period, parse_instant
from sekisho.model.statements import OrderIssued, Scope
from sekisho.orders.holding import (
    Hold,
    HoldBook,
    HoldBudgetSpent,
    StackedHold,
    check_hold,
    hold_of,
    is_counted,
    may_overlap,
    quarter_of,
    verify_hold,
)
from sekisho.signing import Charter
from tests.factory import AUTHORITY, NOW, VERIFIER, charter, charter_envelope, order_issued
from tests.orders.books import known

HOUR, DAY = 3_600, 86_400
TERMS = msgspec.structs.replace(charter(), hold_chip_hours=100)
CHARTER = Charter(charter(), charter_envelope().digest)
LOW = frozenset(key.public.key_id for key in AUTHORITY[:2])
WITH_PAUSE = frozenset(key.public.key_id for key in (*AUTHORITY[:3], VERIFIER[0]))


def order(number: int = 1, *, at: float = 0, hours: float = 24, **changes: object) -> OrderIssued:
    begin = NOW.plus(at)
    return order_issued(
        kind="hold",
        number=number,
        previous="a" * 64 if number > 1 else order_issued().previous,
        now=begin,
        expires=begin.plus(hours * HOUR),
        **changes,  # type: ignore[arg-type]  # a test's own fields
    )


def hold(
    number: int = 1,
    *,
    devices: int = 1,
    by: str = "authority",
    by_pause: bool = False,
    **changes: object,
) -> Hold:
    made = known(order(number, **changes))  # type: ignore[arg-type]  # a test's own fields
    return Hold(
        order=made.order,
        reference=made.reference,
        by=frozenset({by}),
        devices={"host-1": devices},
        by_pause=by_pause,
    )


def always(_: Hold) -> bool:
    return True


def stacked(book: HoldBook, new: Hold) -> bool:
    return book.stacked_on(new, TERMS.hold_again_s, always) is not None


def test_a_second_hold_within_14_days_of_the_first_ones_end_is_stacked() -> None:
    """The window begins at the end of the earlier hold, and is half-open."""
    book = HoldBook().after(hold())
    for days, expected in ((0.5, True), (1, True), (14.9, True), (15, False), (40, False)):
        assert stacked(book, hold(2, at=days * DAY)) is expected, days


def test_the_window_of_a_lifted_hold_begins_at_its_lifting() -> None:
    """A hold given up after an hour may be repeated 14 days and an hour after it began."""
    first = hold()
    resume = order_issued(kind="resume", effect="lift", lifts=[first.reference], now=NOW.plus(HOUR))
    book = HoldBook().after(first).lifting(resume)
    assert book.holds[0].end == NOW.plus(HOUR)
    assert stacked(book, hold(2, at=14 * DAY))
    assert not stacked(book, hold(2, at=14 * DAY + HOUR))


def test_a_resume_dated_back_gives_nothing_back_from_before_it_was_on_record() -> None:
    """Whoever lifts late and dates it early would else hold the whole day and pay for none of it."""
    first = hold(devices=10)
    resume = order_issued(kind="resume", effect="lift", lifts=[first.reference], now=NOW)
    book = HoldBook().after(first).lifting(resume, NOW.plus(20 * HOUR))
    assert book.holds[0].end == NOW.plus(20 * HOUR)
    assert book.budget("authority", quarter_of(NOW), None).used == 200


def test_a_resume_of_another_scope_ends_no_hold_here() -> None:
    """What it does not lift goes on, and counts on."""
    first = hold()
    resume = order_issued(
        kind="resume",
        effect="lift",
        lifts=[first.reference],
        scope=Scope(sites=("elsewhere",)),
    )
    assert HoldBook().after(first).lifting(resume).holds[0].end == first.order.expires


def test_which_of_two_holds_was_shown_first_does_not_matter() -> None:
    """A hold for tomorrow that came first keeps today's out, as today's would tomorrow's."""
    assert stacked(HoldBook().after(hold(2, at=DAY)), hold())
    assert not stacked(HoldBook().after(hold(2, at=15 * DAY)), hold())


def test_another_constituency_may_hold_what_the_first_one_held() -> None:
    """The limit is each constituency's own."""
    assert not stacked(HoldBook().after(hold(by="verifiers")), hold(2, at=DAY))


def test_the_pause_quorum_exempts_and_its_holds_still_close_the_window() -> None:
    """What the pause quorum signs is no weaker than a pause; the low quorum may not go on where it stopped."""
    assert not stacked(HoldBook().after(hold()), hold(2, at=DAY, by_pause=True))
    assert stacked(HoldBook().after(hold(by_pause=True)), hold(2, at=DAY))


def test_a_drill_of_a_hold_is_no_hold() -> None:
    """Drills act on canaries only: they are practised often, and close no window."""
    assert not is_counted(order(drill=True))
    assert HoldBook().after(hold(drill=True)) == HoldBook()
    assert not stacked(HoldBook().after(hold()), hold(2, at=DAY, drill=True))


def test_one_hold_is_taken_once() -> None:
    """The same hold over several channels is one hold."""
    book = HoldBook().after(hold(devices=3))
    assert book.after(hold(devices=3)) is book
    assert not stacked(book, hold(devices=3))


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (Scope(sites=("a",)), Scope(sites=("b",)), False),
        (Scope(sites=("a",)), Scope(sites=("a", "b")), True),
        (Scope(sites=("a",)), Scope(sites=("a",), runs=("r",)), True),
        (Scope(sites=("a",)), Scope(runs=("r",)), True),
        (Scope(runs=("r",)), Scope(runs=("s",)), True),
        (Scope(licensees=("p",)), Scope(licensees=("q",)), True),
        (Scope(chips=("x",)), Scope(chips=("y",)), True),
        (Scope(hosts=("h",)), Scope(hosts=("i",)), False),
        (Scope(jurisdictions=("JP",)), Scope(jurisdictions=("US",)), False),
        (Scope(everywhere=True), Scope(hosts=("h",)), True),
    ],
)
def test_scopes_overlap_unless_their_words_prove_them_disjoint(
    one: Scope, other: Scope, overlap: bool
) -> None:
    """Adding an attribute proves nothing; what a host has only one of, by its enrolment, does."""
    assert may_overlap(one, other) is overlap
    assert may_overlap(other, one) is overlap


def test_holders_are_the_constituencies_of_the_power_that_signed() -> None:
    """A verifier's key beside the quorum of the authority does not make it the verifiers' hold."""
    made = hold_of(order(), "d" * 64, CHARTER, LOW, {"host-1": 1})
    assert (made.by, made.by_pause) == (frozenset({"authority"}), False)
    both = hold_of(order(), "d" * 64, CHARTER, WITH_PAUSE, {"host-1": 1})
    assert (both.by, both.by_pause) == (frozenset({"authority"}), True)


def test_the_budget_counts_devices_times_hours_and_gives_the_rest_back() -> None:
    """Four devices for a day are 96 chip-hours; lifted after an hour, four."""
    quarter = quarter_of(NOW)
    book = HoldBook().after(hold(devices=4))
    assert book.budget("authority", quarter, 100).used == 96
    assert book.budget("authority", quarter, 100).left == 4
    resume = order_issued(
        kind="resume", effect="lift", lifts=[book.holds[0].reference], now=NOW.plus(HOUR)
    )
    assert book.lifting(resume).budget("authority", quarter, 100).used == 4
    assert book.budget("verifiers", quarter, 100).used == 0
    assert book.budget("authority", quarter, None).left is None


def test_a_hold_beyond_the_budget_is_refused_with_its_figures() -> None:
    """The words say how much, of what, in which quarter; the remedy is the pause quorum."""
    problems = check_hold(HoldBook(), hold(devices=5), TERMS, always)
    between = "between 2026-10-01T00:00:00Z and 2027-01-01T00:00:00Z"
    allowed = "the charter allows 100"
    assert problems == [f"authority would have held 120 chip-hours {between}, {allowed}"]
    with pytest.raises(HoldBudgetSpent, match="hold/JP 1") as refused:
        verify_hold(HoldBook(), hold(devices=5), TERMS, always)
    assert "pause quorum" in refused.value.remedy
    assert check_hold(HoldBook(), hold(devices=5, by_pause=True), TERMS, always) == []
    free = msgspec.structs.replace(TERMS, hold_chip_hours=None)
    assert check_hold(HoldBook(), hold(devices=10**6), free, always) == []


def test_a_stacked_hold_is_refused_with_what_was_held_until_when() -> None:
    """A person who reads the refusal knows which hold stands in the way and from when on not."""
    with pytest.raises(StackedHold) as refused:
        verify_hold(HoldBook().after(hold()), hold(2, at=2 * DAY), TERMS, always)
    assert "authority held overlapping scope by hold/JP 1 until 2026-11-23T09:00:00Z" in str(
        refused.value
    )
    assert "before 2026-12-07T09:00:00Z" in str(refused.value)
    assert "pause quorum" in refused.value.remedy


def test_a_hold_over_the_turn_of_a_quarter_counts_in_both() -> None:
    """Each quarter bears its own hours."""
    start = parse_instant("2026-12-31T18:00:00Z")
    made = hold(devices=2, at=start.since(NOW))
    book = HoldBook().after(made)
    assert book.budget("authority", quarter_of(start), None).used == 12
    assert book.budget("authority", quarter_of(start.plus(DAY)), None).used == 36


@pytest.mark.parametrize(
    ("at", "start", "end"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        ("2028-02-29T23:59:59Z", "2028-01-01T00:00:00Z", "2028-04-01T00:00:00Z"),
        ("2026-12-31T23:59:59Z", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("0001-02-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-04-01T00:00:00Z"),
    ],
)
def test_quarters_are_those_of_the_calendar_in_utc(at: str, start: str, end: str) -> None:
    """Half-open, by the civil calendar."""
    assert quarter_of(parse_instant(at)) == Period(parse_instant(start), parse_instant(end))


def test_windows_name_each_constituency_until_when() -> None:
    """What is open now; what is over is not told."""
    book = HoldBook().after(hold()).after(hold(2, at=DAY, by="verifiers"))
    rows = book.windows(NOW.plus(15 * DAY), TERMS.hold_again_s)
    assert [(row.constituency, row.until) for row in rows] == [("verifiers", NOW.plus(16 * DAY))]


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 24), st.sampled_from(("authority", "states"))),
        max_size=12,
    )
)
def test_no_two_holds_that_were_taken_stand_closer_than_the_window(
    asked: list[tuple[int, int, str]],
) -> None:
    """Whatever is asked in whatever sequence: of one constituency no two come within 14 days of each other's end."""
    book = HoldBook()
    for number, (days, hours, by) in enumerate(asked, 1):
        new = hold(number, at=days * DAY, hours=hours, by=by)
        if not stacked(book, new):
            book = book.after(new)
    taken: dict[str, list[tuple[Instant, Instant]]] = {}
    for each in book.holds:
        for name in each.by:
            taken.setdefault(name, []).append((each.order.not_before, each.end))
    for spans in taken.values():
        spans.sort()
        for (_, end), (start, _) in pairwise(spans):
            assert start.since(end) >= TERMS.hold_again_s
