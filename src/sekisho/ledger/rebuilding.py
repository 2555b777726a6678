"""The way back after the loss of the log's database: an empty one is filled from what was published.

Published files hold every entry up to a checkpoint, so nothing that a witness cosigned can be lost with the
database. What was sequenced after that checkpoint is gone: whoever was answered for it submits it again and gets
another index. No checkpoint names the old one, so the log does not fork.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from sekisho.ledger.policy import Cosigned
from sekisho.ledger.reader import TreeReader
from sekisho.ledger.tree import Frontier, leaf_hash, subtree_root
from sekisho.model.errors import Corrupt, StateConflict
from sekisho.ports.log_store import LogStore, Recorded, Taken, TreeHead
from sekisho.ports.tile_store import TileStore

__all__ = ["KeysOf", "rebuild_store"]

STEP = 1024
_INTO_EMPTY = "rebuild into an empty database, and keep the old one for a comparison"

KeysOf = Callable[[bytes], tuple[bytes | None, Sequence[str]]]
"""What an envelope claims: its payload digest (None for a time mark) and its unique keys. Operations know."""

Progress = Callable[[int, int], None]
"""Told (entries stored, entries in all) after each step."""


def rebuild_store(
    store: LogStore,
    tiles: TileStore,
    cosigned: Cosigned,
    keys_of: KeysOf,
    progress: Progress = lambda *_: None,
) -> TreeHead:
    """Fill a database from published tiles, up to a checkpoint that the caller verified; the head after it.

    1. The database is empty, or holds the beginning of this very tree: an older backup, or a rebuilding that was
    broken off. 2. Every entry is authenticated against the checkpoint's root, and its claims are taken anew.
    3. The tree over what was stored gives that root. 4. Head and checkpoint are set.

    Raises StateConflict where the database holds anything else, DamagedTile or NotStored where the published
    files are not whole, Corrupt where two entries claim the same or the root does not come out.
    """
    checkpoint = cosigned.checkpoint
    tree = TreeReader(tiles, checkpoint)
    frontier = _begin(store, tree)
    entries = tree.entries(frontier.size, checkpoint.size)
    while step := list(islice(entries, STEP)):
        recorded = [_record(frontier.size + n, entry, keys_of) for n, entry in enumerate(step)]
        # Crash here or below: what is stored is a beginning of this tree, and the next call goes on behind it.
        _sequence(store, recorded)
        frontier.extend(entry.leaf_hash for entry in recorded)
        progress(frontier.size, checkpoint.size)
    head = TreeHead(size=frontier.size, root=frontier.root())
    if head != TreeHead(size=checkpoint.size, root=checkpoint.root):
        raise Corrupt(
            f"the entries give another root than the checkpoint of size {checkpoint.size}",
            remedy="fetch the published files from another copy, and rebuild into an empty database",
        )
    store.swap_head(store.load_head(), head)
    # Crash here: the head stands; the checkpoint lies in its file, from where a start takes it.
    store.save_cosigned(checkpoint.size, cosigned.note.to_bytes())
    return head


def _begin(store: LogStore, tree: TreeReader) -> Frontier:
    """The tree over what is stored already, from the bytes of its entries; it begins the published one."""
    size, head, frontier = store.load_size(), store.load_head(), Frontier()
    if size > tree.size:
        raise StateConflict(
            f"the database holds {size} entries, the checkpoint only {tree.size}",
            remedy="start the log with it; there is nothing to rebuild",
        )
    while frontier.size < size:
        found = store.load_entries(frontier.size, min(frontier.size + STEP, size))
        if [entry.index for entry in found] != list(
            range(frontier.size, frontier.size + len(found))
        ):
            raise Corrupt(f"entry {frontier.size} is not where it should be", remedy=_INTO_EMPTY)
        if not found:
            raise Corrupt(f"the database tells of {size} entries and ends", remedy=_INTO_EMPTY)
        frontier.extend(leaf_hash(entry.envelope) for entry in found)
    if not _is_prefix(tree, size, frontier.root()) or not _is_prefix(tree, head.size, head.root):
        raise StateConflict(
            f"the {size} entries in the database are not the first of the published log",
            remedy=_INTO_EMPTY,
        )
    return frontier


def _is_prefix(tree: TreeReader, size: int, root: bytes) -> bool:
    return subtree_root(0, size, tree.node) == root


def _record(index: int, entry: bytes, keys_of: KeysOf) -> Recorded:
    payload, unique = keys_of(entry)
    return Recorded(
        index=index,
        leaf_hash=leaf_hash(entry),
        envelope=entry,
        payload_sha256=payload,
        unique=tuple(unique),
    )


def _sequence(store: LogStore, recorded: Sequence[Recorded]) -> None:
    try:
        store.sequence(recorded[0].index, recorded)
    except Taken:
        raise Corrupt(
            f"among the published entries from {recorded[0].index} on, two have one payload or unique key",
            remedy="this log was not written under its own rules; keep the files as evidence",
        ) from None
