"""A control plane in memory: a real log, real signatures, the same folds as the real one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from sekisho.ledger import (
    Checkpoint,
    TlogProof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    sign_checkpoint,
)
from sekisho.ledger.tree import subtree_root
from sekisho.licensing import Chain, Grounds, LicenceLedger, Link, decide_lease
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import (
    InvalidInput,
    NotAuthorised,
    StateConflict,
    Unavailable,
    VerificationError,
)
from sekisho.model.instants import Instant
from sekisho.model.membership import Membership
from sekisho.model.statements import (
    CharterWitness,
    FindingRaised,
    LeaseClosed,
    LeaseGranted,
    LeaseRequested,
    LicenceIssued,
    LogPosition,
    OrderIssued,
    OrderSealed,
    OrdersInForce,
    Predicate,
    ReceiptAcknowledged,
    ReceiptGiven,
    Reference,
    Spend,
)
from sekisho.operations.sealing import show_host
from sekisho.orders import KnownOrder, OrderBook, decide_demand, facts_of, in_force_root
from sekisho.orders.asking import verify_asked
from sekisho.orders.membership import HostTree, host_leaf
from sekisho.orders.recording import known_order
from sekisho.orders.sealed import open_sealed, seal_tree
from sekisho.ports.control import Feed, FeedItem, LeaseAnswer, OpenHalt, StoredStatement
from sekisho.ports.counter import CounterTier
from sekisho.signing import (
    Envelope,
    Recorded,
    Regime,
    TrustRoot,
    Verified,
    conceal,
    parse_envelope,
    root_of,
)
from sekisho.signing.keys import Signer
from sekisho.signing.notes import NoteSigner
from tests import factory
from tests.factory import AUTHORITY, LOG, NOW, OPERATOR, ORIGIN, VERIFIER, signed

QUORUM: tuple[Signer, ...] = (*AUTHORITY[:3], VERIFIER[0])
LOG_NOTE = NoteSigner(ORIGIN, LOG.private)
WITNESSES = tuple(
    NoteSigner.cosigner(f"{name}.example", factory.signer(name).private) for name in ("w1", "w2")
)
FED = (
    "agent-released",
    "charter-adopted",
    "host-enrolled",
    "host-retired",
    "key-compromised",
    "licence-amended",
    "licence-closed",
    "licence-issued",
    "licence-revoked",
    "licence-suspended",
    "order-confirmed",
    "order-opened",
    "order-sealed",
    "orders-in-force",
    "outage-declared",
    "recovery-announced",
    "recovery-vetoed",
    "signature-withdrawn",
    "time-marked",
)


class FakeClock:
    """Both clocks of a host, moved by hand."""

    def __init__(self, now: Instant = NOW) -> None:
        self.system = now
        self.elapsed = 1000.0
        self.boot = "boot-1"
        self.slept = 0.0

    def now(self) -> Instant:
        return self.system

    def elapsed_s(self) -> float:
        return self.elapsed

    def boot_id(self) -> str:
        return self.boot

    def awake_s(self) -> float:
        return self.elapsed - self.slept

    def advance(self, seconds: float) -> None:
        self.system = self.system.plus(seconds)
        self.elapsed += seconds

    def sleep(self, seconds: float) -> None:
        """The host is suspended: both clocks go on, the one that counts waking does not."""
        self.advance(seconds)
        self.slept += seconds


class FakeLog:
    """A real Merkle tree over a list, with real notes by the log and its two witnesses."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []

    def append(self, raw: bytes) -> int:
        self.entries.append(raw)
        return len(self.entries) - 1

    def _node(self, level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hash(self.entries[index])
        return node_hash(self._node(level - 1, 2 * index), self._node(level - 1, 2 * index + 1))

    def position(self) -> LogPosition:
        size = len(self.entries)
        return LogPosition(size=size, root=subtree_root(0, size, self._node).hex())

    def note(self, now: Instant, *, cosigners: tuple[NoteSigner, ...] = WITNESSES) -> str:
        size = len(self.entries)
        head = Checkpoint(origin=ORIGIN, size=size, root=subtree_root(0, size, self._node))
        note = sign_checkpoint(head, LOG_NOTE)
        lines = [s.sign(note.text, timestamp=int(now.seconds)) for s in cosigners]
        return note.with_signatures(lines).to_bytes().decode()

    def prove(
        self, index: int, now: Instant, *, cosigners: tuple[NoteSigner, ...] = WITNESSES
    ) -> str:
        from sekisho.signing.notes import Note

        note = Note.from_bytes(self.note(now, cosigners=cosigners).encode())
        hashes = tuple(inclusion_proof(index, len(self.entries), self._node))
        return TlogProof(index=index, hashes=hashes, note=note).to_text()


class FakeControl:
    """Implements ports.Control and ports.HaltBoard with the same folds as the real one, in memory."""

    def __init__(
        self, clock: FakeClock | None = None, *, tier: CounterTier = "C0", **charter: object
    ) -> None:
        """`charter`: fields of the charter that are other than the factory's."""
        self.clock = clock or FakeClock()
        self.tier = tier
        self.challenges = 0
        self.log = FakeLog()
        self.lock = threading.Condition()
        self.is_silent = False
        self.acknowledges = True
        self.bend_lease: Callable[[LeaseAnswer], LeaseAnswer] = lambda answer: answer
        self.feed: list[tuple[int, str, bytes | None]] = []  # log index (-1: on sight), kind, bytes
        self.leases: dict[str, LeaseAnswer] = {}
        self.receipts: list[ReceiptGiven] = []
        self.requests: list[LeaseRequested] = []
        self.findings: list[FindingRaised] = []
        self.scopes: dict[str, frozenset[str]] = {}  # by an order's payload digest
        self.concealed: dict[str, tuple[str, ...]] = {}  # by a sealed order's payload digest
        self.show_sealed: Callable[[str, str], tuple[Membership | None, tuple[str, ...]]] = (
            self.inside
        )
        self.show_membership: Callable[[str, str], Membership | None] = self.prove
        self.statements: list[Verified] = []
        self.indexes: dict[str, int] = {}
        self.chain = Chain(host="host-1")
        self.digests: list[str] = []
        witnesses = tuple(
            CharterWitness(name=f"w{n}", vkey=w.verifier.to_text(), owner=f"Verifier {n}")
            for n, w in enumerate(WITNESSES, 1)
        )
        self.terms = factory.charter(log_vkey=LOG_NOTE.verifier.to_text(), witnesses=witnesses)
        self.terms = msgspec.structs.replace(self.terms, **charter)
        self.charter = factory.charter_envelope(self.terms)
        self.root: TrustRoot = root_of(self.terms, self.charter.digest)
        self.regime = Regime.start(self.charter.digest, LOG.public)
        self.ledger = LicenceLedger()
        self.book = OrderBook.open(self.terms.registers)
        self.admit(self.charter)
        host = msgspec.structs.replace(factory.host_enrolled(), counter=tier)
        self.admit(signed(host, AUTHORITY[0], OPERATOR))
        self.admit(signed(factory.party_enrolled(), AUTHORITY[0]))
        self.declaration = self.admit(signed(factory.run_declared(), factory.PARTY))

    def now(self) -> Instant:
        return self.clock.now()

    # --- what a test's authority does --------------------------------------------------------

    def admit(self, envelope: Envelope) -> Reference:
        """Verify, log and fold a statement; it is in the feed with its proof from now on."""
        with self.lock:
            verified = self.regime.verify(envelope.raw)
            index = self.log.append(envelope.raw)
            leaf = leaf_hash(envelope.raw).hex()
            recorded = Recorded(index=index, leaf=leaf, verified=verified)
            self.regime = self.regime.after(recorded)
            self.ledger = self.ledger.after(recorded)
            fact = verified.predicate
            if isinstance(fact, OrderIssued):
                known = KnownOrder(order=fact, digest=verified.digest, witnessed=True)
                named = self.scopes.get(verified.digest)
                self.book = self.book.after(msgspec.structs.replace(known, named=named))
            if isinstance(fact, OrderSealed):
                texts = self.concealed.get(verified.digest, ())
                charter = self.regime.in_force()
                known = known_order(verified, charter, texts, witnessed=True)
                named = self.scopes.get(verified.digest)
                self.book = self.book.after(msgspec.structs.replace(known, named=named))
            if verified.kind in (*FED, "order-issued"):
                self.feed.append((index, verified.kind, None))
            self.indexes[verified.digest] = index
            self.statements.append(verified)
            self.lock.notify_all()
            return Reference(log=ORIGIN, leaf=leaf)

    def license(self, **changes: object) -> Reference:
        licence = factory.licence_issued(self.declaration)
        licence = msgspec.structs.replace(licence, **changes)
        return self.admit(signed(licence, *AUTHORITY[:2]))

    def order(self, *, signers: tuple[Signer, ...] = QUORUM, **fields: object) -> Envelope:
        """A signed order, next in its register, made now; not issued yet."""
        kind = str(fields.get("kind", "pause"))
        head = self.book.heads[f"{kind}/JP"]
        given = {"number": head.number + 1, "previous": head.digest, "now": self.now(), **fields}
        order = factory.order_issued(charter_digest=self.charter.digest, **given)  # type: ignore[arg-type]  # a test's own fields
        return signed(order, *signers)

    def issue(self, envelope: Envelope, *, heads: bool = True) -> Envelope:
        self.admit(envelope)
        if heads:
            self.state_heads()
        return envelope

    def show(self, envelope: Envelope) -> None:
        """Put an order into the feed on sight, without the log."""
        with self.lock:
            self.feed.append((-1, "order-issued", envelope.raw))
            self.lock.notify_all()

    def state_heads(self, book: OrderBook | None = None) -> None:
        """Log an orders-in-force statement."""
        known = book or self.book
        in_force = tuple(k.reference for k in known.in_force(self.now()))
        fact = OrdersInForce(
            effective=self.now(),
            heads=tuple(known.heads.values()),
            in_force=in_force,
            root=in_force_root(in_force),
        )
        self.admit(signed(fact, OPERATOR))

    # --- ports.Control -----------------------------------------------------------------------

    def fetch_feed(self, host: str, after: int, wait_s: int) -> Feed:
        with self.lock:
            self._answer()
            if wait_s and len(self.feed) <= after:
                self.lock.wait(wait_s)
                self._answer()
            items = tuple(self._item(*row, host) for row in self.feed[after:])
            return Feed(next=len(self.feed), items=items, checkpoint=self.log.note(self.now()))

    def fetch_order(self, register: str, number: int, host: str = "") -> FeedItem:
        with self.lock:
            self._answer()
            known = self.book.orders[register].get(number)
            if known is None:
                raise StateConflict("there is no such order")
            item = self._item(self.indexes[known.digest], "order-issued", None, host)
            if known.sealed is None:
                return item
            shown, texts = self.show_sealed(known.digest, host)
            return msgspec.structs.replace(item, membership=shown, disclosures=texts)

    def fetch_shown(self, asked: bytes) -> FeedItem:
        """A sealed order, to the host whose key signed the request."""
        request = verify_asked(
            asked,
            self.regime.enrolled.host_key,
            log=self.regime.in_force().terms.log.origin,
            now=self.now(),
        )
        return self.fetch_order(request.register, request.number, request.host)

    def inside(self, digest: str, host: str) -> tuple[Membership | None, tuple[str, ...]]:
        """What the real one shows a host that asks by its key."""
        known = next(
            k for book in self.book.orders.values() for k in book.values() if k.digest == digest
        )
        texts = self.concealed[digest]
        if known.sealed is None:
            raise StateConflict("is not sealed")
        salt = open_sealed(known.sealed, texts).salt or b""
        tree = seal_tree(salt, self.scopes[digest], known.sealed.leaves)
        return show_host(tree, salt, texts, host)

    def prove(self, digest: str, host: str) -> Membership | None:
        """What the real one shows a host of an order whose scope was resolved."""
        hosts = self.scopes.get(digest)
        return None if hosts is None else HostTree(map(host_leaf, hosts)).prove(host_leaf(host))

    def send_request(self, envelope: bytes) -> LeaseAnswer:
        with self.lock:
            self._answer()
            request = self._verified(envelope).predicate
            digest = parse_envelope(envelope).digest
            if not isinstance(request, LeaseRequested):
                raise InvalidInput("no lease request")
            if digest not in self.leases:
                self.requests.append(request)
                self.leases[digest] = self.grant(request, digest)
            return self.bend_lease(self.leases[digest])

    def grant(self, request: LeaseRequested, digest: str) -> LeaseAnswer:
        """Decide as the real issuer does; raises StateConflict with the reasons."""
        state = self.ledger.licences.get(request.licence.leaf)
        host = self.regime.hosts[request.host]
        licence: LicenceIssued | None = state.licence if state else None
        demand = decide_demand(self.book.in_force(self.now()), facts_of(host, licence))
        decided = decide_lease(
            request,
            self.ledger,
            Grounds(
                peak_flop_per_s=sum(parse_flop(d.peak_flop_per_s) for d in host.devices),
                covered_by=demand.orders if demand.refuses_new_work else (),
                max_lease_s=86_400,
                now=self.now(),
                tier=host.counter,
            ),
        )
        if decided.term is None:
            raise StateConflict("; ".join(decided.reasons))
        concealed, disclosure = conceal(
            "allowance_flop", str(decided.term.allowance_flop), request.nonce[:16].encode()
        )
        fact = LeaseGranted(
            effective=self.now(),
            licence=request.licence,
            host=request.host,
            number=request.number,
            not_after=decided.term.not_after,
            nonce=request.nonce,
            request=digest,
            heads=tuple(self.book.heads.values()),
            challenge=self._challenge(),
            concealed=(concealed,),
        )
        before = self.ledger
        answer = self.lease_answer(fact, disclosure.text)
        self._fold_own(answer.envelope, before, disclosure.text)
        return answer

    def _fold_own(self, raw: bytes, ledger: LicenceLedger, *disclosures: str) -> None:
        """Fold a statement that is in the log already, with what it conceals."""
        leaf = leaf_hash(raw).hex()
        recorded = Recorded(index=0, leaf=leaf, verified=self.regime.verify(raw))
        self.ledger = ledger.after(recorded, {leaf: disclosures})

    def _close_lease(self, spend: Spend, digest: str) -> None:
        """What a final receipt does at the issuer: the rest of the allowance is available again."""
        for state in self.ledger.licences.values():
            for lease in state.live_leases():
                if lease.leaf == spend.lease.leaf:
                    concealed, disclosure = conceal("consumed_flop", spend.reserved_flop, b"s" * 16)
                    fact = LeaseClosed(
                        effective=self.now(),
                        lease=spend.lease,
                        licence=lease.granted.licence,
                        host=lease.granted.host,
                        number=spend.lease_number,
                        how="final-receipt",
                        receipt=digest,
                        concealed=(concealed,),
                    )
                    raw = signed(fact, OPERATOR).raw
                    self.log.append(raw)
                    self._fold_own(raw, self.ledger, disclosure.text)

    def lease_answer(
        self, fact: LeaseGranted, *disclosures: str, by: Signer = OPERATOR
    ) -> LeaseAnswer:
        """Log a lease as it stands and answer with its proof."""
        envelope = signed(fact, by)
        index = self.log.append(envelope.raw)
        self.ledger = msgspec.structs.replace(
            self.ledger, lease_numbers=self.ledger.lease_numbers.plus(fact.host, fact.number)
        )
        return LeaseAnswer(
            envelope=envelope.raw,
            proof=self.log.prove(index, self.now()),
            disclosures=disclosures,
        )

    def send_receipt(self, envelope: bytes) -> bytes | None:
        with self.lock:
            self._answer()
            verified = self._verified(envelope)
            receipt = verified.predicate
            if not isinstance(receipt, ReceiptGiven):
                raise InvalidInput("no receipt")
            link = Link(digest=verified.digest, receipt=receipt)
            if link.digest not in self.digests:
                try:
                    self.chain = self.chain.after(link)
                except VerificationError as error:
                    raise StateConflict(f"{error.code}: {error}") from None
                self.receipts.append(receipt)
                self.digests.append(link.digest)
                if receipt.stage == "final" and receipt.spend is not None:
                    self._close_lease(receipt.spend, verified.digest)
                if receipt.spend is None:
                    self.indexes[verified.digest] = self.log.append(envelope)
            self.lock.notify_all()
            if not self.acknowledges or receipt.stage != "quantum":
                return None
            fact = ReceiptAcknowledged(
                effective=self.now(),
                host=receipt.host,
                sequence=receipt.sequence,
                receipt=verified.digest,
                heads=tuple(self.book.heads.values()),
                challenge=self._challenge(),
            )
            return signed(fact, OPERATOR).raw

    def send_statement(self, envelope: bytes) -> None:
        with self.lock:
            self._answer()
            verified = self._verified(envelope)
            self.statements.append(verified)
            if isinstance(verified.predicate, FindingRaised):
                self.findings.append(verified.predicate)
            self.log.append(envelope)

    # --- ports.HaltBoard ---------------------------------------------------------------------

    def fetch_halts(self) -> tuple[OpenHalt, ...]:
        self._answer()
        observed = {
            getattr(v.predicate, "receipt", "")
            for v in self.statements
            if v.kind == "observation-made"
        }
        return tuple(
            OpenHalt(
                host=receipt.host,
                order=receipt.order,
                receipt=digest,
                receipt_index=self.indexes[digest],
                after=self.log.position(),
            )
            for digest, receipt in zip(self.digests, self.receipts, strict=True)
            if receipt.stage == "halted" and receipt.order is not None and digest not in observed
        )

    def fetch_statement(self, digest: str) -> StoredStatement:
        self._answer()
        index = self.indexes[digest]
        raw = self.log.entries[index]
        return StoredStatement(
            envelope=raw,
            index=index,
            leaf=leaf_hash(raw).hex(),
            proof=self.log.prove(index, self.now()),
        )

    # --- looking -----------------------------------------------------------------------------

    def stages(self) -> list[str]:
        return [receipt.stage for receipt in self.receipts]

    def codes(self) -> list[str]:
        return [finding.finding for finding in self.findings]

    def _item(self, index: int, kind: str, raw: bytes | None, host: str) -> FeedItem:
        proof = self.log.prove(index, self.now()) if raw is None else None
        envelope = self.log.entries[index] if raw is None else raw
        shown = None
        if kind == "order-issued":
            shown = self.show_membership(parse_envelope(envelope).digest, host)
        return FeedItem(envelope=envelope, proof=proof, membership=shown)

    def _challenge(self) -> str | None:
        """A fresh nonce for the next certified counter, where the host has one."""
        if self.tier != "C2":
            return None
        self.challenges += 1
        return f"c{self.challenges:031x}"

    def _verified(self, raw: bytes) -> Verified:
        try:
            return self.regime.verify(raw)
        except VerificationError as error:
            raise NotAuthorised(str(error)) from None

    def _answer(self) -> None:
        if self.is_silent:
            raise Unavailable("nobody there")


def predicates(control: FakeControl, kind: str) -> list[Predicate]:
    return [v.predicate for v in control.statements if v.kind == kind]
