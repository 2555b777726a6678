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
)
from sekisho.ledger.tree import (
    consistency_proof,
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
        self._nodes = TileTree(0, store.read)

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
        return inclusion_proof(index, size, self._tiles_of(size).node)

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """From the tiles as they lie; the proof itself is what shows whether they are right."""
        return consistency_proof(old, new, self._tiles_of(new).node)

    def prove(self, index: int, cosigned: Cosigned) -> TlogProof:
        """The offline proof that travels with an entry: its path and the checkpoint with its cosignatures."""
        hashes = tuple(self.inclusion_proof(index, cosigned.checkpoint.size))
        return TlogProof(index=index, hashes=hashes, note=cosigned.note)

    def _tiles_of(self, size: int) -> TileTree:
        """The tree that was asked about last is kept: proofs are asked for in rows, under one checkpoint."""
        nodes = self._nodes
        if nodes.size != size:
            nodes = self._nodes = TileTree(size, self._store.read)
        return nodes


class TreeReader(TileTree):
    """One tree, tile by tile, each authenticated before use.

    1. The right-most partial tiles of all levels yield the root: it must be the checkpoint's. 2. Every full
    tile hashes to an item of the tile above it, which was authenticated before. 3. Every entry hashes to an
    item of its authenticated level-0 tile. A fault raises DamagedTile, a missing file NotStored.
    """

    def __init__(self, store: TileStore, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint.size, store.read)
        self.checkpoint = checkpoint
        self._store = store
        self._edge: dict[Tile, list[bytes]] | None = None

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Entries start..stop of this tree."""
        if not 0 <= start <= stop <= self.size:
            raise InvalidInput(f"no entries {start}..{stop} in a log of {self.size}", path="range")
        for index in range(start // TILE_WIDTH, -(-stop // TILE_WIDTH)):
            first = index * TILE_WIDTH
            yield from self._bundle(index)[max(0, start - first) : stop - first]

    def entry(self, index: int) -> bytes:
        """One entry of this tree."""
        return next(self.entries(index, index + 1))

    def inclusion_proof(self, index: int) -> list[bytes]:
        """From authenticated tiles: entry `index` in this tree."""
        return inclusion_proof(index, self.size, self.node)

    def consistency_proof(self, old: int) -> list[bytes]:
        """From authenticated tiles: the tree of `old` entries is a prefix of this one."""
        return consistency_proof(old, self.size, self.node)

    def load(self, tile: Tile) -> list[bytes]:
        """A tile of this tree, authenticated."""
        if self._edge is None:
            self._edge = self._load_edge()
        if tile in self._edge:
            return self._edge[tile]
        hashes = super().load(tile)
        above = 8 * ((tile.level or 0) + 1)
        if root_of_roots(perfect_roots(hashes)) != self.node(above, tile.index):
            raise DamagedTile(f"{tile.to_path()}: does not hash to its place in the tree")
        return hashes

    def _bundle(self, index: int) -> list[bytes]:
        tile = self.tile(0, index)
        bundle = Tile(level=None, index=index, width=tile.width)
        entries = load_bundle(bundle, self._store.read)
        for offset, (entry, expected) in enumerate(zip(entries, self.load(tile), strict=True)):
            if leaf_hash(entry) != expected:
                where = index * TILE_WIDTH + offset
                raise DamagedTile(f"{bundle.to_path()}: entry {where} is not the one in the tree")
        return entries

    def _load_edge(self) -> dict[Tile, list[bytes]]:
        edge: dict[Tile, list[bytes]] = {}
        roots: list[bytes] = []
        level, items = 0, self.size
        while items:
            if items % TILE_WIDTH:
                tile = Tile(level=level, index=items // TILE_WIDTH, width=items % TILE_WIDTH)
                edge[tile] = super().load(tile)
                roots = perfect_roots(edge[tile]) + roots
            level, items = level + 1, items // TILE_WIDTH
        if root_of_roots(roots) != self.checkpoint.root:
            names = ", ".join(tile.to_path() for tile in edge) or "no tile"
            raise DamagedTile(
                f"{names}: do not hash to the root of the checkpoint of size {self.size}"
            )
        return edge
