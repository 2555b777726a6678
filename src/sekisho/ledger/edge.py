"""The right edge of a growing log: the bundle and tiles that are not full yet. Write side only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sekisho.ledger.tiles import (
    TILE_WIDTH,
    ReadFile,
    Tile,
    encode_bundle,
    encode_hashes,
    load_bundle,
    load_hashes,
)
from sekisho.ledger.tree import fold_level, leaf_hash, perfect_roots, root_of_roots
from sekisho.model.errors import Corrupt

__all__ = ["RightEdge", "TileFile"]

TileFile = tuple[str, bytes]
"""A path in the tile store and the bytes that belong there."""


class RightEdge:
    """A tree of `size` leaves, as much of it as appending needs. Never changed: `extended` yields the next one.

    `bundle` are the entries of the unfinished bundle, `rows` the hashes of each level's unfinished tile.
    """

    __slots__ = ("bundle", "rows", "size")

    def __init__(self, size: int, bundle: Sequence[bytes], rows: Sequence[Sequence[bytes]]) -> None:
        self.size = size
        self.bundle = tuple(bundle)
        self.rows = tuple(tuple(row) for row in rows)

    @classmethod
    def empty(cls) -> RightEdge:
        return cls(0, (), ())

    @classmethod
    def load(cls, size: int, root: bytes, read: ReadFile) -> RightEdge:
        """The edge of the tree (size, root) from its tiles. Raises Corrupt where they do not yield the root."""
        rows: list[list[bytes]] = []
        bundle: list[bytes] = []
        items, level = size, 0
        while items:
            tile = Tile(level=level, index=items // TILE_WIDTH, width=items % TILE_WIDTH)
            rows.append(load_hashes(tile, read) if tile.width else [])
            items, level = items // TILE_WIDTH, level + 1
        if size % TILE_WIDTH:
            bundle = load_bundle(
                Tile(level=None, index=size // TILE_WIDTH, width=size % TILE_WIDTH), read
            )
        edge = cls(size, bundle, rows)
        if edge.root() != root or [leaf_hash(entry) for entry in bundle] != (
            rows[0] if rows else []
        ):
            raise Corrupt(f"the tiles do not give the root that the database holds for size {size}")
        return edge

    def root(self) -> bytes:
        roots: list[bytes] = []
        for row in self.rows:
            roots = perfect_roots(row) + roots
        return root_of_roots(roots)

    def extended(self, entries: Iterable[bytes]) -> tuple[RightEdge, list[TileFile]]:
        """The edge after these entries, and every file that the larger tree needs and the smaller did not."""
        return self.grown((entry, leaf_hash(entry)) for entry in entries)

    def grown(self, entries: Iterable[tuple[bytes, bytes]]) -> tuple[RightEdge, list[TileFile]]:
        """`extended` for entries whose leaf hashes are known: pairs of (entry, leaf hash)."""
        growth = _Growth(self)
        for entry, leaf in entries:
            growth.append(entry, leaf)
        return growth.finish()


class _Growth:
    """One extension under way."""

    def __init__(self, edge: RightEdge) -> None:
        self._size = edge.size
        self._bundle = list(edge.bundle)
        self._rows = [list(row) for row in edge.rows]
        self._widths = [len(row) for row in edge.rows]
        self._files: list[TileFile] = []

    def append(self, entry: bytes, leaf: bytes) -> None:
        self._bundle.append(entry)
        self._size += 1
        if len(self._bundle) == TILE_WIDTH:
            self._write_bundle(self._size // TILE_WIDTH - 1)
            self._bundle = []
        self._add(0, leaf)

    def finish(self) -> tuple[RightEdge, list[TileFile]]:
        if self._bundle:
            self._write_bundle(self._size // TILE_WIDTH)
        for level, row in enumerate(self._rows):
            if row and len(row) != self._widths[level]:
                self._write_tile(level, self._size >> (8 * (level + 1)), row)
        return RightEdge(self._size, self._bundle, self._rows), self._files

    def _add(self, level: int, node: bytes) -> None:
        if level == len(self._rows):
            self._rows.append([])
            self._widths.append(0)
        row = self._rows[level]
        row.append(node)
        if len(row) < TILE_WIDTH:
            return
        self._write_tile(level, (self._size >> (8 * (level + 1))) - 1, row)
        self._rows[level], self._widths[level] = [], 0
        while len(row) > 1:
            row = fold_level(row)
        self._add(level + 1, row[0])

    def _write_bundle(self, index: int) -> None:
        tile = Tile(level=None, index=index, width=len(self._bundle))
        self._files.append((tile.to_path(), encode_bundle(self._bundle)))

    def _write_tile(self, level: int, index: int, row: list[bytes]) -> None:
        tile = Tile(level=level, index=index, width=len(row))
        self._files.append((tile.to_path(), encode_hashes(row)))
