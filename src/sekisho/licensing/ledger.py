"""What the log says about licences and leases: a pure fold with the books of each licence in it.

An allowance is concealed in the log; who may know it brings its disclosure. Where it is missing, the lease's
amounts are unknown and the books of that licence say so (`undisclosed`); they are never taken for zero. From the first
unknown amount on the books stand still: what was erased must not make the log unreadable.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sekisho.licensing.amending import amend, close, opened, suspend
from sekisho.licensing.granting import (
    LeaseOutsideLicence,
    StaleTerm,
    WrongIssuer,
    close_lease,
    grant_lease,
    raise_terms,
)
from sekisho.licensing.origins import Origins
from sekisho.licensing.states import LeaseState, LicenceState
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import StateConflict, VerificationError
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import (
    CheckpointRecorded,
    LeaseClosed,
    LeaseGranted,
    LicenceAmended,
    LicenceClosed,
    LicenceIssued,
    LicenceRevoked,
    LicenceSuspended,
    Predicate,
    ReceiptGiven,
    RunDeclared,
)
from sekisho.signing.disclosure import reveal_field
from sekisho.signing.regime import Recorded

__all__ = [
    "LeaseOutsideLicence",
    "LeaseState",
    "LicenceLedger",
    "LicenceState",
    "StaleTerm",
    "UnknownLicence",
    "WrongIssuer",
    "WrongLeaseNumber",
]


class UnknownLicence(VerificationError):
    """A lease or revocation of a licence that the log does not hold."""

    code = "unknown-licence"


class WrongLeaseNumber(VerificationError):
    """A lease whose number is not the host's last + 1."""

    code = "wrong-lease-number"


class LicenceLedger(msgspec.Struct, frozen=True, kw_only=True):
    """All licences by leaf digest, runs by name, and each host's last lease number.

    The rest finds things: a licence's leaf by its number, a run's and a host's licences (in the order of issue), a
    lease's licence, the lease that answers a request, by the request's payload digest, and the highest term that each
    issuer key has granted under.
    """

    licences: PersistentMap[str, LicenceState] = PersistentMap()
    runs: PersistentMap[str, tuple[str, RunDeclared]] = PersistentMap()
    lease_numbers: PersistentMap[str, int] = PersistentMap()
    numbers: PersistentMap[str, str] = PersistentMap()
    of_run: PersistentMap[str, tuple[str, ...]] = PersistentMap()
    of_host: PersistentMap[str, tuple[str, ...]] = PersistentMap()
    of_lease: PersistentMap[str, str] = PersistentMap()
    answered: PersistentMap[str, str] = PersistentMap()
    origins: Origins = Origins()
    terms: PersistentMap[str, int] = PersistentMap()

    def after(
        self, recorded: Recorded, disclosures: Mapping[str, tuple[str, ...]] | None = None
    ) -> LicenceLedger:
        """The ledger once a statement is in the log; `disclosures` maps leaf digests to disclosure texts.

        Raises UnknownLicence, WrongLeaseNumber, LeaseOutsideLicence, UnknownShare, WrongIssuer, StaleTerm,
        ForgedDisclosure, StateConflict (a name or number used twice, more leased than is available).
        """
        known = (disclosures or {}).get(recorded.leaf, ())
        fact = recorded.verified.predicate
        if isinstance(fact, LeaseGranted):
            return self._granted(fact, recorded, known)
        if isinstance(fact, LeaseClosed):
            return self._closed(fact, recorded, known)
        if isinstance(fact, RunDeclared | CheckpointRecorded | ReceiptGiven):
            return self._originated(fact, recorded)
        return self._licensed(fact, recorded)

    def _originated(
        self, fact: RunDeclared | CheckpointRecorded | ReceiptGiven, recorded: Recorded
    ) -> LicenceLedger:
        if not isinstance(fact, RunDeclared):
            declared = self.runs.get(fact.run or "")
            origins = self.origins.after(recorded, declared[1] if declared is not None else None)
            return msgspec.structs.replace(self, origins=origins)
        if fact.run in self.runs:
            raise StateConflict(f"run {fact.run} is declared already", remedy="take another name")
        return msgspec.structs.replace(
            self,
            runs=self.runs.plus(fact.run, (recorded.leaf, fact)),
            origins=self.origins.after(recorded, None),
        )

    def _licensed(self, fact: Predicate, recorded: Recorded) -> LicenceLedger:
        if isinstance(fact, LicenceIssued):
            return self._issued(fact, recorded)
        if isinstance(fact, LicenceAmended):
            return self._amended(fact, recorded)
        if isinstance(fact, LicenceRevoked):
            return self._revoked(fact)
        if isinstance(fact, LicenceSuspended):
            return self._with(suspend(self.find(fact.licence.leaf), fact, recorded))
        if isinstance(fact, LicenceClosed):
            return self._with(close(self.find(fact.licence.leaf), fact))
        return self

    def find(self, leaf: str) -> LicenceState:
        state = self.licences.get(leaf)
        if state is None:
            raise UnknownLicence(f"no licence {leaf[:16]} is in the log")
        return state

    def by_number(self, number: str) -> LicenceState | None:
        leaf = self.numbers.get(number)
        return None if leaf is None else self.licences[leaf]

    def by_run(self, run: str) -> tuple[LicenceState, ...]:
        """Every licence for a run, in the order of issue."""
        return tuple(self.licences[leaf] for leaf in self.of_run.get(run, ()))

    def by_host(self, host: str) -> tuple[LicenceState, ...]:
        """Every licence that names a host, in the order of issue."""
        return tuple(self.licences[leaf] for leaf in self.of_host.get(host, ()))

    def standing_of(self, host: str) -> tuple[LicenceState, ...]:
        """Every licence that names a host and that nothing stands against, in the order of issue."""
        return tuple(each for each in self.by_host(host) if each.obstacle() is None)

    def by_lease(self, leaf: str) -> tuple[LicenceState, LeaseState] | None:
        """A lease with its licence; None where the log holds no such lease."""
        licence = self.of_lease.get(leaf)
        if licence is None:
            return None
        state = self.licences[licence]
        return state, state.granted[leaf]

    def by_request(self, digest: str) -> LeaseState | None:
        """The lease that answers a request, by the digest of the request's payload."""
        leaf = self.answered.get(digest)
        found = None if leaf is None else self.by_lease(leaf)
        return None if found is None else found[1]

    def _with(self, state: LicenceState) -> LicenceLedger:
        licences = self.licences.plus(state.leaf, state)
        return msgspec.structs.replace(self, licences=licences)

    def _issued(self, fact: LicenceIssued, recorded: Recorded) -> LicenceLedger:
        if self.by_number(fact.number) is not None:
            raise StateConflict(
                f"licence number {fact.number} is taken", remedy="take the next number"
            )
        state = opened(fact, recorded)
        of_host = self.of_host
        for host in dict.fromkeys(fact.hosts):
            of_host = of_host.plus(host, (*of_host.get(host, ()), state.leaf))
        of_run = self.of_run.plus(fact.run, (*self.of_run.get(fact.run, ()), state.leaf))
        numbers = self.numbers.plus(fact.number, state.leaf)
        return msgspec.structs.replace(
            self._with(state), numbers=numbers, of_run=of_run, of_host=of_host
        )

    def _amended(self, fact: LicenceAmended, recorded: Recorded) -> LicenceLedger:
        before = self.find(fact.licence.leaf)
        state = amend(before, fact, recorded)
        of_host = self.of_host
        for host in dict.fromkeys((*before.licence.hosts, *fact.hosts)):
            others = tuple(leaf for leaf in of_host.get(host, ()) if leaf != state.leaf)
            named = (state.leaf,) if host in fact.hosts else ()
            mine = of_host.get(host, ())
            kept = mine if named and state.leaf in mine else (*others, *named)
            of_host = of_host.plus(host, kept)
        return msgspec.structs.replace(self._with(state), of_host=of_host)

    def _revoked(self, fact: LicenceRevoked) -> LicenceLedger:
        state = self.find(fact.licence.leaf)
        if state.licence.number != fact.number:
            raise StateConflict(f"licence {state.licence.number} is referred to as {fact.number}")
        return self._with(msgspec.structs.replace(state, revoked=state.revoked or fact.effective))

    def _granted(
        self, fact: LeaseGranted, recorded: Recorded, known: tuple[str, ...]
    ) -> LicenceLedger:
        state = self.find(fact.licence.leaf)
        last = self.lease_numbers.get(fact.host, 0)
        if fact.number != last + 1:
            raise WrongLeaseNumber(
                f"lease {fact.number} for host {fact.host} does not follow lease {last}"
            )
        signers = recorded.verified.signers
        lease = LeaseState(
            granted=fact,
            leaf=recorded.leaf,
            digest=recorded.verified.digest,
            allowance_flop=_disclosed("allowance_flop", known, fact.concealed),
            version=state.version,
        )
        changed = grant_lease(state, lease, signers)
        return msgspec.structs.replace(
            self._with(changed),
            lease_numbers=self.lease_numbers.plus(fact.host, fact.number),
            of_lease=self.of_lease.plus(lease.leaf, state.leaf),
            answered=self.answered.plus(fact.request, lease.leaf),
            terms=raise_terms(self.terms, fact, signers),
        )

    def _closed(
        self, fact: LeaseClosed, recorded: Recorded, known: tuple[str, ...]
    ) -> LicenceLedger:
        state = self.find(fact.licence.leaf)
        consumed = _disclosed("consumed_flop", known, fact.concealed)
        return self._with(close_lease(state, fact, consumed, recorded.verified.signers))


def _disclosed(name: str, texts: tuple[str, ...], concealed: tuple[str, ...]) -> int | None:
    """The disclosed amount of that name; None where it is not known for certain; raises ForgedDisclosure."""
    value = reveal_field(name, texts, concealed)
    return None if value is None else parse_flop(value, path=name)
