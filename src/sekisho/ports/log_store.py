"""The log's database: what makes an accepted submission survive, and keeps one log from becoming two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

__all__ = [
    "Batch",
    "Found",
    "LogStore",
    "PublishedStore",
    "Queued",
    "Recorded",
    "SequenceStore",
    "Submission",
    "SubmissionQueue",
    "TreeHead",
]


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants in the log: the envelope's bytes, and what must be unique about them.

    `payload_sha256` (32 bytes) identifies the statement whatever its signatures; `unique` are keys such as
    serials or licence numbers that no other statement may carry.
    """

    envelope: bytes
    payload_sha256: bytes
    unique: tuple[str, ...] = ()


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """A submission that was accepted durably and has no index yet. `number` only grows."""

    number: int
    submission: Submission


class TreeHead(msgspec.Struct, frozen=True, kw_only=True):
    """The tree that the database stands for: its size and its root hash (32 bytes)."""

    size: int
    root: bytes


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with its place. Time marks carry no payload digest: each is its own."""

    index: int
    leaf_hash: bytes
    envelope: bytes
    payload_sha256: bytes | None = None
    unique: tuple[str, ...] = ()


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the log already holds: index and leaf hash by payload digest, and by unique key."""

    payloads: dict[bytes, tuple[int, bytes]]
    unique: dict[str, tuple[int, bytes]]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the log: from `old` to `new` by `entries`, which settles the queue's `numbers`."""

    old: TreeHead
    new: TreeHead
    entries: tuple[Recorded, ...]
    numbers: tuple[int, ...]


class SubmissionQueue(Protocol):
    """The durable queue."""

    def accept(self, submissions: Sequence[Submission]) -> list[int]:
        """Queue all of them or none, durably before it returns; the numbers in the same order."""
        ...

    def load_queued(self, limit: int) -> list[Queued]:
        """What waits, oldest first, at most `limit` rows."""
        ...

    def settle(self, numbers: Sequence[int]) -> None:
        """Take out what needs no entry: a repetition, a refused row."""
        ...


class SequenceStore(Protocol):
    """Entries and the tree's head. All methods raise Corrupt where the database contradicts itself."""

    def load_head(self) -> TreeHead: ...

    def load_entries(self, start: int, stop: int) -> list[Recorded]:
        """Entries start..stop in order; fewer where the log is shorter."""
        ...

    def find_recorded(self, submissions: Sequence[Submission]) -> Found:
        """What already stands of their payloads and unique keys."""
        ...

    def commit_batch(self, batch: Batch) -> None:
        """Store entries, unique keys and the new head and settle the queue, in one transaction.

        A compare-and-swap: raises StateConflict, and changes nothing, unless the head equals `batch.old`.
        """
        ...


class PublishedStore(Protocol):
    """The newest checkpoint with enough cosignatures, kept beside the file so that either can be mended."""

    def load_cosigned(self) -> tuple[int, bytes] | None:
        """Size and note of the newest cosigned checkpoint."""
        ...

    def save_cosigned(self, size: int, note: bytes) -> None:
        """Keep it durably; a smaller size than the one held is refused (StateConflict)."""
        ...


class LogStore(SubmissionQueue, SequenceStore, PublishedStore, Protocol):
    """The whole database of one log, held by one process at a time."""
