"""Several addresses of one control plane: the one that answers is asked, and when it falls silent the next.

The addresses are the primary's, its standby's, a mirror's or a relay's: whoever answers is believed no more than any
other, since everything that counts is verified by its signatures. What one address refuses is refused: only silence,
and an answer that says "not now" (a plane that is fenced off says so), moves on to the next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from sekisho.adapters.transport.control_client import ControlClient
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.control import Control, Feed, FeedItem, LeaseAnswer

__all__ = ["ControlRing", "open_controls"]

T = TypeVar("T")


class ControlRing:
    """Implements ports.Control over several. Safe for the agent's threads; one that moves on takes the others along."""

    def __init__(self, controls: Sequence[Control]) -> None:
        """Raises InvalidInput where none is named."""
        if not controls:
            raise InvalidInput(
                "no control plane is named", path="control", remedy="name its address"
            )
        self._controls = tuple(controls)
        self._lock = threading.Lock()
        self._current = self._polled = 0
        self._cursors = [0] * len(self._controls)

    @property
    def current(self) -> int:
        """The place in the list of the one that is asked first now."""
        return self._current

    def fetch_feed(self, host: str, after: int, wait_s: int) -> Feed:
        """Each address has a cursor of its own, and tells everything when it is asked for the first time.

        After an answer without news the next address is asked: one that keeps orders back is not the only one heard.
        To be called by one thread.
        """
        if after == 0:
            self._cursors = [0] * len(self._controls)
        silence = Unavailable("no control plane was asked")
        for _ in self._controls:
            place = self._polled
            try:
                feed = self._controls[place].fetch_feed(host, self._cursors[place], wait_s)
            except Unavailable as error:
                silence, self._polled = error, (place + 1) % len(self._controls)
                continue
            self._cursors[place] = feed.next
            if not feed.items:
                self._polled = (place + 1) % len(self._controls)
            return feed
        raise silence

    def fetch_order(self, register: str, number: int, host: str = "") -> FeedItem:
        return self._ask(lambda control: control.fetch_order(register, number, host))

    def fetch_shown(self, asked: bytes) -> FeedItem:
        return self._ask(lambda control: control.fetch_shown(asked))

    def send_request(self, envelope: bytes) -> LeaseAnswer:
        return self._ask(lambda control: control.send_request(envelope))

    def send_receipt(self, envelope: bytes) -> bytes | None:
        return self._ask(lambda control: control.send_receipt(envelope))

    def send_statement(self, envelope: bytes) -> None:
        return self._ask(lambda control: control.send_statement(envelope))

    def _ask(self, ask: Callable[[Control], T]) -> T:
        """Each address once, from the one that answered last; the last one's silence is raised."""
        first = self._current
        silence = Unavailable("no control plane was asked")
        for step in range(len(self._controls)):
            place = (first + step) % len(self._controls)
            try:
                answer = ask(self._controls[place])
            except Unavailable as error:
                silence = error
                continue
            with self._lock:
                # Another thread may have moved on meanwhile: to whom it moved is as good as ours.
                if step and self._current == first:
                    self._current = place
            return answer
        raise silence


class _Opened(ControlRing):
    def __init__(self, clients: Sequence[ControlClient]) -> None:
        super().__init__(clients)
        self._clients = clients

    def close(self) -> None:
        for client in self._clients:
            client.close()


def open_controls(addresses: str | Sequence[str]) -> _Opened:
    """Clients of one or of several addresses. Raises InvalidInput where there is none."""
    named = (addresses,) if isinstance(addresses, str) else tuple(addresses)
    return _Opened([ControlClient(address) for address in named])
