"""How the log commits to captured events without naming them: salted commitments under one root for each batch.

commitment = SHA-256(salt || hash id || line feed || capture id), ids in ASCII; the batch's tree is that of RFC 6962,
and its leaves are the commitments. The salt (16 bytes, drawn at the edge for each event) keeps whoever guesses an event
from finding it in the log (protocol section 12); whoever is shown salt, ids and path can check that the log's entry
speaks of it. The capture's id follows from document and endorsement: no signature is dropped or added afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from sekisho.ledger.tree import (
    HASH_SIZE,
    BadProof,
    Frontier,
    fold_level,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    verify_inclusion,
)
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical, sha256_hex

__all__ = [
    "BEHAVIOURS",
    "SALT_SIZE",
    "BatchTree",
    "batch_path",
    "batch_root",
    "capture_id",
    "commitment",
    "verify_path",
]

SALT_SIZE = 16
BEHAVIOURS: Final = ("proceed", "rollback")
"""What becomes of a document's good events where it has others; the words of the standard."""


def commitment(salt: bytes, hash_id: str, capture: str) -> bytes:
    """What the log holds of an event: 32 bytes. Raises InvalidInput where salt or an id cannot be one."""
    if len(salt) != SALT_SIZE:
        raise InvalidInput(f"a salt of {len(salt)} bytes, not {SALT_SIZE}", path="salt")
    for name, text in (("hash_id", hash_id), ("capture", capture)):
        if not text or not text.isascii() or not text.isprintable():
            raise InvalidInput("an id is not plain ASCII", path=name)
    return hashlib.sha256(salt + f"{hash_id}\n{capture}".encode("ascii")).digest()


def batch_root(commitments: Sequence[bytes]) -> bytes:
    """The root over a batch's commitments in the order of their places. Raises InvalidInput for none at all."""
    if not commitments:
        raise InvalidInput("a batch without events has no root", path="commitments")
    tree = Frontier()
    tree.extend(leaf_hashes(commitments))
    return tree.root()


def batch_path(commitments: Sequence[bytes], place: int) -> tuple[bytes, ...]:
    """The hashes beside the way from the commitment at `place` (from 0) up to the root. Raises InvalidInput."""
    return BatchTree(commitments).path(place)


class BatchTree:
    """A batch's whole tree, for several paths out of it. Some 130 bytes for each event."""

    __slots__ = ("_levels", "commitments")

    def __init__(self, commitments: Sequence[bytes]) -> None:
        self.commitments = tuple(commitments)
        row = leaf_hashes(self.commitments)
        self._levels = [row]
        while len(row) > 1:
            row = fold_level(row[: len(row) & ~1])
            self._levels.append(row)

    def path(self, place: int) -> tuple[bytes, ...]:
        """As `batch_path`."""
        return tuple(inclusion_proof(place, len(self.commitments), self._node))

    def _node(self, level: int, index: int) -> bytes:
        return self._levels[level][index]


def verify_path(made: bytes, place: int, events: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that a batch of `events` with this root holds commitment `made` at `place`. Raises BadProof."""
    if len(made) != HASH_SIZE:
        raise BadProof("a commitment that is not 32 bytes long")
    verify_inclusion(leaf_hash(made), place, events, path, root)


def capture_id(sha256: str, endorsement: bytes | None, behaviour: str) -> str:
    """A capture job's id: it follows from what was handed in, so that the same again is the same job.

    Whoever handed it in was told it, and so can find his own document and endorsement in what is disclosed.
    """
    parts = [sha256, sha256_hex(endorsement) if endorsement is not None else "", behaviour]
    return sha256_hex(canonical(parts))
