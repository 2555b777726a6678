"""A log that forks does not get its second branch into a mirror."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.cli.main import call
from sekisho.ledger import check_log
from sekisho.settings import Settings
from tests.ledger.forks import check_evidence, fork_for_real, tell
from tests.ledger.logs import LOG

SETTINGS = Settings(home=Path("/nonexistent"), trust_file=Path("/nonexistent"))


def mirror(source: Path, target: Path) -> int:
    """One pass of the command."""
    return call(
        ["log", "mirror", str(source), str(target), "--vkey", LOG.verifier.to_text()], SETTINGS
    )


@pytest.mark.parametrize(("first", "second"), [(3, 3), (3, 9), (9, 3)])
def test_mirror_keeps_its_branch_and_the_proof_of_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], first: int, second: int
) -> None:
    """Exit 1, the copy is as it was and still whole, and both signed notes lie beside it, never in it."""
    copy = tmp_path / "copy"
    with fork_for_real(tmp_path) as (one, two):
        note = tell(one, "one", first)
        assert mirror(one.folder / "public", copy) == 0
        tell(two, "two", second)
        assert mirror(two.folder / "public", copy) == 1
    assert (copy / "checkpoint").read_bytes() == note.to_bytes()
    assert check_log(FileTileStore(copy), LOG.verifier).holds
    (path,) = (tmp_path / "copy-evidence").iterdir()
    assert check_evidence(capsys, path)["verdict"] == "holds"
    assert not list(copy.rglob("*.json"))
