"""Many hosts under one licence at one desk: who asks, who spends, and what the books must say of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    BudgetShare,
    LeaseRequested,
    LeaseTerms,
    ReceiptGiven,
    Reference,
    Spend,
    TpmEnrolled,
)
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.leasing import GrantedLease
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.rules import load_pack
from sekisho.signing import Ed25519Signer, parse_envelope
from tests import factory as f

if TYPE_CHECKING:
    from tests.desks import TestDesk

__all__ = ["PEAK", "QUANTUM", "Holder", "books_of", "leased", "license_hosts", "site_of"]

PEAK = 1_000_000_000
TERMS = LeaseTerms(interval_s=60, grace_s=2, quantum_s=2)
QUANTUM = PEAK * (TERMS.quantum_s + TERMS.grace_s)
TPM = TpmEnrolled(
    endorsement=(),
    attestation="",
    attestation_name="0" * 68,
    counter_index=0x01000000,
    counter_name="0" * 68,
)
WHOLE = PEAK * (TERMS.interval_s + TERMS.grace_s)


@lru_cache(maxsize=4096)
def key_of(host: str) -> Ed25519Signer:
    return f.signer(host)


def site_of(host: str) -> str:
    """Hosts of odd number stand at site-1, the others at site-2."""
    return f"site-{2 - int(host.rpartition('-')[2]) % 2}"


def license_hosts(  # what a licence of many hosts varies in
    desk: Desk,
    count: int,
    *,
    budget_flop: int = 10**15,
    shares: tuple[BudgetShare, ...] = (),
    tier: str = "C0",
) -> Admitted:
    """Enrol host-1 to host-count, declare their run and license it."""
    now = desk.clock.now()
    names = tuple(f"host-{n}" for n in range(1, count + 1))
    for name in names:
        if name in desk.state.regime.hosts and tier == "C0":
            continue
        host = msgspec.structs.replace(
            f.host_enrolled(name, of=key_of(name), now=now),
            site=site_of(name),
            counter=tier,
            tpm=TPM if tier == "C2" else None,
        )
        desk.admit(f.signed(host, f.AUTHORITY[0], f.OPERATOR).raw)
    run = msgspec.structs.replace(
        f.run_declared(planned_flop=str(budget_flop)), hosts=names, effective=now
    )
    desk.admit(f.signed(run, f.PARTY).raw)
    plan = LicencePlan(
        number="LIC-1", budget_flop=budget_flop, terms=TERMS, mode="kill", shares=shares
    )
    licence = draft_licence(desk.state, "run-1", load_pack(), plan, now=now)
    licence = msgspec.structs.replace(licence, sites=("site-1", "site-2"))
    return desk.admit(f.signed(licence, *f.AUTHORITY[:2]).raw)


class Holder:
    """One host as the issuer sees it: it asks under fresh nonces, and its receipts follow one another."""

    def __init__(self, number: int, licence: str) -> None:
        self.host = f"host-{number}"
        self._licence = licence
        self._key = key_of(self.host)
        self.lease_number = 0
        self.sequence = 0
        self.head: str | None = None
        self.quantum = 0

    def request(self, now: Instant = f.NOW) -> bytes:
        """The request for the lease after the last one granted."""
        number = self.lease_number + 1
        fact = LeaseRequested(
            effective=now,
            host=self.host,
            licence=Reference(log=f.ORIGIN, leaf=self._licence),
            number=number,
            nonce=f"{number:032x}",
            quantum=self.quantum,
            last_receipt=self.head,
        )
        return f.signed(fact, self._key).raw

    def took(self) -> None:
        self.lease_number += 1

    def receipt(  # what a receipt varies in
        self,
        lease: str,
        *,
        reserved: int = QUANTUM,
        stage: str = "quantum",
        now: Instant = f.NOW,
        keep: bool = True,
    ) -> bytes:
        """The next receipt about a lease by its leaf; with `keep` the one after it will follow it."""
        fact = ReceiptGiven(
            effective=now,
            host=self.host,
            sequence=self.sequence + 1,
            previous=self.head,
            stage=stage,  # type: ignore[arg-type]  # the test's own choice
            counter="C0",
            quantum=self.quantum + 1,
            state="running",
            spend=Spend(
                lease=Reference(log=f.ORIGIN, leaf=lease),
                lease_number=max(1, self.lease_number),
                reserved_flop=str(reserved),
                bound_flop="0",
            ),
        )
        raw = f.signed(fact, self._key).raw
        if keep:
            self.sequence, self.quantum = self.sequence + 1, self.quantum + 1
            self.head = parse_envelope(raw).digest
        return raw


def leased(desk: TestDesk, *, budget_flop: int = 10**15) -> tuple[Holder, str]:
    """The one host of a licence with its first lease, by leaf."""
    licence = license_hosts(desk.desk, 1, budget_flop=budget_flop)
    holder = Holder(1, licence.leaf)
    lease = leaf_of(desk.leases.grant(holder.request()))
    holder.took()
    return holder, lease


def leaf_of(lease: GrantedLease) -> str:
    return lease.admitted.leaf


def books_of(
    desk: Desk, shares: Sequence[str] = ("",)
) -> dict[str, tuple[int, int, int, int, int]]:
    """Available, leased, consumed, forfeited and overdrawn of each share; checked against the licence's budget."""
    (state,) = desk.state.licences.licences.values()
    books = {name: state.books.shares[name] for name in shares}
    total = state.book
    accounts = (total.available, total.leased, total.consumed, total.forfeited)
    assert sum(accounts) == parse_flop(state.licence.budget_flop) + total.overdrawn
    assert min(*accounts, total.overdrawn) >= 0
    return {
        name: (b.available, b.leased, b.consumed, b.forfeited, b.overdrawn)
        for name, b in books.items()
    }
