"""What the log says about licences and leases: a pure fold with the books of each licence in it.

An allowance is concealed in the log; who may know it brings its disclosure. Where it is missing, the lease's
amounts are unknown and the books of that licence say so (`undisclosed`); they are never taken for zero. From the first
unknown amount on the books stand still: what was erased must not make the log unreadable.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sekisho.licensing.books import Book
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import StateConflict, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import (
    LeaseClosed,
    LeaseGranted,
    LicenceIssued,
    LicenceRevoked,
    RunDeclared,
)
from sekisho.signing.disclosure import reveal_field
from sekisho.signing.regime import Recorded

__all__ = [
    "LeaseOutsideLicence",
    "LeaseState",
    "LicenceLedger",
    "LicenceState",
    "UnknownLicence",
    "WrongLeaseNumber",
]


class UnknownLicence(VerificationError):
    """A lease or revocation of a licence that the log does not hold."""

    code = "unknown-licence"


class LeaseOutsideLicence(VerificationError):
    """A lease that its licence does not cover: revoked before it, another host, or past the licence's end."""

    code = "lease-outside-licence"


class WrongLeaseNumber(VerificationError):
    """A lease whose number is not the host's last + 1."""

    code = "wrong-lease-number"


class LeaseState(msgspec.Struct, frozen=True, kw_only=True):
    """One lease: what was granted, and how it ended if it did. Amounts are None where undisclosed."""

    granted: LeaseGranted
    leaf: str
    digest: str
    allowance_flop: int | None
    consumed_flop: int | None = None
    ended: str | None = None


class LicenceState(msgspec.Struct, frozen=True, kw_only=True):
    """One licence with its books, every lease granted under it by leaf digest, and those that live."""

    licence: LicenceIssued
    leaf: str
    digest: str
    book: Book
    granted: PersistentMap[str, LeaseState] = PersistentMap()
    live: PersistentMap[str, LeaseState] = PersistentMap()
    revoked: Instant | None = None
    undisclosed: int = 0

    @property
    def leases(self) -> tuple[LeaseState, ...]:
        """Every lease, in the order of granting; it takes as long as there are leases."""
        return tuple(self.granted.values())

    def live_leases(self) -> tuple[LeaseState, ...]:
        return tuple(self.live.values())


class LicenceLedger(msgspec.Struct, frozen=True, kw_only=True):
    """All licences by leaf digest, runs by name, and each host's last lease number.

    The rest finds things: a licence's leaf by its number, a run's and a host's licences (in the order of issue), a
    lease's licence, and the lease that answers a request, by the request's payload digest.
    """

    licences: PersistentMap[str, LicenceState] = PersistentMap()
    runs: PersistentMap[str, tuple[str, RunDeclared]] = PersistentMap()
    lease_numbers: PersistentMap[str, int] = PersistentMap()
    numbers: PersistentMap[str, str] = PersistentMap()
    of_run: PersistentMap[str, tuple[str, ...]] = PersistentMap()
    of_host: PersistentMap[str, tuple[str, ...]] = PersistentMap()
    of_lease: PersistentMap[str, str] = PersistentMap()
    answered: PersistentMap[str, str] = PersistentMap()

    def after(
        self, recorded: Recorded, disclosures: Mapping[str, tuple[str, ...]] | None = None
    ) -> LicenceLedger:
        """The ledger once a statement is in the log; `disclosures` maps leaf digests to disclosure texts.

        Raises UnknownLicence, WrongLeaseNumber, LeaseOutsideLicence, ForgedDisclosure, StateConflict (a name or
        number used twice, a budget overdrawn).
        """
        known = (disclosures or {}).get(recorded.leaf, ())
        fact = recorded.verified.predicate
        if isinstance(fact, RunDeclared):
            if fact.run in self.runs:
                raise StateConflict(
                    f"run {fact.run} is declared already", remedy="take another name"
                )
            runs = self.runs.plus(fact.run, (recorded.leaf, fact))
            return msgspec.structs.replace(self, runs=runs)
        if isinstance(fact, LicenceIssued):
            return self._issued(fact, recorded)
        if isinstance(fact, LicenceRevoked):
            return self._revoked(fact)
        if isinstance(fact, LeaseGranted):
            return self._granted(fact, recorded, known)
        if isinstance(fact, LeaseClosed):
            return self._closed(fact, known)
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
        state = LicenceState(
            licence=fact,
            leaf=recorded.leaf,
            digest=recorded.verified.digest,
            book=Book.open(parse_flop(fact.budget_flop)),
        )
        of_host = self.of_host
        for host in dict.fromkeys(fact.hosts):
            of_host = of_host.plus(host, (*of_host.get(host, ()), state.leaf))
        of_run = self.of_run.plus(fact.run, (*self.of_run.get(fact.run, ()), state.leaf))
        numbers = self.numbers.plus(fact.number, state.leaf)
        return msgspec.structs.replace(
            self._with(state), numbers=numbers, of_run=of_run, of_host=of_host
        )

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
        _verify_covered(fact, state)
        allowance = _disclosed("allowance_flop", known, fact.concealed)
        lease = LeaseState(
            granted=fact,
            leaf=recorded.leaf,
            digest=recorded.verified.digest,
            allowance_flop=allowance,
        )
        # After an amount that nobody opens any more, what is left is unknown: a later lease may well not "fit" it.
        book = state.book
        if allowance is not None and not state.undisclosed:
            book = book.lease(allowance)
        changed = msgspec.structs.replace(
            state,
            granted=state.granted.plus(lease.leaf, lease),
            live=state.live.plus(lease.leaf, lease),
            book=book,
            undisclosed=state.undisclosed + (allowance is None),
        )
        return msgspec.structs.replace(
            self._with(changed),
            lease_numbers=self.lease_numbers.plus(fact.host, fact.number),
            of_lease=self.of_lease.plus(lease.leaf, state.leaf),
            answered=self.answered.plus(fact.request, lease.leaf),
        )

    def _closed(self, fact: LeaseClosed, known: tuple[str, ...]) -> LicenceLedger:
        state = self.find(fact.licence.leaf)
        lease = state.granted.get(fact.lease.leaf)
        if lease is None or lease.ended is not None or not _is_same(lease.granted, fact):
            raise StateConflict(f"lease {fact.number} of host {fact.host} is not open")
        consumed = _disclosed("consumed_flop", known, fact.concealed)
        ended = msgspec.structs.replace(lease, ended=fact.how, consumed_flop=consumed)
        book, undisclosed = state.book, state.undisclosed
        if consumed is None:
            undisclosed += 1
        elif lease.allowance_flop is not None and not undisclosed:
            book = book.close(
                lease.allowance_flop, consumed, rest_forfeited=fact.how == "forfeited"
            )
        return self._with(
            msgspec.structs.replace(
                state,
                granted=state.granted.plus(ended.leaf, ended),
                live=state.live.minus(ended.leaf),
                book=book,
                undisclosed=undisclosed,
            )
        )


def _verify_covered(lease: LeaseGranted, state: LicenceState) -> None:
    licence = state.licence
    if state.revoked is not None:
        raise LeaseOutsideLicence(
            f"licence {licence.number} was revoked before lease {lease.number}"
        )
    if lease.host not in licence.hosts:
        raise LeaseOutsideLicence(f"licence {licence.number} does not name host {lease.host}")
    if lease.not_after > licence.period.end:
        raise LeaseOutsideLicence(
            f"lease {lease.number} of host {lease.host} outlives licence {licence.number}"
        )


def _is_same(granted: LeaseGranted, closed: LeaseClosed) -> bool:
    return (granted.host, granted.number) == (closed.host, closed.number)


def _disclosed(name: str, texts: tuple[str, ...], concealed: tuple[str, ...]) -> int | None:
    """The disclosed amount of that name; None where it is not known for certain; raises ForgedDisclosure."""
    value = reveal_field(name, texts, concealed)
    return None if value is None else parse_flop(value, path=name)
