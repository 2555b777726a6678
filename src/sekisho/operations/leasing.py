"""The issuer's counter: leases granted, receipts taken and acknowledged, leases closed or forfeited.

Source: protocol sections 5 and 6. A request, a receipt or an acknowledgement that comes again is answered as before.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import msgspec

from sekisho.licensing import (
    Chain,
    LeaseState,
    LicenceState,
    Link,
    ReceiptFork,
    decide_lease,
    fold_chain,
)
from sekisho.model.amounts import format_flop, parse_flop
from sekisho.model.errors import NotAuthorised, StateConflict, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    FindingRaised,
    HostEnrolled,
    LeaseClosed,
    LeaseGranted,
    LeaseRequested,
    OrderReference,
    ReceiptAcknowledged,
    ReceiptGiven,
    Reference,
    Spend,
    make_payload,
    parse_payload,
)
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.state import State
from sekisho.orders import is_covered
from sekisho.ports.private_store import Paper, PaperKind
from sekisho.signing import Recorded, Verified, conceal, parse_envelope, sign_payload

__all__ = ["GrantedLease", "LeaseCounter", "LeaseRefused", "covering_orders", "peak_of"]

MAX_FORKS = 16
"""So many contradictions of one host are kept as evidence; one is enough to convict it."""


class LeaseRefused(StateConflict):
    """The issuer does not grant this lease; the message says every reason."""

    code = "lease-refused"


class OverReserved(VerificationError):
    """A receipt reserves more than its lease allows."""

    code = "over-reserved"


class SpentLease(VerificationError):
    """A receipt spends on a lease that has ended: by its final receipt, or by the receipt's own date."""

    code = "spent-lease"


class GrantedLease(msgspec.Struct, frozen=True, kw_only=True):
    """A lease in the log, with the disclosures that its host needs."""

    admitted: Admitted
    envelope: bytes
    disclosures: tuple[str, ...]


class LeaseCounter:
    """Grants leases and keeps the receipt chains of all hosts."""

    def __init__(
        self, desk: Desk, *, draw_salt: Callable[[], bytes] = lambda: secrets.token_bytes(16)
    ) -> None:
        self._desk = desk
        self._draw_salt = draw_salt
        self._chains: dict[str, Chain] = {}
        self._forked: set[str] = set()
        self._found: set[tuple[str, str]] = set()
        self._reserved: dict[str, int] = {}
        desk.on_recorded(self._hear)

    def load(self) -> None:
        """Rebuild every chain from the private store; to be called once, after the desk has loaded."""
        links: dict[str, list[Link]] = {}
        for paper in self._desk.private.load_papers("receipt"):
            link = _link_of(paper)
            links.setdefault(paper.host, []).append(link)
            self._note_reserved(link.receipt)
        self._chains = {host: fold_chain(host, chain) for host, chain in links.items()}
        self._forked = {paper.host for paper in self._desk.private.load_papers("fork")}

    def chain(self, host: str) -> Chain:
        return self._chains.get(host, Chain(host=host))

    def grant(self, raw: bytes) -> GrantedLease:
        """Answer a host's signed request with a lease in the log, or refuse with every reason."""
        self._desk.state.regime.verify(raw)  # before the lock: strangers must not hold up hosts
        with self._desk.lock:
            self._desk.settle()
            verified = self._desk.state.regime.verify(raw)
            request = verified.predicate
            if not isinstance(request, LeaseRequested):
                raise StateConflict(f"a {verified.kind} is not a lease request")
            known = self._find_granted(verified.digest)
            if known is not None:
                return known
            paper = Paper(
                kind="request",
                host=request.host,
                number=request.number,
                digest=verified.digest,
                envelope=raw,
            )
            return self._grant(request, paper)

    def take_receipt(self, raw: bytes) -> bytes:
        """Take one link of a host's chain; returns the acknowledgement's envelope. Raises ReceiptFork, BrokenChain."""
        self._desk.state.regime.verify(raw)  # before the lock: strangers must not hold up hosts
        with self._desk.lock:
            self._desk.settle()
            verified = self._desk.state.regime.verify(raw)
            receipt = verified.predicate
            if not isinstance(receipt, ReceiptGiven):
                raise StateConflict(f"a {verified.kind} is not a receipt")
            link = _link(verified)
            chain = self.chain(receipt.host)
            if not self._is_kept(chain, link):
                chain = self._extend(chain, link, raw)
                self._check_spend(receipt)
                self._keep_paper("receipt", raw, link)
                self._note_reserved(receipt)
                self._chains[receipt.host] = chain
            if receipt.order is not None:
                # Crash before this: the host sends it again, the chain has it, and it is admitted then.
                self._desk.admit(raw, own=True)
            acknowledgement = self._acknowledge(link)
            if receipt.stage == "final" and receipt.spend is not None:
                self._close(receipt.spend, receipt.host, link.digest)
            return acknowledgement

    def close_overdue(self) -> int:
        """Forfeit every lease that is past its end, grace and clock error without a final receipt; how many."""
        with self._desk.lock:
            self._desk.settle()
            now = self._desk.clock.now()
            overdue = [
                (state, lease)
                for state in self._desk.state.licences.licences.values()
                for lease in state.live_leases()
                if self._is_overdue(state, lease, now)
            ]
            for state, lease in overdue:
                self._forfeit(state, lease)
            return len(overdue)

    def _grant(self, request: LeaseRequested, paper: Paper) -> GrantedLease:
        state, now = self._desk.state, self._desk.clock.now()
        if request.host in self._forked:
            raise LeaseRefused(
                f"host {request.host} gave two receipts with one number: its leases ended"
            )
        decision = decide_lease(
            request,
            state.licences,
            peak_flop_per_s=peak_of(state.regime.hosts[request.host]),
            covered_by=covering_orders(state, request.host, request.licence.leaf, now),
            max_lease_s=state.regime.in_force().terms.max_lease_s,
            now=now,
        )
        if decision.term is None:
            raise LeaseRefused("; ".join(decision.reasons))
        # Kept only where it is granted, so that asking fills no disk. Crash here: it is asked again, and kept once.
        self._desk.private.save_paper(paper)
        concealed, disclosure = conceal(
            "allowance_flop", format_flop(decision.term.allowance_flop), self._draw_salt()
        )
        fact = LeaseGranted(
            effective=now,
            licence=request.licence,
            host=request.host,
            number=request.number,
            not_after=decision.term.not_after,
            nonce=request.nonce,
            request=paper.digest,
            heads=tuple(state.orders.heads.values()),
            concealed=(concealed,),
        )
        admitted = self._desk.state_fact(fact, disclosures=(disclosure.text,))
        return self._granted(admitted)

    def _granted(self, admitted: Admitted) -> GrantedLease:
        recorded = self._desk.find(admitted.digest)
        if recorded is None:
            raise StateConflict("the lease is not in the log")
        return GrantedLease(
            admitted=admitted,
            envelope=recorded.verified.envelope.raw,
            disclosures=self._desk.disclosures_of(admitted.digest),
        )

    def _find_granted(self, request_digest: str) -> GrantedLease | None:
        lease = self._desk.state.licences.by_request(request_digest)
        if lease is None:
            return None
        recorded: Recorded | None = self._desk.find(lease.digest)
        index = recorded.index if recorded else -1
        return self._granted(
            Admitted(index=index, leaf=lease.leaf, digest=lease.digest, fresh=False)
        )

    def _is_kept(self, chain: Chain, link: Link) -> bool:
        """Whether this very receipt is in the chain: a re-sent one is harmless, wherever it stands."""
        if link.receipt.sequence >= chain.sequence:
            return chain.is_head(link)
        return self._desk.private.find_paper("receipt", link.digest) is not None

    def _extend(self, chain: Chain, link: Link, raw: bytes) -> Chain:
        try:
            return chain.after(link)
        except ReceiptFork as fork:
            # Both branches count and nothing more is granted: the evidence is kept, then the finding is logged.
            self._forked.add(chain.host)
            if len(self._desk.private.load_papers("fork", chain.host)) < MAX_FORKS:
                self._keep_paper("fork", raw, link)
            # Crash here: evidence without a finding; the host's next contradiction raises it.
            # What the log holds already is not raised again: a forger must not fill the log with it.
            if (chain.host, fork.code) not in self._found:
                self._raise_finding(chain.host, fork)
            raise

    def _hear(self, recorded: Recorded) -> None:
        fact = recorded.verified.predicate
        if isinstance(fact, FindingRaised):
            self._found.add((fact.host, fact.finding))
        elif isinstance(fact, LeaseClosed):
            self._reserved.pop(fact.lease.leaf, None)

    def _note_reserved(self, receipt: ReceiptGiven) -> None:
        """The most that a host said it reserved of a lease: what counts as spent if it falls silent."""
        spend = receipt.spend
        found = None if spend is None else self._desk.state.licences.by_lease(spend.lease.leaf)
        if spend is not None and found is not None and found[1].ended is None:
            flop = parse_flop(spend.reserved_flop)
            self._reserved[found[1].leaf] = max(flop, self._reserved.get(found[1].leaf, 0))

    def _raise_finding(self, host: str, fault: VerificationError) -> None:
        self._desk.state_fact(
            FindingRaised(
                effective=self._desk.clock.now(),
                finding=fault.code,
                host=host,
                detail=fault.message,
            )
        )

    def _check_spend(self, receipt: ReceiptGiven) -> None:
        if receipt.spend is None:
            return
        _, lease = self._lease_of(receipt.spend, receipt.host)
        allowance, reserved = lease.allowance_flop, parse_flop(receipt.spend.reserved_flop)
        if allowance is not None and reserved > allowance:
            raise OverReserved(
                f"receipt {receipt.sequence} reserves {receipt.spend.reserved_flop} FLOP of {allowance}"
            )
        # What a final receipt gave back is available to others: it is not spent a second time.
        if lease.ended == "final-receipt" and reserved > (lease.consumed_flop or 0):
            raise SpentLease(
                f"receipt {receipt.sequence} spends on lease {lease.granted.number}, which is closed"
            )
        error_s = self._desk.state.regime.in_force().terms.clock_error_s
        too_late = receipt.effective >= lease.granted.not_after.plus(error_s)
        if receipt.stage == "quantum" and too_late:
            raise SpentLease(
                f"receipt {receipt.sequence} begins a quantum after lease {lease.granted.number} ended"
            )

    def _lease_of(self, spend: Spend, host: str) -> tuple[LicenceState, LeaseState]:
        found = self._desk.state.licences.by_lease(spend.lease.leaf)
        if found is None or found[1].granted.host != host:
            raise StateConflict(f"host {host} has no lease {spend.lease_number}")
        return found

    def _keep_paper(self, kind: PaperKind, raw: bytes, link: Link) -> None:
        self._desk.private.save_paper(
            Paper(
                kind=kind,
                host=link.receipt.host,
                number=link.receipt.sequence,
                digest=link.digest,
                envelope=raw,
            )
        )

    def _acknowledge(self, link: Link) -> bytes:
        known = self._desk.private.find_paper("acknowledgement", link.digest)
        if known is not None:
            return known.envelope
        fact = ReceiptAcknowledged(
            effective=self._desk.clock.now(),
            host=link.receipt.host,
            sequence=link.receipt.sequence,
            receipt=link.digest,
            heads=tuple(self._desk.state.orders.heads.values()),
        )
        envelope = sign_payload(make_payload(fact), [self._desk.signer])
        # Kept under the receipt's digest, so that a repeated receipt gets the very same acknowledgement.
        self._keep_paper("acknowledgement", envelope.raw, link)
        return envelope.raw

    def _close(self, spend: Spend, host: str, receipt: str) -> None:
        state, lease = self._lease_of(spend, host)
        if lease.ended is not None:
            return
        self._state_closed(state, lease, parse_flop(spend.reserved_flop), "final-receipt", receipt)

    def _forfeit(self, state: LicenceState, lease: LeaseState) -> None:
        self._state_closed(state, lease, self._reserved.get(lease.leaf, 0), "forfeited", None)

    def _state_closed(
        self, state: LicenceState, lease: LeaseState, consumed: int, how: str, receipt: str | None
    ) -> None:
        concealed, disclosure = conceal("consumed_flop", format_flop(consumed), self._draw_salt())
        fact = LeaseClosed(
            effective=self._desk.clock.now(),
            lease=Reference(log=self._desk.origin, leaf=lease.leaf),
            licence=Reference(log=self._desk.origin, leaf=state.leaf),
            host=lease.granted.host,
            number=lease.granted.number,
            how="forfeited" if how == "forfeited" else "final-receipt",
            receipt=receipt,
            concealed=(concealed,),
        )
        self._desk.state_fact(fact, disclosures=(disclosure.text,))

    def _is_overdue(self, state: LicenceState, lease: LeaseState, now: Instant) -> bool:
        slack = state.licence.lease.grace_s + self._desk.state.regime.in_force().terms.clock_error_s
        return now > lease.granted.not_after.plus(slack)


def peak_of(host: HostEnrolled) -> int:
    """The enrolled peak of all devices of a host, in FLOP per second."""
    return sum(parse_flop(device.peak_flop_per_s) for device in host.devices)


def covering_orders(
    state: State, host: str, licence_leaf: str, now: Instant
) -> tuple[OrderReference, ...]:
    """The orders in force that cover a host working under a licence. Raises NotAuthorised for an unknown host."""
    enrolled = state.regime.hosts.get(host)
    if enrolled is None:
        raise NotAuthorised(f"host {host} is not enrolled")
    licence = state.licences.licences.get(licence_leaf)
    facts = state.host_facts(enrolled, licence.licence.run if licence else None)
    return tuple(k.reference for k in state.orders.in_force(now) if is_covered(k, facts))


def _link(verified: Verified) -> Link:
    if not isinstance(verified.predicate, ReceiptGiven):
        raise StateConflict(f"a {verified.kind} is not a receipt")
    return Link(digest=verified.digest, receipt=verified.predicate)


def _link_of(paper: Paper) -> Link:
    """A kept receipt, verified when it came: the host may be retired by now, or enrolled under another key."""
    statement = parse_payload(parse_envelope(paper.envelope).payload, path="private store")
    if not isinstance(statement.predicate, ReceiptGiven):
        raise StateConflict(f"a {statement.kind} is kept as a receipt")
    return Link(digest=statement.digest, receipt=statement.predicate)
