"""Statements of the licence's life: declaration, licence, lease, receipt, closing."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import (
    Checkpoint,
    Count,
    Digest,
    FlopText,
    Jurisdiction,
    Name,
    OrderReference,
    PackReference,
    Predicate,
    Reference,
    RegisterHead,
    Seconds,
    Span,
    Text,
    Wire,
)

__all__ = [
    "BudgetShare",
    "CertifiedCounter",
    "ChainHead",
    "CheckpointRecorded",
    "ChipCount",
    "LeaseClosed",
    "LeaseGranted",
    "LeaseRequested",
    "LeaseTerms",
    "LicenceDecision",
    "LicenceIssued",
    "LicenceRevoked",
    "Lineage",
    "Mode",
    "Nonce",
    "ReceiptAcknowledged",
    "ReceiptGiven",
    "RunDeclared",
    "Spend",
    "Stage",
    "UsageReported",
]

Mode: TypeAlias = Literal["advise", "block-new", "drain", "freeze", "kill"]
Nonce: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32,64}(?!\n)$")]
Concealed: TypeAlias = tuple[
    Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}(?!\n)$")], ...
]


class Lineage(Wire, frozen=True, kw_only=True):
    """Where the weights come from: the digests of parent checkpoints, or nowhere."""

    scratch: bool
    parents: tuple[Digest, ...] = ()


class ChipCount(Wire, frozen=True, kw_only=True):
    """How many chips of one name."""

    chip: Text
    count: Count


class RunDeclared(Predicate, frozen=True, kw_only=True):
    """A party says what it is going to run. FLOP by both methods: from the model, and from the hardware."""

    run: Name
    party: Name
    site: Name
    jurisdictions: tuple[Jurisdiction, ...]
    purpose: Text
    lineage: Lineage
    chips: tuple[ChipCount, ...]
    hosts: tuple[Name, ...]
    planned_flop: FlopText
    planned_flop_hardware: FlopText
    post_training: bool = False
    period: Span


class LicenceDecision(Wire, frozen=True, kw_only=True):
    """The rule decision that the licence rests on, with the exact pack it was taken under."""

    decision: Literal["permit", "report", "licence"]
    rules: tuple[Name, ...]
    pack: PackReference


class LeaseTerms(Wire, frozen=True, kw_only=True):
    """How long a lease of this licence runs, its grace, and the length of one quantum."""

    interval_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)]
    grace_s: Seconds
    quantum_s: Annotated[int, msgspec.Meta(ge=1, le=3_600)]


class BudgetShare(Wire, frozen=True, kw_only=True):
    """A part of a licence's budget: granted by one issuer's key only (`issuer`, None: any), spent at `sites` only."""

    share: Name
    budget_flop: FlopText
    issuer: Digest | None = None
    sites: tuple[Name, ...] = ()


class LicenceIssued(Predicate, frozen=True, kw_only=True):
    """Permission for one run on a fixed set of chips, up to a FLOP budget (protocol section 6).

    `shares` split the budget whole. `egress_bytes_per_s` limits what each host sends outside the set.
    """

    number: Name
    licensee: Name
    run: Name
    declaration: Reference
    lineage: Lineage
    hosts: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=1024)]
    devices: Count
    devices_root: Digest
    sites: tuple[Name, ...]
    budget_flop: FlopText
    counting: Literal["reserved-at-peak"] = "reserved-at-peak"
    period: Span
    lease: LeaseTerms
    mode: Mode
    decision: LicenceDecision
    shares: Annotated[tuple[BudgetShare, ...], msgspec.Meta(max_length=64)] = ()
    application: Reference | None = None
    approvals: Annotated[tuple[Reference, ...], msgspec.Meta(max_length=16)] = ()
    egress_bytes_per_s: Count | None = None


class LicenceRevoked(Predicate, frozen=True, kw_only=True):
    """A licence ends before its time: no lease is granted under it from this entry on."""

    licence: Reference
    number: Name
    reason: Text


class LeaseRequested(Predicate, frozen=True, kw_only=True):
    """A host asks for its next lease, under a fresh nonce. Not a log entry."""

    host: Name
    licence: Reference
    number: Annotated[int, msgspec.Meta(ge=1)]
    nonce: Nonce
    quantum: Count
    last_receipt: Digest | None = None


class LeaseGranted(Predicate, frozen=True, kw_only=True):
    """FLOP for one host until an instant. The allowance is concealed: its disclosure goes to host and auditor.

    `share` names the part of the budget it draws on, `term` fences off an issuer's predecessor (a lower one is
    refused), `challenge` is the issuer's nonce for the next certified counter (tier C2).
    """

    licence: Reference
    host: Name
    number: Annotated[int, msgspec.Meta(ge=1)]
    not_after: Instant
    nonce: Nonce
    request: Digest
    heads: tuple[RegisterHead, ...]
    share: Name | None = None
    term: Annotated[int, msgspec.Meta(ge=1)] | None = None
    challenge: Nonce | None = None
    concealed: Concealed = msgspec.field(name="_sd", default=())


class LeaseClosed(Predicate, frozen=True, kw_only=True):
    """A lease ended by a final receipt (rest returned), by running out (rest forfeited), or by a fork (both added).

    Amounts are concealed.
    """

    lease: Reference
    licence: Reference
    host: Name
    number: Annotated[int, msgspec.Meta(ge=1)]
    how: Literal["final-receipt", "forfeited", "forked"]
    receipt: Digest | None = None
    concealed: Concealed = msgspec.field(name="_sd", default=())


class ChainHead(Wire, frozen=True, kw_only=True):
    """How far one host's receipt chain had come: its last sequence and that receipt's payload digest."""

    host: Name
    sequence: Count
    digest: Digest


class UsageReported(Predicate, frozen=True, kw_only=True):
    """One roll-up per licensee and period, with the heads of the receipt chains it rests on.

    `rollup` is the digest of the private document, `evidence` that of the readings it was summed from, `counting` the
    rule by which operations became FLOP. `corrects` is the payload digest of the report whose place this one takes.
    """

    licensee: Name
    period: Span
    chains: tuple[ChainHead, ...]
    rollup: Digest | None = None
    evidence: Digest | None = None
    corrects: Digest | None = None
    counting: Text | None = None
    concealed: Concealed = msgspec.field(name="_sd", default=())


class Spend(Wire, frozen=True, kw_only=True):
    """What a lease has cost so far, cumulative. `bound_flop` is sound against the operator; `declared_flop` is not."""

    lease: Reference
    lease_number: Annotated[int, msgspec.Meta(ge=1)]
    reserved_flop: FlopText
    bound_flop: FlopText
    declared_flop: FlopText | None = None


Stage: TypeAlias = Literal[
    "quantum", "received", "checkpointed", "halted", "capped", "resumed", "final", "refused"
]


class CertifiedCounter(Wire, frozen=True, kw_only=True):
    """A TPM's word for its counter and clock: TPMS_ATTEST over the issuer's `challenge`, and its signature, base64."""

    challenge: Nonce
    attested: Annotated[str, msgspec.Meta(max_length=4000)]
    signature: Annotated[str, msgspec.Meta(max_length=4000)]


class ReceiptGiven(Predicate, frozen=True, kw_only=True):
    """One link of a host's receipt chain. Those about orders go to the log and carry no FLOP figures."""

    host: Name
    sequence: Count
    previous: Digest | None = None
    stage: Stage
    counter: Literal["C0", "C1", "C2"]
    quantum: Count
    state: Literal["none", "running", "frozen", "ended"]
    heads: tuple[RegisterHead, ...] = ()
    spend: Spend | None = None
    order: OrderReference | None = None
    run: Name | None = None
    means: Text | None = None
    leaves: Text | None = None
    checkpoint: Checkpoint | None = None
    processes: Count | None = None
    certified: CertifiedCounter | None = None
    cap: Text | None = None


class ReceiptAcknowledged(Predicate, frozen=True, kw_only=True):
    """The issuer has seen a receipt: on tiers C0 and C1 the next quantum needs it. Not a log entry."""

    host: Name
    sequence: Count
    receipt: Digest
    heads: tuple[RegisterHead, ...]
    challenge: Nonce | None = None


class CheckpointRecorded(Predicate, frozen=True, kw_only=True):
    """A host wrote a model checkpoint that later runs may name as their parent."""

    host: Name
    run: Name
    checkpoint: Checkpoint
    parents: tuple[Digest, ...] = ()
