"""Several addresses of one control plane: silence moves on, a refusal does not, and no address alone is listened to."""

from __future__ import annotations

import pytest

from sekisho.adapters.transport.control_ring import ControlRing
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.ports.control import Feed, FeedItem, LeaseAnswer


class Plane:
    """One address: answers, refuses or is silent, and remembers what it was asked."""

    def __init__(self, *, silent: bool = False, items: int = 0, run: int = 100) -> None:
        self.silent, self.items, self.run = silent, items, run
        self.asked: list[int] = []
        self.receipts = 0
        self.refuses = False

    def fetch_feed(self, host: str, after: int, wait_s: int) -> Feed:
        self._answer()
        self.asked.append(after)
        items = tuple(FeedItem(envelope=host.encode()) for _ in range(self.items))
        return Feed(next=self.run + len(self.asked), items=items)

    def fetch_order(self, register: str, number: int, host: str = "") -> FeedItem:
        self._answer()
        return FeedItem(envelope=f"{register} {number}".encode())

    def fetch_shown(self, asked: bytes) -> FeedItem:
        self._answer()
        return FeedItem(envelope=asked)

    def send_request(self, envelope: bytes) -> LeaseAnswer:
        self._answer()
        return LeaseAnswer(envelope=envelope, proof="")

    def send_receipt(self, envelope: bytes) -> bytes | None:
        self._answer()
        if self.refuses:
            raise StateConflict("broken-chain")
        self.receipts += 1
        return envelope

    def send_statement(self, envelope: bytes) -> None:
        self._answer()

    def _answer(self) -> None:
        if self.silent:
            raise Unavailable("silent")


def test_a_silent_address_moves_on_to_the_next_and_stays_there() -> None:
    """A receipt that finds the first address silent reaches the second, and the next one goes there at once."""
    first, second = Plane(silent=True), Plane()
    ring = ControlRing([first, second])
    assert ring.send_receipt(b"1") == b"1"
    assert ring.current == 1
    first.silent = False
    ring.send_receipt(b"2")
    assert (first.receipts, second.receipts) == (0, 2)


def test_a_refusal_is_an_answer() -> None:
    """What one address refuses is not brought to another."""
    first, second = Plane(), Plane()
    first.refuses = True
    with pytest.raises(StateConflict):
        ControlRing([first, second]).send_receipt(b"1")
    assert second.receipts == 0


def test_all_silent_is_silence() -> None:
    """Where nobody answers the caller is told so, after each was asked once."""
    ring = ControlRing([Plane(silent=True), Plane(silent=True)])
    with pytest.raises(Unavailable):
        ring.fetch_feed("host-1", 0, 0)
    with pytest.raises(Unavailable):
        ring.send_request(b"")


def test_an_address_without_news_is_not_the_only_one_heard() -> None:
    """After an answer without news the next address is asked, each from where it was left."""
    keeping_back, honest = Plane(run=100), Plane(items=1, run=500)
    ring = ControlRing([keeping_back, honest])
    after = 0
    for _ in range(4):
        after = ring.fetch_feed("host-1", after, 25).next
    assert keeping_back.asked == [0]
    assert honest.asked == [0, 501, 502]


def test_a_fresh_start_asks_each_address_for_everything() -> None:
    """Cursor 0 forgets where the addresses were left: an agent that starts again misses nothing."""
    plane = Plane(items=1)
    ring = ControlRing([plane])
    ring.fetch_feed("host-1", 0, 0)
    ring.fetch_feed("host-1", 0, 0)
    assert plane.asked == [0, 0]


def test_no_address_is_bad_input() -> None:
    """An empty list names nobody."""
    with pytest.raises(InvalidInput):
        ControlRing([])
