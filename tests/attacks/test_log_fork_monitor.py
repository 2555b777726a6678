"""A log that forks is caught by whoever watches it from two places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.cli.main import call
from sekisho.settings import Settings
from tests.ledger.forks import check_evidence, fork_for_real, tell, write_checkpoint
from tests.ledger.logs import LOG

SETTINGS = Settings(home=Path("/nonexistent"), trust_file=Path("/nonexistent"))


def watch(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """One round of the command, as a script reads it."""
    capsys.readouterr()
    fixed = ["--vkey", LOG.verifier.to_text(), "--once", "--json"]
    code = call(["log", "monitor", *arguments, *fixed], SETTINGS)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("first", "second"), [(3, 3), (3, 9), (9, 3)])
def test_monitor_of_two_addresses_catches_the_fork(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], first: int, second: int
) -> None:
    """The log shows one branch here and another there: exit 1, and a file that convicts it."""
    state = tmp_path / "state"
    with fork_for_real(tmp_path) as (one, two):
        tell(one, "one", first)
        tell(two, "two", second)
        places = [str(log.folder / "public") for log in (one, two)]
        code, line = watch(capsys, *places, "--state", str(state))
    assert code == 1
    assert [f["kind"] for f in line["findings"]] == ["fork"]
    (path,) = line["forks"]
    assert check_evidence(capsys, Path(path))["verdict"] == "holds"


def test_monitor_catches_a_log_that_changes_its_story_behind_one_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """First one branch, later the other: the signed note that was kept convicts it, also after restarts."""
    state = tmp_path / "state"
    with fork_for_real(tmp_path) as (one, two):
        tell(one, "one", 3)
        first = str(one.folder / "public")
        assert watch(capsys, first, "--state", str(state))[0] == 0
        tell(two, "two", 9)
        moved = str(two.folder / "public")
        code, line = watch(capsys, moved, "--state", str(state))
        assert code == 1
        (path,) = line["forks"]
        assert check_evidence(capsys, Path(path))["verdict"] == "holds"
        # The log put its first story back; a log that forked stays one that forked.
        assert watch(capsys, first, "--state", str(state))[0] == 1


def test_monitor_catches_a_fork_by_a_checkpoint_that_somebody_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A friend's checkpoint alone, compared with the log's own tiles."""
    with fork_for_real(tmp_path) as (one, two):
        kept = write_checkpoint(tmp_path / "friend.checkpoint", tell(two, "two", 2))
        tell(one, "one", 5)
        arguments = [str(one.folder / "public"), "--seen", str(kept)]
        code, line = watch(capsys, *arguments, "--state", str(tmp_path / "state"))
    assert code == 1
    assert check_evidence(capsys, Path(line["forks"][0]))["verdict"] == "holds"


def test_honest_log_is_not_accused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One log, its mirror behind it, a friend who kept an older checkpoint: nothing is found."""
    with fork_for_real(tmp_path) as (one, _):
        kept = write_checkpoint(tmp_path / "friend.checkpoint", tell(one, "one", 2))
        tell(one, "more", 5)
        arguments = [str(one.folder / "public"), str(tmp_path / "two" / "public")]
        code, line = watch(
            capsys, *arguments, "--seen", str(kept), "--state", str(tmp_path / "state")
        )
    assert (code, line["findings"], line["forks"]) == (0, [], [])
