from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.ledger.edge import RightEdge
from sekisho.ledger.tiles import (
    DamagedTile,
    Tile,
    TileTree,
    bundles_of_tree,
    decode_bundle,
    decode_hashes,
    encode_bundle,
    encode_hashes,
    load_bundle,
    tiles_of_tree,
)
from sekisho.ledger.tree import Frontier, leaf_hash
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.ports.tile_store import NotStored
from tests.ledger.logs import MemoryTiles, numbered

GOLDEN_PATHS = [
    (Tile(level=0, index=0), "tile/0/000"),
    (Tile(level=0, index=0, width=7), "tile/0/000.p/7"),
    (Tile(level=3, index=1234067), "tile/3/x001/x234/067"),
    (Tile(level=0, index=1234067, width=8), "tile/0/x001/x234/067.p/8"),
    (Tile(level=63, index=999), "tile/63/999"),
    (Tile(level=None, index=1000), "tile/entries/x001/000"),
    (Tile(level=None, index=273, width=112), "tile/entries/273.p/112"),
]


@pytest.mark.parametrize(("tile", "path"), GOLDEN_PATHS)
def test_tile_paths_match_golden_ones(tile: Tile, path: str) -> None:
    """Paths are those of tlog-tiles, there and back."""
    assert tile.to_path() == path
    assert Tile.from_path(path) == tile


@given(
    st.one_of(st.none(), st.integers(min_value=0, max_value=63)),
    st.integers(min_value=0, max_value=2**55),
    st.integers(min_value=1, max_value=256),
)
def test_every_tile_path_reads_back(level: int | None, index: int, width: int) -> None:
    """No two tiles share a path."""
    tile = Tile(level=level, index=index, width=width)
    assert Tile.from_path(tile.to_path()) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0", "checkpoint", "tile/64/000", "tile/-1/000", "tile/00/000", "tile/0/0",
        "tile/0/x001", "tile/0/001/000", "tile/0/x000/000", "tile/0/000.p/256", "tile/0/000.p/0",
        "tile/0/000.p/07", "tile/0/../000", "tile/0/٠٠٠", "tile/0/000/", "/tile/0/000", "tile/1e1/000",
    ],
)  # fmt: skip
def test_other_spellings_of_a_tile_path_are_refused(path: str) -> None:
    """A path that is not the one spelling of a tile is bad input."""
    with pytest.raises(InvalidInput):
        Tile.from_path(path)


def test_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    """The worked example of tlog-tiles: 273 full and a partial of 112, one full and 17, one of width 1."""
    by_level: dict[int | None, list[int]] = {}
    for tile in tiles_of_tree(70_000):
        by_level.setdefault(tile.level, []).append(tile.width)
    assert by_level == {0: [256] * 273 + [112], 1: [256, 17], 2: [1]}


def test_tree_of_256_has_a_full_tile_and_one_of_width_one() -> None:
    """A full tile is carried into the level above at once."""
    assert [tile.to_path() for tile in tiles_of_tree(256)] == ["tile/0/000", "tile/1/000.p/1"]


@given(st.lists(st.binary(max_size=40), max_size=256))
def test_bundle_goes_there_and_back(entries: list[bytes]) -> None:
    """Entries of any length, empty ones too, come out as they went in."""
    assert decode_bundle(encode_bundle(entries), len(entries), path="p") == entries


def test_bundle_matches_its_golden_bytes() -> None:
    """Lengths are 16 bits, big-endian."""
    assert encode_bundle([b"a", b"bc" * 129]) == b"\x00\x01a\x01\x02" + b"bc" * 129


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"", 1), (b"\x00", 1), (b"\x00\x02a", 1), (b"\x00\x01a\x00", 1), (b"\x00\x01a\x00\x01b", 1),
        (b"\x00\x01a", 2), (b"\x00\x01a", 0), (b"\x00\x01a\x00", 2),
    ],
)  # fmt: skip
def test_cut_or_overlong_bundle_is_damaged(data: bytes, count: int) -> None:
    """A bundle holds exactly its entries and not a byte more or less."""
    with pytest.raises(DamagedTile):
        decode_bundle(data, count, path="p")


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=256))
def test_hash_tile_goes_there_and_back(hashes: list[bytes]) -> None:
    """Hashes come out as they went in, and never under another width."""
    data = encode_hashes(hashes)
    assert decode_hashes(data, len(hashes), path="p") == hashes
    with pytest.raises(DamagedTile):
        decode_hashes(data, len(hashes) + 1, path="p")


@given(st.lists(st.integers(min_value=0, max_value=300), max_size=6))
def test_edge_grown_in_steps_writes_what_one_step_writes(steps: list[int]) -> None:
    """However a log is cut into batches, tiles of its last size and its root are the same."""
    entries = numbered(sum(steps))
    files: dict[str, bytes] = {}
    edge, start = RightEdge.empty(), 0
    for step in steps:
        edge, more = edge.extended(entries[start : start + step])
        files.update(more)
        start += step
    whole, at_once = RightEdge.empty().extended(entries)
    frontier = Frontier()
    frontier.extend(leaf_hash(entry) for entry in entries)
    assert edge.root() == whole.root() == frontier.root()
    assert {path: files[path] for path, _ in at_once} == dict(at_once)
    wanted = {t.to_path() for t in (*tiles_of_tree(len(entries)), *bundles_of_tree(len(entries)))}
    assert wanted == {path for path, _ in at_once}


def test_edge_crosses_three_levels_of_tiles() -> None:
    """A log of 65,537 entries has a level-2 tile, and its edge reads back from the tiles alone."""
    edge, files = RightEdge.empty().extended(numbered(65_537))
    store = MemoryTiles(dict(files))
    assert "tile/2/000.p/1" in store.files
    again = RightEdge.load(edge.size, edge.root(), store.read)
    assert (again.bundle, again.rows) == (edge.bundle, edge.rows)
    nodes = TileTree(edge.size, store.read)
    assert nodes.node(16, 0) == edge.rows[2][0]
    assert nodes.node(0, 65_536) == leaf_hash(b"entry 65536")


def test_edge_of_other_tiles_is_corrupt() -> None:
    """Tiles that do not give the database's root are not built upon."""
    edge, files = RightEdge.empty().extended(numbered(5))
    store = MemoryTiles(dict(files))
    with pytest.raises(Corrupt):
        RightEdge.load(5, bytes(32), store.read)
    store.files["tile/entries/000.p/5"] = encode_bundle([b"x"] * 5)
    with pytest.raises(Corrupt):
        RightEdge.load(5, edge.root(), store.read)


def test_partial_tile_that_was_tidied_away_is_cut_from_the_full_one() -> None:
    """A reader of an older size finds its items in the full file."""
    _, files = RightEdge.empty().extended(numbered(256))
    store = MemoryTiles(dict(files))
    assert load_bundle(Tile(level=None, index=0, width=3), store.read) == numbered(3)
    with pytest.raises(NotStored):
        load_bundle(Tile(level=None, index=1, width=3), store.read)
