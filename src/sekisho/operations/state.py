"""The rooms' folds side by side: everything the log says, up to some entry.

It holds no fold of its own: each room is asked in turn, in the order in which they may refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sekisho.ledger import leaf_hash
from sekisho.licensing import ApplicationBook, LicenceLedger, LicenceState, OutageBook
from sekisho.licensing.rosters import Rosters
from sekisho.metering.accounts.report_book import UsageBook
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    HostEnrolled,
    OrderIssued,
    OrderOpened,
    OrderReference,
    OrderSealed,
    OrdersInForce,
    PackPublished,
    Predicate,
)
from sekisho.operations.resolving import known_with_hosts
from sekisho.orders import (
    HostFacts,
    KnownOrder,
    OrderBook,
    facts_of,
    is_covered,
    record_in_book,
)
from sekisho.orders.appeals import AppealBook
from sekisho.orders.checkpoints import CheckpointBook
from sekisho.orders.holding import HoldBook, record_hold
from sekisho.orders.lifecycle import OrderLives
from sekisho.orders.recording import known_order, with_order
from sekisho.orders.refusals import RefusalBook
from sekisho.signing import PackShelf, Recorded, Regime, TrustRoot, put_on_shelf
from sekisho.signing.releases import ReleaseBook
from sekisho.signing.trust import start_regime

__all__ = ["State", "facts_under", "fold_log", "leaf_of", "start_state"]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What all rooms know after the first `size` entries of the log."""

    regime: Regime
    licences: LicenceLedger = LicenceLedger()
    applications: ApplicationBook = ApplicationBook()
    outages: OutageBook = OutageBook()
    orders: OrderBook = OrderBook()
    lives: OrderLives = OrderLives()
    rosters: Rosters = Rosters()
    holds: HoldBook = HoldBook()
    refusals: RefusalBook = RefusalBook()
    appeals: AppealBook = AppealBook()
    checkpoints: CheckpointBook = CheckpointBook()
    shelf: PackShelf = PackShelf()
    usage: UsageBook = UsageBook()
    releases: ReleaseBook = ReleaseBook()
    heartbeat: OrdersInForce | None = None
    size: int = 0

    def verify(self, raw: bytes, index: int | None = None) -> Recorded:
        """An envelope as the entry that it would be: verified by the regime, with its leaf digest."""
        verified = self.regime.verify(raw)
        return Recorded(
            index=self.size if index is None else index, leaf=leaf_of(raw), verified=verified
        )

    def after(self, recorded: Recorded, disclosures: Mapping[str, tuple[str, ...]]) -> State:
        """The state once an entry is in the log; raises what the rooms raise, and then nothing has changed.

        `disclosures` are by the payload digest of the statement that conceals them.
        """
        verified = recorded.verified
        fact = verified.predicate
        texts = disclosures.get(verified.digest, ())
        known = {recorded.leaf: texts}
        regime = self.regime.after(recorded)
        licences = self.licences.after(recorded, known)
        return State(
            regime=regime,
            licences=licences,
            rosters=self.rosters.after(recorded, regime.hosts, licences),
            applications=self.applications.after(recorded, self.regime.charter),
            outages=self.outages.after(recorded),
            orders=self._orders_after(recorded, regime, texts),
            lives=self.lives.after(recorded),
            holds=self._holds_after(recorded, texts),
            refusals=self.refusals.after(recorded),
            appeals=self.appeals.after(recorded),
            checkpoints=self.checkpoints.after(recorded),
            shelf=put_on_shelf(self.shelf, recorded, self.regime),
            usage=self.usage.after(recorded),
            releases=self.releases.after(recorded),
            heartbeat=fact if isinstance(fact, OrdersInForce) else self.heartbeat,
            size=recorded.index + 1,
        )

    def known(self, order: OrderIssued, digest: str = "") -> KnownOrder:
        """An order as this fold knows it: one whose scope was resolved with the hosts that it names."""
        return known_with_hosts(self.rosters, order, digest, log_size=self.size)

    def _orders_after(
        self, recorded: Recorded, regime: Regime, texts: tuple[str, ...]
    ) -> OrderBook:
        book = record_in_book(self.orders, recorded, self.regime, regime, texts=texts)
        fact = recorded.verified.predicate
        if not isinstance(fact, OrderIssued | OrderSealed | OrderOpened):
            return book
        reference = fact.order if isinstance(fact, OrderOpened) else _reference(recorded, fact)
        found = book.find(reference)
        if found is None or found.order.resolved is None:
            return book
        named = self.known(found.order).named
        return book if named is None else book.naming(reference.digest, named)

    def _holds_after(self, recorded: Recorded, texts: tuple[str, ...]) -> HoldBook:
        """A sealed hold counts like any other for whoever was shown it, and for nobody else."""
        fact = recorded.verified.predicate
        if isinstance(fact, OrderSealed):
            known = known_order(recorded.verified, self.regime.in_force(), texts, witnessed=True)
            if not known.is_shown:
                return self.holds
            recorded, fact = with_order(recorded, known.order), known.order
        return record_hold(self.holds, recorded, self.regime, lambda: self._devices_held(fact))

    def _devices_held(self, fact: Predicate) -> dict[str, int]:
        """The devices of each host that an order covers as the log stands."""
        if not isinstance(fact, OrderIssued):
            return {}
        covered = facts_under(self, self.known(fact))
        return {host.host: len(host.devices) for host in covered}

    def pack_in_force(self, name: str, at: Instant) -> PackPublished | None:
        """The pack of a name that counts at an instant; an emergency's only until it lapses."""
        return self.shelf.in_force(name, at, self.regime.marks)

    @property
    def packs(self) -> dict[str, PackPublished]:
        """Every pack that counts at the newest witnessed instant, by name."""
        found = {name: self.pack_in_force(name, Instant(0)) for name in self.shelf.names()}
        return {name: pack for name, pack in found.items() if pack is not None}

    def host_facts(self, host: HostEnrolled, licence: LicenceState | None) -> HostFacts:
        """What orders are matched against: the host, and the very licence that it works under.

        A run may have several licences, each with a number and a lineage of its own: its name alone tells none.
        """
        return facts_of(host, licence.licence if licence is not None else None)

    def newest_facts(self, host: HostEnrolled) -> HostFacts:
        """The same with the newest licence that names the host."""
        mine = self.licences.by_host(host.host)
        return self.host_facts(host, mine[-1] if mine else None)

    def is_host_covered(self, known: KnownOrder, host: HostEnrolled) -> bool:
        """Whether an order is for a host, under any licence that it may work under now; else under its newest."""
        standing = self.licences.standing_of(host.host)
        if not standing:
            return is_covered(known, self.newest_facts(host))
        return any(is_covered(known, self.host_facts(host, each)) for each in standing)


def _reference(recorded: Recorded, order: OrderIssued | OrderSealed) -> OrderReference:
    return OrderReference(
        register=order.register, number=order.number, digest=recorded.verified.digest
    )


def start_state(root: TrustRoot) -> State:
    """The state of an empty log under a trust root."""
    return State(regime=start_regime(root))


def fold_log(
    state: State, entries: Iterable[bytes], disclosures: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[State, list[Recorded]]:
    """The state after more entries, and the entries themselves, verified."""
    recorded: list[Recorded] = []
    for raw in entries:
        entry = state.verify(raw)
        state = state.after(entry, disclosures or {})
        recorded.append(entry)
    return state, recorded


def leaf_of(raw: bytes) -> str:
    """The leaf digest of an envelope, in hexadecimal."""
    return leaf_hash(raw).hex()


def facts_under(state: State, known: KnownOrder) -> tuple[HostEnrolled, ...]:
    """The enrolled hosts that an order covers, with whatever runs on them."""
    return tuple(host for host in state.regime.hosts.values() if state.is_host_covered(known, host))
