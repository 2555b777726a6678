"""From sequenced entries to tiles and a head that can be signed: the second half of the write side.

1. *Tiles.* The files of the larger tree are written, durably. No checkpoint names them yet.
2. *Compare-and-swap.* The database's head moves from the smaller tree to the larger.

A crash before or after either leaves entries that have their index and lie in the database: the next start
integrates the same entries in the same order, to the same tree.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence

from sekisho.ledger.edge import RightEdge, TileFile
from sekisho.ledger.tiles import TILE_WIDTH, DamagedTile, Tile, TileTree
from sekisho.ledger.tree import leaf_hash, subtree_root
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.ports.log_store import Recorded, SequenceStore, TreeHead
from sekisho.ports.tile_store import NotStored, TileWriter

__all__ = ["Integrator"]

STEP = 4096
_UNREADABLE = (NotStored, DamagedTile, InvalidInput, Corrupt)


class Integrator:
    """Grows the tree over what is sequenced. Safe for many threads; one of them works at a time."""

    def __init__(self, *, store: SequenceStore, tiles: TileWriter) -> None:
        self._store = store
        self._tiles = tiles
        self._lock = threading.RLock()
        self._edge: RightEdge | None = None
        self._recent: list[Recorded] = []
        self._recent_lock = threading.Lock()
        self._filled: list[str] = []
        self.size_hint = 0
        """How far the tree was when it was last looked at, for those who must not wait for the lock."""

    @property
    def head(self) -> TreeHead:
        """The tree as the database's head says."""
        with self._lock:
            return _head_of(self._ready_edge())

    def offer(self, entries: Sequence[Recorded]) -> None:
        """Take in what was just sequenced, so that it need not be read back. What is not offered is read."""
        with self._recent_lock:
            if len(self._recent) > STEP:
                self._recent.clear()
            self._recent.extend(entries)

    def integrate(self, size: int) -> TreeHead:
        """Write the tiles of the first `size` entries, then move the head; the head after it."""
        with self._lock:
            edge = self._ready_edge()
            while edge.size < size:
                edge = self._step(edge, min(size, edge.size + STEP))
            return _head_of(edge)

    def forget(self) -> None:
        """Read everything anew from database and tiles: after an error, or before a recovery."""
        with self._lock, self._recent_lock:
            self._edge = None
            self._recent.clear()

    def root_at(self, size: int) -> bytes:
        """The root over the first `size` sequenced entries. Writes nothing."""
        with self._lock:
            edge = self._load_edge()
            if edge is not None and size <= edge.size:
                try:
                    return subtree_root(0, size, TileTree(edge.size, self._tiles.read).node)
                except _UNREADABLE:
                    edge = None
            return self._regrow(edge or RightEdge.empty(), size, write=False).root()

    def complete(self, size: int) -> None:
        """Write the tiles of an earlier tree again where they are missing: a checkpoint that is shown names them."""
        with self._lock:
            try:
                RightEdge.load(size, self.root_at(size), self._tiles.read)
            except _UNREADABLE:
                self._regrow(RightEdge.empty(), size, write=True)

    def drop_partial_tiles(self) -> None:
        """Take away the partial forms of tiles that are full by now; call it when a checkpoint covers them."""
        with self._lock:
            filled, self._filled = self._filled, []
        for path in filled:
            # Crash here: partial tiles stay, which costs space; readers take the full tile.
            self._tiles.drop_folder(f"{path}.p")

    def _ready_edge(self) -> RightEdge:
        """The edge, loaded anew where an earlier step failed half way; tiles that are missing are written again."""
        if self._edge is None:
            self._edge = self._load_edge() or self._rebuild(self._store.load_head())
            self.size_hint = self._edge.size
        return self._edge

    def _load_edge(self) -> RightEdge | None:
        """The edge of the head from its tiles; None where they do not give its root."""
        if self._edge is not None:
            return self._edge
        head = self._store.load_head()
        try:
            return RightEdge.load(head.size, head.root, self._tiles.read)
        except _UNREADABLE:
            return None

    def _step(self, edge: RightEdge, stop: int) -> RightEdge:
        entries = self._take(edge.size, stop)
        grown, files = edge.grown(_pairs(entries))
        # Until the swap is known to have happened, the database alone says what is true.
        self._edge = None
        # Crash here: the entries wait in the database as they did.
        self._tiles.write_all(files)
        # Crash here: files beyond every checkpoint, which the next integration writes again with the same bytes.
        self._store.swap_head(_head_of(edge), _head_of(grown))
        # Crash here: the head stands and its tiles lie there; the publisher signs it at the next start.
        self._edge = grown
        self.size_hint = grown.size
        self._filled += _filled(files, edge.size)
        return grown

    def _take(self, start: int, stop: int) -> list[Recorded]:
        """Entries start..stop: those that were offered, else from the database."""
        with self._recent_lock:
            recent = self._recent
            if recent and recent[0].index <= start and recent[-1].index >= stop - 1:
                offset = recent[0].index
                if recent[-1].index == offset + len(recent) - 1:
                    taken = recent[start - offset : stop - offset]
                    del recent[: stop - offset]
                    return taken
        return self._load(start, stop)

    def _load(self, start: int, stop: int) -> list[Recorded]:
        entries = self._store.load_entries(start, stop)
        if [entry.index for entry in entries] != list(range(start, stop)):
            raise Corrupt(
                f"the database does not hold entries {start} to {stop}",
                remedy="restore it from the newest backup",
            )
        return entries

    def _rebuild(self, head: TreeHead) -> RightEdge:
        """Write every tile again from the database's entries, but only if these give the head's root."""
        if self._regrow(RightEdge.empty(), head.size, write=False).root() != head.root:
            raise Corrupt(
                f"neither tiles nor database give the root of size {head.size}",
                remedy="restore database and tiles from the newest backup; do not delete either",
            )
        return self._regrow(RightEdge.empty(), head.size, write=True)

    def _regrow(self, edge: RightEdge, size: int, *, write: bool) -> RightEdge:
        while edge.size < size:
            entries = self._load(edge.size, min(edge.size + STEP, size))
            # The hash column is not trusted here: what is rebuilt must come from the entries themselves.
            edge, files = edge.grown((e.envelope, leaf_hash(e.envelope)) for e in entries)
            if write:
                # Crash here: some tiles are written again with the bytes that they had; the next start goes on.
                self._tiles.write_all(files)
        return edge


def _head_of(edge: RightEdge) -> TreeHead:
    return TreeHead(size=edge.size, root=edge.root())


def _pairs(entries: Iterable[Recorded]) -> Iterable[tuple[bytes, bytes]]:
    return ((entry.envelope, entry.leaf_hash) for entry in entries)


def _filled(files: Sequence[TileFile], before: int) -> list[str]:
    """The full tiles among `files` whose partial forms a tree of `before` leaves needed."""
    written = {path for path, _ in files}
    edge = [tile.full.to_path() for tile in _edge_tiles(before)]
    return [path for path in edge if path in written]


def _edge_tiles(size: int) -> Iterator[Tile]:
    """The partial tiles of a tree: of each level at most one, and the bundle."""
    if size % TILE_WIDTH:
        yield Tile(level=None, index=size // TILE_WIDTH, width=size % TILE_WIDTH)
    level = 0
    while size:
        if size % TILE_WIDTH:
            yield Tile(level=level, index=size // TILE_WIDTH, width=size % TILE_WIDTH)
        size, level = size // TILE_WIDTH, level + 1
