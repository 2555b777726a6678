"""Ledgers of one licence, built through the fold itself."""

from __future__ import annotations

import msgspec

from sekisho.ledger import leaf_hash
from sekisho.licensing import LicenceLedger
from sekisho.model.statements import BudgetShare, LicenceRevoked, Predicate, Reference
from sekisho.signing import Recorded, Verified
from tests.factory import (
    NOW,
    ORIGIN,
    REFERENCE,
    disclosed,
    lease_granted,
    licence_issued,
    signed,
    signer,
)

__all__ = ["LICENCE", "LICENCE_LEAF", "fold", "issued", "recorded", "with_lease"]

STRANGER = signer("any")


def recorded(predicate: Predicate, index: int = 0) -> Recorded:
    """A statement as the fold gets it; folds do not look at signatures, the regime did."""
    envelope = signed(predicate, STRANGER)
    verified = Verified(
        kind="",
        predicate=predicate,
        digest=envelope.digest,
        signers=frozenset(),
        envelope=envelope.at_rest(),
    )
    return Recorded(index=index, leaf=leaf_hash(envelope.raw).hex(), verified=verified)


def fold(
    ledger: LicenceLedger, predicate: Predicate, *disclosures: str
) -> tuple[LicenceLedger, Reference]:
    """The ledger after one statement, and the reference to it."""
    entry = recorded(predicate)
    return (
        ledger.after(entry, {entry.leaf: disclosures}),
        Reference(log=ORIGIN, leaf=entry.leaf),
    )


LICENCE_LEAF = recorded(licence_issued(REFERENCE)).leaf
LICENCE = Reference(log=ORIGIN, leaf=LICENCE_LEAF)


def issued(
    *,
    budget_flop: str = "10000000000000",
    revoked: bool = False,
    shares: tuple[BudgetShare, ...] = (),
) -> LicenceLedger:
    """A ledger that holds LIC-1; always under the same reference, so that only the budget differs."""
    licence = msgspec.structs.replace(
        licence_issued(REFERENCE, budget_flop=budget_flop), shares=shares
    )
    entry = recorded(licence)
    ledger = LicenceLedger().after(msgspec.structs.replace(entry, leaf=LICENCE_LEAF))
    if revoked:
        fact = LicenceRevoked(effective=NOW, licence=LICENCE, number="LIC-1", reason="x")
        ledger, _ = fold(ledger, fact)
    return ledger


def with_lease(
    ledger: LicenceLedger, number: int = 1, disclosures: tuple[str, ...] | None = None
) -> LicenceLedger:
    """The ledger with one more lease of 62 * 10^9 FLOP, disclosed unless told otherwise."""
    texts = (disclosed("allowance_flop", "62000000000"),) if disclosures is None else disclosures
    return fold(ledger, lease_granted(number, licence=LICENCE), *texts)[0]
