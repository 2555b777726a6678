"""The line at the counter: everybody is answered once, whatever happens to whoever serves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sekisho.model.errors import StateConflict, Unavailable
from sekisho.operations.leasing.line import MAX_GROUP, Place, WaitingLine

Serve = Callable[[list[Place[int]], int, Callable[[], None]], None]


def doubled(group: list[Place[int]], begun: int, begin_behind: Callable[[], None]) -> None:
    """Answers each with its double; what was begun is this very group."""
    assert begun == len(group) <= MAX_GROUP
    begin_behind()
    for place in group:
        place.answer, place.is_served = 2 * place.asked, True


def line_of(serve: Serve) -> WaitingLine[int, int]:
    return WaitingLine(len, serve)


def ask_together(line: WaitingLine[int, int], count: int) -> list[object]:
    """What so many threads are told, each asking five times."""

    def ask(number: int) -> list[object]:
        return [line.ask(number) for _ in range(5)]

    with ThreadPoolExecutor(count) as pool:
        lots = list(pool.map(ask, range(count)))
    assert all(len(set(lot)) == 1 for lot in lots)
    return [lot[0] for lot in lots]


def test_everybody_is_answered_what_he_asked() -> None:
    """Forty threads, again and again."""
    assert ask_together(line_of(doubled), 40) == [2 * n for n in range(40)]


def test_more_than_a_group_without_threads_are_all_answered() -> None:
    """Five hundred that are told, among threads that wait."""
    line, told, done = line_of(doubled), [], threading.Semaphore(0)

    def tell(place: Place[int]) -> None:
        told.append(place.result())
        done.release()

    for number in range(500):
        line.enqueue(number, tell)
    assert line.ask(7) == 14
    for _ in range(500):
        assert done.acquire(timeout=60)
    assert sorted(told) == [2 * n for n in range(500)]  # type: ignore[type-var]  # whole numbers


def test_a_group_that_cannot_be_served_is_told_why() -> None:
    """The error of all is each one's own, and the next one is served."""
    faults = [StateConflict("no")]

    def serve(group: list[Place[int]], begun: int, begin_behind: Callable[[], None]) -> None:
        if faults:
            raise faults.pop()
        doubled(group, begun, begin_behind)

    line = line_of(serve)
    with pytest.raises(StateConflict):
        line.ask(1)
    assert line.ask(1) == 2


@pytest.mark.parametrize("where", ["begin", "serve"])
def test_an_interrupt_of_whoever_serves_leaves_nobody_waiting(where: str) -> None:
    """It is raised where it struck; the others are told to ask again, or are served."""
    struck: list[bool] = []

    def strike(at: str) -> None:
        if at == where and not struck:
            struck.append(True)
            raise KeyboardInterrupt

    def begin(group: list[Place[int]]) -> int:
        strike("begin")
        return len(group)

    def serve(group: list[Place[int]], begun: int, begin_behind: Callable[[], None]) -> None:
        strike("serve")
        doubled(group, begun, begin_behind)

    line: WaitingLine[int, int] = WaitingLine(begin, serve)
    told: list[object] = []

    def ask(number: int) -> None:
        try:
            told.append(line.ask(number))
        except (Unavailable, KeyboardInterrupt) as error:
            told.append(type(error))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(told) == 20
    assert KeyboardInterrupt in told
    assert line.ask(1) == 2
