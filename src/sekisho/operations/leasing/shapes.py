"""What a lease counter answers with, and the names of its refusals."""

from __future__ import annotations

import msgspec

from sekisho.model.errors import StateConflict, VerificationError
from sekisho.operations.desk import Admitted

__all__ = [
    "GrantedLease",
    "LeaseRefused",
    "OtherIssuer",
    "OverReserved",
    "SpentLease",
]


class LeaseRefused(StateConflict):
    """The issuer does not grant this lease; the message says every reason."""

    code = "lease-refused"


class OtherIssuer(StateConflict):
    """A receipt about a lease of another issuer's share: that issuer acknowledges and closes it."""

    code = "other-issuer"


class OverReserved(VerificationError):
    """A receipt reserves more than its lease allows."""

    code = "over-reserved"


class SpentLease(VerificationError):
    """A receipt spends on a lease that has ended: by its final receipt, by a fork, or by the receipt's own date."""

    code = "spent-lease"


class GrantedLease(msgspec.Struct, frozen=True, kw_only=True):
    """A lease in the log, with the disclosures that its host needs."""

    admitted: Admitted
    envelope: bytes
    disclosures: tuple[str, ...]
