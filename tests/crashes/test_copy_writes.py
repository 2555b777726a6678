"""A crash at every object write of the published copy, before or after it: harmless, and the next run completes it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sekisho.ledger import LogReader, check_log
from sekisho.ledger.copying import CopyPace, PublishedCopy
from sekisho.ports.tile_store import NotStored
from tests.ledger.logs import LOG, W1, W2, MemoryTiles, numbered, policy, tiled

SIGNERS = (LOG, W1, W2)
STEPS = (3, 250, 256, 300, 513, 700)


class PowerCut(Exception):  # no error of ours, so that nothing in between can take it for one
    """The process is gone."""


class CutCopy(MemoryTiles):
    """A copy whose writer dies at the n-th change, before or after it is applied; then the store answers again."""

    def __init__(self, files: dict[str, bytes], cut: int, *, applied: bool) -> None:
        super().__init__(files)
        self.left = cut
        self.applied = applied

    def write(self, path: str, data: bytes) -> None:
        self._reach(lambda: self.files.__setitem__(path, data))

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        # A store confirms in no order: the last of a step may be there and the first not.
        for path, data in reversed(files):
            self.write(path, data)

    def drop_folder(self, path: str) -> None:
        for name in [name for name in self.files if name.startswith(f"{path}/")]:
            self._reach(lambda name=name: self.files.pop(name))

    def _reach(self, change: object) -> None:
        assert callable(change)
        self.left -= 1
        if self.left == 0 and not self.applied:
            raise PowerCut
        change()
        if self.left == 0:
            raise PowerCut


def source(size: int) -> MemoryTiles:
    """The log as it was published at that size, with the partial tiles of all steps before."""
    files: dict[str, bytes] = {}
    for step in [step for step in STEPS if step <= size]:
        files |= tiled(numbered(step), SIGNERS).files
    return MemoryTiles(files)


def copy_once(copy: MemoryTiles, size: int) -> None:
    """What the keeper's thread does for one head."""
    store = source(size)
    keeper = PublishedCopy(
        source=store, copy=copy, keys=(LOG.verifier,), refuse=lambda _: None, pace=CopyPace()
    )
    keeper.copy_once(LogReader(store).load_checkpoint(policy()))


def changes(before: dict[str, bytes], size: int) -> int:
    """How many changes one run from `before` to `size` makes."""
    counter = CutCopy(dict(before), 10**9, applied=True)
    copy_once(counter, size)
    return 10**9 - counter.left


@pytest.mark.parametrize("applied", [False, True])
def test_every_write_may_be_the_last(applied: bool) -> None:
    """After each crash the copy still holds under its checkpoint, never one that names a missing file, and goes on."""
    before: dict[str, bytes] = {}
    for size in STEPS:
        total = changes(before, size)
        assert total >= 3
        for cut in range(1, total + 1):
            copy = CutCopy(dict(before), cut, applied=applied)
            with pytest.raises(PowerCut):
                copy_once(copy, size)
            if "checkpoint" in copy.files:
                assert check_log(copy, policy()).faults == (), (size, cut)
            copy_once(copy, size)
            assert check_log(copy, policy()).faults == ()
            assert copy.files["checkpoint"] == source(size).files["checkpoint"]
        finished = MemoryTiles(dict(before))
        copy_once(finished, size)
        before = finished.files


@pytest.mark.parametrize("applied", [False, True])
def test_crash_after_crash_still_ends_with_the_whole_log(applied: bool) -> None:
    """A writer that dies at its third change each time gets through in the end, heads moving on meanwhile."""
    copy = CutCopy({}, 0, applied=applied)
    for size in STEPS:
        for _ in range(40):
            copy.left = 3
            try:
                copy_once(copy, size)
            except PowerCut:
                continue
            break
    copy.left = 10**9
    copy_once(copy, STEPS[-1])
    assert check_log(copy, policy()).faults == ()


def test_store_that_lost_an_object_is_found_by_the_check() -> None:
    """The copy believes its checkpoint; whoever takes an object away is found by fsck, which names it."""
    copy = MemoryTiles()
    copy_once(copy, 700)
    del copy.files["tile/0/001"]
    with pytest.raises(NotStored):
        copy.read("tile/0/001", 8192)
    assert [fault.path for fault in check_log(copy, policy()).faults] == ["tile/0/001"]
    del copy.files["checkpoint"]
    # The remedy: without a checkpoint everything is copied anew.
    copy_once(copy, 700)
    assert check_log(copy, policy()).holds
