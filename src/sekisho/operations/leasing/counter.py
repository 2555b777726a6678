"""The counter itself: who comes is verified at once, waits in line, and is answered when its batch is durable."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from itertools import islice

import msgspec

from sekisho.licensing import Chain
from sekisho.model.errors import SekishoError, StateConflict, VerificationError
from sekisho.model.statements import FindingRaised, LeaseRequested, ReceiptGiven
from sekisho.operations.batch import Batch
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.leasing.certifying import Certifier, verify_by_tpm
from sekisho.operations.leasing.closing import Closer, overdue_leases
from sekisho.operations.leasing.facts import link_of
from sekisho.operations.leasing.granting import Granter
from sekisho.operations.leasing.line import MAX_GROUP, Place, WaitingLine
from sekisho.operations.leasing.receiving import Receiver
from sekisho.operations.leasing.records import HostRecord, Work, load_records
from sekisho.operations.leasing.shapes import GrantedLease
from sekisho.operations.leasing.terms import claim_term, verify_term
from sekisho.signing import Recorded, Regime, Verified
from sekisho.signing.keys import Signer

__all__ = ["LeaseCounter"]

# What is wrong with one host or lease; a key or a disk that refuses is everybody's trouble, and is raised.
_TROUBLE = (StateConflict, VerificationError)
_log = logging.getLogger("sekisho.leasing")


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request or a receipt, as it was verified when it came, and by which regime."""

    raw: bytes
    verified: Verified
    regime: Regime


Finish = Callable[[dict[str, Admitted]], object]
"""The answer once the batch is durable; it is given where each of the batch's statements stands."""


class LeaseCounter:
    """Grants leases under one issuer's key and keeps the receipt chains of all hosts. Safe for many threads.

    `signer` is the desk's own key unless another issuer shares the desk; `certifier` checks certified counters.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        signer: Signer | None = None,
        certifier: Certifier = verify_by_tpm,
        draw_salt: Callable[[], bytes] = lambda: secrets.token_bytes(16),
        draw_challenge: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._desk = desk
        self._signer = signer or desk.signer
        self._records: dict[str, HostRecord] = {}
        self._found: set[tuple[str, str]] = set()
        self._term = 0
        self._granter = Granter(self.issuer, draw_salt, draw_challenge)
        self._closer = Closer(desk.origin, self.issuer, draw_salt)
        self._receiver = Receiver(
            signer=self._signer,
            closer=self._closer,
            certifier=certifier,
            draw_challenge=draw_challenge,
            is_found=lambda host, code: (host, code) in self._found,
        )
        self._line: WaitingLine[_Asked] = WaitingLine(self._serve)
        desk.on_recorded(self._hear)

    @property
    def issuer(self) -> str:
        """The id of the key that grants here."""
        return self._signer.public.key_id

    @property
    def term(self) -> int:
        """The term that this process grants under; 0 before `load`."""
        return self._term

    def load(self) -> None:
        """Rebuild every record from the private store and take the next term; once, after the desk has loaded."""
        with self._desk.lock:
            state, private = self._desk.state, self._desk.private
            self._records = load_records(private, state)
            self._term = claim_term(private, state, self.issuer, secrets.token_bytes(16))

    def chain(self, host: str) -> Chain:
        record = self._records.get(host)
        return record.chain if record is not None else Chain(host=host)

    def grant(self, raw: bytes) -> GrantedLease:
        """Answer a host's signed request with a lease in the log, or refuse with every reason.

        Raises LeaseRefused, StaleTerm (another process grants under this key now), and what verifying raises.
        """
        asked = self._verify(raw)
        if not isinstance(asked.verified.predicate, LeaseRequested):
            raise StateConflict(f"a {asked.verified.kind} is not a lease request")
        answer = self._line.ask(asked)
        if not isinstance(answer, GrantedLease):
            raise StateConflict("the counter answered with something else than a lease")
        return answer

    def take_receipt(self, raw: bytes) -> bytes:
        """Take one link of a host's chain; returns the acknowledgement's envelope.

        Raises ReceiptFork, BrokenChain, OverReserved, SpentLease, StaleTerm, and what a certified counter lacks.
        """
        asked = self._verify(raw)
        link_of(asked.verified)
        answer = self._line.ask(asked)
        if not isinstance(answer, bytes):
            raise StateConflict("the counter answered with something else than an acknowledgement")
        return answer

    def close_overdue(self) -> int:
        """Forfeit every lease past its end, grace, outage and clock error without a final receipt; how many.

        Where a crash kept a fork's evidence and lost what follows from it, that is made up.
        """
        with self._desk.lock:
            self._desk.settle()
            now = self._desk.clock.now()
            self._settle_forks()
            overdue = overdue_leases(self._desk.state, self.issuer, now)
            count = 0
            while group := list(islice(overdue, MAX_GROUP)):
                work = self._begin()
                for licence, lease in group:
                    record = work.record(lease.granted.host)
                    reserved = record.reserved.get(lease.leaf, 0)
                    try:
                        self._closer.close(work, (licence, lease), reserved, "forfeited", now)
                    except _TROUBLE as error:
                        _log.error("lease %s is not forfeited: %s", lease.leaf, error)
                    else:
                        count += 1
                self._commit(work)
            return count

    def _verify(self, raw: bytes) -> _Asked:
        """Before the line: strangers must not hold up hosts."""
        regime = self._desk.state.regime
        return _Asked(raw=raw, verified=regime.verify(raw), regime=regime)

    def _serve(self, group: list[Place[_Asked]]) -> None:
        """Answer everybody of a group: each judged on what the ones before leave, all durable at once."""
        with self._desk.lock:
            self._desk.settle()
            verify_term(self._desk.state, self.issuer, self._term)
            work = self._begin()
            finishes: list[tuple[Place[_Asked], Finish]] = []
            for place in group:
                try:
                    finishes.append((place, self._judge(work, place.asked)))
                except SekishoError as error:
                    place.error = error
            admitted = self._commit(work)
            for place, finish in finishes:
                try:
                    place.answer = finish(admitted)
                except SekishoError as error:
                    place.error = error
            for place in group:
                place.is_served = True

    def _judge(self, work: Work, asked: _Asked) -> Finish:
        verified = asked.verified
        if not _speaks_alike(asked.regime, work.state.regime):
            verified = work.state.regime.verify(asked.raw)
        now, fact = self._desk.clock.now(), verified.predicate
        if isinstance(fact, LeaseRequested):
            known = work.state.licences.by_request(verified.digest)
            if known is not None:
                digest = known.digest
            else:
                digest = self._granter.grant(work, verified, fact, self._term, now).verified.digest
            return lambda admitted: self._granted(digest, admitted)
        link = link_of(verified)
        acknowledgement = self._receiver.take(work, link, asked.raw, now)
        return lambda _: self._admit_receipt(link.receipt, asked.raw, acknowledgement)

    def _admit_receipt(self, receipt: ReceiptGiven, raw: bytes, acknowledgement: bytes) -> bytes:
        if receipt.order is not None:
            # Crash before this: the host sends it again, the chain has it, and it is admitted then.
            self._desk.admit(raw, own=True)
        return acknowledgement

    def _granted(self, digest: str, admitted: dict[str, Admitted]) -> GrantedLease:
        recorded = self._desk.find(digest)
        if recorded is None:
            raise StateConflict("the lease is not in the log")
        known = Admitted(index=recorded.index, leaf=recorded.leaf, digest=digest, fresh=False)
        return GrantedLease(
            admitted=admitted.get(digest, known),
            envelope=recorded.verified.envelope.raw,
            disclosures=self._desk.disclosures_of(digest),
        )

    def _begin(self) -> Work:
        return Work(Batch(self._desk, self._signer), self._records)

    def _commit(self, work: Work) -> dict[str, Admitted]:
        admitted = work.batch.commit()
        self._records.update(work.changed)
        return admitted

    def _settle_forks(self) -> None:
        """Host by host: what is wrong with one of them must not stop what the others are due."""
        for host in [host for host, record in self._records.items() if record.forks]:
            work = self._begin()
            try:
                self._receiver.settle_forks(work, host, self._desk.clock.now())
            except _TROUBLE as error:
                _log.error("the forks of host %s are not settled: %s", host, error)
                work = self._begin()
                self._receiver.report_fork(work, host, self._desk.clock.now())
            self._commit(work)

    def _hear(self, recorded: Recorded) -> None:
        fact = recorded.verified.predicate
        if isinstance(fact, FindingRaised):
            self._found.add((fact.host, fact.finding))


def _speaks_alike(before: Regime, now: Regime) -> bool:
    """Whether the same keys count for the same words: what else a regime knows says nothing about who may speak."""
    return (
        before.charter is now.charter
        and before.enrolled is now.enrolled
        and before.keys is now.keys
        and before.log_key is now.log_key
    )
