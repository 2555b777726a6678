"""What a host knows of its regime: each item of the feed is verified, folded, or refused by name. No I/O.

Everything needs its proof in a witnessed checkpoint, except holds and pauses: these act on sight, and lapse unless a
witnessed checkpoint shows them within the charter's deadline, by the earliest clock (protocol section 8). A declared
outage counts on sight too, since the log may be what is down, and lapses by the latest clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from sekisho.following.clocks import TwoClocks
from sekisho.following.holds import HostHolds
from sekisho.following.membership import find_order, show_membership
from sekisho.following.outages import KnownOutage, Outages
from sekisho.following.rotation import (
    SeenCheckpoints,
    policies_ahead,
    policy_of,
    verify_by_any,
)
from sekisho.following.sealed import show_sealed
from sekisho.ledger import Cosigned, Policy, TlogProof, leaf_hash
from sekisho.licensing import LicenceLedger
from sekisho.licensing.ledger import LicenceState
from sekisho.model.errors import SekishoError, UnknownCriticalField, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.membership import Membership
from sekisho.model.statements import (
    AgentReleased,
    CharterAdopted,
    Effect,
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
    RegisterHead,
    SignatureWithdrawn,
    TimeMarked,
    unknown_critical,
)
from sekisho.orders import (
    Demand,
    HostFacts,
    KnownOrder,
    OrderBook,
    OrderFault,
    UnwitnessedRelease,
    decide_demand,
    doubted_orders,
    effect_of,
    facts_of,
    is_covered,
    verify_on_sight,
)
from sekisho.orders.holding import StackedHold
from sekisho.orders.recording import known_order, record_opened
from sekisho.orders.sealed import ForgedSeal, check_outer
from sekisho.ports.control import Feed, FeedItem
from sekisho.signing import (
    Recorded,
    TooFewWitnesses,
    TrustRoot,
    Verified,
    parse_envelope,
)
from sekisho.signing.notes import Note
from sekisho.signing.releases import ReleaseBook
from sekisho.signing.tried import TriedSignatures
from sekisho.signing.trust import start_regime
from sekisho.signing.witnessing import still_counting

__all__ = ["Finding", "Followed", "Follower", "Unwitnessed"]

ON_SIGHT = ("hold", "pause")
MAX_LACKING = 1_000
HALTING: tuple[Effect, ...] = ("freeze", "checkpoint-then-stop")


class Unwitnessed(VerificationError):
    """A statement without proof that the log's witnesses have seen it."""

    code = "unwitnessed"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong that somebody must look at: a stable code, words, and the digest of what it is about."""

    code: str
    detail: str
    about: str | None = None


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was accepted, with the earliest instant at which it was first seen: kept across restarts."""

    kind: str
    envelope: bytes
    proof: str | None
    seen: Instant
    membership: Membership | None = None
    disclosures: tuple[str, ...] = ()

    @property
    def item(self) -> FeedItem:
        """As it came, to be told again."""
        return FeedItem(
            envelope=self.envelope,
            proof=self.proof,
            membership=self.membership,
            disclosures=self.disclosures,
        )


class Follower:
    """The regime, licences, orders and clocks of one host under one trust root."""

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
        self._licensed: set[str] = set()
        self.clocks = TwoClocks()
        self.elapsed_s = 0.0
        self.heartbeat: Instant | None = None
        self.is_retired = False
        self._ahead: tuple[Policy, ...] = ()
        self._seen = SeenCheckpoints()
        self._tried = TriedSignatures()
        self._sighted: dict[str, Instant] = {}
        self._sighted_at_s: dict[str, float] = {}  # of those that this agent was the first to see
        self._stated: dict[str, RegisterHead] = {}  # the newest heads by an authorised statement
        self._lapses: list[Finding] = []
        self.holds = HostHolds()
        self._sealed_holds: dict[str, Recorded] = {}  # by digest; they count once they are shown
        self._known: set[tuple[str, bool]] = set()
        self._fold: dict[type, Callable[[Any, Recorded], None]] = {
            CharterAdopted: self._fold_charter,
            HostEnrolled: self._fold_host,
            HostRetired: self._fold_retired,
            KeyCompromised: self._fold_regime,
            OrderConfirmed: self._fold_regime,
            RecoveryAnnounced: self._fold_regime,
            RecoveryVetoed: self._fold_regime,
            SignatureWithdrawn: self._fold_regime,
            TimeMarked: self._fold_regime,
            AgentReleased: self._fold_release,
            LicenceAmended: self._fold_licence,
            LicenceClosed: self._fold_licence,
            LicenceIssued: self._fold_licence,
            LicenceRevoked: self._fold_licence,
            LicenceSuspended: self._fold_licence,
            OrderOpened: self._fold_opened,
            OrdersInForce: self._fold_heartbeat,
        }

    # --- taking in ---------------------------------------------------------------------------

    def take(self, feed: Feed, elapsed_s: float) -> tuple[list[Followed], list[Finding]]:
        """Fold what is new; gives what was accepted, to be kept, and a finding for each refusal."""
        self.elapsed_s = elapsed_s
        self._ahead = policies_ahead(self.regime, feed)
        accepted: list[Followed] = []
        findings: list[Finding] = []
        for item in feed.items:
            kept, finding = self.take_item(item)
            accepted += [kept] if kept else []
            findings += [finding] if finding else []
        if feed.checkpoint is not None:
            try:
                note = Note.from_bytes(feed.checkpoint.encode())
                self.heard(self._counted(self._seen.verify(note, self.policy), self.policy))
            except SekishoError as error:
                findings.append(Finding(code=error.code, detail=f"the feed's checkpoint: {error}"))
        return accepted, findings

    def take_item(
        self, item: FeedItem, seen: Instant | None = None
    ) -> tuple[Followed | None, Finding | None]:
        """One item: what is to be kept of it (None: known already, or refused) and the finding of a refusal."""
        digest: str | None = None
        try:
            digest = parse_envelope(item.envelope, path="feed").digest
            if (digest, item.proof is not None) in self._known:
                return self._show_anew(item, digest, seen)
            ignored = item.proof is None and digest in self.holds.stacked
            heads, stated = self.book.heads, dict(self._stated)
            kind, finding = self._accept(item, seen)
            self._seat_holds()
        except SekishoError as error:
            return None, Finding(code=error.code, detail=str(error)[:2000], about=digest)
        is_heartbeat = kind == "orders-in-force"
        if is_heartbeat and (self.book.heads, self._stated) == (heads, stated):
            return None, finding  # the heartbeat of a quiet regime: nothing to keep
        if item.proof is not None or digest not in self.holds.stacked:
            self._known.add((digest, item.proof is not None))
        elif ignored:
            return None, finding  # it may come again with more signatures, and these were none
        shown, fault = self._show(item, digest)
        kept = Followed(
            kind=kind,
            envelope=item.envelope,
            proof=item.proof,
            seen=seen or self.earliest(),
            membership=shown.membership if shown else None,
            disclosures=shown.disclosures if shown else (),
        )
        return kept, fault or finding

    def _show_anew(
        self, item: FeedItem, digest: str, seen: Instant | None
    ) -> tuple[Followed | None, Finding | None]:
        """An item that is known already: its proof may say more about this host than what was known."""
        shown, fault = self._show(item, digest)
        if shown is None:
            return None, fault
        first = self._sighted.get(digest, seen or self.earliest())
        kept = Followed(
            kind="order-sealed" if item.disclosures else "order-issued",
            envelope=item.envelope,
            proof=item.proof,
            seen=first,
            membership=shown.membership,
            disclosures=shown.disclosures,
        )
        return kept, fault

    def _show(self, item: FeedItem, digest: str) -> tuple[FeedItem | None, Finding | None]:
        """Whether what came with an order adds to what is known of it; a finding, where it is false."""
        before, held = self.book, self.holds
        try:
            self.holds = held.shown(digest, self.host, item.membership)
            book = show_membership(before, digest, self.host, item.membership)
            if item.disclosures:
                shown, charter = item.membership, self.regime.in_force()
                book = show_sealed(book, digest, self.host, item.disclosures, shown, charter)
        except SekishoError as error:
            detail = f"what came with an order: {error}"
            return None, Finding(code=error.code, detail=detail[:2000], about=digest)
        if book is before:
            return (item if self.holds is not held else None), None
        self.book = book
        self._count_hold(digest)
        return item, None

    def heard(self, cosigned: Cosigned) -> None:
        """Let a verified checkpoint's median cosignature time move the earliest clock."""
        signed = cosigned.median_time
        if signed is not None:
            self.clocks = self.clocks.heard(Instant(signed * 1_000_000), self.elapsed_s)

    def hear_heads(self, heads: tuple[RegisterHead, ...]) -> None:
        """Take in register heads from an authorised statement. Raises TwoDigests."""
        self.book = self.book.heard(heads)
        for head in heads:
            before = self._stated.get(head.register)
            if before is None or before.number < head.number:
                self._stated[head.register] = head
        self._seat_holds()

    def _accept(self, item: FeedItem, seen: Instant | None) -> tuple[str, Finding | None]:
        index, told = self._prove(item)
        verified, finding = self._verify(item.envelope, index, told)
        fact = verified.predicate
        recorded = Recorded(
            index=-1 if index is None else index,
            leaf=leaf_hash(item.envelope).hex(),
            verified=verified,
            seen=told,
        )
        if isinstance(fact, OrderIssued | OrderSealed):
            self._fold_order(recorded, witnessed=index is not None, seen=seen)
            return verified.kind, finding
        if isinstance(fact, OutageDeclared):
            self._fold_outage(fact, verified.digest, witnessed=index is not None, seen=seen)
            return verified.kind, finding
        if index is None:
            raise Unwitnessed(f"a {verified.kind} came without proof of a witnessed checkpoint")
        if isinstance(fact, OrdersInForce) and seen is not None:
            self._drop(self._displaced(fact.heads))
        fold = self._fold.get(type(fact))
        if fold is not None and not (isinstance(fact, HostEnrolled) and fact.host != self.host):
            fold(fact, recorded)
        return verified.kind, finding

    def _prove(self, item: FeedItem) -> tuple[int | None, Instant | None]:
        """Where an item stands in the log, and when that tree was witnessed; nothing of an item without proof."""
        if item.proof is None:
            return None, None
        proof = TlogProof.from_text(item.proof, path="feed.proof")
        told = self.prove(proof, item.envelope).median_time
        return proof.index, None if told is None else Instant.from_seconds(told)

    def prove(self, proof: TlogProof, envelope: bytes) -> Cosigned:
        """The witnessed checkpoint that proves an entry; its time is heard. Raises what the proof's checks raise."""
        cosigned, policy = verify_by_any(proof, envelope, (self.policy, *self._ahead), self._seen)
        counted = self._counted(cosigned, policy)
        self.heard(counted)
        return counted

    def _counted(self, cosigned: Cosigned, policy: Policy) -> Cosigned:
        """Without cosignatures of algorithms that had ended; raises TooFewWitnesses where the quorum hung on them."""
        charter = self.regime.charter
        if charter is None:
            return cosigned
        times = still_counting(cosigned.times, charter.terms.log)
        if not policy.is_satisfied(times):
            raise TooFewWitnesses(f"only {sorted(times) or 'nobody'} cosigned in a way that counts")
        return msgspec.structs.replace(cosigned, times=times)

    def _verify(
        self, raw: bytes, index: int | None, told: Instant | None
    ) -> tuple[Verified, Finding | None]:
        """By the regime; an order with a critical field that we do not know acts all the same, with a finding."""
        verified = self.regime.verify(
            raw, path="feed", index=index, now=told, is_signed=self._tried
        )
        order = verified.predicate
        if not isinstance(order, OrderIssued | OrderSealed):
            return verified, None
        unknown = unknown_critical(order)
        if not unknown:
            return verified, None
        finding = Finding(
            code=UnknownCriticalField.code,
            detail=f"order {order.register} {order.number} has fields that this agent does not know: "
            f"{', '.join(sorted(unknown))}; it acts at its strictest effect",
            about=verified.digest,
        )
        return verified, finding

    def _fold_charter(self, fact: CharterAdopted, recorded: Recorded) -> None:
        self._fold_regime(fact, recorded)
        self.book = self.book.opened(fact.registers)
        if fact.version > 1:
            self.policy = policy_of(fact, recorded.verified.digest)

    def _fold_regime(self, _: Predicate, recorded: Recorded) -> None:
        before, self.regime = self.regime, self.regime.after(recorded)
        if self.regime.doubts is not before.doubts:
            self.book = self.book.doubting(doubted_orders(self.regime))

    def _fold_host(self, fact: HostEnrolled, recorded: Recorded) -> None:
        self._fold_regime(fact, recorded)
        self.is_retired = False

    def _fold_retired(self, fact: HostRetired, _: Recorded) -> None:
        """Its enrolment still says what the host can compute: a quantum that runs is counted to its end."""
        self.is_retired = self.is_retired or fact.host == self.host

    def _fold_licence(self, _: object, recorded: Recorded) -> None:
        """Each entry once: after a restart of the control plane a host is told everything again."""
        if recorded.leaf not in self._licensed:
            self.ledger = self.ledger.after(recorded)
            self._licensed.add(recorded.leaf)

    def _fold_heartbeat(self, fact: OrdersInForce, recorded: Recorded) -> None:
        """Its heads, and the newest instant of which the registers spoke: never later than its witnesses."""
        told = fact.effective if recorded.seen is None else min(fact.effective, recorded.seen)
        self.heartbeat = told if self.heartbeat is None else max(self.heartbeat, told)
        self.hear_heads(fact.heads)

    def _fold_release(self, fact: AgentReleased, recorded: Recorded) -> None:
        self._fold_regime(fact, recorded)
        self.releases = self.releases.after(recorded)

    def _fold_outage(
        self, outage: OutageDeclared, digest: str, *, witnessed: bool, seen: Instant | None
    ) -> None:
        first = seen or self.earliest()
        self.outages = self.outages.after(
            KnownOutage(outage=outage, digest=digest, witnessed=witnessed, seen=first)
        )

    def _fold_order(self, recorded: Recorded, *, witnessed: bool, seen: Instant | None) -> None:
        digest = recorded.verified.digest
        charter = self.regime.in_force()
        known = known_order(recorded.verified, charter, witnessed=witnessed)
        order = known.order
        if not witnessed and order.kind not in ON_SIGHT:
            raise UnwitnessedRelease(
                f"a {order.kind} does not act on sight: it needs a witnessed checkpoint"
            )
        if known.sealed is not None and (problems := check_outer(known.sealed)):
            raise OrderFault(f"order {order.register} {order.number}: {'; '.join(problems)}")
        self.book.check_register(order, charter.terms.registers)
        verify_on_sight(
            known, charter, self.book, log=self.origin, earliest=self.earliest(), seen=seen
        )
        self._lapses += self._lapsed_orders()
        if seen is not None:
            head = RegisterHead(register=order.register, number=order.number, digest=digest)
            self._drop(self._displaced((head,)))
        is_unseen = order.kind == "hold" and not witnessed and known.sealed is None
        if is_unseen and not self.book.is_named(known):
            self.book.verify_number(known)
        else:
            self.book = self.book.after(known)
        known = self.book.find(known.reference) or known
        if known.is_shown:
            self._take_hold(known, recorded, is_news=seen is None)
        else:
            self._sealed_holds[digest] = recorded
        self._fold_regime(recorded.verified.predicate, recorded)
        self._sighted.setdefault(digest, seen or self.earliest())
        if seen is None:
            self._sighted_at_s.setdefault(digest, self.elapsed_s)

    def _fold_opened(self, fact: OrderOpened, _: Recorded) -> None:
        known = self.book.find(fact.order)
        self.book = record_opened(self.book, fact)
        now = self.book.find(fact.order)
        if known is not None and known is now and not known.is_opened:
            raise ForgedSeal(
                f"order {fact.order.register} {fact.order.number} was opened with another content than was sealed"
            )
        self._count_hold(fact.order.digest)

    def _count_hold(self, digest: str) -> None:
        """A sealed hold that has been shown counts among the holds from then on."""
        known = find_order(self.book, digest)
        if known is not None and known.is_shown and digest in self._sealed_holds:
            self._take_hold(known, self._sealed_holds.pop(digest), is_news=True)

    def _take_hold(self, known: KnownOrder, recorded: Recorded, *, is_news: bool) -> None:
        """Remember a hold, or that it is stacked on another and ignored; a finding where that is news."""
        charter, signers, before = self.regime.in_force(), recorded.verified.signers, self.holds
        self.holds = before.taking(known, charter, signers, self._may_cover)
        if is_news and known.digest not in before.stacked:
            fault = self.holds.fault(known, charter, signers, self._may_cover)
            if fault is not None:
                self._lapses.append(
                    Finding(code=StackedHold.code, detail=fault, about=known.digest)
                )

    def _seat_holds(self) -> None:
        """An unseen hold that a head or a successor names has its number from now on: it is not outstanding."""
        for known in [each for each in self.holds.unseen.values() if self.book.is_named(each)]:
            self.book = self.book.after(known)
            self.holds = self.holds.without({known.digest})

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

    # --- asking ------------------------------------------------------------------------------

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
        before, self._lapses = self._lapses, []
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
