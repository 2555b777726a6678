"""Receipts at the counter: one link of a host's chain after the other, checked against its lease, and acknowledged."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sekisho.licensing import Chain, LeaseState, LicenceState, Link, ReceiptFork
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import StateConflict, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import ReceiptAcknowledged, ReceiptGiven, Spend, make_payload
from sekisho.operations.clock_offsets import Offsets
from sekisho.operations.leasing.certifying import Certifier, certify_receipt
from sekisho.operations.leasing.closing import Closer, raise_finding
from sekisho.operations.leasing.facts import grace_end, is_mine, peak_of
from sekisho.operations.leasing.records import HostRecord, Work
from sekisho.operations.leasing.shapes import (
    OtherIssuer,
    OverReserved,
    SpentLease,
)
from sekisho.ports.control import Unacknowledged
from sekisho.ports.private_store import Paper, PaperKind
from sekisho.signing import sign_payload
from sekisho.signing.keys import Signer

__all__ = ["Receiver"]

MAX_FORKS = 16
"""So many contradictions of one host are kept as evidence, and added; one is enough to convict it."""


class Receiver:
    """Takes receipts in a batch. `is_found` says whether the log holds a finding about a host already."""

    def __init__(
        self,
        *,
        signer: Signer,
        closer: Closer,
        certifier: Certifier,
        draw_challenge: Callable[[], str],
        is_found: Callable[[str, str], bool],
        offsets: Offsets,
    ) -> None:
        self._signer = signer
        self._closer = closer
        self._certifier = certifier
        self._draw_challenge = draw_challenge
        self._is_found = is_found
        self._offsets = offsets

    def take(self, work: Work, link: Link, raw: bytes, now: Instant) -> bytes:
        """The envelope of the acknowledgement, kept with the receipt once the batch is committed.

        Raises ReceiptFork, BrokenChain, OverReserved, SpentLease, OtherIssuer, StateConflict, and what a certified
        counter lacks. What is evidence goes into the batch all the same; so does a quantum that is only not
        acknowledged (Unacknowledged), since the chain goes on after it.
        """
        receipt = link.receipt
        known = None
        if _is_kept(work, link):
            known = work.batch.find_paper("acknowledgement", link.digest)
        else:
            self._take_fresh(work, link, raw, now)
        if known is None:
            # One that comes again without an acknowledgement is judged again: what stood against it may be gone.
            _verify_acknowledgeable(work, receipt, now)
        acknowledgement = self._acknowledge(work, link, now) if known is None else known.envelope
        if receipt.stage == "final" and receipt.spend is not None:
            self._close(work, receipt.spend, link, now)
        return acknowledgement

    def settle_forks(self, work: Work, host: str, now: Instant) -> None:
        """What a fork asks for and a crash may have left undone: its leases ended with every branch, its finding."""
        record = work.record(host)
        self._closer.add_branches(work, record, now)
        self.report_fork(work, host, now)

    def report_fork(self, work: Work, host: str, now: Instant) -> None:
        """The finding that a forked host contradicts itself, where the log does not hold it already."""
        fault = _fork_of(work.record(host).forks[0])
        if not self._is_found(host, fault.code):
            raise_finding(work, host, fault, now)

    def _take_fresh(self, work: Work, link: Link, raw: bytes, now: Instant) -> None:
        receipt = link.receipt
        record = work.record(receipt.host)
        dated_ahead = self._offsets.note(receipt.host, receipt.effective, now)
        if dated_ahead is not None:
            raise_finding(work, receipt.host, dated_ahead, now)
        chain = self._extend(work, record, link, raw, now)
        self._check_spend(work, receipt)
        self._certify(work, record, receipt, now)
        work.batch.keep(_paper("receipt", link, raw))
        work.put(record.after(chain, receipt))
        self._closer.add_late(work, receipt, now)
        if record.forks:
            # Its chain goes on so that orders are answered; what it spends is added, and no quantum is acknowledged.
            self.settle_forks(work, receipt.host, now)

    def _extend(
        self, work: Work, record: HostRecord, link: Link, raw: bytes, now: Instant
    ) -> Chain:
        try:
            return record.chain.after(link)
        except ReceiptFork:
            # Both branches are kept and added, nothing more is granted; what the log holds is not raised again.
            if len(record.forks) < MAX_FORKS and link.digest not in {
                f.digest for f in record.forks
            }:
                work.batch.keep(_paper("fork", link, raw))
                work.put(msgspec.structs.replace(record, forks=(*record.forks, link)))
                # Crash here: evidence without its closings; they are made up at the next look (`settle_forks`).
                self.settle_forks(work, link.receipt.host, now)
            raise

    def _certify(self, work: Work, record: HostRecord, receipt: ReceiptGiven, now: Instant) -> None:
        host = work.state.regime.hosts.get(receipt.host)
        if host is None:
            return
        try:
            certify_receipt(host, record, receipt, self._certifier)
        except VerificationError as fault:
            if not self._is_found(receipt.host, fault.code):
                raise_finding(work, receipt.host, fault, now)
            raise

    def _check_spend(self, work: Work, receipt: ReceiptGiven) -> None:
        if receipt.spend is None:
            return
        licence, lease = _lease_of(work, receipt.spend, receipt.host)
        if not is_mine(licence, lease, self._signer.public.key_id):
            raise OtherIssuer(
                f"lease {lease.granted.number} of host {receipt.host} draws on share {lease.granted.share}",
                remedy="hand the receipt to that share's issuer",
            )
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
        if receipt.stage == "quantum" and receipt.effective >= _last_begin(work, licence, lease):
            raise SpentLease(
                f"receipt {receipt.sequence} begins a quantum after lease {lease.granted.number} ended"
            )

    def _acknowledge(self, work: Work, link: Link, now: Instant) -> bytes:
        host = work.state.regime.hosts.get(link.receipt.host)
        is_certified = host is not None and host.counter == "C2"
        challenge = self._draw_challenge() if is_certified else None
        fact = ReceiptAcknowledged(
            effective=now,
            host=link.receipt.host,
            sequence=link.receipt.sequence,
            receipt=link.digest,
            heads=tuple(work.state.orders.heads.values()),
            challenge=challenge,
        )
        envelope = sign_payload(make_payload(fact), [self._signer])
        # Kept under the receipt's digest, so that a repeated receipt gets the very same acknowledgement.
        work.batch.keep(_paper("acknowledgement", link, envelope.raw))
        if challenge is not None:
            work.put(work.record(link.receipt.host).challenged(challenge))
        return envelope.raw

    def _close(self, work: Work, spend: Spend, link: Link, now: Instant) -> None:
        found = _lease_of(work, spend, link.receipt.host)
        if found[1].ended is None:
            flop = parse_flop(spend.reserved_flop)
            self._closer.close(work, found, flop, "final-receipt", now, link.digest)


def _is_kept(work: Work, link: Link) -> bool:
    """Whether this very receipt is in the chain: a re-sent one is harmless, wherever it stands."""
    chain = work.record(link.receipt.host).chain
    if link.receipt.sequence >= chain.sequence:
        return chain.is_head(link)
    return work.batch.find_paper("receipt", link.digest) is not None


def _verify_acknowledgeable(work: Work, receipt: ReceiptGiven, now: Instant) -> None:
    """Raise why a quantum is not acknowledged, ReceiptFork or Unacknowledged; other receipts ask for no more work."""
    if receipt.stage != "quantum":
        return
    forks = work.record(receipt.host).forks
    if forks:
        raise _fork_of(forks[0])
    why = _objection(work, receipt, now)
    if why is not None:
        raise Unacknowledged(
            f"receipt {receipt.sequence} of host {receipt.host}: {why}",
            remedy="the host stops at the quantum's end and asks for a fresh lease",
        )


def _objection(work: Work, receipt: ReceiptGiven, now: Instant) -> str | None:
    """What stands against a quantum, in words, by this issuer's own clock and books; None where nothing does."""
    if receipt.spend is None:
        return "it names no lease"
    licence, lease = _lease_of(work, receipt.spend, receipt.host)
    obstacle = licence.obstacle()
    if obstacle is not None:
        return obstacle
    if lease.ended == "final-receipt":
        return f"lease {lease.granted.number} was closed by its final receipt"
    least = _least_reserved(work, licence, lease)
    if parse_flop(receipt.spend.reserved_flop) - parse_flop(receipt.spend.bound_flop) < least:
        return f"a quantum reserves {least} FLOP at least"
    host = work.state.regime.hosts.get(receipt.host)
    error_s = work.state.regime.in_force().terms.clock_error_s
    is_certified = host is not None and host.counter == "C2"
    # A certified counter says itself when it was asked; elsewhere a receipt's own date is only the host's word.
    if not is_certified and now >= _last_begin(work, licence, lease).plus(error_s):
        return f"it came after lease {lease.granted.number} had ended"
    return None


def _least_reserved(work: Work, licence: LicenceState, lease: LeaseState) -> int:
    """What a quantum with its grace costs at full peak.

    A host may not have heard of an amendment yet, and goes by any terms since its lease was granted: by the shortest.
    """
    host = work.state.regime.hosts.get(lease.granted.host)
    if host is None:
        return 1
    since = [v.lease for v in licence.versions if v.version >= lease.version]
    lengths = [terms.quantum_s + terms.grace_s for terms in (*since, licence.licence.lease)]
    return peak_of(host) * min(lengths)


def _lease_of(work: Work, spend: Spend, host: str) -> tuple[LicenceState, LeaseState]:
    found = work.state.licences.by_lease(spend.lease.leaf)
    if found is None or found[1].granted.host != host:
        raise StateConflict(f"host {host} has no lease {spend.lease_number}")
    return found


def _last_begin(work: Work, licence: LicenceState, lease: LeaseState) -> Instant:
    """From when on no quantum begins: the lease's end, or the outage's where one extends its grace; by any clock."""
    usual = lease.granted.not_after.plus(licence.licence.lease.grace_s)
    extended = grace_end(work.state, licence, lease)
    end = lease.granted.not_after if extended == usual else extended
    return end.plus(work.state.regime.in_force().terms.clock_error_s)


def _fork_of(link: Link) -> ReceiptFork:
    return ReceiptFork(
        f"host {link.receipt.host} gave two receipts number {link.receipt.sequence}",
        remedy="its leases ended; look for a clone or a restored snapshot",
    )


def _paper(kind: PaperKind, link: Link, raw: bytes) -> Paper:
    return Paper(
        kind=kind,
        host=link.receipt.host,
        number=link.receipt.sequence,
        digest=link.digest,
        envelope=raw,
    )
