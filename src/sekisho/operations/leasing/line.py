"""Who waits at the counter: whoever comes first serves everybody who waits by then, in one batch.

Before a group is served, the one behind it is begun: what can be done elsewhere about it goes on meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Generic, TypeVar

from sekisho.model.errors import SekishoError, Unavailable

__all__ = ["MAX_GROUP", "Place", "WaitingLine"]

T = TypeVar("T")
B = TypeVar("B")
MAX_GROUP = 256
"""So many are served in one batch: what a batch costs is known, and the next one waits no longer than that."""

ENOUGH = 16
"""So many make a group of their own that is begun before the one in front of it is served."""


class Place(Generic[T]):
    """One who waits, with what it asks; it is answered once, with an answer or an error.

    Either a thread waits for it, or `tell` is called with it once it is answered.
    """

    def __init__(self, asked: T, tell: Callable[[Place[T]], None] | None = None) -> None:
        self.asked = asked
        self.answer: object = None
        self.error: BaseException | None = None
        self.is_served = False
        self.tell = tell
        # Not an Event: that is four objects in Python, and one is made for each answer.
        self._sleep = threading.Lock()
        self._sleep.acquire()

    def wait(self) -> None:
        """Until it is answered, or called to serve the others."""
        self._sleep.acquire()

    def call(self) -> None:
        """Wake its thread; once for each thing that it is called to."""
        self._sleep.release()

    def go_home(self) -> None:
        """It is answered."""
        if self.tell is None:
            self.call()
        else:
            self.tell(self)

    def result(self) -> object:
        """The answer; raises the error."""
        if self.error is not None:
            raise self.error
        return self.answer

    def refuse(self, error: BaseException) -> None:
        """Answer it with an error, unless it is answered."""
        if not self.is_served:
            self.error, self.is_served = error, True


class WaitingLine(Generic[T, B]):
    """Serves in groups, in the order of coming, one group at a time.

    `begin` looks at a group and returns what `serve` gets with it; it raises nothing. `serve` answers every place of
    its group, and calls the third thing that it gets when the group behind may be begun. Neither waits for any place.
    """

    def __init__(
        self,
        begin: Callable[[list[Place[T]]], B],
        serve: Callable[[list[Place[T]], B, Callable[[], None]], None],
    ) -> None:
        self._begin = begin
        self._serve = serve
        self._mutex = threading.Lock()
        self._waiting: list[Place[T]] = []
        self._behind: tuple[list[Place[T]], B] | None = None
        self._is_served = False
        self._leaders = ThreadPoolExecutor(1, thread_name_prefix="counter")

    def ask(self, asked: T) -> object:
        """The answer; raises the error. The calling thread may serve others on the way."""
        place = Place(asked)
        if not self._join(place):
            place.wait()
        if not place.is_served:
            self._lead()
        return place.result()

    def enqueue(self, asked: T, tell: Callable[[Place[T]], None]) -> None:
        """`ask` without a thread that waits: `tell` is called with the answered place, and must return at once.

        It is called by whatever thread served it, and may enqueue what is asked next.
        """
        if self._join(Place(asked, tell)):
            self._leaders.submit(self._lead)

    def _join(self, place: Place[T]) -> bool:
        """Whether the place leads, since nobody else does."""
        with self._mutex:
            self._waiting.append(place)
            leads = not self._is_served
            self._is_served = True
        return leads

    def _lead(self) -> None:
        """Serve the group that is due, the caller's own place first in it, then call whoever stands first."""
        group: list[Place[T]] = []
        try:
            self._begin_behind(all_but_half=True)
            if self._behind is not None:
                (group, begun), self._behind = self._behind, None
                if len(self._waiting) >= ENOUGH:
                    self._begin_behind()
                self._serve(group, begun, self._begin_behind)
        except SekishoError as error:
            _refuse(group, error)
        finally:
            self._end(group)

    def _begin_behind(self, *, all_but_half: bool = False) -> None:
        """Begin the next group, if anybody waits and none is begun.

        At a start, with `all_but_half`, many are two groups: the second is begun while the first is served.
        """
        if self._behind is not None or not self._waiting:
            return
        with self._mutex:
            count = len(self._waiting)
            if all_but_half and count >= 2 * ENOUGH:
                count -= count // 2
            group = self._waiting[: min(count, MAX_GROUP)]
            del self._waiting[: len(group)]
        try:
            self._behind = (group, self._begin(group))
        except BaseException:
            _send_home(group)
            raise

    def _end(self, group: list[Place[T]]) -> None:
        """Send the group home, and call whoever stands first behind it."""
        with self._mutex:
            waiting = self._waiting if self._behind is None else self._behind[0]
            following = waiting[0] if waiting else None
            self._is_served = following is not None
        if following is not None:
            # First: what is to be done next does not wait for a crowd to wake.
            if following.tell is None:
                following.call()
            else:
                self._leaders.submit(self._lead)
        _send_home(group)


def _send_home(group: list[Place[T]]) -> None:
    # An interrupt, say: whoever waits must not wait for this thread, and what became of it is unknown.
    _refuse(group, Unavailable("the counter was interrupted", remedy="ask again"))
    with ExitStack() as ends:  # each of them, even where telling another fails
        for place in reversed(group):
            ends.callback(place.go_home)


def _refuse(group: list[Place[T]], error: SekishoError) -> None:
    for place in group:
        place.refuse(error)
