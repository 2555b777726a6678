"""What a host is told, in sequence: charter, enrolment, its licences, all orders, the newest heartbeat; with proofs.

A sealed order goes out bare, since anybody may read a feed: what is inside a host asks for by its key (orders.asking).
A pause or a hold goes out the moment it is in the log, unproven, since what restricts acts on sight, and so does an
outage, in which witnesses may be what is away; everything goes out with its proof once a witnessed checkpoint covers
it. A cursor names this process's run, so that after a restart a host is told everything again rather than missing
something.

Kept in memory is what somebody may still have to be told: of heartbeats the newest alone, and nothing twice once its
proof is there. So a cursor is a number that events are given, not a place in a list.
"""

from __future__ import annotations

import bisect
import threading
from collections import deque
from collections.abc import Callable

import msgspec

from sekisho.ledger import Cosigned, LogReader
from sekisho.model.errors import Unavailable
from sekisho.model.membership import Membership
from sekisho.model.statements import (
    AgentReleased,
    CharterAdopted,
    HostEnrolled,
    HostRetired,
    KeyCompromised,
    LicenceAmended,
    LicenceClosed,
    LicenceIssued,
    LicenceRevoked,
    LicenceSuspended,
    OrderConfirmed,
    OrderIssued,
    OrderOpened,
    OrderSealed,
    OrdersInForce,
    OutageDeclared,
    Predicate,
    RecoveryAnnounced,
    RecoveryVetoed,
    SignatureWithdrawn,
    TimeMarked,
)
from sekisho.operations.desk import Desk
from sekisho.operations.proving import Memberships
from sekisho.signing import Recorded

__all__ = ["Feed", "FeedItem", "FeedPage"]

RUN_SPAN = 10**6  # seconds since 1970 times this stays below 2^53, as every number on our wire must
ON_SIGHT = ("hold", "pause")
MAX_WAITING_HEARTBEATS = 256
"""Heartbeats that wait for a witnessed checkpoint: more than can come while one is being published."""

MOST_PROVEN_AHEAD = 64
MAX_PROOFS = 16_384
"""A proof has 700 bytes; what is beyond is made again for each who asks."""
MAX_SHARED = 64
MAX_PAGE = 512
"""So many items make a page, of some 3 MB at most usual sizes: who was away long asks again, and at once."""


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One statement for a host; `proof` is a tlog-proof text, or None where it goes out on sight.

    `membership`: of an order whose scope was resolved, that this host is in it or is not.
    """

    envelope: bytes
    proof: str | None
    membership: Membership | None = None


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a host has not been told yet, and the cursor to ask with next."""

    next: int
    items: tuple[FeedItem, ...]
    checkpoint: str | None


class _Event(msgspec.Struct, frozen=True):
    """An entry that is told, under its number: proven, or on sight."""

    number: int
    recorded: Recorded
    proven: bool


class Feed:
    """All events of one control plane's run, kept in memory: an entry once, on sight until it is proven."""

    def __init__(self, desk: Desk, reader: LogReader, *, run: int) -> None:
        self._desk = desk
        self._reader = reader
        self._base = run * RUN_SPAN
        self._told = 0
        # By host; under None what everybody is told. Each in the order of its numbers.
        self._events: dict[str | None, list[_Event]] = {}
        self._heartbeat: _Event | None = None
        self._waiting: list[Recorded] = []
        self._heartbeats: deque[Recorded] = deque(maxlen=MAX_WAITING_HEARTBEATS)
        self._mark: Recorded | None = None
        self._unmarked: int | None = None
        self._cosigned: Cosigned | None = None
        self._lock = threading.Lock()
        self.memberships = Memberships(lambda: desk.state.orders, desk.disclosures_of)
        self._listeners: list[Callable[[], None]] = []
        # By index, each in the first witnessed tree that it was asked for in: that one proves it for good.
        self._proofs: dict[int, str] = {}
        # What hosts are told that nothing is told of alone, by where they stand; emptied when anything is new.
        self._shared: dict[int, FeedPage] = {}
        # By a licence's leaf: what was proven of its terms so far, and which hosts were told.
        self._licences: dict[str, list[Recorded]] = {}
        self._knowing: dict[str, set[str | None]] = {}

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each event, from whatever thread brought it."""
        self._listeners.append(listener)

    def take_recorded(self, recorded: Recorded) -> None:
        """An entry is in the log (a listener of the desk)."""
        fact = recorded.verified.predicate
        marks = self._marks_with(recorded)
        if not isinstance(fact, _TOLD):
            with self._lock:
                self._waiting += marks
            return
        with self._lock:
            self._waiting += marks
            is_heartbeat = isinstance(fact, OrdersInForce)
            (self._heartbeats if is_heartbeat else self._waiting).append(recorded)
            on_sight = isinstance(fact, OutageDeclared) or _acts_on_sight(fact)
            if on_sight:
                self._add(recorded, proven=False)
        if on_sight:
            self._tell()

    def take_published(self, cosigned: Cosigned) -> None:
        """A checkpoint is witnessed (a listener of the publisher)."""
        size = cosigned.checkpoint.size
        with self._lock:
            covered = [r for r in self._waiting if r.index < size]
            self._waiting = [r for r in self._waiting if r.index >= size]
            while self._heartbeats and self._heartbeats[0].index < size:
                covered.append(self._heartbeats.popleft())
            self._cosigned = cosigned
            self._shared.clear()
            if any(isinstance(r.verified.predicate, CharterAdopted) for r in covered):
                # Other witnesses may count from here on: nobody is shown the word of those before.
                self._proofs.clear()
        # Before anybody is woken: thousands then find the proofs made, once for all of them.
        for recorded in [r for r in covered if self._is_for_all_hosts(r)][:MOST_PROVEN_AHEAD]:
            self._prove(recorded.index, cosigned)
        with self._lock:
            self._forget_sighted({recorded.index for recorded in covered})
            for recorded in sorted(covered, key=lambda r: r.index):
                self._add(recorded, proven=True)
        if covered:
            self._tell()

    def read(self, host: str, after: int) -> FeedPage:
        """What `host` has not been told since the cursor `after`; 0, or another run's cursor, is everything."""
        page = self._read(host, after, make=True)
        if page is None:
            raise Unavailable("the feed has no page", remedy="ask again")
        return page

    def peek(self, host: str, after: int) -> FeedPage | None:
        """`read` where nothing has to be fetched for it; None where a proof is still to be made."""
        return self._read(host, after, make=False)

    def _read(self, host: str, after: int, *, make: bool) -> FeedPage | None:
        with self._lock:
            seen = after - self._base if self._base <= after <= self._base + self._told else 0
            mine = self._since(host, seen)
            shared = self._shared.get(seen) if not mine else None
            if shared is not None:
                return shared
            chosen = [*self._since(None, seen), *mine]
            if self._heartbeat is not None and self._heartbeat.number > seen:
                chosen.append(self._heartbeat)
            cosigned, cursor, told = self._cosigned, self._base + self._told, self._told
            chosen.sort(key=lambda event: event.number)
            chosen = _first_page(chosen)
            if chosen and len(chosen) >= MAX_PAGE:
                cursor = self._base + chosen[-1].number
            at_hand = all(not e.proven or e.recorded.index in self._proofs for e in chosen)
        if not at_hand and not make:
            return None
        note = self._note_for(chosen, cosigned)
        items = tuple(self._item(event, host, cosigned) for event in chosen)
        page = FeedPage(next=cursor, items=items, checkpoint=note)
        if not mine and all(_is_for_all(event) for event in chosen):
            self._share(seen, page, told, cosigned)
        return page

    def _note_for(self, chosen: list[_Event], cosigned: Cosigned | None) -> str | None:
        """The newest checkpoint, by which hosts know the time; not with what acts on sight alone: that needs none.

        Thousands verify that at once, and each signature more is their halt a little later.
        """
        if cosigned is None or (chosen and not any(event.proven for event in chosen)):
            return None
        return cosigned.note.to_bytes().decode()

    def _item(self, event: _Event, host: str, cosigned: Cosigned | None) -> FeedItem:
        """An event as `host` is told of it."""
        proof = self._prove(event.recorded.index, cosigned) if event.proven and cosigned else None
        return FeedItem(
            envelope=event.recorded.verified.envelope.raw,
            proof=proof,
            membership=self.memberships.prove(event.recorded, host),
        )

    def _share(self, seen: int, page: FeedPage, told: int, cosigned: Cosigned | None) -> None:
        """Keep a page for the other hosts that stand where this one stood, until something is new."""
        with self._lock:
            if self._told == told and self._cosigned is cosigned and len(self._shared) < MAX_SHARED:
                self._shared[seen] = page

    def has_news(self, after: int) -> bool:
        with self._lock:
            return self._has_news(after)

    def _add(self, recorded: Recorded, *, proven: bool) -> None:
        """Give an event the next number; of heartbeats only the newest is kept."""
        self._told += 1
        self._shared.clear()
        event = _Event(self._told, recorded, proven)
        fact = recorded.verified.predicate
        if isinstance(fact, OrdersInForce):
            if self._heartbeat is not None:
                self._proofs.pop(self._heartbeat.recorded.index, None)
            self._heartbeat = event
            return
        hosts = self._hosts_of(fact)
        if isinstance(fact, LicenceIssued | LicenceAmended | LicenceSuspended):
            self._tell_past(recorded, fact, hosts)
            event = _Event(self._told, recorded, proven)
        for host in hosts:
            self._events.setdefault(host, []).append(event)

    def _tell_past(
        self,
        recorded: Recorded,
        fact: LicenceIssued | LicenceAmended | LicenceSuspended,
        hosts: tuple[str | None, ...],
    ) -> None:
        """A host that an amendment names for the first time is told first what the licence was before it."""
        leaf = recorded.leaf if isinstance(fact, LicenceIssued) else fact.licence.leaf
        past = self._licences.setdefault(leaf, [])
        knowing = self._knowing.setdefault(leaf, set())
        for host in hosts:
            if host not in knowing and past:
                mine = self._events.setdefault(host, [])
                for earlier in past:
                    mine.append(_Event(self._told, earlier, proven=True))
                    self._told += 1
        knowing.update(hosts)
        past.append(recorded)

    def _marks_with(self, recorded: Recorded) -> tuple[Recorded, ...]:
        """The time marks by which a host knows when this was recorded, where that decides something.

        Before an order the newest one: nobody can say then that the order is older. After a lost key or an announced
        recovery the first whose tree holds it: there grace and notice begin.
        """
        fact = recorded.verified.predicate
        if isinstance(fact, KeyCompromised | RecoveryAnnounced):
            self._unmarked = recorded.index
        if isinstance(fact, OrderIssued | OrderSealed) and self._mark is not None:
            told, self._mark = self._mark, None
            return (told,)
        if not isinstance(fact, TimeMarked):
            return ()
        mark = self._desk.state.regime.marks.quoted_in(recorded.index)
        if mark is None:
            return ()
        self._mark = recorded
        if self._unmarked is None or mark.size <= self._unmarked:
            return ()
        self._mark, self._unmarked = None, None
        return (recorded,)

    def _forget_sighted(self, proven: set[int]) -> None:
        """What was told on sight is told anew with its proof: the older event has nothing left to say."""
        orders = self._events.get(None, [])
        orders[:] = [e for e in orders if e.proven or e.recorded.index not in proven]

    def _since(self, host: str | None, seen: int) -> list[_Event]:
        mine = self._events.get(host, [])
        return mine[bisect.bisect_right(mine, seen, key=lambda event: event.number) :]

    def _hosts_of(self, fact: Predicate) -> tuple[str | None, ...]:
        """Whom a statement is for; None is everybody."""
        if isinstance(fact, HostEnrolled | HostRetired):
            return (fact.host,)
        if isinstance(fact, LicenceIssued):
            return tuple(dict.fromkeys(fact.hosts))
        if isinstance(fact, LicenceAmended | LicenceClosed | LicenceRevoked | LicenceSuspended):
            # Those that it once named as well: they must know that it names them no more.
            held = self._desk.state.licences.licences.get(fact.licence.leaf)
            return held.every_host() if held is not None else ()
        return (None,)

    def _has_news(self, after: int) -> bool:
        return after != self._base + self._told

    def _prove(self, index: int, cosigned: Cosigned) -> str:
        known = self._proofs.get(index)
        if known is None:
            known = self._reader.prove(index, cosigned).to_text()
            with self._lock:
                if self._cosigned is cosigned and len(self._proofs) < MAX_PROOFS:
                    self._proofs[index] = known
        return known

    def _is_for_all_hosts(self, recorded: Recorded) -> bool:
        return self._hosts_of(recorded.verified.predicate) == (None,)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _first_page(chosen: list[_Event]) -> list[_Event]:
    """As many events as one page takes, and through the newest charter whatever that is.

    Proofs stand under the newest charter's witnesses: a host that was away must have the chain of charters beside the
    first of them. There are few, and all but the newest lie near the beginning.
    """
    charters = [
        place
        for place, event in enumerate(chosen)
        if isinstance(event.recorded.verified.predicate, CharterAdopted)
    ]
    return chosen[: max(MAX_PAGE, charters[-1] + 1 if charters else 0)]


def _acts_on_sight(fact: Predicate) -> bool:
    """Whether hosts act on it before a witness saw it: a sealed hold they take with its proof alone."""
    if isinstance(fact, OrderSealed):
        return fact.kind == "pause"
    return isinstance(fact, OrderIssued) and fact.kind in ON_SIGHT


def _is_for_all(event: _Event) -> bool:
    """Whether every host is told the very same of it."""
    fact = event.recorded.verified.predicate
    return not (isinstance(fact, OrderIssued) and fact.resolved is not None)


_TOLD = (
    AgentReleased,
    CharterAdopted,
    HostEnrolled,
    HostRetired,
    KeyCompromised,
    LicenceAmended,
    LicenceClosed,
    LicenceIssued,
    LicenceRevoked,
    LicenceSuspended,
    OrderConfirmed,
    OrderIssued,
    OrderOpened,
    OrderSealed,
    OrdersInForce,
    OutageDeclared,
    RecoveryAnnounced,
    RecoveryVetoed,
    SignatureWithdrawn,
)
