"""Tiles: the tree and its entries cut into files of 256, so that anybody can serve and cache them.

Source: C2SP tlog-tiles v0.1.0. Tile (level L, index N) holds the roots of perfect subtrees of height 8 * L,
numbers 256 * N and following; full tiles are 256 wide, the right-most of each level may be partial.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator, Sequence

import msgspec

from sekisho.ledger.tree import HASH_SIZE, fold_level
from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.ports.tile_store import NotStored

__all__ = [
    "CHECKPOINT_PATH",
    "MAX_BUNDLE_BYTES",
    "MAX_ENTRY_BYTES",
    "TILE_WIDTH",
    "DamagedTile",
    "Pyramid",
    "ReadFile",
    "Tile",
    "TileTree",
    "bundles_of_tree",
    "decode_bundle",
    "decode_hashes",
    "encode_bundle",
    "encode_hashes",
    "tiles_of_tree",
]

TILE_WIDTH = 256
MAX_ENTRY_BYTES = 65_535
MAX_HELD = 1000
MAX_PATH_LENGTH = 64  # of a tree with 2^63 entries: 47
MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
CHECKPOINT_PATH = "checkpoint"

ReadFile = Callable[[str, int], bytes]
"""Reads (path, limit in bytes); `TileStore.read`."""


class DamagedTile(VerificationError):
    """A tile or an entry bundle is not what the tree's root commits to. The message names the file."""

    code = "damaged-tile"

    def __init__(self, message: str) -> None:
        super().__init__(message, remedy="fetch it again, or take it from another copy of the log")


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A tile's name: level, or None for a bundle of entries, index, and how many items it holds (1..256)."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    def to_path(self) -> str:
        """The file's path, as `tile/0/x001/x234/067.p/8`."""
        level = "entries" if self.level is None else str(self.level)
        suffix = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_encode_index(self.index)}{suffix}"

    @classmethod
    def from_path(cls, path: str) -> Tile:
        """Read a path back, strictly: only the one spelling of each tile. Raises InvalidInput."""
        parts = path[: MAX_PATH_LENGTH + 1].split("/")
        try:
            level = None if parts[1] == "entries" else int(parts[1])
            width = int(parts.pop()) if parts[-2].endswith(".p") else TILE_WIDTH
            index = int("".join(part.removeprefix("x").removesuffix(".p") for part in parts[2:]))
            tile = cls(level=level, index=index, width=width)
        except (ValueError, IndexError):
            raise InvalidInput("not a tile path", path=path[:120]) from None
        in_range = 0 <= (level or 0) < 64 and 1 <= width <= TILE_WIDTH and index >= 0
        if not in_range or len(path) > MAX_PATH_LENGTH or tile.to_path() != path:
            raise InvalidInput("not a tile path", path=path[:120])
        return tile

    @property
    def full(self) -> Tile:
        return Tile(level=self.level, index=self.index)


def bundles_of_tree(size: int) -> Iterator[Tile]:
    """The entry bundles of a tree, left first."""
    for index in range(-(-size // TILE_WIDTH)):
        yield Tile(level=None, index=index, width=min(TILE_WIDTH, size - index * TILE_WIDTH))


def tiles_of_tree(size: int) -> Iterator[Tile]:
    """Every hash tile of a tree, level by level, left first."""
    level = 0
    while size:
        for bundle in bundles_of_tree(size):
            yield Tile(level=level, index=bundle.index, width=bundle.width)
        size //= TILE_WIDTH
        level += 1


def encode_hashes(hashes: Sequence[bytes]) -> bytes:
    """A tile's bytes: the hashes one after the other."""
    return b"".join(hashes)


def decode_hashes(data: bytes, width: int, *, path: str) -> list[bytes]:
    """The hashes of a tile that must hold exactly `width`. Raises DamagedTile."""
    if len(data) != width * HASH_SIZE:
        raise DamagedTile(
            f"{path}: {len(data)} bytes where {width} hashes take {width * HASH_SIZE}"
        )
    return [data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries one after the other, each behind its length in 16 bits, big-endian. Raises InvalidInput."""
    for at, entry in enumerate(entries):
        if len(entry) > MAX_ENTRY_BYTES:
            raise InvalidInput(
                f"entry {at} has {len(entry)} bytes; {MAX_ENTRY_BYTES} is the most", path="bundle"
            )
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def decode_bundle(data: bytes, count: int, *, path: str) -> list[bytes]:
    """Exactly `count` entries and nothing after them. Raises DamagedTile."""
    entries: list[bytes] = []
    position, end = 0, len(data)
    while position < end and len(entries) < count:
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if position > end or start > end:
            raise DamagedTile(f"{path}: entry {len(entries)} of the bundle is cut off")
        entries.append(data[start:position])
    if position != end or len(entries) != count:
        raise DamagedTile(f"{path}: does not hold exactly {count} entries")
    return entries


class Pyramid:
    """A tile folded up inside itself: its hashes, their parents, and so on to the tile's own root."""

    __slots__ = ("rows",)

    def __init__(self, hashes: Sequence[bytes]) -> None:
        self.rows = [list(hashes)]
        while len(self.rows[-1]) > 1:
            below = self.rows[-1]
            self.rows.append(fold_level(below[: len(below) & ~1]))


class TileTree:
    """The nodes of a tree of `size` leaves, read from its tiles; nothing is authenticated here.

    The newest thousand tiles are kept in memory.
    """

    def __init__(self, size: int, read: ReadFile) -> None:
        self.size = size
        self._read = read
        self._held: dict[tuple[int, int], Pyramid] = {}
        self._evicting = threading.Lock()

    def tile(self, level: int, index: int) -> Tile:
        """The tile's name in a tree of this size, its width included."""
        items = self.size >> (8 * level)
        return Tile(level=level, index=index, width=min(TILE_WIDTH, items - index * TILE_WIDTH))

    def pyramid(self, level: int, index: int) -> Pyramid:
        """A tile's nodes. Raises NotStored, DamagedTile."""
        held = self._held.get((level, index))
        if held is None:
            held = Pyramid(self.load(self.tile(level, index)))
            with self._evicting:  # many threads may read one tree; a full memory must not trip them
                while len(self._held) >= MAX_HELD:
                    self._held.pop(next(iter(self._held)), None)
                self._held[level, index] = held
        return held

    def load(self, tile: Tile) -> list[bytes]:
        """A tile's hashes from its file; a reader that trusts nobody authenticates them here."""
        return load_hashes(tile, self._read)

    def node(self, level: int, index: int) -> bytes:
        """The hash of node (level, index): a `NodeReader`."""
        height = level % 8
        pyramid = self.pyramid(level // 8, (index << height) // TILE_WIDTH)
        return pyramid.rows[height][index % (TILE_WIDTH >> height)]


def load_hashes(tile: Tile, read: ReadFile) -> list[bytes]:
    """A tile's hashes from its file; a partial tile that was tidied away is cut from the full one."""
    return decode_hashes(*_read_or_full(tile, read, TILE_WIDTH * HASH_SIZE), path=tile.to_path())[
        : tile.width
    ]


def load_bundle(tile: Tile, read: ReadFile) -> list[bytes]:
    """A bundle's entries from its file, or from the full bundle where the partial one is gone."""
    return decode_bundle(*_read_or_full(tile, read, MAX_BUNDLE_BYTES), path=tile.to_path())[
        : tile.width
    ]


def _read_or_full(tile: Tile, read: ReadFile, limit: int) -> tuple[bytes, int]:
    try:
        return read(tile.to_path(), limit), tile.width
    except NotStored as missing:
        if tile.width == TILE_WIDTH:
            raise
        try:
            return read(tile.full.to_path(), limit), TILE_WIDTH
        except NotStored:
            raise missing from None  # named is the file that the tree of this size promises
    except InvalidInput as error:  # longer than any file of its kind may be
        raise DamagedTile(error.message) from None


def _encode_index(index: int) -> str:
    parts = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        parts.append(f"x{index % 1000:03d}")
    return "/".join(reversed(parts))
