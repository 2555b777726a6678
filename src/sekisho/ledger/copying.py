"""A published copy of the log elsewhere: an object store that serves readers and outlives this machine.

Tiles first, the checkpoint last, so that whatever the copy's checkpoint names is there. A copy never leads: it is
compared with the database before anything is written, and a copy that knows more stops the log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Self

import msgspec

from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.policy import Cosigned
from sekisho.ledger.reader import TreeReader
from sekisho.ledger.recovery import load_published
from sekisho.ledger.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    Tile,
    encode_bundle,
    encode_hashes,
)
from sekisho.ledger.tree import subtree_root
from sekisho.model.errors import Corrupt, SekishoError, Unavailable
from sekisho.ports.tile_store import NotStored, TileStore, TileWriter
from sekisho.signing.notes import MAX_NOTE_BYTES, VerifierKey

__all__ = [
    "CopyDiverged",
    "CopyPace",
    "PublishedCopy",
    "compare_copy",
    "complete_copy",
    "tiles_between",
]

IN_STEP = 16  # a bundle may have 16 MiB

RootAt = Callable[[int], bytes]
"""The root over the first so many entries of the log that we stand for."""


class CopyDiverged(Corrupt):
    """The copy's checkpoint is not of the tree that we stand for, or it is newer than ours."""

    code = "copy-diverged"


class CopyPace(msgspec.Struct, frozen=True, kw_only=True):
    """After a failure the copy waits `retry_s` before the newest head is tried, doubled up to `retry_most_s`."""

    retry_s: float = 1.0
    retry_most_s: float = 60.0


def compare_copy(
    copy: TileStore, keys: Sequence[VerifierKey], size: int, root_at: RootAt
) -> Checkpoint | None:
    """The copy's checkpoint, which is a prefix of our tree of `size` entries; None where the copy is empty.

    Raises CopyDiverged where it is not, or where it is not of this log; writes nothing.
    """
    try:
        held = load_published(copy, keys)
    except NotStored:
        return None
    except Corrupt as error:
        raise CopyDiverged(
            f"in the copy, {error.message}",
            remedy="point SEKISHO_COPY at this log's own copy or at an empty place",
        ) from None
    if held is None:
        return None
    if held.size > size:
        raise CopyDiverged(
            f"the copy is newer: it has size {held.size}, the database only {size}; an older backup was restored",
            remedy="restore the newest database, or rebuild it from the copy with `sekisho log rebuild`; "
            "going on would fork the log",
        )
    if held.root != root_at(held.size):
        raise CopyDiverged(
            f"the copy of size {held.size} is of another tree than the database, which has size {size}",
            remedy="find out which of the two the witnesses cosigned and restore that one; keep both as evidence",
        )
    return held


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """Every tile and bundle that a tree of `new` entries has and one of `old` entries has not, left first."""
    level = 0
    while new:
        for index in range(old // TILE_WIDTH, -(-new // TILE_WIDTH) if new > old else 0):
            width = min(TILE_WIDTH, new - index * TILE_WIDTH)
            if level == 0:
                yield Tile(level=None, index=index, width=width)
            yield Tile(level=level, index=index, width=width)
        level, old, new = level + 1, old // TILE_WIDTH, new // TILE_WIDTH


def complete_copy(source: TileStore, copy: TileWriter, held: int, cosigned: Cosigned) -> None:
    """Bring a copy of `held` entries to a published checkpoint; every byte is authenticated under it on the way.

    Raises Unavailable where either store does not answer, DamagedTile where our own files are not the tree's.
    """
    tree = TreeReader(source, cosigned.checkpoint)
    tiles = tiles_between(held, tree.size)
    while step := [(tile.to_path(), _content(tree, tile)) for tile in islice(tiles, IN_STEP)]:
        # Crash here: files beyond the copy's checkpoint, which are written again with the same bytes.
        copy.write_all(step)
    note = cosigned.note.to_bytes()
    if _read_note(copy) != note:
        # Crash here: as before, complete for the older checkpoint.
        copy.write(CHECKPOINT_PATH, note)
    # Crash here: partial tiles stay that full ones replace by now; they cost space, readers take the full tile.
    for tile in tiles_between(held, tree.size):
        if tile.width == TILE_WIDTH and _was_partial(tile, held):
            copy.drop_folder(f"{tile.to_path()}.p")


class PublishedCopy:
    """Keeps a copy up with what is published, in a thread of its own: the log never waits for it.

    Hand `take_published` to `Publisher.on_published`. `problem` says what keeps the copy behind, empty where nothing
    does. Where the copy turns out to know more than we do, `refuse` is called once with CopyDiverged, and it ends.
    """

    def __init__(
        self,
        *,
        source: TileStore,
        copy: TileWriter,
        keys: Sequence[VerifierKey],
        refuse: Callable[[SekishoError], None],
        pace: CopyPace | None = None,
    ) -> None:
        self._source = source
        self._copy = copy
        self._keys = tuple(keys)
        self._refuse = refuse
        self._pace = pace or CopyPace()
        self._changed = threading.Condition()
        self._wanted: Cosigned | None = None
        self._done: Cosigned | None = None
        self._stopping = False
        self._problem = ""
        self._thread: threading.Thread | None = None

    @property
    def problem(self) -> str:
        """What went wrong last, until it goes well again."""
        with self._changed:
            return self._problem

    @property
    def size(self) -> int:
        """How many entries the copy's checkpoint covers, as far as this process has brought it."""
        with self._changed:
            return self._done.checkpoint.size if self._done else 0

    def compare_at_start(self, size: int, root_at: RootAt) -> Checkpoint | None:
        """Before the log takes anything: the copy against the database's `size` sequenced entries. Writes nothing.

        Raises CopyDiverged: do not start. Raises Unavailable where the copy does not answer; whoever starts all the
        same is told later through `refuse`, since nothing is written to a copy that was not compared.
        """
        return compare_copy(self._copy, self._keys, size, root_at)

    def take_published(self, cosigned: Cosigned) -> None:
        """Note what to copy next; what was published in between is passed over. Returns at once."""
        with self._changed:
            self._wanted = cosigned
            self._changed.notify_all()

    def start(self) -> None:
        """Begin to copy."""
        self._thread = threading.Thread(target=self._run, name="published copy", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the step under way; the next start goes on from the copy's checkpoint."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_copied(self, size: int, timeout: float) -> None:
        """Wait until the copy covers `size` entries. Raises Unavailable after `timeout` seconds."""

        def is_copied() -> bool:
            return self._done is not None and self._done.checkpoint.size >= size

        with self._changed:
            if not self._changed.wait_for(is_copied, timeout):
                raise Unavailable(
                    f"the copy lags behind: {self._problem or 'at work'}", remedy="wait"
                )

    def copy_once(self, cosigned: Cosigned) -> None:
        """Compare, then complete: what the thread does for each head. Raises CopyDiverged and as `complete_copy`."""
        checkpoint = cosigned.checkpoint
        nodes = TreeReader(self._source, checkpoint)
        held = compare_copy(
            self._copy, self._keys, checkpoint.size, lambda size: subtree_root(0, size, nodes.node)
        )
        complete_copy(self._source, self._copy, held.size if held else 0, cosigned)

    def _run(self) -> None:
        wait_s = self._pace.retry_s
        while (cosigned := self._wait_for_work()) is not None:
            try:
                self.copy_once(cosigned)
            except CopyDiverged as error:
                self._tell(str(error))
                self._refuse(error)
                return
            except SekishoError as error:
                self._tell(str(error))
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, wait_s)
                wait_s = min(2 * wait_s, self._pace.retry_most_s)
            else:
                wait_s = self._pace.retry_s
                self._tell("", cosigned)

    def _wait_for_work(self) -> Cosigned | None:
        """The newest head that is not copied yet; None when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._wanted is not self._done)
            return None if self._stopping else self._wanted

    def _tell(self, problem: str, done: Cosigned | None = None) -> None:
        with self._changed:
            self._problem = problem
            self._done = done or self._done
            self._changed.notify_all()


def _content(tree: TreeReader, tile: Tile) -> bytes:
    """A file of the tree, read and authenticated; a partial tile that was tidied away is cut from the full one."""
    if tile.level is not None:
        return encode_hashes(tree.load(tile))
    start = tile.index * TILE_WIDTH
    return encode_bundle(list(tree.entries(start, start + tile.width)))


def _read_note(copy: TileStore) -> bytes | None:
    try:
        return copy.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
    except NotStored:
        return None


def _was_partial(tile: Tile, size: int) -> bool:
    """Whether the tree of `size` entries had this tile without all its items, so that a partial form may lie there."""
    items = size >> (8 * (tile.level or 0))
    return tile.index * TILE_WIDTH < items < (tile.index + 1) * TILE_WIDTH
