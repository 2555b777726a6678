"""How a host learns of its regime: each item of the feed is verified, folded, or refused by name. No I/O.

Everything needs its proof in a witnessed checkpoint, except holds and pauses: these act on sight, and lapse unless a
witnessed checkpoint shows them within the charter's deadline, by the earliest clock (protocol section 8). A declared
outage counts on sight too, since the log may be what is down, and lapses by the latest clock.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from sekisho.following.known import ON_SIGHT, Finding, Known
from sekisho.following.membership import find_order, show_membership
from sekisho.following.outages import KnownOutage
from sekisho.following.rotation import (
    SeenCheckpoints,
    policies_ahead,
    policy_of,
    verify_by_any,
)
from sekisho.following.sealed import show_sealed
from sekisho.ledger import Cosigned, Policy, TlogProof, leaf_hash
from sekisho.model.errors import SekishoError, UnknownCriticalField, VerificationError
from sekisho.model.instants import Instant
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
    RegisterHead,
    SignatureWithdrawn,
    TimeMarked,
    unknown_critical,
)
from sekisho.orders import (
    KnownOrder,
    OrderFault,
    UnwitnessedRelease,
    doubted_orders,
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
from sekisho.signing.tried import TriedSignatures
from sekisho.signing.witnessing import still_counting

__all__ = ["Followed", "Follower", "Unwitnessed"]


class Unwitnessed(VerificationError):
    """A statement without proof that the log's witnesses have seen it."""

    code = "unwitnessed"


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was accepted, with the earliest instant at which it was first seen: kept across restarts.

    `at_s` is the elapsed time of the boot `boot` at that moment; None in what was kept before this was noted.
    """

    kind: str
    envelope: bytes
    proof: str | None
    seen: Instant
    boot: str = ""
    at_s: float | None = None
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


class Follower(Known):
    """Takes in what a control plane says, for one host under one trust root: verifies, folds, or refuses by name."""

    def __init__(self, host: str, root: TrustRoot) -> None:
        """Raises InvalidInput where the trust root's policy or key cannot be read."""
        super().__init__(host, root)
        self._licensed: set[str] = set()
        self._ahead: tuple[Policy, ...] = ()
        self._seen = SeenCheckpoints()
        self._tried = TriedSignatures()
        self._sealed_holds: dict[str, Recorded] = {}  # by digest; they count once they are shown
        self._told: set[tuple[str, bool]] = set()
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
            if (digest, item.proof is not None) in self._told:
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
            self._told.add((digest, item.proof is not None))
        elif ignored:
            return None, finding  # it may come again with more signatures, and these were none
        shown, fault = self._show(item, digest)
        kept = Followed(
            kind=kind,
            envelope=item.envelope,
            proof=item.proof,
            seen=seen or self.earliest(),
            boot=self.boot,
            at_s=self._sighted_at_s.get(digest, self.elapsed_s),
            membership=shown.membership if shown else None,
            disclosures=shown.disclosures if shown else (),
        )
        return kept, fault or finding

    def take_again(self, followed: Followed) -> tuple[Followed | None, Finding | None]:
        """What was kept before a restart, as it was first seen: what acts on sight is neither younger nor older now."""
        if followed.at_s is not None:
            with suppress(SekishoError):
                digest = parse_envelope(followed.envelope).digest
                # In another boot it was seen before this one began; how long before, no clock here can say.
                at_s = followed.at_s if followed.boot == self.boot else 0.0
                self._sighted_at_s.setdefault(digest, at_s)
        return self.take_item(followed.item, followed.seen)

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
            boot=self.boot,
            at_s=self._sighted_at_s.get(digest, self.elapsed_s),
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
        self._news += self._lapsed_orders()
        if seen is not None:
            head = RegisterHead(register=order.register, number=order.number, digest=digest)
            self._drop(self._displaced((head,)))
        is_unseen = order.kind == "hold" and not witnessed
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
                self._news.append(Finding(code=StackedHold.code, detail=fault, about=known.digest))

    def _seat_holds(self) -> None:
        """An unseen hold that a head or a successor names has its number from now on: it is not outstanding."""
        for known in [each for each in self.holds.unseen.values() if self.book.is_named(each)]:
            self.book = self.book.after(known)
            self.holds = self.holds.without({known.digest})
