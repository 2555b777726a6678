"""What a host knows of its regime, and what that asks of it: orders in force, licences, outages, what has lapsed.

The following room's middle: `Follower` puts verified statements in, the agent asks. Two clocks decide on time: an
order begins by the latest and ends by the earliest, so that a doubt about the time never ends a pause (protocol
section 8).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sekisho.following.clocks import TwoClocks
from sekisho.following.holds import HostHolds
from sekisho.following.outages import Outages
from sekisho.ledger import Policy
from sekisho.licensing import LicenceLedger
from sekisho.licensing.ledger import LicenceState
from sekisho.model.instants import Instant
from sekisho.model.statements import Effect, HostEnrolled, LicenceIssued, RegisterHead
from sekisho.orders import (
    Demand,
    HostFacts,
    KnownOrder,
    OrderBook,
    decide_demand,
    effect_of,
    facts_of,
    is_covered,
)
from sekisho.signing import TrustRoot
from sekisho.signing.releases import ReleaseBook
from sekisho.signing.trust import start_regime

__all__ = ["ON_SIGHT", "Finding", "Known"]

ON_SIGHT = ("hold", "pause")
MAX_LACKING = 1_000
HALTING: tuple[Effect, ...] = ("freeze", "checkpoint-then-stop")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong that somebody must look at: a stable code, words, and the digest of what it is about."""

    code: str
    detail: str
    about: str | None = None


class Known:
    """The regime, licences, orders and clocks of one host, as far as it has been shown them."""

    def __init__(self, host: str, root: TrustRoot) -> None:
        """Raises InvalidInput where the trust root's policy or key cannot be read."""
        self.host = host
        self.origin = root.origin
        self.policy = Policy.from_text(root.witnesses, path="trust.witnesses")
        self.regime = start_regime(root)
        self.ledger = LicenceLedger()
        self.book = OrderBook()
        self.outages = Outages()
        self.releases = ReleaseBook()
        self.clocks = TwoClocks()
        self.elapsed_s = 0.0
        self.boot = ""  # within which elapsed times compare
        self.heartbeat: Instant | None = None
        self.is_retired = False
        self.holds = HostHolds()
        self._sighted: dict[str, Instant] = {}
        self._sighted_at_s: dict[str, float] = {}  # and at which elapsed time of this boot
        self._stated: dict[str, RegisterHead] = {}  # the newest heads by an authorised statement
        self._news: list[Finding] = []  # what lapsed, or stacked, and was not told yet

    def earliest(self) -> Instant:
        return self.clocks.earliest(self.elapsed_s)

    def enrolment(self) -> HostEnrolled | None:
        return self.regime.hosts.get(self.host)

    def licence_for(self, run: str) -> LicenceState | None:
        """The newest licence of the run that names this host: of those that nothing stands against, else of all."""
        mine = [
            state
            for state in self.ledger.licences.values()
            if state.licence.run == run and self.host in state.licence.hosts
        ]
        live = [state for state in mine if state.obstacle() is None]
        known = live or mine
        return known[-1] if known else None

    def facts(self, licence: LicenceIssued | None) -> HostFacts:
        host = self.enrolment()
        return facts_of(host, licence) if host else HostFacts(host=self.host)

    def in_force(self, latest: Instant) -> tuple[KnownOrder, ...]:
        """Restricting orders: begun by the latest clock, ended and lifted by the earliest, not lapsed unwitnessed."""
        earliest = self.earliest()
        begun = self.book.in_force(latest, expiry_at=earliest)
        not_lifted = self.book.in_force(earliest, expiry_at=earliest)
        unseen = self.holds.in_force(self.book, latest, earliest)
        both = {known.digest: known for known in (*begun, *not_lifted, *unseen)}
        return tuple(
            known
            for known in both.values()
            if not self._has_lapsed(known) and known.digest not in self.holds.stacked
        )

    def demand(self, latest: Instant, facts: HostFacts) -> tuple[Demand, tuple[KnownOrder, ...]]:
        """What the orders in force ask of this host, and those among them that ask it to halt."""
        orders = tuple(known for known in self.in_force(latest) if not known.is_unproven)
        halting = tuple(
            known
            for known in orders
            if effect_of(known.order) in HALTING and is_covered(known, facts)
        )
        return decide_demand(orders, facts), halting

    def unproven(self, latest: Instant, facts: HostFacts) -> tuple[KnownOrder, ...]:
        """The orders in force that ask something of work and of which nobody has shown whether they ask it here."""
        return tuple(
            known
            for known in self.in_force(latest)
            if known.is_unproven
            and effect_of(known.order) != "suspend-access"
            and is_covered(known, facts)
        )

    def lacking(self, latest: Instant) -> tuple[tuple[str, int], ...]:
        """The (register, number) of orders to be asked for: unknown ones, and those without a proof about this host."""
        ahead = (
            known
            for register in self.book.orders.values()
            for known in register.values()
            if known.is_unproven and known.order.not_before > latest
        )
        unproven = (known for known in (*self.in_force(latest), *ahead) if known.is_unproven)
        asked = ((known.order.register, known.order.number) for known in unproven)
        return tuple(dict.fromkeys((*self.book.outstanding(), *asked)))[:MAX_LACKING]

    def caps(self, latest: Instant, facts: HostFacts) -> tuple[KnownOrder, ...]:
        """The orders in force that ask this host to slow down."""
        return tuple(
            known
            for known in self.in_force(latest)
            if effect_of(known.order) == "cap"
            and not known.is_unproven
            and is_covered(known, facts)
        )

    def outage(self, latest: Instant) -> tuple[float, float] | None:
        """How long a declared outage that covers this host still lasts, and lasted, by the latest clock; else None."""
        host, charter = self.enrolment(), self.regime.charter
        if host is None or charter is None:
            return None
        return self.outages.standing(host, latest, charter.terms.witness_deadline_s)

    def lapses(self, latest: Instant) -> list[Finding]:
        """Drop each order and outage that no witnessed checkpoint showed in time, with a finding."""
        before, self._news = self._news, []
        return [*before, *self._lapsed_orders(), *self._lapsed_outages(latest)]

    def _lapsed_outages(self, latest: Instant) -> list[Finding]:
        if not self.outages.known:
            return []
        gone = self.outages.lapsed(latest, self.regime.in_force().terms.witness_deadline_s)
        self.outages = self.outages.without(gone)
        return [
            Finding(
                code="unwitnessed-outage-lapsed",
                detail=f"outage {known.outage.outage} was never witnessed and counts no more",
                about=known.digest,
            )
            for known in gone
        ]

    def _lapsed_orders(self) -> list[Finding]:
        lapsed = [
            known
            for book in self.book.orders.values()
            for known in book.values()
            if self._has_lapsed(known)
        ]
        self._drop({known.digest for known in lapsed})
        lapsed += [known for known in self.holds.unseen.values() if self._has_lapsed(known)]
        self.holds = self.holds.without({known.digest for known in lapsed})
        return [
            Finding(
                code="unwitnessed-order-lapsed",
                detail=f"order {known.order.register} {known.order.number} was never witnessed and lapsed",
                about=known.digest,
            )
            for known in lapsed
        ]

    def _drop(self, lapsed: set[str]) -> None:
        """The book without them: their numbers are free, since no log ever held them.

        What an authorised statement said of the registers stays: what it numbers is outstanding again.
        """
        if not lapsed:
            return
        charter = self.regime.in_force()
        fresh = OrderBook.open(charter.terms.registers)
        for register in self.book.orders.values():
            for known in register.values():
                fresh = fresh.after(known) if known.digest not in lapsed else fresh
        heard = (head for head in self.book.heads.values() if head.digest not in lapsed)
        fresh = fresh.heard((*self._stated.values(), *heard))
        self.book = fresh.doubting(self.book.doubted)

    def _has_lapsed(self, known: KnownOrder) -> bool:
        if known.witnessed or known.order.kind not in ON_SIGHT:
            return False
        seen = self._sighted.get(known.digest, self.earliest())
        passed_s = self.earliest().since(seen)
        if (at_s := self._sighted_at_s.get(known.digest)) is not None:
            # The earliest clock leaps when a newer signed time comes, and the order is not older for that.
            passed_s = min(passed_s, self.elapsed_s - at_s)
        return passed_s > self.regime.in_force().terms.witness_deadline_s

    def _may_cover(self, known: KnownOrder) -> bool:
        """Whether an order covers this host under any licence that it may work under, or without one."""
        standing = self.ledger.standing_of(self.host)
        if not standing:
            return is_covered(known, self.facts(None))
        return any(is_covered(known, self.facts(each.licence)) for each in standing)

    def _displaced(self, heads: Iterable[RegisterHead]) -> set[str]:
        """Of what is told again after a restart: the orders at its numbers that had lapsed when it came.

        They are told again as well, perhaps before any clock here says so, and must not keep their successors out.
        """
        gone: set[str] = set()
        for head in heads:
            register = self.book.orders.get(head.register)
            before = None if register is None else register.get(head.number)
            if before is not None and before.digest != head.digest and not before.witnessed:
                gone.add(before.digest)
        return gone
