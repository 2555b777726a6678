"""Reading a log that somebody else wrote: nothing in its files is believed before the root confirms it.

Shares no code with the write side; whoever writes the tiles cannot teach the reader its mistakes.
"""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.policy import Cosigned, Policy
from sekisho.ledger.proof import TlogProof
from sekisho.ledger.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    DamagedTile,
    Tile,
    TileTree,
    load_bundle,
    load_hashes,
)
from sekisho.ledger.tree import (
    consistency_proof,
    fold_level,
    inclusion_proof,
    leaf_hash,
    perfect_roots,
    root_of_roots,
)
from sekisho.model.errors import InvalidInput
from sekisho.ports.tile_store import TileStore
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, VerifierKey

__all__ = ["LogReader", "TreeReader", "as_policy"]


def as_policy(trust: Policy | VerifierKey) -> Policy:
    """A policy as it is; a log's bare key as the policy that asks for no witness."""
    return Policy.of_log(trust) if isinstance(trust, VerifierKey) else trust


class LogReader:
    """A log's public files, read through a `TileStore` (a folder, a bundle, a server)."""

    def __init__(self, store: TileStore) -> None:
        self._store = store

    def load_checkpoint(self, trust: Policy | VerifierKey) -> Cosigned:
        """The published checkpoint, verified. Raises NotStored and what `Policy.verify_cosigned` raises."""
        raw = self._store.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
        return as_policy(trust).verify_cosigned(Note.from_bytes(raw, path=CHECKPOINT_PATH))

    def tree(self, checkpoint: Checkpoint) -> TreeReader:
        """The tree under a verified checkpoint."""
        return TreeReader(self._store, checkpoint)

    def entries(self, start: int, stop: int, checkpoint: Checkpoint) -> Iterator[bytes]:
        """Entries start..stop, each authenticated against the verified checkpoint's root."""
        return self.tree(checkpoint).entries(start, stop)

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """From the tiles as they lie; the proof itself is what shows whether they are right."""
        return inclusion_proof(index, size, TileTree(size, self._store.read).node)

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """From the tiles as they lie; the proof itself is what shows whether they are right."""
        return consistency_proof(old, new, TileTree(new, self._store.read).node)

    def prove(self, index: int, cosigned: Cosigned) -> TlogProof:
        """The offline proof that travels with an entry: its path and the checkpoint with its cosignatures."""
        hashes = tuple(self.inclusion_proof(index, cosigned.checkpoint.size))
        return TlogProof(index=index, hashes=hashes, note=cosigned.note)


class TreeReader:
    """One tree, tile by tile, each authenticated before use.

    1. The right-most partial tiles of all levels yield the root: it must be the checkpoint's. 2. Every full
    tile hashes to an item of the tile above it, which was authenticated before. 3. Every entry hashes to an
    item of its authenticated level-0 tile. A fault raises DamagedTile, a missing file NotStored.
    """

    def __init__(self, store: TileStore, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._store = store
        self._names = TileTree(checkpoint.size, store.read)
        self._trusted: dict[Tile, list[bytes]] = {}
        self._has_edge = False

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Entries start..stop of this tree."""
        if not 0 <= start <= stop <= self.checkpoint.size:
            raise InvalidInput(
                f"no entries {start}..{stop} in a log of {self.checkpoint.size}", path="range"
            )
        for index in range(start // TILE_WIDTH, -(-stop // TILE_WIDTH)):
            first = index * TILE_WIDTH
            yield from self._bundle(index)[max(0, start - first) : stop - first]

    def entry(self, index: int) -> bytes:
        return next(self.entries(index, index + 1))

    def inclusion_proof(self, index: int) -> list[bytes]:
        return inclusion_proof(index, self.checkpoint.size, self.node)

    def consistency_proof(self, old: int) -> list[bytes]:
        return consistency_proof(old, self.checkpoint.size, self.node)

    def node(self, level: int, index: int) -> bytes:
        """The authenticated hash of node (level, index): a `NodeReader`."""
        tile_level, height = divmod(level, 8)
        first = index << height
        row = self.hashes(self._names.tile(tile_level, first // TILE_WIDTH))
        row = row[first % TILE_WIDTH : first % TILE_WIDTH + (1 << height)]
        while len(row) > 1:
            row = fold_level(row)
        return row[0]

    def _bundle(self, index: int) -> list[bytes]:
        tile = self._names.tile(0, index)
        bundle = Tile(level=None, index=index, width=tile.width)
        entries = load_bundle(bundle, self._store.read)
        for offset, (entry, expected) in enumerate(zip(entries, self.hashes(tile), strict=True)):
            if leaf_hash(entry) != expected:
                where = index * TILE_WIDTH + offset
                raise DamagedTile(f"{bundle.to_path()}: entry {where} is not the one in the tree")
        return entries

    def hashes(self, tile: Tile) -> list[bytes]:
        """A tile of this tree, authenticated."""
        if not self._has_edge:
            self._load_edge()
        held = self._trusted.get(tile)
        if held is None:
            held = load_hashes(tile, self._store.read)
            above = 8 * ((tile.level or 0) + 1)
            if root_of_roots(perfect_roots(held)) != self.node(above, tile.index):
                raise DamagedTile(f"{tile.to_path()}: does not hash to its place in the tree")
            self._trusted[tile] = held
        return held

    def _load_edge(self) -> None:
        edge: dict[Tile, list[bytes]] = {}
        roots: list[bytes] = []
        level, items = 0, self.checkpoint.size
        while items:
            if items % TILE_WIDTH:
                tile = Tile(level=level, index=items // TILE_WIDTH, width=items % TILE_WIDTH)
                edge[tile] = load_hashes(tile, self._store.read)
                roots = perfect_roots(edge[tile]) + roots
            level, items = level + 1, items // TILE_WIDTH
        if root_of_roots(roots) != self.checkpoint.root:
            names = ", ".join(tile.to_path() for tile in edge) or "no tile"
            raise DamagedTile(
                f"{names}: do not hash to the root of the checkpoint of size {self.checkpoint.size}"
            )
        self._trusted = edge
        self._has_edge = True
