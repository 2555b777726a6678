"""`python corpus/record.py --into DIR [--family NAME ...] [--seconds S]`: records workloads with their exact FLOP.

For each family: the recorder starts, the workload runs step after step for the time, the recorder ends. What is kept:
`<run>.csv` (readings at 10 Hz, as `sekisho meter record` writes them), and a line in `truth.jsonl` (what was asked of
the device, counted from the operations, with its begin and end). Nothing is set on the device.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from families import FAMILIES, FULL, SMALL, Family
from operations import Backend, NumpyBackend, Operations, TorchBackend

WARM_UP_S = 2.0


def main() -> int:
    options = _options()
    if options.list:
        for family in FAMILIES.values():
            print(f"{family.label:9}  {family.name}: {family.what}")
        return 0
    into: Path = options.into
    into.mkdir(parents=True, exist_ok=True)
    backend: Backend = NumpyBackend() if options.rehearse else TorchBackend()
    for number, name in enumerate(options.family or FAMILIES):
        run = f"{number:02}-{name.replace(' ', '-').lower()}"
        print(f"{run}: {options.seconds} s", file=sys.stderr)
        truth = _record(FAMILIES[name], run, into, backend, options)
        with (into / "truth.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(truth) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--into", type=Path, default=Path("recorded"))
    parser.add_argument("--family", action="append", choices=list(FAMILIES))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--list", action="store_true", help="the families, and nothing else")
    parser.add_argument(
        "--rehearse", action="store_true", help="small shapes on the processor; no device is read"
    )
    return parser.parse_args()


def _record(
    family: Family, run: str, into: Path, backend: Backend, options: argparse.Namespace
) -> dict[str, Any]:
    size = SMALL if options.rehearse else FULL
    _run(family, Operations(backend), size, min(WARM_UP_S, options.seconds / 10))
    recorder = None if options.rehearse else _start_recorder(into / f"{run}.csv")
    counted = Operations(backend)
    try:
        began = datetime.now(UTC)
        steps = _run(family, counted, size, options.seconds)
        ended = datetime.now(UTC)
    finally:
        if recorder is not None:
            recorder.send_signal(signal.SIGINT)
            recorder.wait(timeout=30)
    return {
        "run": run,
        "family": family.name,
        "label": family.label,
        "backend": backend.name,
        "start": began.isoformat(),
        "end": ended.isoformat(),
        "steps": steps,
        "flop": {kind: str(flop) for kind, flop in sorted(counted.flop.items())},
        "recorded": recorder is not None,
    }


def _run(family: Family, counted: Operations, size: Any, seconds: float) -> int:
    """Whole steps until the time is over; each is waited for, so that what is counted has been done."""
    until = time.monotonic() + seconds
    steps = 0
    while time.monotonic() < until:
        family.step(counted, size)
        counted.wait()
        steps += 1
    return steps


def _start_recorder(out: Path) -> subprocess.Popen[bytes]:
    words = ["sekisho", "meter", "record", "--hz", "10", "--out", str(out)]
    running = subprocess.Popen(words)
    until = time.monotonic() + 30
    while not out.exists():
        if running.poll() is not None or time.monotonic() > until:
            raise SystemExit("the recorder did not start: try `sekisho meter record` by hand")
        time.sleep(0.1)
    return running


if __name__ == "__main__":
    sys.exit(main())
