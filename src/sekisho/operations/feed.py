"""What a host is told, in sequence: charter, enrolment, its licences, all orders, the newest heartbeat; with proofs.

A pause or a hold goes out the moment it is in the log, unproven, since what restricts acts on sight; everything goes
out with its proof once a witnessed checkpoint covers it. A cursor names this process's run, so that after a restart
a host is told everything again rather than missing something.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from sekisho.ledger import Cosigned, LogReader
from sekisho.model.statements import (
    CharterAdopted,
    HostEnrolled,
    HostRetired,
    LicenceIssued,
    LicenceRevoked,
    OrderIssued,
    OrdersInForce,
    Predicate,
)
from sekisho.operations.desk import Desk
from sekisho.signing import Recorded

__all__ = ["Feed", "FeedItem", "FeedPage"]

RUN_SPAN = 10**6  # seconds since 1970 times this stays below 2^53, as every number on our wire must
ON_SIGHT = ("hold", "pause")


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One statement for a host; `proof` is a tlog-proof text, or None where it goes out on sight."""

    envelope: bytes
    proof: str | None


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a host has not been told yet, and the cursor to ask with next."""

    next: int
    items: tuple[FeedItem, ...]
    checkpoint: str | None


class Feed:
    """All events of one control plane's run, kept in memory: an entry twice at most, on sight and proven."""

    def __init__(self, desk: Desk, reader: LogReader, *, run: int) -> None:
        self._desk = desk
        self._reader = reader
        self._base = run * RUN_SPAN
        self._events: list[tuple[Recorded, bool]] = []
        self._waiting: list[Recorded] = []
        self._cosigned: Cosigned | None = None
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._proofs: dict[int, str] = {}

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each event, from whatever thread brought it."""
        self._listeners.append(listener)

    def take_recorded(self, recorded: Recorded) -> None:
        """An entry is in the log (a listener of the desk)."""
        fact = recorded.verified.predicate
        if not isinstance(fact, _TOLD):
            return
        with self._lock:
            self._waiting.append(recorded)
            on_sight = isinstance(fact, OrderIssued) and fact.kind in ON_SIGHT
            if on_sight:
                self._events.append((recorded, False))
        if on_sight:
            self._tell()

    def take_published(self, cosigned: Cosigned) -> None:
        """A checkpoint is witnessed (a listener of the publisher)."""
        size = cosigned.checkpoint.size
        with self._lock:
            covered = [r for r in self._waiting if r.index < size]
            self._waiting = [r for r in self._waiting if r.index >= size]
            self._cosigned = cosigned
            self._proofs.clear()
            self._events += [(recorded, True) for recorded in covered]
        if covered:
            self._tell()

    def read(self, host: str, after: int) -> FeedPage:
        """What `host` has not been told since the cursor `after`; 0, or another run's cursor, is everything."""
        with self._lock:
            start = (
                after - self._base if self._base <= after <= self._base + len(self._events) else 0
            )
            events, cosigned = self._events[start:], self._cosigned
            cursor = self._base + start + len(events)
        proven_now = {recorded.index for recorded, proven in events if proven}
        chosen = [
            (recorded, proven)
            for recorded, proven in events
            if self._is_for(host, recorded.verified.predicate)
            and (proven or recorded.index not in proven_now)
        ]
        newest = max(
            (r.index for r, _ in chosen if isinstance(r.verified.predicate, OrdersInForce)),
            default=-1,
        )
        items = tuple(
            FeedItem(
                envelope=recorded.verified.envelope.raw,
                proof=self._prove(recorded.index, cosigned) if proven and cosigned else None,
            )
            for recorded, proven in chosen
            if not isinstance(recorded.verified.predicate, OrdersInForce)
            or recorded.index == newest
        )
        note = cosigned.note.to_bytes().decode() if cosigned else None
        return FeedPage(next=cursor, items=items, checkpoint=note)

    def has_news(self, after: int) -> bool:
        with self._lock:
            return self._has_news(after)

    def _is_for(self, host: str, fact: Predicate) -> bool:
        if isinstance(fact, HostEnrolled | HostRetired):
            return fact.host == host
        if isinstance(fact, LicenceIssued):
            return host in fact.hosts
        if isinstance(fact, LicenceRevoked):
            revoked = self._desk.state.licences.licences.get(fact.licence.leaf)
            return revoked is not None and host in revoked.licence.hosts
        return True

    def _has_news(self, after: int) -> bool:
        return after != self._base + len(self._events)

    def _prove(self, index: int, cosigned: Cosigned) -> str:
        known = self._proofs.get(index)
        if known is None:
            known = self._reader.prove(index, cosigned).to_text()
            with self._lock:
                if self._cosigned is cosigned:
                    self._proofs[index] = known
        return known

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


_TOLD = (
    CharterAdopted,
    HostEnrolled,
    HostRetired,
    LicenceIssued,
    LicenceRevoked,
    OrderIssued,
    OrdersInForce,
)
