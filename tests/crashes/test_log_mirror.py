"""A mirror is stopped at every step, and begun again; what it serves is a whole log at every moment."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sekisho.ledger import Policy, check_log
from sekisho.ledger.mirror import Mirror
from sekisho.model.errors import SekishoError
from tests.ledger.forks import branch, entries_of
from tests.ledger.logs import LOG, MemoryTiles

KEY = Policy.of_log(LOG.verifier)
OLD, NEW = entries_of(300), entries_of(600)


class PowerCut(BaseException):
    pass


class CutTarget(MemoryTiles):
    """A folder that loses power at its n-th change: before it, or after the first file of it."""

    def __init__(self, files: dict[str, bytes], *, at: int, after: bool) -> None:
        super().__init__(files)
        self._left = at
        self._after = after

    def _cut(self) -> bool:
        self._left -= 1
        if self._left >= 0:
            return False
        if not self._after:
            raise PowerCut
        return True

    def write(self, path: str, data: bytes) -> None:
        cut = self._cut()
        super().write(path, data)
        if cut:
            raise PowerCut

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        cut = self._cut()
        super().write_all(files[:1] if cut else files)
        if cut:
            raise PowerCut

    def drop_folder(self, path: str) -> None:
        cut = self._cut()
        super().drop_folder(path)
        if cut:
            raise PowerCut


def stopped(at: int, *, after: bool) -> tuple[MemoryTiles, bool]:
    """A copy of the old log whose pass to the new one lost power there; and whether it got that far."""
    target = MemoryTiles()
    Mirror(MemoryTiles(branch(OLD)[1].files), target, KEY).copy()
    cut = CutTarget(target.files, at=at, after=after)
    try:
        Mirror(MemoryTiles(branch(NEW)[1].files), cut, KEY, workers=2).copy()
    except PowerCut:
        return MemoryTiles(cut.files), True
    return MemoryTiles(cut.files), False


@pytest.mark.parametrize("after", [False, True], ids=["before", "within"])
def test_copy_is_whole_after_a_power_cut_at_any_step(after: bool) -> None:
    """Old or new, never a mixture; and the next pass ends at the new log, with nothing left over."""
    step = 0
    while True:
        target, was_cut = stopped(step, after=after)
        assert check_log(target, KEY).holds, step
        mirror = Mirror(MemoryTiles(branch(NEW)[1].files), target, KEY)
        mirror.tidy()
        mirror.copy()
        whole = branch(NEW)[1].files
        assert {path: target.files.get(path) for path in whole} == whole, step
        # The older checkpoint's top tile is not full yet, so whoever reads by that checkpoint still finds it.
        assert set(target.files) - set(whole) == {"tile/1/000.p/1"}, step
        if not was_cut:
            break
        step += 1
    assert step >= 5


def test_pass_that_was_cut_short_does_not_mix_two_branches() -> None:
    """What a cut pass fetched of a branch that then vanished is not served under the other branch's checkpoint."""
    other = entries_of(600, fork_at=300)
    for step in range(4):
        target = MemoryTiles()
        Mirror(MemoryTiles(branch(OLD)[1].files), target, KEY).copy()
        cut = CutTarget(target.files, at=step, after=True)
        with pytest.raises(PowerCut):
            Mirror(MemoryTiles(branch(other)[1].files), cut, KEY).copy()
        after = MemoryTiles(cut.files)
        try:
            Mirror(MemoryTiles(branch(NEW)[1].files), after, KEY).copy()
        except SekishoError:
            # The cut came after the checkpoint: the copy stands at the other branch, and says that the log forked.
            assert after.files["checkpoint"] == branch(other)[1].files["checkpoint"]
        assert check_log(after, KEY).holds, step
