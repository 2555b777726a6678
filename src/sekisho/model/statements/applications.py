"""Around a licence: applied for, approved, amended, suspended, closed; and the outage that a lease outlives."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sekisho.model.statements.licensing import (
    BudgetShare,
    Concealed,
    LeaseTerms,
    LicenceDecision,
    Mode,
)
from sekisho.model.statements.shapes import (
    Count,
    Digest,
    FlopText,
    Name,
    Predicate,
    Reference,
    Span,
    Text,
    Wire,
)

__all__ = [
    "ApplicationFiled",
    "ApprovalGiven",
    "Evidence",
    "LicenceAmended",
    "LicenceClosed",
    "LicenceSuspended",
    "OutageDeclared",
]


class Evidence(Wire, frozen=True, kw_only=True):
    """A document that an application rests on, by its digest; the document itself goes to those who decide."""

    title: Text
    sha256: Digest


class ApplicationFiled(Predicate, frozen=True, kw_only=True):
    """A party asks for a licence for its declared run, or with `amends` for a change of the one that it has."""

    application: Name
    party: Name
    run: Name
    declaration: Reference
    hosts: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=1024)]
    budget_flop: FlopText
    period: Span
    mode: Mode
    reason: Text = ""
    evidence: Annotated[tuple[Evidence, ...], msgspec.Meta(max_length=64)] = ()
    amends: Reference | None = None


class ApprovalGiven(Predicate, frozen=True, kw_only=True):
    """One licensing officer's answer to an application: one key of those that may issue licences."""

    application: Reference
    number: Name
    key: Digest
    outcome: Literal["approve", "refuse"]
    reason: Text
    conditions: Annotated[tuple[Text, ...], msgspec.Meta(max_length=64)] = ()


class LicenceAmended(Predicate, frozen=True, kw_only=True):
    """A licence's terms anew, whole: what stood before counts up to this entry. `lifts` ends a suspension.

    `previous` is the payload digest of the version before: of the licence, or of its last amendment.
    `egress_bytes_per_s` is the limit that takes the place of the licence's; left out, that one stays.
    """

    licence: Reference
    number: Name
    version: Annotated[int, msgspec.Meta(ge=2)]
    previous: Digest
    reason: Text
    hosts: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=1024)]
    devices: Count
    devices_root: Digest
    sites: tuple[Name, ...]
    budget_flop: FlopText
    period: Span
    lease: LeaseTerms
    mode: Mode
    decision: LicenceDecision
    shares: Annotated[tuple[BudgetShare, ...], msgspec.Meta(max_length=64)] = ()
    application: Reference | None = None
    approvals: Annotated[tuple[Reference, ...], msgspec.Meta(max_length=16)] = ()
    lifts: Reference | None = None
    egress_bytes_per_s: Count | None = None


class LicenceSuspended(Predicate, frozen=True, kw_only=True):
    """No lease is granted and no quantum begun under a licence from this entry on, until an amendment lifts it."""

    licence: Reference
    number: Name
    reason: Text


class LicenceClosed(Predicate, frozen=True, kw_only=True):
    """The end of a licence's books: no lease lives, what was measured is concealed, checkpoints are named.

    `usage` refers to the `usage-reported` entries that the measured figure rests on.
    """

    licence: Reference
    number: Name
    usage: Annotated[tuple[Reference, ...], msgspec.Meta(max_length=400)] = ()
    checkpoints: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=400)] = ()
    concealed: Concealed = msgspec.field(name="_sd", default=())


class OutageDeclared(Predicate, frozen=True, kw_only=True):
    """For a while, at most 72 hours, grace lasts until the period's end: the issuer, not the host, is away.

    Never where an order covers the host, and never beyond a lease's allowance (protocol section 6). No sites and no
    hosts: every host of the regime.
    """

    outage: Name
    period: Span
    reason: Text
    sites: tuple[Name, ...] = ()
    hosts: tuple[Name, ...] = ()
