"""Appending from coroutines: no thread waits, and one group's answer wakes all of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from sekisho.ledger import appender as appender_module
from sekisho.ledger.appender import IN_FLIGHT, Appender
from sekisho.ledger.line import Answer, Line, Overloaded
from sekisho.ledger.places import Appended, Conflicted, Outcome
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.ports.log_store import Submission
from tests.ledger.logs import MemoryLog, names_in, open_memory_log, submission
from tests.ledger.memory_store import MemoryLogStore


def index_of(outcomes: list[Outcome]) -> int:
    """Where the one row of an append stands."""
    (outcome,) = outcomes
    assert isinstance(outcome, Appended)
    return outcome.index


class Gate:
    """Holds the database up at each commit until it is opened; counts the commits."""

    def __init__(self, log: MemoryLog) -> None:
        self.commits = 0
        self.reached = threading.Semaphore(0)
        self._open = threading.Event()
        log.database.on_step = self._step

    def _step(self, name: str, applied: bool) -> None:
        if name == "sequence" and not applied:
            self.commits += 1
            self.reached.release()
            assert self._open.wait(20)

    def open(self) -> None:
        self._open.set()


@contextmanager
def gated(log: MemoryLog) -> Iterator[Gate]:
    """A log whose database stands still; it goes on at the end in any case."""
    gate = Gate(log)
    try:
        yield gate
    finally:
        gate.open()


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so that tells nobody."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.001)


async def reached(gate: Gate) -> None:
    """Wait, without holding the loop up, until the database is at a commit."""
    assert await asyncio.to_thread(gate.reached.acquire, True, 20)


def test_coroutines_that_are_ready_together_go_together() -> None:
    """A hundred appends of one turn of the loop are one transaction, and each gets its own place."""

    async def scenario() -> list[int]:
        appender = Appender(log.sequencer)
        appends = [appender.append([submission(str(number))]) for number in range(100)]
        return [index_of(outcomes) for outcomes in await asyncio.gather(*appends)]

    log = open_memory_log()
    with gated(log) as gate:
        gate.open()
        assert asyncio.run(scenario()) == list(range(1, 101))
        assert gate.commits == 1
    assert names_in(log.entries()) == ["mark", *map(str, range(100))]


def test_each_append_gets_the_outcomes_of_its_own_rows() -> None:
    """New, repeated and refused rows of different callers are told apart, in each caller's order."""

    async def scenario() -> list[list[Outcome]]:
        appender = Appender(log.sequencer)
        appends = [
            appender.append([submission("a", "serial 1"), submission("b")]),
            appender.append([]),
            appender.append([submission("c", "serial 1"), submission("a", "serial 1")]),
        ]
        return await asyncio.gather(*appends)

    log = open_memory_log()
    first, nothing, second = asyncio.run(scenario())
    assert [outcome.index for outcome in first] == [1, 2]
    assert nothing == []
    assert second[0] == Conflicted(unique="serial 1", index=1)
    assert isinstance(second[1], Appended)
    assert (second[1].index, second[1].fresh) == (1, False)


def test_who_comes_while_groups_are_under_way_goes_into_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the database syncs, the loop gathers; what gathered goes together."""
    log = open_memory_log()
    sent: list[int] = []
    enqueue = log.sequencer.enqueue

    def count(submissions: Sequence[Submission], answer: Answer, *, are_checked: bool) -> None:
        sent.append(len(submissions))
        enqueue(submissions, answer, are_checked=are_checked)

    monkeypatch.setattr(log.sequencer, "enqueue", count)

    async def scenario(gate: Gate) -> list[list[Outcome]]:
        appender = Appender(log.sequencer)
        tasks = []
        for number in range(10):
            tasks.append(asyncio.create_task(appender.append([submission(str(number))])))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await reached(gate)
        assert sent == [1] * IN_FLIGHT
        gate.open()
        return await asyncio.gather(*tasks)

    with gated(log) as gate:
        outcomes = asyncio.run(scenario(gate))
    assert [index_of(each) for each in outcomes] == list(range(1, 11))
    assert sent == [*[1] * IN_FLIGHT, 10 - IN_FLIGHT]


def test_who_is_cancelled_leaves_its_entry_and_the_others_their_answers() -> None:
    """A caller that went away neither takes its row back nor holds anybody up."""

    async def scenario(gate: Gate) -> list[Outcome]:
        appender = Appender(log.sequencer)
        gone = asyncio.create_task(appender.append([submission("gone")]))
        stays = asyncio.create_task(appender.append([submission("stays")]))
        await reached(gate)
        gone.cancel()
        gate.open()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await stays

    log = open_memory_log()
    with gated(log) as gate:
        assert index_of(asyncio.run(scenario(gate))) == 2
    assert names_in(log.entries()) == ["mark", "gone", "stays"]


def test_who_is_cancelled_before_its_group_is_sent_holds_nobody_up() -> None:
    """Cancelled in the turn in which it asked, a row still goes with the group it stood in."""

    async def scenario() -> list[Outcome]:
        appender = Appender(log.sequencer)
        gone = asyncio.create_task(appender.append([submission("gone")]))
        stays = asyncio.create_task(appender.append([submission("stays")]))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    log = open_memory_log()
    index = index_of(asyncio.run(scenario()))
    assert names_in(log.entries())[index] == "stays"


def test_an_error_reaches_all_of_the_group_and_the_next_group_goes_on() -> None:
    """Where the database fails, everybody whose rows went with it learns it, and may submit them again."""

    def fail(name: str, applied: bool) -> None:
        if name == "sequence":
            raise Unavailable("no space left")

    async def scenario() -> None:
        appender = Appender(log.sequencer)
        log.database.on_step = fail
        appends = [appender.append([submission(str(number))]) for number in range(5)]
        results = await asyncio.gather(*appends, return_exceptions=True)
        assert [type(result) for result in results] == [Unavailable] * 5
        log.database.on_step = lambda name, applied: None
        assert index_of(await appender.append([submission("0")])) == 1

    log = open_memory_log()
    asyncio.run(scenario())


def test_a_row_that_can_be_no_entry_is_refused_alone() -> None:
    """Its group never hears of it."""

    async def scenario() -> list[object]:
        appender = Appender(log.sequencer)
        bad = Submission(envelope=b"", payload_sha256=bytes(32))
        appends = [
            appender.append([submission("a")]),
            appender.append([submission("b"), bad]),
        ]
        return list(await asyncio.gather(*appends, return_exceptions=True))

    log = open_memory_log()
    good, refused = asyncio.run(scenario())
    assert isinstance(refused, InvalidInput)
    assert refused.path == "submission 1"
    assert isinstance(good, list)
    assert names_in(log.entries()) == ["mark", "a"]


@pytest.mark.parametrize(
    ("limit", "value", "size"), [("MAX_ROWS", 3, 0), ("MAX_WAITING_BYTES", 3_000, 900)]
)
def test_more_than_the_loop_may_hold_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int, size: int
) -> None:
    """Rows and bytes that wait in memory are bounded; what was taken in is answered, the rest asked to come again."""
    monkeypatch.setattr(appender_module, limit, value)

    async def scenario() -> list[object]:
        appender = Appender(log.sequencer)
        appends = [appender.append([submission(str(number), size=size)]) for number in range(5)]
        return list(await asyncio.gather(*appends, return_exceptions=True))

    log = open_memory_log()
    results = asyncio.run(scenario())
    assert [isinstance(result, Overloaded) for result in results] == [False] * 3 + [True] * 2


def test_one_append_alone_is_always_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is more than the bound by itself could never come in later either."""
    monkeypatch.setattr(appender_module, "MAX_ROWS", 3)
    log = open_memory_log()
    appender = Appender(log.sequencer)
    outcomes = asyncio.run(appender.append([submission(str(number)) for number in range(9)]))
    assert [outcome.index for outcome in outcomes] == list(range(1, 10))


def test_room_is_made_when_a_group_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is of what waits, not of what was ever sent."""
    monkeypatch.setattr(appender_module, "MAX_ROWS", 2)
    log = open_memory_log()

    async def scenario() -> None:
        appender = Appender(log.sequencer)
        for number in range(0, 8, 2):
            rows = [submission(str(number)), submission(str(number + 1))]
            assert len(await appender.append(rows)) == 2

    asyncio.run(scenario())


def test_a_full_line_is_told_to_the_whole_group() -> None:
    """Where threads fill the line, the coroutines of the group get the same error, with the time to come again."""
    log = MemoryLog(line=Line(max_rows=1))
    log.sequencer.recover()

    async def scenario(gate: Gate) -> list[object]:
        leading = threading.Thread(target=log.sequencer.append_one, args=(submission("leads"),))
        leading.start()
        await reached(gate)
        waiting = threading.Thread(target=log.sequencer.append_one, args=(submission("waits"),))
        waiting.start()
        await asyncio.to_thread(until, lambda: bool(log.sequencer._line._tickets))
        appender = Appender(log.sequencer)
        appends = [appender.append([submission(str(number))]) for number in range(3)]
        results = await asyncio.gather(*appends, return_exceptions=True)
        gate.open()
        await asyncio.to_thread(leading.join)
        await asyncio.to_thread(waiting.join)
        assert index_of(await appender.append([submission("later")])) == 3
        return list(results)

    with gated(log) as gate:
        results = asyncio.run(scenario(gate))
    assert [type(result) for result in results] == [Overloaded] * 3
    assert {getattr(result, "retry_after_s", None) for result in results} == {1}


def test_a_log_that_refuses_says_so_to_coroutines_too() -> None:
    """After a contradiction nothing is taken in by any door."""
    log = open_memory_log()
    log.sequencer.refuse(StateConflict("the witnesses saw another tree"))
    with pytest.raises(StateConflict, match="another tree"):
        asyncio.run(Appender(log.sequencer).append([submission("a")]))


def test_a_loop_that_was_closed_does_not_stop_the_log() -> None:
    """Answers to a loop that is gone are dropped; the thread that led for it, and who waits behind, are served."""
    log = open_memory_log()
    places: dict[str, int] = {}
    threads: list[threading.Thread] = []

    def write(name: str) -> None:
        def act() -> None:
            places[name] = log.sequencer.append_one(submission(name)).index

        threads.append(threading.Thread(target=act))
        threads[-1].start()

    def wait_for(count: int) -> None:
        until(lambda: len(log.sequencer._line._tickets) == count)

    with gated(log) as gate:
        write("first")
        assert gate.reached.acquire(timeout=20)
        write("leads for the loop")
        wait_for(1)
        loop = asyncio.new_event_loop()
        task = loop.create_task(Appender(log.sequencer).append([submission("gone")]))
        loop.run_until_complete(asyncio.to_thread(wait_for, 2))
        write("behind")
        wait_for(3)
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()
        gate.open()
        for thread in threads:
            thread.join(20)
    assert places == {"first": 1, "leads for the loop": 2, "behind": 4}
    assert log.sequencer.append_one(submission("after")).index == 5


def test_two_loops_append_to_one_log() -> None:
    """Appenders of several event loops, each in its thread, share the line."""
    log = MemoryLog(store=MemoryLogStore())
    log.sequencer.recover()
    places: list[int] = []

    async def scenario(name: str) -> None:
        appender = Appender(log.sequencer)
        appends = [appender.append([submission(f"{name} {number}")]) for number in range(50)]
        places.extend(index_of(outcomes) for outcomes in await asyncio.gather(*appends))

    threads = [
        threading.Thread(target=lambda n=name: asyncio.run(scenario(n))) for name in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(places) == list(range(1, 101))
