from __future__ import annotations

import random
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.ledger import Checkpoint, Cosigned, DamagedTile, LogReader, check_log
from sekisho.ledger.copying import (
    CopyDiverged,
    CopyPace,
    PublishedCopy,
    compare_copy,
    complete_copy,
    tiles_between,
)
from sekisho.ledger.tiles import bundles_of_tree, tiles_of_tree
from sekisho.model.errors import SekishoError, Unavailable
from tests.ledger import reference
from tests.ledger.logs import LOG, W1, W2, MemoryTiles, numbered, policy, signed, tiled

KEYS = (LOG.verifier,)
SIGNERS = (LOG, W1, W2)
ENTRIES = numbered(70_000)
LEAVES = [reference.leaf(entry) for entry in ENTRIES[:2000]]
QUICK = CopyPace(retry_s=0.01, retry_most_s=0.01)
sizes = st.integers(min_value=0, max_value=70_000)


def root_at(size: int) -> bytes:
    """The root of the first `size` numbered entries."""
    return reference.mth(LEAVES[:size])


def source(size: int) -> MemoryTiles:
    """A published log of that many numbered entries."""
    return tiled(ENTRIES[:size], SIGNERS)


def published(store: MemoryTiles) -> Cosigned:
    """Its checkpoint, as the publisher hands it on."""
    return LogReader(store).load_checkpoint(policy())


def bring(copy: MemoryTiles, size: int, held: int = 0) -> MemoryTiles:
    """Complete a copy to `size`; the source."""
    store = source(size)
    complete_copy(store, copy, held, published(store))
    return store


class Counting(MemoryTiles):
    """A copy that remembers every write in order."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        super().__init__(files)
        self.written: list[str] = []

    def write(self, path: str, data: bytes) -> None:
        self.written.append(path)
        super().write(path, data)

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        for path, data in files:
            self.write(path, data)


class Silent(MemoryTiles):
    """A copy whose store does not answer."""

    def read(self, path: str, limit: int) -> bytes:
        raise Unavailable("no answer")

    def exists(self, path: str) -> bool:
        raise Unavailable("no answer")


def keeper(
    store: MemoryTiles, copy: MemoryTiles, refused: list[SekishoError] | None = None
) -> PublishedCopy:
    """A published copy in its thread, quick to try again."""
    refuse = (lambda _: None) if refused is None else refused.append
    return PublishedCopy(source=store, copy=copy, keys=KEYS, refuse=refuse, pace=QUICK)


@given(sizes, sizes)
def test_what_lies_between_two_sizes_is_what_the_larger_tree_adds(one: int, other: int) -> None:
    """The tiles between two sizes are those of the larger tree that the smaller one has not, each once."""
    old, new = sorted((one, other))
    of_old = {*tiles_of_tree(old), *bundles_of_tree(old)}
    of_new = {*tiles_of_tree(new), *bundles_of_tree(new)}
    between = list(tiles_between(old, new))
    assert len(between) == len(set(between))
    assert set(between) == of_new - of_old


@pytest.mark.parametrize("size", [0, 1, 7, 256, 257, 600, 65_537])
def test_copy_from_nothing_is_the_log_byte_for_byte(size: int) -> None:
    """An empty place becomes the whole log, and passes its own check under the policy."""
    copy = MemoryTiles()
    assert copy.files is not source(size).files
    assert bring(copy, size).files == copy.files
    assert check_log(copy, policy()).holds


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=700), min_size=1, max_size=6))
def test_copy_that_grew_in_steps_holds_what_one_step_holds(steps: list[int]) -> None:
    """However often it was completed on the way, the copy has every file of its last size and the same bytes."""
    copy, held = MemoryTiles(), 0
    for step in steps:
        store = bring(copy, held + step, held)
        held += step
    assert store.files.items() <= copy.files.items()
    assert check_log(copy, policy()).holds
    left = {path for path in copy.files if path not in store.files}
    assert all(".p/" in path for path in left)
    # A partial form of a tile that is full by now was taken away.
    assert not {path.partition(".p/")[0] for path in left} & set(store.files)


def test_checkpoint_is_written_last_and_what_is_there_is_not_written_again() -> None:
    """From 300 to 600 entries only the grown tiles are written, then the checkpoint, then nothing."""
    copy = Counting()
    bring(copy, 300)
    copy.written.clear()
    bring(copy, 600, 300)
    assert copy.written[-1] == "checkpoint"
    assert sorted(copy.written[:-1]) == [
        "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/88",
    ]  # fmt: skip
    copy.written.clear()
    bring(copy, 600, 600)
    assert copy.written == []


def test_more_cosignatures_on_the_same_tree_are_copied() -> None:
    """A note of the same size with one more cosignature replaces the one before."""
    copy, store = MemoryTiles(), tiled(numbered(5), (LOG, W1))
    complete_copy(store, copy, 0, LogReader(store).load_checkpoint(policy("any")))
    store = bring(copy, 5, 5)
    assert copy.files["checkpoint"] == store.files["checkpoint"]


def test_partial_tile_that_was_tidied_away_meanwhile_is_cut_from_the_full_one() -> None:
    """The log went on and dropped the partial files of the head that is being copied; the copy is right."""
    store = source(300)
    cosigned = published(store)
    later = MemoryTiles(store.files | source(600).files)
    for path in ("tile/0/001", "tile/entries/001"):
        later.drop_folder(f"{path}.p")
    copy = MemoryTiles()
    complete_copy(later, copy, 0, cosigned)
    assert copy.files == store.files


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/001.p/44", "tile/1/000.p/1"])
def test_damaged_file_of_ours_never_reaches_the_copys_checkpoint(path: str) -> None:
    """A flipped bit on our disk stops the copy where it was; what readers have stays whole."""
    store, copy = source(300), MemoryTiles(dict(source(200).files))
    cosigned = published(store)
    data = bytearray(store.files[path])
    data[-1] ^= 1
    store.files[path] = bytes(data)
    with pytest.raises(DamagedTile):
        complete_copy(store, copy, 0, cosigned)
    assert copy.files["checkpoint"] == source(200).files["checkpoint"]
    assert check_log(copy, policy()).holds


def test_empty_copy_and_every_prefix_compare() -> None:
    """Nothing, the empty tree, any smaller size and the same size are fine to go on from."""
    assert compare_copy(MemoryTiles(), KEYS, 10, root_at) is None
    for size in (0, 1, 9, 10):
        held = compare_copy(source(size), KEYS, 10, root_at)
        assert held is not None
        assert held.size == size


def test_copy_ahead_of_the_database_says_which_is_newer_and_what_to_do() -> None:
    """Eleven entries in the copy and ten in the database: an old backup, and the remedy names the way back."""
    with pytest.raises(CopyDiverged) as caught:
        compare_copy(source(11), KEYS, 10, root_at)
    assert "the copy is newer: it has size 11, the database only 10" in str(caught.value)
    assert "restore the newest database" in caught.value.remedy


def test_copy_of_another_tree_is_refused() -> None:
    """The same size with another root is a fork, whichever came first."""
    other = tiled([*numbered(9), b"other"], SIGNERS)
    with pytest.raises(CopyDiverged, match="another tree"):
        compare_copy(other, KEYS, 10, root_at)
    with pytest.raises(CopyDiverged, match="another tree"):
        compare_copy(other, KEYS, 12, root_at)


@pytest.mark.parametrize("note", [b"", b"nonsense", b"\xff" * 80, b"x" * (1024 * 1024 + 1)])
def test_copy_whose_checkpoint_is_no_note_is_refused(note: bytes) -> None:
    """Something else than our checkpoint lies there: it is not overwritten."""
    with pytest.raises(CopyDiverged, match="not ours"):
        compare_copy(MemoryTiles({"checkpoint": note}), KEYS, 10, root_at)


def test_keeper_brings_the_newest_head_and_passes_over_the_ones_between() -> None:
    """Heads handed over quickly need not all be copied; the last one is."""
    copy, store = Counting(), source(600)
    middle = [published(source(size)) for size in (10, 300)]
    with keeper(store, copy) as keeping:
        for cosigned in [*middle, published(store)]:
            keeping.take_published(cosigned)
        keeping.wait_copied(600, 10)
        assert (keeping.problem, keeping.size) == ("", 600)
    assert copy.files["checkpoint"] == store.files["checkpoint"]
    assert check_log(copy, policy()).holds


def test_keeper_completes_a_copy_that_is_behind() -> None:
    """A copy left at 300 entries by an earlier process goes on from there."""
    copy, store = Counting(dict(source(300).files)), source(600)
    with keeper(store, copy) as keeping:
        keeping.take_published(published(store))
        keeping.wait_copied(600, 10)
    assert "tile/0/000" not in copy.written
    assert check_log(copy, policy()).holds


def test_keeper_tries_again_while_the_store_does_not_answer() -> None:
    """An outage is a problem that is told, and over when the store is back."""

    class Flaky(MemoryTiles):
        fails = 3

        def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
            if self.fails:
                self.fails -= 1
                raise Unavailable("out of order", remedy="wait")
            super().write_all(files)

    copy, store, told = Flaky(), source(300), list[str]()
    with keeper(store, copy) as keeping:
        keeping.take_published(published(store))
        while not told and keeping.size == 0:
            told += [keeping.problem] if keeping.problem else []
        keeping.wait_copied(300, 10)
        assert keeping.problem == ""
    assert told == ["out of order; wait"]
    assert copy.fails == 0


def test_keeper_ends_and_refuses_where_the_copy_is_ahead() -> None:
    """What the start could not compare is compared before the first write, and the log is told to stop."""
    copy, store, refused = Counting(dict(source(600).files)), source(300), list[SekishoError]()
    with keeper(store, copy, refused) as keeping:
        keeping.take_published(published(store))
        thread = keeping._thread
        assert thread is not None
        thread.join(10)
        assert [type(error) for error in refused] == [CopyDiverged]
        assert "the copy is newer" in keeping.problem
        with pytest.raises(Unavailable, match="newer"):
            keeping.wait_copied(300, 0)
    assert copy.written == []


def test_start_compares_with_the_database() -> None:
    """At start the copy is held against the database's own tree; without an answer that is told as such."""
    copy = source(10)
    keeping = keeper(source(7), copy)
    held = keeping.compare_at_start(12, root_at)
    assert held == Checkpoint(origin=LOG.name, size=10, root=root_at(10))
    with pytest.raises(CopyDiverged):
        keeping.compare_at_start(9, root_at)
    with pytest.raises(Unavailable):
        keeper(source(7), Silent()).compare_at_start(12, root_at)


def test_stopping_does_not_wait_for_an_outage_to_end() -> None:
    """A keeper that waits to try again ends at once when asked."""
    slow = CopyPace(retry_s=600, retry_most_s=600)
    keeping = PublishedCopy(
        source=source(7), copy=Silent(), keys=KEYS, refuse=lambda _: None, pace=slow
    )
    keeping.start()
    keeping.take_published(published(source(7)))
    while not keeping.problem:
        threading.Event().wait(0.001)
    ended = threading.Thread(target=keeping.stop)
    ended.start()
    ended.join(10)
    assert not ended.is_alive()


def test_heads_of_random_sizes_in_any_order_never_take_the_copy_back(dice: random.Random) -> None:
    """A head older than the copy's is refused, never written."""
    copy, store = Counting(), source(600)
    bring(copy, 400)
    copy.written.clear()
    keeping = keeper(store, copy)
    for _ in range(5):
        older = signed((size := dice.randrange(400)), root_at(size), SIGNERS)
        checkpoint = Checkpoint.from_text(older.text)
        with pytest.raises(CopyDiverged):
            keeping.copy_once(Cosigned(checkpoint=checkpoint, note=older, times={}))
    assert copy.written == []
