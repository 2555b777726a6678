"""Statements of an order's life: issue, sealing, registers, halts, refusal, appeal, finding."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements.access import AccessTerms
from sekisho.model.statements.scopes import ResolvedScope, Scope
from sekisho.model.statements.shapes import (
    Count,
    DecimalText,
    Digest,
    Name,
    OrderReference,
    Predicate,
    Reference,
    RegisterHead,
    Seconds,
    Span,
    Text,
    Wire,
)

__all__ = [
    "AppealDecided",
    "AppealFiled",
    "AppealOutcome",
    "ChallengeAnswered",
    "Degree",
    "Effect",
    "FindingRaised",
    "HaltJudged",
    "InstrumentReading",
    "LogPosition",
    "ObservationMade",
    "OnExpiry",
    "OrderConfirmed",
    "OrderIssued",
    "OrderKind",
    "OrderOpened",
    "OrderSealed",
    "OrdersInForce",
    "Reading",
    "RefusalRecorded",
    "RefusalStep",
]

Concealed: TypeAlias = tuple[
    Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}(?!\n)$")], ...
]
OrderKind: TypeAlias = Literal["hold", "pause", "cap", "suspend-access", "resume"]
Effect: TypeAlias = Literal["checkpoint-then-stop", "freeze", "cap", "suspend-access", "lift"]
Degree: TypeAlias = Literal["non-responsive", "claimed", "contradicted", "corroborated", "verified"]
RefusalStep: TypeAlias = Literal[
    "notice", "leases-ended", "refusal", "inspection", "supply-measure"
]
AppealOutcome: TypeAlias = Literal["upheld", "upheld-in-part", "dismissed", "withdrawn"]
OnExpiry: TypeAlias = Literal["lapse", "refuse-until-resume"]


class OrderIssued(Predicate, frozen=True, kw_only=True):
    """An order, numbered without gaps in its register (protocol section 8).

    `issue_until` bounds, for every signature on it alike, how long the order may wait for its quorum. `resolved` names
    hosts by a predicate, then `scope` is empty; `access` says whose access a suspend-access ends.
    """

    log: Name
    charter: Digest
    register: Name
    number: Annotated[int, msgspec.Meta(ge=1)]
    previous: Digest
    kind: OrderKind
    scope: Scope
    effect: Effect
    grace_s: Seconds
    not_before: Instant
    expires: Instant
    on_expiry: OnExpiry
    issue_until: Instant
    legal_basis: Text
    appeal: Text
    exemptions: tuple[Name, ...] = ()
    lifts: tuple[OrderReference, ...] = ()
    cap_percent: Annotated[int, msgspec.Meta(ge=1, le=99)] | None = None
    drill: bool = False
    resolved: ResolvedScope | None = None
    access: AccessTerms | None = None


class OrderSealed(Predicate, frozen=True, kw_only=True):
    """An order whose content only those in scope are shown until `opens`: 90 days at most, and never after its expiry.

    It takes the number of its register. Concealed are `order`, the canonical order-issued predicate with these very
    register, number, predecessor, kind and dates, and `salt`, over which `hosts` is the root of the host ids in scope
    (padded to `leaves`, a power of two).
    """

    log: Name
    charter: Digest
    register: Name
    number: Annotated[int, msgspec.Meta(ge=1)]
    previous: Digest
    kind: OrderKind
    not_before: Instant
    expires: Instant
    issue_until: Instant
    opens: Instant
    hosts: Digest
    leaves: Annotated[int, msgspec.Meta(ge=1, le=2**24)]
    concealed: Concealed = msgspec.field(name="_sd", default=())


class OrderOpened(Predicate, frozen=True, kw_only=True):
    """A sealed order's content, for everybody: the disclosures that its digests stand for."""

    order: OrderReference
    disclosures: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=20_000)], ...], msgspec.Meta(max_length=2)
    ]


class OrderConfirmed(Predicate, frozen=True, kw_only=True):
    """A full quorum stands by an order again, whose first quorum rested on a key since reported compromised.

    `kind` is the order's own: it names the power that signs.
    """

    order: OrderReference
    kind: OrderKind


class OrdersInForce(Predicate, frozen=True, kw_only=True):
    """The heartbeat of the registers: their heads, and what is in force. `root` is SHA-256 of `in_force`, canonical."""

    heads: tuple[RegisterHead, ...]
    in_force: tuple[OrderReference, ...]
    root: Digest


class LogPosition(Wire, frozen=True, kw_only=True):
    """A witnessed tree: its root could not be known before it existed, so what quotes it came after."""

    size: Count
    root: Digest


class Reading(Wire, frozen=True, kw_only=True):
    """What an observer saw at one instant."""

    at: Instant
    processes: Count
    running: Count


class InstrumentReading(Wire, frozen=True, kw_only=True):
    """What an instrument beside the process table showed at one instant, and up to which value it says "at rest".

    `device` is None where it measures the whole host (a BMC, a power meter of the rack).
    """

    at: Instant
    instrument: Literal["nvml", "dcgm", "bmc", "facility-power"]
    quantity: Literal["gpu-util", "sm-active", "tensor-active", "power"]
    value: DecimalText
    unit: Literal["percent", "W"]
    at_rest: DecimalText
    device: Name | None = None


class ObservationMade(Predicate, frozen=True, kw_only=True):
    """Two readings of a host's process table by another process under another constituency's key."""

    host: Name
    order: OrderReference
    receipt: Digest
    after: LogPosition
    nonce: Digest
    readings: Annotated[tuple[Reading, ...], msgspec.Meta(min_length=2, max_length=16)]
    work_cpu_ms: Count
    host_busy_ms: Count
    means: Text
    other_user: bool
    limits: tuple[Text, ...] = ()
    instruments: Annotated[tuple[InstrumentReading, ...], msgspec.Meta(max_length=256)] = ()


class ChallengeAnswered(Predicate, frozen=True, kw_only=True):
    """A device proves that its memory held nothing else: SHA-256 over all of it, filled from the nonce."""

    device: Name
    nonce: Digest
    memory_bytes: Count
    digest: Digest
    emulated: bool = False


class HaltJudged(Predicate, frozen=True, kw_only=True):
    """How sure the halt of one host under one order is, for which stretch, and until when that may be said.

    `after` is the tree that the devices' nonces come from; challenge times are the judge's own, worst device first.
    """

    host: Name
    order: OrderReference
    degree: Degree
    interval: Span
    lapses: Instant
    evidence: tuple[Digest, ...]
    after: LogPosition | None = None
    challenge_ms: Count | None = None
    challenge_limit_ms: Count | None = None
    reasons: tuple[Text, ...] = ()
    limits: tuple[Text, ...] = ()


class RefusalRecorded(Predicate, frozen=True, kw_only=True):
    """One step of the ladder against a host that does not follow an order, each with its deadline (protocol section 8).

    `measure` says in words what an inspection or a supply measure is.
    """

    host: Name
    order: OrderReference
    step: RefusalStep
    answer_by: Instant
    evidence: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=64)] = ()
    reasons: tuple[Text, ...] = ()
    measure: Text | None = None


class AppealFiled(Predicate, frozen=True, kw_only=True):
    """A party under an order asks that it be looked at again. It lifts nothing by itself."""

    appeal: Name
    order: OrderReference
    party: Name
    asks: Text
    grounds: Digest | None = None


class AppealDecided(Predicate, frozen=True, kw_only=True):
    """What became of an appeal. Upheld lifts nothing either: it says by when a resume is due."""

    appeal: Name
    filed: Reference
    order: OrderReference
    outcome: AppealOutcome
    reasons: Text
    resume_by: Instant | None = None


class FindingRaised(Predicate, frozen=True, kw_only=True):
    """Something is wrong and somebody must look. `finding` is a stable code."""

    finding: Name
    host: Name
    detail: Text
    about: Digest | None = None
