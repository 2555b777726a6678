"""The commands that a person waits for: `sekisho --help`, the whole drill, and the audit of the drill's bundle."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["DrillFailed", "time_audit", "time_drill", "time_help"]

LONGEST_S = 300


class DrillFailed(RuntimeError):
    """The drill did not hold; its time would say nothing."""


def time_help(repetitions: int) -> tuple[list[float], list[float]]:
    """Seconds of `sekisho --help` as installed: by the clock, and of processor time, which other load stretches less.

    One call before, for the caches of files and bytecode.
    """
    command = [str(Path(sys.executable).with_name("sekisho")), "--help"]
    _run(command, Path.cwd())
    wall, used = [], []
    for _ in range(repetitions):
        before = _children_s()
        wall.append(_run(command, Path.cwd())[0])
        used.append(_children_s() - before)
    return wall, used


def time_drill(folder: Path) -> tuple[float, Path]:
    """Seconds of one drill in a new home, from the command's start to its exit, and the bundle that it left."""
    seconds, done = _run([*_SEKISHO, "drill", "--home", str(folder / "home"), "--json"], folder)
    try:
        result = json.loads(done.stdout)
    except ValueError:
        raise DrillFailed(done.stderr.decode(errors="replace")[-500:]) from None
    if result["verdict"] != "holds":
        problems = [f"{s['name']}: {s['problem']}" for s in result["steps"] if not s["ok"]]
        raise DrillFailed("; ".join(problems))
    return seconds, Path(result["bundle"])


def time_audit(folder: Path, bundle: Path) -> float:
    """Seconds of `sekisho audit` on the bundle, by the trust root that the drill left in `folder`."""
    command = [*_SEKISHO, "audit", str(bundle), "--accept", "witnessed", "--json"]
    seconds, done = _run(command, folder)
    if done.returncode != 0:
        raise DrillFailed(f"the audit ended with {done.returncode}: {done.stdout[-500:]!r}")
    return seconds


_SEKISHO = (sys.executable, "-m", "sekisho.cli")


def _children_s() -> float:
    """User and system seconds of the children that were waited for."""
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


def _run(command: list[str], folder: Path) -> tuple[float, subprocess.CompletedProcess[bytes]]:
    """One command with a home and a trust file of its own below `folder`."""
    environment = {**os.environ, "HOME": str(folder), "SEKISHO_TRUST": str(folder / "trust.json")}
    began = time.perf_counter()
    done = subprocess.run(
        command, env=environment, capture_output=True, check=False, timeout=LONGEST_S
    )
    return time.perf_counter() - began, done
