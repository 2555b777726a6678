"""Who gets which place in the log: repetitions, conflicts and new entries told apart. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from sekisho.ledger.tiles import MAX_ENTRY_BYTES
from sekisho.ledger.tree import leaf_hash
from sekisho.model.errors import InvalidInput
from sekisho.ports.log_store import Found, Recorded, Submission

__all__ = [
    "NOTHING_FOUND",
    "Appended",
    "Conflicted",
    "Outcome",
    "check_envelope",
    "check_submission",
    "decide_places",
    "record_mark",
]

MAX_UNIQUE_KEY = 512
NOTHING_FOUND = Found(payloads={}, unique={})


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """The entry's place. `fresh` is False where the payload stood there before; the first entry's hash then."""

    index: int
    leaf_hash: bytes
    fresh: bool


class Conflicted(msgspec.Struct, frozen=True, kw_only=True):
    """The row was refused alone: `unique` is held by the entry at `index`, which has another payload."""

    unique: str
    index: int


Outcome: TypeAlias = Appended | Conflicted


def decide_places(
    rows: Sequence[Submission], found: Found, first: int
) -> tuple[list[Recorded], list[Outcome]]:
    """The rows that become entries, from index `first` on, and every row's outcome in the same order.

    `found` is what the log holds of them already. The order of the rows decides between two that want one key.
    """
    payloads, unique = dict(found.payloads), dict(found.unique)
    fresh: list[Recorded] = []
    outcomes: list[Outcome] = []
    for row in rows:
        known = payloads.get(row.payload_sha256)
        taken = next((key for key in row.unique if key in unique), None)
        if known is not None:
            outcomes.append(Appended(index=known[0], leaf_hash=known[1], fresh=False))
        elif taken is not None:
            outcomes.append(Conflicted(unique=taken, index=unique[taken][0]))
        else:
            entry = _record(row, first + len(fresh))
            fresh.append(entry)
            place = (entry.index, entry.leaf_hash)
            payloads[row.payload_sha256] = place
            for key in row.unique:
                unique[key] = place
            outcomes.append(Appended(index=entry.index, leaf_hash=entry.leaf_hash, fresh=True))
    return fresh, outcomes


def record_mark(mark: bytes, index: int) -> Recorded:
    """A time mark at its place; it has no payload digest, since each is its own."""
    check_envelope(mark, "time mark")
    return Recorded(index=index, leaf_hash=leaf_hash(mark), envelope=mark)


def check_submission(submission: Submission, path: str) -> None:
    """Refuse what can be no entry. Raises InvalidInput."""
    check_envelope(submission.envelope, path)
    if len(submission.payload_sha256) != 32:
        raise InvalidInput("the payload digest is not 32 bytes long", path=path)
    if not submission.unique:
        return
    if any(not key or len(key) > MAX_UNIQUE_KEY for key in submission.unique):
        raise InvalidInput(f"a unique key has 1 to {MAX_UNIQUE_KEY} characters", path=path)
    # What a database cannot store as it is, or twice, would fail everybody who shares the transaction.
    if any("\0" in key or not _is_encodable(key) for key in submission.unique):
        raise InvalidInput("a unique key holds a NUL or a lone surrogate", path=path)
    if len(set(submission.unique)) != len(submission.unique):
        raise InvalidInput("a unique key stands twice", path=path)


def check_envelope(envelope: bytes, path: str) -> None:
    """Refuse an entry that no bundle can carry. Raises InvalidInput."""
    if not envelope:
        raise InvalidInput("an empty entry", path=path)
    if len(envelope) > MAX_ENTRY_BYTES:
        raise InvalidInput(
            f"{len(envelope)} bytes; an entry has at most {MAX_ENTRY_BYTES}",
            path=path,
            remedy="put the content elsewhere and log its digest",
        )


def _is_encodable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _record(row: Submission, index: int) -> Recorded:
    return Recorded(
        index=index,
        leaf_hash=leaf_hash(row.envelope),
        envelope=row.envelope,
        payload_sha256=row.payload_sha256,
        unique=row.unique,
    )
