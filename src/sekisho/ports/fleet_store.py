"""Where lies what hosts with a fleet agent said: enrolment tokens, which node speaks under which, and its messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from sekisho.model.instants import Instant

__all__ = [
    "EvidenceRow",
    "FleetStore",
    "FleetToken",
    "LineageRow",
    "MessageRow",
    "NodeRow",
    "SightingRow",
]


class FleetToken(msgspec.Struct, frozen=True, kw_only=True):
    """An enrolment token, known by its digest only: for one site, until an instant, for so many enrolments."""

    digest: str
    site: str
    made: Instant
    expires: Instant
    most: int
    used: int = 0
    revoked: bool = False


class LineageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One enrolment: all assertions that follow from it bear its id. `node` is "" until the first inventory."""

    lineage: str
    token: str
    site: str
    made: Instant
    node: str = ""
    released: bool = False


class NodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A node and the one enrolment under which it speaks."""

    node: str
    site: str
    lineage: str
    bound: Instant


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """An inventory message. The same bytes again move `last` only; `booted` is what the node says, if it does."""

    node: str
    site: str
    sha256: str
    first: Instant
    last: Instant
    booted: Instant | None
    body: bytes


class SightingRow(msgspec.Struct, frozen=True, kw_only=True):
    """That a node reported a serial and a UUID together, from when to when."""

    serial: str
    uuid: str
    node: str
    site: str
    first: Instant
    last: Instant


class EvidenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """Attestation evidence as it came; `nonce` is the one it answers, "" where it answers none of ours."""

    node: str
    received: Instant
    sha256: str
    nonce: str
    body: bytes


class FleetStore(Protocol):
    """Every write is durable before it returns. Raises Unavailable where the disk refuses, and Corrupt.

    Bounded: of each node the newest messages, sightings and pieces of evidence are kept, older ones are dropped.
    """

    def save_token(self, token: FleetToken) -> None: ...

    def find_token(self, digest: str) -> FleetToken | None: ...

    def load_tokens(self) -> tuple[FleetToken, ...]: ...

    def revoke_token(self, digest: str) -> None: ...

    def begin_lineage(self, lineage: LineageRow) -> bool:
        """Count one use of the lineage's token and keep the lineage; False, and nothing kept, where none is left."""
        ...

    def find_lineage(self, lineage: str) -> LineageRow | None: ...

    def bind_node(self, node: NodeRow) -> NodeRow:
        """Bind a node that nobody speaks for to a lineage that speaks for none; what stands afterwards."""
        ...

    def load_nodes(self) -> tuple[NodeRow, ...]: ...

    def release_node(self, node: str) -> bool:
        """Forget who speaks for a node, so that another enrolment may; its messages stay. False for an unknown one."""
        ...

    def find_newest(self, node: str) -> MessageRow | None: ...

    def save_message(self, message: MessageRow, sightings: Sequence[SightingRow]) -> None: ...

    def iterate_newest(self) -> Iterator[MessageRow]:
        """The newest message of each node, in the order of the nodes."""
        ...

    def iterate_sightings(self) -> Iterator[SightingRow]: ...

    def save_nonce(self, node: str, nonce: str, made: Instant) -> None: ...

    def take_nonces(self, node: str, nonces: Sequence[str], since: Instant) -> tuple[str, ...]:
        """Those of `nonces` that were given to the node since an instant; each is taken once."""
        ...

    def save_evidence(self, evidence: EvidenceRow) -> None: ...

    def load_evidence(self, node: str) -> tuple[EvidenceRow, ...]: ...
