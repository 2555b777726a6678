"""A statement that its regime vouches for, and the place in the log at which it says it."""

from __future__ import annotations

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import Predicate
from sekisho.signing.dsse import RestingEnvelope

__all__ = ["Recorded", "Verified"]


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that its regime vouches for: what it says, by which keys, in which envelope."""

    kind: str
    predicate: Predicate
    digest: str
    signers: frozenset[str]
    envelope: RestingEnvelope


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A verified statement at its place in the log: index, leaf digest (hex).

    `seen` is for a reader of single entries: the witnesses' time of a checkpoint that proves this one, so never
    before it was recorded. Who reads the whole log takes the time from its marks.
    """

    index: int
    leaf: str
    verified: Verified
    seen: Instant | None = None
