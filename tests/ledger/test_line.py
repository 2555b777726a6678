"""The line in front of the log: who leads, who waits, and when it is too long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.ledger.line import MAX_GROUP, Line, Overloaded, Ticket
from sekisho.ledger.places import Appended
from sekisho.model.errors import StateConflict, Unavailable
from tests.ledger.logs import submission

PLACE = Appended(index=1, leaf_hash=bytes(32), fresh=True)


class Tasks(Executor):
    """An executor that only remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[Callable[..., Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.given.append(fn)
        return Future()


def ticket(count: int = 1, *, size: int = 0) -> Ticket:
    """A ticket of `count` rows, each of `size` bytes and a little."""
    return Ticket([submission(str(number), size=size) for number in range(count)])


def answered(told: list[object]) -> Ticket:
    """A ticket without a thread, which tells its result to `told`."""
    return Ticket([submission("a")], told.append)


def lead() -> None:
    """What a leader does, of no interest here."""


def test_the_first_to_join_leads_and_the_others_wait() -> None:
    """One leads at a time, also while its group is already taken out of the line."""
    line = Line()
    first, second, third = ticket(), ticket(), ticket()
    assert line.join(first)
    assert not line.join(second)
    assert line.take_group() == [first, second]
    assert not line.join(third)
    assert [each.is_leader for each in (first, second, third)] == [True, False, False]


def test_leadership_goes_to_who_stands_first() -> None:
    """When a group is done the thread that stands first is woken to lead, unsettled."""
    line, tasks = Line(), Tasks()
    line.join(ticket())
    line.take_group()
    waiting = ticket()
    line.join(waiting)
    line.join(ticket())
    line.hand_over(lead, tasks)
    waiting.wait()
    assert waiting.is_leader
    assert waiting.result is None
    assert tasks.given == []


def test_a_ticket_without_a_thread_is_led_by_the_executor() -> None:
    """Where the first in line waits for an answer only, somebody else's thread leads for it."""
    line, tasks = Line(), Tasks()
    line.join(ticket())
    line.take_group()
    line.join(answered([]))
    line.hand_over(lead, tasks)
    assert tasks.given == [lead]


def test_who_joins_a_line_that_nobody_leads_leads_at_once() -> None:
    """After the last group there is no leader until the next one comes."""
    line, tasks = Line(), Tasks()
    line.join(ticket())
    line.take_group()
    line.hand_over(lead, tasks)
    assert line.join(ticket())
    assert tasks.given == []


def test_more_rows_than_the_line_holds_are_refused_with_a_time_to_come_again() -> None:
    """The refused ticket is not in line, and there is room again once a group was taken."""
    line = Line(max_rows=3)
    line.join(ticket(2))
    with pytest.raises(Overloaded, match="2 submissions wait") as caught:
        line.join(ticket(2))
    assert caught.value.retry_after_s > 0
    assert str(caught.value.retry_after_s) in caught.value.remedy
    assert not line.join(ticket(1))
    assert len(line.take_group()) == 2
    assert not line.join(ticket(3))


def test_more_bytes_than_the_line_holds_are_refused() -> None:
    """Large entries fill the line sooner than their number would, and leave it as large as they came."""
    line = Line(max_bytes=2_500)
    line.join(ticket(size=1_000))
    line.join(ticket(size=1_000))
    with pytest.raises(Overloaded):
        line.join(ticket(size=1_000))
    line.take_group()
    assert not line.join(ticket(size=2_000))


@pytest.mark.parametrize("alone", [ticket(9), ticket(1, size=5_000)], ids=["too many", "too large"])
def test_one_ticket_alone_is_always_taken(alone: Ticket) -> None:
    """What is larger than the whole line could never come in later either, so it comes in when nobody waits."""
    line = Line(max_rows=3, max_bytes=2_500)
    assert line.join(alone)
    assert line.take_group() == [alone]


def test_overload_is_a_kind_of_unavailable() -> None:
    """Whoever retries what is unavailable retries this too, and nothing of it was stored."""
    assert issubclass(Overloaded, Unavailable)
    assert Overloaded("x", retry_after_s=7).retry_after_s == 7


def test_a_group_is_bounded_and_first_come_first_served() -> None:
    """Tickets go together up to the group's size, in the order they came, none of them cut in two."""
    line = Line(max_rows=10 * MAX_GROUP)
    tickets = [ticket(MAX_GROUP - 1), ticket(1), ticket(1), ticket(2 * MAX_GROUP), ticket(1)]
    for each in tickets:
        line.join(each)
    groups = [line.take_group() for _ in range(4)]
    assert groups == [tickets[:2], tickets[2:3], tickets[3:4], tickets[4:]]
    assert line.take_group() == []


def test_a_settled_ticket_gives_its_outcomes_or_raises_its_error() -> None:
    """The thread that waits gets what the leader found, whichever it was."""
    good, bad = ticket(), ticket()
    good.settle([PLACE])
    good.wait()
    bad.settle(StateConflict("no"))
    bad.wait()
    assert good.outcomes() == [PLACE]
    with pytest.raises(StateConflict, match="no"):
        bad.outcomes()


def test_a_ticket_that_was_never_settled_raises() -> None:
    """Missing outcomes are never taken for an empty list of them."""
    with pytest.raises(Unavailable, match="not sequenced"):
        ticket().outcomes()


def test_an_answer_is_called_with_the_outcomes() -> None:
    """A ticket without a thread is told instead of woken."""
    told: list[object] = []
    answered(told).settle([PLACE])
    assert told == [[PLACE]]


def test_a_thread_torn_away_from_its_lead_is_replaced() -> None:
    """A ticket promoted while its thread was interrupted is led by the executor, so that nobody waits for ever."""
    line, tasks = Line(), Tasks()
    line.join(ticket())
    line.take_group()
    gone = ticket()
    line.join(gone)
    line.hand_over(lead, tasks)
    line.abandon(gone, lead, tasks)
    assert tasks.given == [lead]
    gone.settle([PLACE])


def test_a_thread_torn_away_before_its_turn_is_replaced_when_it_comes() -> None:
    """Its rows stay in line; when they stand first the executor leads."""
    line, tasks = Line(), Tasks()
    line.join(ticket())
    line.take_group()
    gone = ticket()
    line.join(gone)
    line.abandon(gone, lead, tasks)
    assert tasks.given == []
    line.hand_over(lead, tasks)
    assert tasks.given == [lead]


def test_a_thread_torn_away_after_it_was_settled_leaves_nothing_to_do() -> None:
    """Whoever is interrupted with its outcome already there has led or been led."""
    line, tasks = Line(), Tasks()
    done = ticket()
    line.join(done)
    line.take_group()
    done.settle([PLACE])
    line.abandon(done, lead, tasks)
    assert tasks.given == []


@given(
    steps=st.lists(st.none() | st.tuples(st.integers(0, 9), st.integers(0, 40)), max_size=60),
)
def test_the_line_is_bounded_and_keeps_its_order(steps: list[tuple[int, int] | None]) -> None:
    """Whatever joins and is taken, what waits is within both bounds or one ticket, and leaves in the order it came."""
    line = Line(max_rows=12, max_bytes=500)
    waiting: list[Ticket] = []
    for step in steps:
        if step is None:
            group = line.take_group()
            assert group == waiting[: len(group)]
            assert bool(group) == bool(waiting)
            waiting = waiting[len(group) :]
            continue
        each = ticket(step[0], size=step[1])
        try:
            line.join(each)
        except Overloaded:
            after = [*waiting, each]
            assert waiting
            assert sum(len(t.rows) for t in after) > 12 or sum(t.size for t in after) > 500
        else:
            waiting.append(each)
            assert len(waiting) == 1 or sum(len(t.rows) for t in waiting) <= 12
            assert len(waiting) == 1 or sum(t.size for t in waiting) <= 500


def test_many_threads_join_and_exactly_one_leads() -> None:
    """Threads that arrive together find one leader among them."""
    line, led = Line(), []
    start = threading.Barrier(16)

    def arrive() -> None:
        start.wait()
        led.append(line.join(ticket()))

    threads = [threading.Thread(target=arrive) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(led) == [False] * 15 + [True]
    assert len(line.take_group()) == 16
