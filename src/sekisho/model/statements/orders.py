"""Statements of an order's life: issue, registers, observation, challenge, halt verdict, finding."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import (
    Count,
    Digest,
    Jurisdiction,
    Name,
    OrderReference,
    Predicate,
    RegisterHead,
    Seconds,
    Span,
    Text,
    Wire,
)

__all__ = [
    "ChallengeAnswered",
    "Degree",
    "Effect",
    "FindingRaised",
    "HaltJudged",
    "LogPosition",
    "ObservationMade",
    "OrderConfirmed",
    "OrderIssued",
    "OrderKind",
    "OrdersInForce",
    "Reading",
    "Scope",
]

OrderKind: TypeAlias = Literal["hold", "pause", "cap", "suspend-access", "resume"]
Effect: TypeAlias = Literal["checkpoint-then-stop", "freeze", "cap", "suspend-access", "lift"]
Degree: TypeAlias = Literal["non-responsive", "claimed", "contradicted", "corroborated", "verified"]


class Scope(Wire, frozen=True, kw_only=True):
    """Whom an order is for: every attribute given must match, any of its values does; none given needs `everywhere`."""

    sites: tuple[Name, ...] = ()
    licensees: tuple[Name, ...] = ()
    licences: tuple[Name, ...] = ()
    runs: tuple[Name, ...] = ()
    lineages: tuple[Digest, ...] = ()
    chips: tuple[Text, ...] = ()
    jurisdictions: tuple[Jurisdiction, ...] = ()
    hosts: tuple[Name, ...] = ()
    everywhere: bool = False


class OrderIssued(Predicate, frozen=True, kw_only=True):
    """An order, numbered without gaps in its register (protocol section 8).

    `issue_until` bounds, for every signature on it alike, how long the order may wait for its quorum.
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
    on_expiry: Literal["lapse", "refuse-until-resume"]
    issue_until: Instant
    legal_basis: Text
    appeal: Text
    exemptions: tuple[Name, ...] = ()
    lifts: tuple[OrderReference, ...] = ()
    cap_percent: Annotated[int, msgspec.Meta(ge=1, le=99)] | None = None
    drill: bool = False


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


class FindingRaised(Predicate, frozen=True, kw_only=True):
    """Something is wrong and somebody must look. `finding` is a stable code."""

    finding: Name
    host: Name
    detail: Text
    about: Digest | None = None
