"""From sequenced entries to tiles and head, and back from damage."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.ledger import integrator as integrator_module
from sekisho.ledger import leaf_hash
from sekisho.ledger.integrator import STEP, Integrator
from sekisho.ledger.tree import EMPTY_ROOT, Frontier
from sekisho.model.errors import Corrupt, StateConflict, Unavailable
from sekisho.ports.log_store import Recorded, TreeHead
from tests.ledger.logs import MemoryTiles, tiled
from tests.ledger.memory_store import MemoryLogStore


def rows(start: int, stop: int, text: str = "entry") -> list[Recorded]:
    """Entries start..stop as the sequencer would record them."""
    return [
        Recorded(index=n, leaf_hash=leaf_hash(envelope), envelope=envelope)
        for n in range(start, stop)
        for envelope in [f"{text} {n}".encode()]
    ]


def root_of(entries: Sequence[Recorded]) -> bytes:
    """The root over these, by the slow way."""
    frontier = Frontier()
    frontier.extend(leaf_hash(entry.envelope) for entry in entries)
    return frontier.root()


class Database(MemoryLogStore):
    """Counts what is read back, and says wrong hashes where told to."""

    def __init__(self, size: int = 0) -> None:
        super().__init__()
        self.reads: list[tuple[int, int]] = []
        self.lies = False
        self.sequence(0, rows(0, size))

    def load_entries(self, start: int, stop: int) -> list[Recorded]:
        self.reads.append((start, stop))
        found = super().load_entries(start, stop)
        return (
            [msgspec.structs.replace(e, leaf_hash=bytes(32)) for e in found] if self.lies else found
        )


class Tiles(MemoryTiles):
    """Remembers each writing, and refuses where told to."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []
        self.refuses_writes = False
        self.refuses_reads = False

    def read(self, path: str, limit: int) -> bytes:
        if self.refuses_reads:
            raise Unavailable(f"{path} cannot be read: input/output error")
        return super().read(path, limit)

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        if self.refuses_writes:
            raise Unavailable("no space left")
        self.written += [path for path, _ in files]
        super().write_all(files)


def expected_files(size: int) -> dict[str, bytes]:
    """The files of the tree of `size` entries written in one go, without a checkpoint."""
    files = tiled(entry.envelope for entry in rows(0, size)).files
    del files["checkpoint"]
    return files


def needed(tiles: MemoryTiles, size: int) -> dict[str, bytes]:
    """What a store holds of the files that a tree of `size` needs."""
    return {path: tiles.files[path] for path in expected_files(size) if path in tiles.files}


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, STEP - 1, STEP, STEP + 1])
def test_integrating_writes_the_tiles_and_moves_the_head(size: int) -> None:
    """At the borders of tiles and of steps the tree is the one that the entries make, and the database says so."""
    store, tiles = Database(size), Tiles()
    head = Integrator(store=store, tiles=tiles).integrate(size)
    assert head == store.load_head() == TreeHead(size=size, root=root_of(rows(0, size)))
    assert needed(tiles, size) == expected_files(size)


@given(sizes=st.lists(st.integers(0, 700), max_size=6), step=st.sampled_from([50, 256, 300]))
def test_however_it_grows_it_is_one_tree(sizes: list[int], step: int) -> None:
    """Any partition of the entries into integrations and steps gives the same tiles and the same root."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(integrator_module, "STEP", step)
        store, tiles = Database(), Tiles()
        integrator = Integrator(store=store, tiles=tiles)
        for size in sorted(sizes):
            store.sequence(store.load_size(), rows(store.load_size(), size))
            head = integrator.integrate(size)
            assert head.root == root_of(rows(0, size))
        last = max(sizes, default=0)
        assert needed(tiles, last) == expected_files(last)


def test_integrating_to_a_smaller_size_changes_nothing() -> None:
    """A head never goes back."""
    store, tiles = Database(9), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    head = integrator.integrate(9)
    tiles.written.clear()
    assert integrator.integrate(4) == integrator.head == head
    assert tiles.written == []


def test_what_was_offered_is_not_read_back() -> None:
    """The sequencer's own rows go into the tree without a look into the database."""
    store, tiles = Database(), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    for start, stop in ((0, 3), (3, 300), (300, 301)):
        store.sequence(start, rows(start, stop))
        integrator.offer(rows(start, stop))
    assert integrator.integrate(301).root == root_of(rows(0, 301))
    assert store.reads == []


def test_offered_rows_with_a_hole_are_read_from_the_database() -> None:
    """A group whose commit was in doubt was never offered: nothing is taken for its neighbour."""
    store, tiles = Database(20), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    integrator.offer(rows(0, 5))
    integrator.offer(rows(9, 20))
    assert integrator.integrate(20).root == root_of(rows(0, 20))
    assert store.reads == [(0, 20)]


def test_the_rows_before_a_hole_are_taken_as_offered() -> None:
    """A hole further on does not matter to what lies before it; what follows it is read."""
    store, tiles = Database(20), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    integrator.offer(rows(0, 12))
    assert integrator.integrate(5).size == 5
    integrator.offer(rows(15, 20))
    assert integrator.integrate(20).root == root_of(rows(0, 20))
    assert store.reads == [(5, 20)]


def test_more_than_a_step_is_not_kept_in_memory() -> None:
    """Where nobody integrates, the rows are let go and later read in steps."""
    store, tiles = Database(2 * STEP + 2), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    integrator.offer(rows(0, STEP + 1))
    integrator.offer(rows(STEP + 1, 2 * STEP + 2))
    assert integrator.integrate(2 * STEP + 2).root == root_of(rows(0, 2 * STEP + 2))
    assert store.reads == [(0, STEP), (STEP, 2 * STEP)]


@pytest.mark.parametrize("size", [0, 1, 200, 256, 257, 300, 600])
@pytest.mark.parametrize("held", ["in memory", "in tiles", "nowhere"])
def test_any_root_is_computed_without_a_write(size: int, held: str) -> None:
    """The root of a smaller or larger tree than the head's, with tiles or without, and the folder as it was."""
    store, tiles = Database(600), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    integrator.integrate(300)
    if held != "in memory":
        integrator = Integrator(store=store, tiles=tiles)
    if held == "nowhere":
        tiles.files.clear()
    before = dict(tiles.files)
    tiles.written.clear()
    assert integrator.root_at(size) == root_of(rows(0, size))
    assert (tiles.files, tiles.written) == (before, [])
    assert store.load_head().size == 300


def test_a_root_beyond_the_entries_is_refused() -> None:
    """What the database does not hold has no root."""
    with pytest.raises(Corrupt, match="does not hold entries"):
        Integrator(store=Database(5), tiles=Tiles()).root_at(6)


def test_a_root_behind_a_damaged_tile_comes_from_the_database() -> None:
    """A full tile that is gone does not stop the question; nothing is written to answer it."""
    store, tiles = Database(600), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    integrator.integrate(600)
    del tiles.files["tile/0/001"]
    tiles.written.clear()
    assert integrator.root_at(500) == root_of(rows(0, 500))
    assert tiles.written == []


def partial(tiles: MemoryTiles) -> set[str]:
    """The partial tiles in a store."""
    return {path for path in tiles.files if ".p/" in path}


def test_partial_tiles_go_only_when_a_checkpoint_covers_the_full_one() -> None:
    """Readers of the older checkpoint find its tiles until the newer one is published."""
    store, tiles = Database(600), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    integrator.integrate(200)
    integrator.integrate(600)
    old = {"tile/0/000.p/200", "tile/entries/000.p/200"}
    new = {"tile/0/002.p/88", "tile/entries/002.p/88", "tile/1/000.p/2"}
    assert partial(tiles) == old | new
    integrator.drop_partial_tiles()
    assert partial(tiles) == new
    assert {"tile/0/000", "tile/entries/000"} <= set(tiles.files)


def test_partial_tiles_of_the_upper_levels_go_too() -> None:
    """A level-1 tile that is filled by a batch from a tile's border leaves no partial form behind."""
    store, tiles = Database(65_536), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    integrator.integrate(65_280)
    assert partial(tiles) >= {"tile/1/000.p/255"}
    integrator.integrate(65_536)
    integrator.drop_partial_tiles()
    assert not {path for path in partial(tiles) if path.startswith("tile/1/000")}
    assert {"tile/1/000", "tile/2/000.p/1"} <= set(tiles.files)


def test_dropping_twice_takes_nothing_more() -> None:
    """A tile that is still partial stays, however often a checkpoint is published."""
    store, tiles = Database(300), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    integrator.integrate(300)
    for _ in range(2):
        integrator.drop_partial_tiles()
    assert needed(tiles, 300) == expected_files(300)


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"])
@pytest.mark.parametrize("damage", ["gone", "cut off", "one bit", "far too long"])
def test_damaged_tiles_of_the_edge_are_written_again(path: str, damage: str) -> None:
    """Whatever happened to a file that the next entry needs, the database gives every file back, byte for byte."""
    store, tiles = Database(310), Tiles()
    Integrator(store=store, tiles=tiles).integrate(300)
    good = dict(tiles.files)
    if damage == "gone":
        del tiles.files[path]
    elif damage == "cut off":
        tiles.files[path] = good[path][:-1]
    elif damage == "one bit":
        tiles.files[path] = bytes([good[path][0] ^ 1, *good[path][1:]])
    else:
        tiles.files[path] = good[path] + bytes(20_000_000)
    again = Integrator(store=store, tiles=tiles)
    assert again.head.size == 300
    assert tiles.files == good
    assert again.integrate(310).root == root_of(rows(0, 310))


def test_nothing_is_written_where_the_database_contradicts_its_head() -> None:
    """The first pass compares the root; only the second writes."""
    store, tiles = Database(300), Tiles()
    Integrator(store=store, tiles=tiles).integrate(300)
    store._rows.entries[7] = rows(7, 8, "another")[0]
    del tiles.files["tile/0/001.p/44"]
    before = dict(tiles.files)
    tiles.written.clear()
    with pytest.raises(Corrupt, match="neither tiles nor database") as caught:
        Integrator(store=store, tiles=tiles).integrate(300)
    assert "backup" in caught.value.remedy
    assert (tiles.files, tiles.written) == (before, [])


def test_a_rebuild_does_not_trust_the_hash_column() -> None:
    """What is written again comes from the entries themselves."""
    store, tiles = Database(300), Tiles()
    Integrator(store=store, tiles=tiles).integrate(300)
    tiles.files.clear()
    store.lies = True
    assert Integrator(store=store, tiles=tiles).head.root == root_of(rows(0, 300))
    assert tiles.files == expected_files(300)


def test_a_folder_that_cannot_be_read_is_not_rebuilt() -> None:
    """A disk that fails for the moment is no damage: nothing is written over what may be good."""
    store, tiles = Database(310), Tiles()
    Integrator(store=store, tiles=tiles).integrate(300)
    tiles.written.clear()
    tiles.refuses_reads = True
    with pytest.raises(Unavailable, match="input/output"):
        Integrator(store=store, tiles=tiles).integrate(310)
    assert tiles.written == []


def test_a_database_without_its_entries_is_corrupt() -> None:
    """Entries that have an index and are not there stop the log."""
    with pytest.raises(Corrupt, match="entries 0 to 9") as caught:
        Integrator(store=Database(5), tiles=Tiles()).integrate(9)
    assert "backup" in caught.value.remedy


def test_a_full_disk_leaves_the_head_and_is_overcome() -> None:
    """Tiles that could not be written are written at the next call, from the same entries."""
    store, tiles = Database(), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    store.sequence(0, rows(0, 9))
    integrator.offer(rows(0, 9))
    tiles.refuses_writes = True
    with pytest.raises(Unavailable):
        integrator.integrate(9)
    assert store.load_head() == TreeHead(size=0, root=EMPTY_ROOT)
    tiles.refuses_writes = False
    assert integrator.integrate(9).root == root_of(rows(0, 9))


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
def test_a_swap_of_unknown_outcome_is_overcome(applied: bool) -> None:
    """Whether the database moved its head before it failed is read from it, not guessed."""
    store, tiles = Database(9), Tiles()
    integrator = Integrator(store=store, tiles=tiles)

    def fail(name: str, done: bool) -> None:
        if (name, done) == ("swap_head", applied):
            raise Unavailable("the connection is gone")

    store.on_step = fail
    with pytest.raises(Unavailable):
        integrator.integrate(9)
    assert store.load_head().size == (9 if applied else 0)
    store.on_step = lambda name, done: None
    assert integrator.integrate(9).root == store.load_head().root == root_of(rows(0, 9))


def test_a_head_that_another_process_moved_is_a_conflict() -> None:
    """Compare-and-swap: two writers cannot both grow one head."""
    store, tiles = Database(9), Tiles()
    mine, other = Integrator(store=store, tiles=tiles), Integrator(store=store, tiles=tiles)
    assert mine.head == other.head
    other.integrate(5)
    with pytest.raises(StateConflict):
        mine.integrate(9)
    assert mine.integrate(9).root == root_of(rows(0, 9))


def test_what_is_forgotten_is_read_anew() -> None:
    """After `forget` neither edge nor offered rows of before are used."""
    store, tiles = Database(9), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    integrator.integrate(4)
    integrator.offer(rows(4, 9, "never sequenced"))
    integrator.forget()
    assert integrator.integrate(9).root == root_of(rows(0, 9))


def test_the_hint_says_how_far_the_tree_is() -> None:
    """Whoever asks how much waits for its tiles needs no lock."""
    store, tiles = Database(9), Tiles()
    integrator = Integrator(store=store, tiles=tiles)
    integrator.integrate(4)
    assert integrator.size_hint == 4
    again = Integrator(store=store, tiles=tiles)
    assert again.head.size == again.size_hint == 4
