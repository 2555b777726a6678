"""One look at the control plane: immutable values of one instant, from which every page and the state JSON are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import msgspec

from sekisho.app import Control
from sekisho.ledger import Cosigned
from sekisho.licensing import LeaseState, LicenceLedger, LicenceState
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterWitness,
    FindingRaised,
    HostEnrolled,
    PackPublished,
    ReceiptGiven,
)
from sekisho.orders import KnownOrder, OrderBook, facts_of, is_covered
from sekisho.orders.lifecycle import OrderLives
from sekisho.orders.sealed import public_book
from sekisho.signing import Recorded, Regime
from sekisho.web.journal import Journal

__all__ = ["Snapshot"]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything as of `at`.

    `in_force` are the restricting orders, oldest first; `all_orders` every order, newest first; `problems` says what
    a witness, or the keeper of the registers, last failed with.
    """

    at: Instant
    origin: str
    size: int
    regime: Regime
    licences: LicenceLedger
    orders: OrderBook
    in_force: tuple[KnownOrder, ...]
    all_orders: tuple[KnownOrder, ...]
    lives: OrderLives
    packs: Mapping[str, PackPublished]
    receipts: Mapping[str, ReceiptGiven]
    findings: tuple[tuple[Recorded, FindingRaised], ...]
    cosigned: Cosigned | None
    problems: Mapping[str, str]

    @classmethod
    def take(cls, control: Control, journal: Journal) -> Self:
        """Look now; the clock is read once."""
        state, now = control.desk.state, control.clock.now()
        # The console is for everybody: what is sealed stays so here, although this desk knows it.
        orders = public_book(state.orders)
        last = {host: control.leases.chain(host).last for host in state.regime.hosts}
        problems = control.problems
        return cls(
            at=now,
            origin=control.desk.origin,
            size=state.size,
            regime=state.regime,
            licences=state.licences,
            orders=orders,
            in_force=orders.in_force(now),
            all_orders=_newest_first(orders),
            lives=state.lives,
            packs=state.packs,
            receipts={host: receipt for host, receipt in last.items() if receipt is not None},
            findings=tuple(
                (entry, entry.verified.predicate)
                for entry in journal.of_kind("finding-raised")
                if isinstance(entry.verified.predicate, FindingRaised)
            ),
            cosigned=control.publisher.latest,
            problems=problems,
        )

    @property
    def witnesses(self) -> tuple[CharterWitness, ...]:
        charter = self.regime.charter
        return charter.terms.log.witnesses if charter else ()

    @property
    def single_owner(self) -> str | None:
        """The organisation that holds the log and all of its witnesses, where there is only one; else None."""
        charter = self.regime.charter
        if charter is None:
            return None
        owners = {w.owner for w in charter.terms.log.witnesses} | {charter.terms.log.owner}
        return owners.pop() if len(owners) == 1 else None

    @property
    def sites(self) -> dict[str, tuple[HostEnrolled, ...]]:
        """The enrolled hosts by site, both in the order of their names."""
        found: dict[str, list[HostEnrolled]] = {}
        for name in sorted(self.regime.hosts):
            found.setdefault(self.regime.hosts[name].site, []).append(self.regime.hosts[name])
        return {site: tuple(found[site]) for site in sorted(found)}

    def licence_of(self, host: str) -> LicenceState | None:
        """The licence that a host works under: one that names it, the newest that stands before others."""
        mine = list(self.licences.by_host(host))
        mine.sort(key=lambda s: (s.obstacle() is None, s.licence.effective))
        return mine[-1] if mine else None

    def live_lease(self, host: str) -> tuple[LicenceState, LeaseState] | None:
        """A host's newest lease that neither ended nor is past its end and grace."""
        live = [
            (state, lease)
            for state in self.licences.by_host(host)
            for lease in state.live_leases()
            if lease.granted.host == host
            and self.at <= lease.granted.not_after.plus(state.licence.lease.grace_s)
        ]
        return max(live, key=lambda pair: pair[1].granted.number) if live else None

    def covers(self, known: KnownOrder, host: HostEnrolled) -> bool:
        """Whether an order is for this host, with whatever it is licensed to run."""
        if not known.is_shown:
            return False  # nobody is named here before it opens
        mine = self.licences.standing_of(host.host) or (self.licence_of(host.host),)
        facts = (facts_of(host, state.licence if state else None) for state in mine)
        return any(is_covered(known, each) for each in facts)

    def under(self, known: KnownOrder) -> tuple[HostEnrolled, ...]:
        """The enrolled hosts that an order is for."""
        return tuple(
            host for _, host in sorted(self.regime.hosts.items()) if self.covers(known, host)
        )


def _newest_first(book: OrderBook) -> tuple[KnownOrder, ...]:
    known = [order for orders in book.orders.values() for order in orders.values()]
    known.sort(key=lambda k: (k.order.effective, k.order.register, k.order.number), reverse=True)
    return tuple(known)
