"""Statements about the regime's own keys: lost, proved, withdrawn, replaced (protocol section 2)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements.governance import CharterKey
from sekisho.model.statements.shapes import (
    Count,
    Digest,
    Name,
    Predicate,
    Reference,
    Text,
    Wire,
)

__all__ = [
    "KeyCompromised",
    "KeyDrilled",
    "KeyReplacement",
    "RecoveryAnnounced",
    "RecoveryVetoed",
    "SignatureWithdrawn",
]


class KeyCompromised(Predicate, frozen=True, kw_only=True):
    """A key is somebody else's since an instant: from this entry on it counts for nothing. `key` is its key id."""

    key: Digest
    since: Instant
    reason: Text


class KeyDrilled(Predicate, frozen=True, kw_only=True):
    """A holder proves that a charter key still signs: `challenge` is the root of this log at `size`, witnessed."""

    key: Digest
    challenge: Digest
    size: Count
    note: Text = ""


class SignatureWithdrawn(Predicate, frozen=True, kw_only=True):
    """A key takes its signature on a payload back, before that payload is in the log; later says nothing."""

    payload: Digest
    key: Digest
    reason: Text


class KeyReplacement(Wire, frozen=True, kw_only=True):
    """One key of a constituency, by its key id, and the key that takes its place."""

    constituency: Name
    old: Digest
    new: CharterKey


class RecoveryAnnounced(Predicate, frozen=True, kw_only=True):
    """Recovery keys give notice: the charter `previous` is to be followed by `version` with these keys replaced."""

    previous: Digest
    version: Annotated[int, msgspec.Meta(ge=2)]
    replacements: Annotated[tuple[KeyReplacement, ...], msgspec.Meta(min_length=1, max_length=64)]


class RecoveryVetoed(Predicate, frozen=True, kw_only=True):
    """A constituency that keeps its keys says no to an announced recovery, within the notice."""

    announcement: Reference
    constituency: Name
    reason: Text
