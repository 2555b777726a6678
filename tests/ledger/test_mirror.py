from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger import (
    Checkpoint,
    DamagedTile,
    Policy,
    QuorumMissing,
    check_log,
)
from sekisho.ledger.evidence import judge_evidence
from sekisho.ledger.mirror import Copied, ForkedLog, Mirror
from sekisho.ledger.tiles import bundles_of_tree, tiles_of_tree
from sekisho.model.errors import BadSignature, Corrupt, InvalidInput, Unavailable
from sekisho.ports.tile_store import NotStored
from tests.ledger.forks import branch, entries_of
from tests.ledger.logs import LOG, W1, W2, MemoryTiles, policy, signed

KEY = Policy.of_log(LOG.verifier)


class CountedTiles(MemoryTiles):
    """A source that remembers what it was asked for, and how many asked at once."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files)
        self.asked: list[str] = []
        self.most = self._now = 0
        self._lock = threading.Lock()

    def read(self, path: str, limit: int) -> bytes:
        with self._lock:
            self.asked.append(path)
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return super().read(path, limit)
        finally:
            with self._lock:
                self._now -= 1


def source_of(entries: Sequence[bytes]) -> CountedTiles:
    """A log to be copied."""
    return CountedTiles(branch(entries)[1].files)


def copied(source: MemoryTiles, target: MemoryTiles, trust: Policy = KEY) -> Copied:
    """One pass."""
    return Mirror(source, target, trust, workers=3).copy()


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 600, 1100])
def test_copy_is_a_whole_log(size: int) -> None:
    """Every file of the tree is there, byte for byte, and nothing else."""
    source, target = source_of(entries_of(size)), MemoryTiles()
    done = copied(source, target)
    assert done.cosigned.checkpoint.size == size
    assert target.files == source.files
    assert check_log(target, KEY).holds


@settings(max_examples=25)
@given(st.lists(st.integers(0, 800), min_size=1, max_size=5))
def test_copy_follows_growth_and_holds_no_file_too_many(sizes: list[int]) -> None:
    """Over any steps of growth the copy is whole, and partial tiles are there only while no full one is."""
    target = MemoryTiles()
    for size in sorted(sizes):
        copied(source_of(entries_of(size)), target)
        assert check_log(target, KEY).holds
    last = max(sizes)
    full = {t.to_path() for t in (*tiles_of_tree(last), *bundles_of_tree(last)) if t.width == 256}
    assert not [p for p in target.files if p.partition(".p/")[1] and p.partition(".p/")[0] in full]


def test_unchanged_log_costs_one_read() -> None:
    """Nothing new: the checkpoint is read, nothing is written."""
    source, target = source_of(entries_of(600)), MemoryTiles()
    copied(source, target)
    source.asked.clear()
    done = copied(source, target)
    assert (done.changed, done.written) == (False, 0)
    assert source.asked == ["checkpoint"]


def test_growth_fetches_only_what_is_new() -> None:
    """A copy of 512 entries that grows to 520 asks for no file of the first 512."""
    target = MemoryTiles()
    copied(source_of(entries_of(512)), target)
    source = source_of(entries_of(520))
    copied(source, target)
    assert not {"tile/0/000", "tile/0/001", "tile/entries/000", "tile/entries/001"} & set(
        source.asked
    )


def test_same_tree_under_more_cosignatures_replaces_the_checkpoint() -> None:
    """Late cosignatures reach the copy."""
    entries = entries_of(5)
    source, target = source_of(entries), MemoryTiles()
    copied(source, target)
    source.files = branch(entries, (LOG, W1))[1].files
    assert copied(source, target).changed
    assert target.files["checkpoint"] == source.files["checkpoint"]


def test_fetches_are_bounded() -> None:
    """Never more reads at once than workers were allowed, and their number has limits."""
    source = source_of(entries_of(256 * 30))
    Mirror(source, MemoryTiles(), KEY, workers=2).copy()
    assert source.most <= 2
    for workers in (0, 33):
        with pytest.raises(InvalidInput):
            Mirror(source, MemoryTiles(), KEY, workers=workers)


def test_progress_is_told_up_to_the_end() -> None:
    """Files settled, of files to settle."""
    told: list[tuple[int, int]] = []
    Mirror(source_of(entries_of(600)), MemoryTiles(), KEY).copy(lambda *step: told.append(step))
    assert told[-1] == (4, 4)
    assert told == sorted(told)


@pytest.mark.parametrize(
    "path", ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001"]
)
def test_damaged_file_of_the_source_is_named_and_the_copy_stays(path: str) -> None:
    """One flipped bit anywhere: named, and the copy stands where it stood."""
    target = MemoryTiles()
    copied(source_of(entries_of(100)), target)
    source = source_of(entries_of(600))
    data = bytearray(source.files[path])
    data[-1] ^= 1
    source.files[path] = bytes(data)
    with pytest.raises(DamagedTile, match=path):
        copied(source, target)
    assert (
        Checkpoint.from_text(target.files["checkpoint"].decode().rpartition("\n\n")[0] + "\n").size
        == 100
    )
    assert check_log(target, KEY).holds


def test_missing_file_of_the_source_is_named() -> None:
    """A bundle that is not there."""
    source = source_of(entries_of(600))
    del source.files["tile/entries/001"]
    with pytest.raises(NotStored, match="tile/entries/001"):
        copied(source, MemoryTiles())


def test_source_without_checkpoint_is_unavailable() -> None:
    """Nothing is there yet: try again."""
    with pytest.raises(Unavailable):
        copied(CountedTiles({}), MemoryTiles())


def test_checkpoint_without_the_quorum_is_not_copied() -> None:
    """With a policy the witnesses count."""
    source = source_of(entries_of(5))
    with pytest.raises(QuorumMissing):
        copied(source, MemoryTiles(), policy())
    source.files = branch(entries_of(5), (LOG, W1, W2))[1].files
    assert copied(source, MemoryTiles(), policy()).changed


def test_stranger_key_is_refused() -> None:
    """A log that somebody else signs is not copied."""
    with pytest.raises(BadSignature):
        copied(source_of(entries_of(5)), MemoryTiles(), Policy.of_log(W1.verifier))


@pytest.mark.parametrize(
    ("held", "shown", "at"), [(5, 9, 2), (9, 5, 2), (300, 300, 7), (257, 900, 0)]
)
def test_forked_source_ends_the_pass_with_evidence(held: int, shown: int, at: int) -> None:
    """Whichever is larger: both signed notes come with what proves the fork, and the copy stays."""
    target = MemoryTiles()
    copied(source_of(entries_of(held)), target)
    before = dict(target.files)
    with pytest.raises(ForkedLog) as forked:
        copied(source_of(entries_of(shown, fork_at=at)), target)
    assert judge_evidence(forked.value.evidence, [LOG.verifier]).verdict == "holds"
    assert target.files == before


def test_fork_without_the_quorum_is_a_fork_all_the_same() -> None:
    """A forked checkpoint that no witness would cosign still convicts the log."""
    target = MemoryTiles()
    source = CountedTiles(branch(entries_of(5), (LOG, W1, W2))[1].files)
    copied(source, target, policy())
    with pytest.raises(ForkedLog):
        copied(source_of(entries_of(9, fork_at=2)), target, policy())


def test_source_that_went_back_ends_the_pass_with_both_notes() -> None:
    """A smaller log that is a prefix is no fork; it is kept as what it is, and the copy does not follow."""
    target = MemoryTiles()
    copied(source_of(entries_of(9)), target)
    with pytest.raises(ForkedLog, match="went back from 9 to 5") as back:
        copied(source_of(entries_of(5)), target)
    verdict = judge_evidence(back.value.evidence, [LOG.verifier])
    assert (verdict.verdict, verdict.reason) == ("unverifiable", "no-hashes")


def test_left_over_files_of_another_branch_are_replaced() -> None:
    """A pass that was cut short may have fetched a branch that nobody signed again: nothing of it stays."""
    target = MemoryTiles()
    copied(source_of(entries_of(100)), target)
    for path, data in branch(entries_of(600, fork_at=100))[1].files.items():
        if path != "checkpoint":
            target.files[path] = data
    source = source_of(entries_of(600))
    copied(source, target)
    assert check_log(target, KEY).holds
    assert {p: target.files[p] for p in source.files} == source.files


def test_left_over_files_of_the_same_log_are_not_fetched_again() -> None:
    """What an earlier pass wrote is authenticated where it lies."""
    source, target = source_of(entries_of(600)), MemoryTiles()
    for path, data in source.files.items():
        if path.startswith(("tile/entries/000", "tile/0/000")):
            target.files[path] = data
    copied(source, target)
    assert "tile/entries/000" not in source.asked
    assert check_log(target, KEY).holds


def test_tidy_takes_away_what_a_crash_left() -> None:
    """Partial tiles beside full ones go; those that are needed stay."""
    target = MemoryTiles()
    copied(source_of(entries_of(600)), target)
    whole = dict(target.files)
    target.files["tile/0/000.p/7"] = target.files["tile/entries/001.p/9"] = b"old"
    Mirror(MemoryTiles(), target, KEY).tidy()
    assert target.files == whole


def test_folder_of_another_log_is_refused() -> None:
    """A copy whose own checkpoint this key did not sign is not touched."""
    target = MemoryTiles()
    copied(source_of(entries_of(5)), target)
    target.files["checkpoint"] = b"nonsense"
    with pytest.raises(Corrupt, match="another folder"):
        copied(source_of(entries_of(9)), target)


def test_damaged_copy_that_must_judge_a_smaller_log_says_so() -> None:
    """Only the copy's own tiles can tell a fork from a step back there."""
    target = MemoryTiles()
    copied(source_of(entries_of(9)), target)
    target.files["tile/0/000.p/9"] = bytes(9 * 32)
    with pytest.raises(Corrupt, match="the copy is damaged"):
        copied(source_of(entries_of(5)), target)


def test_size_that_nobody_can_have_is_refused_at_once() -> None:
    """A signed size of 2^60 costs a few reads and ends with the first file that is not there."""
    source = source_of(entries_of(5))
    source.files["checkpoint"] = signed(2**60, bytes(32)).to_bytes()
    with pytest.raises(NotStored, match="tile/"):
        copied(source, MemoryTiles())
    assert len(source.asked) < 20


def test_copy_on_disk_is_what_a_file_server_needs(tmp_path: Path) -> None:
    """The same in a real folder."""
    source = source_of(entries_of(700))
    store = FileTileStore(tmp_path / "copy")
    Mirror(source, store, KEY).copy()
    assert check_log(store, KEY).holds
    assert not list((tmp_path / "copy").rglob(".*"))
