"""The counter itself: who comes waits in line, is verified and judged, and is answered when its batch is durable."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from itertools import islice
from typing import Any

import msgspec

from sekisho.licensing import Chain
from sekisho.model.errors import SekishoError, StateConflict, Unavailable, VerificationError
from sekisho.model.statements import FindingRaised, LeaseRequested
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
from sekisho.ports.signature_check import SignatureCheck, Signed, Trying
from sekisho.signing import Recorded, Regime, Verified
from sekisho.signing.keys import Signer
from sekisho.signing.supposing import suppose

__all__ = ["LeaseCounter"]

# What is wrong with one host or lease; a key or a disk that refuses is everybody's trouble, and is raised.
_TROUBLE = (StateConflict, VerificationError)
_log = logging.getLogger("sekisho.leasing")


USUAL_BYTES = 4_096
"""A request or a receipt is shorter; what is longer may hold many signatures, and nobody else waits for those."""

MANY = 4
"""From so many on, asking another process to try their signatures is cheaper than trying them."""

_REQUEST, _RECEIPT = frozenset({"lease-requested"}), frozenset({"receipt-given"})


class _Sound(msgspec.Struct, frozen=True, kw_only=True):
    """A request or a receipt as it was verified, and by which regime."""

    verified: Verified
    regime: Regime


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What comes to the line: the envelope, the one kind that it may be, and what it says where that is known."""

    raw: bytes
    kinds: frozenset[str]
    sound: _Sound | None = None


_Supposed = tuple[_Sound, tuple[Signed, ...]]
_Begun = tuple[list[tuple[Place[_Asked], _Supposed]], Trying] | None
"""Who is supposed to be sound, each with the signatures on which that rests, and their trying; None: done here."""

Finish = Callable[[dict[str, Admitted]], object]
"""The answer once the batch is durable; it is given where each of the batch's statements stands."""


class LeaseCounter:
    """Grants leases under one issuer's key and keeps the receipt chains of all hosts. Safe for many threads.

    `signer` is the desk's own key unless another issuer shares the desk; `certifier` checks certified counters.
    `signatures` tries those of many at once where it is given, and is closed by whoever gave it.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        signer: Signer | None = None,
        certifier: Certifier = verify_by_tpm,
        signatures: SignatureCheck | None = None,
        draw_salt: Callable[[], bytes] = lambda: secrets.token_bytes(16),
        draw_challenge: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._desk = desk
        self._signer = signer or desk.signer
        self._signatures = signatures
        self._records: dict[str, HostRecord] = {}
        self._found: set[tuple[str, str]] = set()
        self._term = 0
        self._granter = Granter(self.issuer, draw_salt, draw_challenge, self._is_found)
        self._closer = Closer(desk.origin, self.issuer, draw_salt)
        self._receiver = Receiver(
            signer=self._signer,
            closer=self._closer,
            certifier=certifier,
            draw_challenge=draw_challenge,
            is_found=self._is_found,
            offsets=desk.offsets,
        )
        self._line: WaitingLine[_Asked, _Begun] = WaitingLine(self._begin_trying, self._serve)
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
        answer = self._line.ask(self._asked(raw, _REQUEST))
        if not isinstance(answer, GrantedLease):
            raise StateConflict("the counter answered with something else than a lease")
        return answer

    def take_receipt(self, raw: bytes) -> bytes:
        """Take one link of a host's chain; returns the acknowledgement's envelope.

        Raises ReceiptFork, BrokenChain, OverReserved, SpentLease, StaleTerm, and what a certified counter lacks.
        """
        answer = self._line.ask(self._asked(raw, _RECEIPT))
        if not isinstance(answer, bytes):
            raise StateConflict("the counter answered with something else than an acknowledgement")
        return answer

    def enqueue_request(
        self, raw: bytes, tell: Callable[[GrantedLease | SekishoError], None]
    ) -> None:
        """`grant` without a thread that waits: `tell` gets the lease or the error, returns at once, raises nothing."""
        self._enqueue(raw, _REQUEST, tell)

    def enqueue_receipt(self, raw: bytes, tell: Callable[[bytes | SekishoError], None]) -> None:
        """`take_receipt` without a thread that waits; the same."""
        self._enqueue(raw, _RECEIPT, tell)

    def _enqueue(self, raw: bytes, kinds: frozenset[str], tell: Callable[[Any], None]) -> None:
        try:
            asked = self._asked(raw, kinds)
        except SekishoError as error:
            tell(error)
        else:
            self._line.enqueue(asked, lambda place: tell(place.error or place.answer))

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

    def _asked(self, raw: bytes, kinds: frozenset[str]) -> _Asked:
        """What joins the line. What is longer than hosts write is verified first, by whoever brings it."""
        sound = self._verify(raw, kinds) if len(raw) > USUAL_BYTES else None
        return _Asked(raw=raw, kinds=kinds, sound=sound)

    def _verify(self, raw: bytes, kinds: frozenset[str]) -> _Sound:
        regime = self._desk.state.regime
        return _Sound(verified=regime.verify(raw, kinds=kinds), regime=regime)

    def _begin_trying(self, group: list[Place[_Asked]]) -> _Begun:
        """Where many wait, have their signatures tried by a process that does nothing else, while others are served."""
        if self._signatures is None or len(group) < MANY:
            return None
        supposed = [(place, found) for place in group if (found := self._suppose(place))]
        try:
            trying = self._signatures.begin([row for _, (_, rows) in supposed for row in rows])
        except Unavailable as error:
            _log.warning("signatures are tried here: %s", error)
            return None
        return supposed, trying

    def _end_trying(self, begun: _Begun) -> None:
        """Note what is found right; the rest is verified here, one by one, which says what is wrong with it."""
        if begun is None:
            return
        supposed, trying = begun
        try:
            told = iter(trying.result())
        except Unavailable as error:
            _log.warning("signatures are tried here: %s", error)
            return
        for place, (sound, rows) in supposed:
            # Each row is taken, whatever the ones before it say; and nothing is sound that rests on no signature.
            if [next(told, False) for _ in rows].count(True) == len(rows) > 0:
                place.asked = msgspec.structs.replace(place.asked, sound=sound)

    def _suppose(self, place: Place[_Asked]) -> _Supposed | None:
        """What a place asks if its signatures are right, and these; None where it is known, or wrong anyway."""
        asked, regime = place.asked, self._desk.state.regime
        if asked.sound is not None:
            return None
        try:
            supposed = suppose(regime, asked.raw, asked.kinds)
        except SekishoError as error:
            place.refuse(error)
            return None
        return _Sound(verified=supposed.verified, regime=regime), supposed.rows

    def _serve(
        self, group: list[Place[_Asked]], begun: _Begun, begin_behind: Callable[[], None]
    ) -> None:
        """Answer everybody of a group: each judged on what the ones before leave, all durable at once.

        Who is not verified yet is, by this one thread and before the desk's lock: strangers must not hold up the desk.
        """
        self._end_trying(begun)
        verified = self._verify_group(group)
        with self._desk.lock:
            self._desk.settle()
            verify_term(self._desk.state, self.issuer, self._term)
            work = self._begin()
            finishes: list[tuple[Place[_Asked], Finish]] = []
            for number, (place, sound) in enumerate(verified):
                if number == len(verified) // 2:  # by now those who were answered before are back
                    begin_behind()
                try:
                    finishes.append((place, self._judge(work, place.asked.raw, sound)))
                except SekishoError as error:
                    place.refuse(error)
            admitted = self._commit(work)
            for place, finish in finishes:
                try:
                    place.answer = finish(admitted)
                except SekishoError as error:
                    place.error = error
                place.is_served = True

    def _verify_group(self, group: list[Place[_Asked]]) -> list[tuple[Place[_Asked], _Sound]]:
        """Those who ask under a host's own signature; the others are told what is wrong."""
        found = []
        for place in group:
            asked = place.asked
            try:
                found.append((place, asked.sound or self._verify(asked.raw, asked.kinds)))
            except SekishoError as error:
                place.refuse(error)
        return found

    def _judge(self, work: Work, raw: bytes, sound: _Sound) -> Finish:
        verified = sound.verified
        if not _speaks_alike(sound.regime, work.state.regime):
            verified = work.state.regime.verify(raw)
        now, fact = self._desk.clock.now(), verified.predicate
        if isinstance(fact, LeaseRequested):
            known = work.state.licences.by_request(verified.digest)
            digest = (
                known.digest
                if known is not None
                else self._granter.grant(work, verified, fact, self._term, now)
            )
            return lambda admitted: self._granted(digest, admitted)
        link = link_of(verified)
        acknowledgement = self._receiver.take(work, link, raw, now)
        if link.receipt.order is not None:
            # Where the log does not take it, the chain has it all the same: the host sends it again, and is told again.
            work.batch.take_signed(verified)
        return lambda _: acknowledgement

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

    def _is_found(self, host: str, code: str) -> bool:
        """Whether the log holds this finding about a host already."""
        return (host, code) in self._found

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
