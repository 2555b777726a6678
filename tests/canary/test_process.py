"""The canary as a process: signals, status, resuming, refusals."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sekisho.canary.loop import CanarySettings, Wishes, train

STEPS = 120


def _canary(out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "sekisho.canary", "--out", str(out), "--seed", "9", *more]


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_checkpoint_on_a_signal_then_an_end_then_bit_for_bit_on(tmp_path: Path) -> None:
    """SIGUSR1 leaves a checkpoint and goes on, SIGTERM leaves one and ends with 0; resumed, it ends as if unbroken."""
    out = tmp_path / "broken"
    with subprocess.Popen(_canary(out, "--run", "run-7", "--pace", "0.2")) as work:
        _wait_until(lambda: _read(out / "status.json").get("step", 0) > 0)
        work.send_signal(signal.SIGUSR1)
        _wait_until((out / "checkpoint.json").exists)
        record = _read(out / "checkpoint.json")
        data = Path(record["path"]).read_bytes()
        assert record["sha256"] == hashlib.sha256(data).hexdigest()
        assert record["bytes"] == len(data)
        assert work.poll() is None
        work.terminate()
        assert work.wait(60) == 0
    last, status = _read(out / "checkpoint.json"), _read(out / "status.json")
    assert last["step"] >= record["step"]
    assert status["run"] == "run-7"
    assert status["checkpoint"] == last
    assert status["flop"] == last["flop"]

    goal = str(last["step"] + STEPS)
    resume = _canary(out, "--resume", last["path"], "--steps", goal, "--pace", "1")
    assert subprocess.run(resume, check=False).returncode == 0
    whole = tmp_path / "whole"
    assert (
        subprocess.run(_canary(whole, "--steps", goal, "--pace", "1"), check=False).returncode == 0
    )
    assert _read(out / "checkpoint.json")["sha256"] == _read(whole / "checkpoint.json")["sha256"]
    assert _read(whole / "status.json")["loss"] < 1.0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--resume", "{bad}"], "truncated, altered"),
        (["--resume", "{none}"], "cannot be read"),
        (["--pace", "0"], "--pace"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_bad_input_ends_with_2(tmp_path: Path, more: list[str], said: str) -> None:
    """A bad checkpoint, a missing one and figures out of range are named and end with exit code 2."""
    bad = tmp_path / "bad.canary"
    bad.write_bytes(b"SEKISHO-CANARY-1\n" + bytes(100))
    filled = [word.format(bad=bad, none=tmp_path / "none") for word in more]
    done = subprocess.run(
        _canary(tmp_path / "out", *filled), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out" / "checkpoint.json").exists()


class LateWishes(Wishes):
    """An end that is asked for in the middle of a round: not yet at its first look, and there at every later one."""

    def __init__(self) -> None:
        self.looks = 0
        self.checkpoint = False

    @property
    def end(self) -> bool:
        self.looks += 1
        return self.looks > 1

    @end.setter
    def end(self, wished: bool) -> None:
        del wished


def test_an_end_asked_for_in_the_middle_of_a_round_still_leaves_a_checkpoint(
    tmp_path: Path,
) -> None:
    """The signal may come at any line: checkpoint and status are written before the work leaves."""
    network = train(CanarySettings(out=tmp_path, seed=1), LateWishes())
    last, status = _read(tmp_path / "checkpoint.json"), _read(tmp_path / "status.json")
    assert last["step"] == network.step
    assert status["checkpoint"] == last
