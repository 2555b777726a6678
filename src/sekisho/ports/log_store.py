"""The log's database: what makes an accepted submission survive, and keeps one log from becoming two.

Entries past the tree's head are the durable queue: they have their index for ever and no tile yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sekisho.model.errors import StateConflict, Unavailable

__all__ = [
    "FencedOff",
    "Found",
    "LogStore",
    "PublishedStore",
    "Recorded",
    "SequenceStore",
    "Submission",
    "Taken",
    "TreeHead",
]


class Taken(StateConflict):
    """Some payload or unique key of the rows stands in the log already; nothing of them was stored."""

    code = "taken"


class FencedOff(Unavailable):
    """Another process writes this log now: this one appends and acknowledges nothing any more, until it starts anew."""

    code = "fenced-off"


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants in the log: the envelope's bytes, and what must be unique about them.

    `payload_sha256` (32 bytes) identifies the statement whatever its signatures; `unique` are keys such as
    serials or licence numbers that no other statement may carry.
    """

    envelope: bytes
    payload_sha256: bytes
    unique: tuple[str, ...] = ()


class TreeHead(msgspec.Struct, frozen=True, kw_only=True):
    """A tree that the database stands for: its size and its root hash (32 bytes)."""

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


class SequenceStore(Protocol):
    """Entries, and the head of the tree over those that lie in tiles.

    All methods raise Corrupt where the database contradicts itself, Unavailable where it cannot be reached or
    refuses for the moment (a full disk); what they were asked then is not stored and may be asked again.
    """

    def load_size(self) -> int:
        """How many entries have an index."""
        ...

    def load_head(self) -> TreeHead:
        """The tree whose tiles are written; its size is at most `load_size`."""
        ...

    def load_entries(self, start: int, stop: int) -> list[Recorded]:
        """Entries start..stop in order, without their unique keys; fewer where the log is shorter."""
        ...

    def find_recorded(self, submissions: Sequence[Submission]) -> Found:
        """What already stands of their payloads and unique keys."""
        ...

    def sequence(self, first: int, entries: Sequence[Recorded]) -> None:
        """Give the log its entries `first` and following, in one transaction that is durable when it returns.

        A compare-and-swap on the number of entries: raises StateConflict unless it is `first`, and Taken where
        a payload digest or a unique key stands already; then nothing of it is stored.
        """
        ...

    def swap_head(self, old: TreeHead, new: TreeHead) -> None:
        """Move the tree's head, durably; a compare-and-swap. Raises StateConflict unless the head equals `old`."""
        ...


class PublishedStore(Protocol):
    """The newest checkpoint with enough cosignatures, kept beside the file so that either can be mended."""

    def load_cosigned(self) -> tuple[int, bytes] | None:
        """Size and note of the newest cosigned checkpoint."""
        ...

    def save_cosigned(self, size: int, note: bytes) -> None:
        """Keep it durably; a smaller size than the one held is refused (StateConflict)."""
        ...


class LogStore(SequenceStore, PublishedStore, Protocol):
    """The whole database of one log, held by one process at a time."""
