"""A log that forks is caught by its witness."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger.publisher import WitnessesMissing
from sekisho.ledger.sequencer import RolledBack
from sekisho.ports.witness import Witness
from tests.ledger.forks import check_evidence, fork_for_real, publish
from tests.ledger.logs import W1, W2, LocalWitness, LogOnDisk, submission


def witnesses(folder: Path) -> dict[str, Witness]:
    """Two witnesses that remember in a folder."""
    return {
        "w1": LocalWitness(W1, FileTileStore(folder / "w1")),
        "w2": LocalWitness(W2, FileTileStore(folder / "w2")),
    }


def grow(log: LogOnDisk, story: str, count: int) -> None:
    log.sequencer.append([submission(f"{story} {number}") for number in range(count)])
    log.sequencer.integrate()


@pytest.mark.parametrize("second", [3, 7], ids=["one size", "a larger size"])
def test_witness_refuses_the_second_branch_and_keeps_what_proves_the_fork(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], second: int
) -> None:
    """The first branch is cosigned, the second is not, and the log's own words convict it before anybody."""
    both = witnesses(tmp_path)
    with fork_for_real(tmp_path) as (one, two):
        grow(one, "one", 3)
        publish(one, both)
        grow(two, "two", second)
        with pytest.raises((RolledBack, WitnessesMissing)):
            publish(two, both)
    for name in ("w1", "w2"):
        (path,) = (tmp_path / name / "evidence").glob("fork-*.json")
        found = check_evidence(capsys, path)
        assert (found["exit"], found["verdict"]) == (0, "holds")
        assert found["cosigned_both"] == []
