"""`python bench/fleet_day.py [--gpus N] [--readings N] [--folder DIR] [--engines ...]`: a fleet's telemetry, accounted.

A made-up fleet (`sekisho.adapters.telemetry.fleet_generator`) is written to a folder first: readings as compaction
leaves them, their minutes, allocations. Then each engine, in a process of its own on two threads, sums usage by hour,
job and chip: spans clipped at the edges of allocations and hours, MIG slices by their share, what nobody claims. Time
is from the open engine to the last row, planning included; memory is `VmHWM` of that process (of Spark with its Java).
All answers are compared to the last unit: different ones fail.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from row import Row, Target, missing, row_of

from sekisho.adapters.telemetry.engines import (
    Engine,
    EngineSettings,
    SourceFile,
    open_engine,
    sum_usage,
)
from sekisho.adapters.telemetry.fleet_generator import (
    FleetPlan,
    allocations_of,
    devices_of,
    write_fleet,
)
from sekisho.model.instants import Instant
from sekisho.ports.telemetry import UsageQuery

__all__ = ["DAY", "FIFTY_MILLION", "OURS", "PEERS", "measure_day", "measure_fleet", "plan_of"]

Kind = Literal["readings", "minutes"]
START = Instant(1_800_057_600_000_000)  # 2027-01-16T00:00:00Z
BUCKET_S = 3600
THREADS = 2
FIFTY_MILLION = (100_000, 500)
DAY = (100_000, 8640)
SCALE = ((10_000, 1000), (100_000, 500), (100_000, 2000))
RAW_DAY, MINUTES_DAY, MEMORY_DAY = Target(median=120), Target(median=10), Target(median=3000)
OURS = "duckdb"
PEERS = (OURS, "polars", "chdb")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one account took, and a digest of what it said."""

    rows: int
    seconds: float
    processor_s: float
    peak_mb: float
    usages: int
    digest: str


def plan_of(gpus: int, readings: int) -> FleetPlan:
    """So many devices that report so many times, every ten seconds."""
    return FleetPlan(gpus=gpus, readings=readings, start=START)


def prepare(plan: FleetPlan, folder: Path) -> None:
    """Write the fleet and the list of its files."""
    readings: list[SourceFile] = []
    minutes: list[SourceFile] = []
    for one, rolled in write_fleet(plan, folder):
        readings.append(one)
        if rolled is not None:
            minutes.append(rolled)
    files = {"readings": readings, "minutes": minutes}
    (folder / "files.json").write_bytes(msgspec.json.encode(files))


def account(plan: FleetPlan, folder: Path, kind: Kind, name: str) -> Figures:
    """In this process. Everything that is read once for many questions is read beforehand."""
    files = msgspec.json.decode(
        (folder / "files.json").read_bytes(), type=dict[str, list[SourceFile]]
    )
    devices, allocations = devices_of(plan), allocations_of(plan)
    query = UsageQuery(start=plan.start, end=plan.end, bucket_s=BUCKET_S)
    digest, usages = hashlib.sha256(), 0
    encode = msgspec.json.Encoder(enc_hook=str).encode
    with _engine_of(name, folder) as engine:
        began, used = time.perf_counter(), _processor_s()
        for usage in sum_usage(engine, files[kind], allocations, devices, query, source=kind):
            digest.update(encode(usage))
            usages += 1
        seconds, used = time.perf_counter() - began, _processor_s() - used
        peak = sum(_peak_mb(pid) for pid in _family(os.getpid()))
    rows = sum(file.rows for file in files[kind])
    return Figures(
        rows=rows,
        seconds=seconds,
        processor_s=used,
        peak_mb=peak,
        usages=usages,
        digest=digest.hexdigest(),
    )


def account_apart(plan: FleetPlan, folder: Path, kind: Kind, name: str) -> Figures:
    """In a process of its own. Raises RuntimeError where it fails."""
    command = [sys.executable, __file__, "--account", kind, name, "--folder", str(folder)]
    command += ["--gpus", str(plan.gpus), "--readings", str(plan.readings)]
    environment = {**os.environ, "POLARS_MAX_THREADS": str(THREADS), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, check=False, capture_output=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr.decode(errors='replace')[-1500:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Figures)


def measure_fleet(
    size: tuple[int, int], engines: Sequence[str] = PEERS, *, folder: str | None = None
) -> list[Row]:
    """The rows of the table for one size of fleet; peers stand below ours, with the same answers."""
    plan = plan_of(*size)
    with tempfile.TemporaryDirectory(prefix="sekisho-bench-", dir=folder) as made:
        prepare(plan, Path(made))
        rows = []
        for kind in ("readings", "minutes"):
            figures: dict[str, Figures | str] = {}
            for name in engines:
                figures[name] = _try(plan, Path(made), kind, name)
            _compare(figures)
            rows += list(_rows_of(size, kind, figures))
    return rows


def measure_day(folder: str | None = None) -> list[Row]:
    """The whole day, and the sizes below it."""
    rows = []
    for size in SCALE:
        rows += measure_fleet(size, (OURS,), folder=folder)
    return [*rows, *measure_fleet(DAY, (OURS,), folder=folder)]


def _rows_of(
    size: tuple[int, int], kind: Kind, figures: Mapping[str, Figures | str]
) -> Iterator[Row]:
    whole = size == DAY
    target = (RAW_DAY if kind == "readings" else MINUTES_DAY) if whole else Target()
    way = "" if kind == "readings" else " by minute roll-ups"
    for name, found in figures.items():
        ours = name == OURS
        label = f"{size[0] * size[1] / 1e6:g} M readings accounted{way}, {name}"
        if isinstance(found, str):
            yield missing(f"  {label}", "s", Target(), found)
            continue
        note = f"{found.rows / 1e6:,.3g} M rows, {found.usages:,} accounts, "
        note += f"{found.processor_s:.0f} s of processor time"
        row = row_of(
            label if ours else f"  {label}", "s", [found.seconds], target if ours else None
        )
        yield msgspec.structs.replace(row, note=note)
        yield row_of(f"  memory of {label}", "MB", [found.peak_mb], MEMORY_DAY if ours else None)


def _try(plan: FleetPlan, folder: Path, kind: Kind, name: str) -> Figures | str:
    if name in ("polars", "chdb"):
        try:
            __import__(name)
        except ImportError:
            return f"{name} is not installed: scripts/setup bench"
    return account_apart(plan, folder, kind, name)


def _compare(figures: Mapping[str, Figures | str]) -> None:
    digests = {name: found.digest for name, found in figures.items() if isinstance(found, Figures)}
    if len(set(digests.values())) > 1:
        raise RuntimeError(f"engines disagree: {digests}")


def _engine_of(name: str, folder: Path) -> Engine:
    if name == "polars":
        from fleet_engines import PolarsEngine  # noqa: PLC0415 - not installed everywhere

        return PolarsEngine(BUCKET_S * 1000)
    if name == "chdb":
        from fleet_engines import ChEngine  # noqa: PLC0415 - not installed everywhere

        return ChEngine(BUCKET_S * 1000, THREADS)
    settings = EngineSettings(threads=THREADS, memory_mb=2048, spill=str(folder))
    return open_engine(name, settings)


def _processor_s() -> float:
    used = os.times()
    return used.user + used.system


def _family(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [(task / "children").read_text(encoding="ascii").split() for task in tasks]
    below = [int(child) for some in children for child in some]
    return [pid, *(one for child in below for one in _family(child))]


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def main() -> int:
    options = _parse()
    plan = plan_of(options.gpus, options.readings)
    if options.account:
        kind, name = options.account
        found = account(plan, Path(options.folder), kind, name)
        print(msgspec.json.encode(found).decode())
        return 0
    rows: list[Any] = measure_fleet(
        (options.gpus, options.readings), options.engines, folder=options.folder
    )
    print(json.dumps([msgspec.to_builtins(row) for row in rows], indent=2))
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Account a made-up fleet on each engine.")
    parser.add_argument("--gpus", type=int, default=FIFTY_MILLION[0])
    parser.add_argument("--readings", type=int, default=FIFTY_MILLION[1])
    parser.add_argument("--folder", help="where the fleet is written for a while")
    parser.add_argument("--engines", nargs="+", default=list(PEERS))
    parser.add_argument("--account", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
