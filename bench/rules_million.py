"""`python bench/rules_million.py [--requests N] [--processes N]`: a population asked under two packs, by the command.

A made-up population is written to a temporary folder first, always the same for the same number: transfers, training
runs, cloud contracts, with the facts that the export controls ask for. Then `sekisho rules diff us-ear
us-diffusion-tightened` runs over it as anybody would call it. Time is the command's, from start to end; memory is the
most that all its processes ever held together (`VmRSS`, shared pages counted in each), looked at ten times a second.
Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from row import Row, Target, row_of

from sekisho.rules import load_pack
from sekisho.rules.what_if import sample_population

__all__ = ["REQUESTS", "measure_diff"]

REQUESTS = 1_000_000
SEED = 5
AT = "2027-02-01"
LOOK_S = 0.1
SECONDS, MEMORY, RATE = Target(median=60), Target(median=2000), Target(least=1_000_000 / 60)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one comparison took, and what it said, so that a wrong answer is no fast one."""

    requests: int
    changed: int
    seconds: float
    processor_s: float
    peak_mb: float


def write_population(path: Path, count: int) -> None:
    """The same rows for the same count."""
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        for row in sample_population(count, SEED, load_pack("us-ear").quantities):
            file.write(encode(row) + b"\n")


def compare(path: Path, processes: int) -> Figures:
    """The command once, watched while it runs. Raises RuntimeError where it fails."""
    command = [
        sys.executable,
        "-m",
        "sekisho.cli",
        "rules",
        "diff",
        "us-ear",
        "us-diffusion-tightened",
    ]
    flags = ["--reading-a", "codified", "--reading-b", "enforced", "--at", AT, "--json"]
    flags += ["--processes", str(processes), "--over", str(path)]
    answer = path.with_suffix(".answer")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began, peak = time.perf_counter(), 0
    with answer.open("wb") as out:
        running = subprocess.Popen([*command, *flags], stdout=out)
        while running.poll() is None:
            peak = max(peak, sum(map(_resident, _family(running.pid))))
            time.sleep(LOOK_S)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if running.returncode:
        raise RuntimeError(f"sekisho rules diff ended with {running.returncode}")
    said = json.loads(answer.read_bytes())
    changed = sum(said["changes"].values())
    return Figures(
        requests=said["requests"],
        changed=changed,
        seconds=seconds,
        processor_s=used,
        peak_mb=peak / 1e6,
    )


def measure_diff(count: int, processes: int = 0) -> list[Row]:
    """The rows of the table; a million requests have the targets in seconds and memory, any number that of the rate."""
    with tempfile.TemporaryDirectory(prefix="sekisho-bench-") as folder:
        path = Path(folder) / "population.jsonl"
        write_population(path, count)
        size = path.stat().st_size / 1e6
        found = compare(path, processes)
    if found.requests != count or not found.changed:
        raise RuntimeError(f"{found.requests} requests judged, {found.changed} changed")
    used = processes or os.cpu_count() or 1
    whole = count == REQUESTS
    name = f"{count:,} requests ({size:,.0f} MB) diffed under two packs, {used} processes"
    return [
        row_of(name, "s", [found.seconds], SECONDS if whole else None),
        row_of("  of it processor time, all processes together", "s", [found.processor_s]),
        row_of("  memory of all its processes at their peak", "MB", [found.peak_mb], MEMORY),
        row_of("  requests under both packs", "/s", [count / found.seconds], RATE),
    ]


def _family(pid: int) -> list[int]:
    """A process and all that it started (proc_pid_children(5)); whoever has ended meanwhile is left out."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [(task / "children").read_text(encoding="ascii").split() for task in tasks]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(member for many in children for child in many for member in _family(int(child)))]


def _resident(pid: int) -> int:
    """VmRSS in bytes; 0 of a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS")), 0)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--processes", type=int, default=0)
    options = parser.parse_args()
    rows = measure_diff(options.requests, options.processes)
    print(json.dumps([msgspec.to_builtins(row) for row in rows]))


if __name__ == "__main__":
    main()
