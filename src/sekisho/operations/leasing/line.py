"""Who waits at the counter: whoever comes first serves everybody who waits by then, in one batch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from sekisho.model.errors import SekishoError, Unavailable

__all__ = ["Place", "WaitingLine"]

T = TypeVar("T")
MAX_GROUP = 256
"""So many are served in one batch: what a batch costs is known, and the next one waits no longer than that."""


class Place(Generic[T]):
    """One who waits, with what it asks; it is answered once, with an answer or an error."""

    def __init__(self, asked: T) -> None:
        self.asked = asked
        self.answer: object = None
        self.error: BaseException | None = None
        self.is_served = False
        self._called = threading.Event()

    def wait(self) -> None:
        """Until it is answered, or called to serve the others."""
        self._called.wait()

    def call(self) -> None:
        self._called.set()


class WaitingLine(Generic[T]):
    """Serves in groups, in the order of coming. `serve` answers every place of its group and must not wait for any."""

    def __init__(self, serve: Callable[[list[Place[T]]], None]) -> None:
        self._serve = serve
        self._mutex = threading.Lock()
        self._waiting: list[Place[T]] = []
        self._is_served = False

    def ask(self, asked: T) -> object:
        """The answer; raises the error. The calling thread may serve others on the way."""
        place = Place(asked)
        with self._mutex:
            self._waiting.append(place)
            leads = not self._is_served
            self._is_served = True
        if not leads:
            place.wait()
        if not place.is_served:
            self._lead()
        if place.error is not None:
            raise place.error
        return place.answer

    def _lead(self) -> None:
        """Serve the next group, the caller's own place first in it, then call whoever stands first."""
        with self._mutex:
            group = self._waiting[:MAX_GROUP]
            del self._waiting[:MAX_GROUP]
        try:
            self._serve(group)
        except SekishoError as error:
            _refuse(group, error)
        finally:
            # An interrupt, say: whoever waits must not wait for this thread, and what became of it is unknown.
            _refuse(group, Unavailable("the counter was interrupted", remedy="ask again"))
            with self._mutex:
                following = self._waiting[0] if self._waiting else None
                self._is_served = following is not None
            for place in group:
                place.call()
            if following is not None:
                following.call()


def _refuse(group: list[Place[T]], error: SekishoError) -> None:
    for place in group:
        if not place.is_served:
            place.error, place.is_served = error, True
