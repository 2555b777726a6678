"""`bench/run.py`: every figure that is promised has its row, and what was not measured says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.row import Row, Target, missing, row_of, spread
from tests.postgres import find_postgres

RUN = Path(__file__).parents[2] / "bench" / "run.py"
MEASURED = {
    "order issued -> work frozen and order cosigned": ("ms", 10),
    "  order issued -> work frozen": ("ms", 10),
    "  order issued -> cosigned by both witnesses": ("ms", 10),
    "agent at rest": ("MB", 1),
    "watchdog at rest": ("MB", 1),
    "agent with work": ("MB", 1),
    "watchdog with work": ("MB", 1),
    "  the same through the watchdog's socket": ("ms", 10),
    "sekisho --help": ("s", 3),
    "access gate: added to a request": ("ms", 1_000),
    "access gate: added to each chunk of a stream": ("ms", 50),
    "append, durable and with its index": ("ms", 20),
    "append until two witnesses cosigned": ("ms", 20),
    "appends of 16 threads, all witnessed": ("/s", 1),
    "proof verification: 2,000 entries of 100,000, one checkpoint": ("/s", 2000),
    "  each alone, from leaf to root": ("/s", 2000),
    "proof verification: consistency to 100,000": ("/s", 2000),
    "proof build: inclusion in 100,000, tiles held": ("/s", 2000),
    "frontier: entries hashed and appended": ("/s", 2000),
    "fsck: entries of 100,000, files in memory": ("/s", 1),
    "log check-proof: rows, inclusion in 100,000": ("/s", 1000),
    "fold of 1,000 mixed entries": ("/s", 1_000),
    "fold of 10,000 mixed entries": ("/s", 10_000),
    "log of 20,000: open to a signed head": ("s", 1),
    "log of 20,000: proof of a random entry": ("ms", 1000),
    "log of 20,000: memory at its peak": ("MB", 1),
    "register: durable saves of one-chip events, 1000 a group (SQLite)": ("/s", 10),
    "register: signed events captured durably, documents of one event (SQLite)": ("/s", 5),
    "register: signed events captured durably, documents of 100 events (SQLite)": ("/s", 5),
    "register of 2,000 chips, 20,000 events (SQLite): passport's events and standing": ("ms", 1000),
    "Prometheus text to samples, one core": ("/s", 7),
    "  text in an order never seen": ("/s", 7),
    "  text of series never met": ("/s", 3),
    "  prometheus_client, the same text": ("/s", 3),
    "remote-write 1 to samples, one core": ("/s", 7),
    "remote-write 2 to samples, one core": ("/s", 7),
    "  remote-write 2, protobuf alone: messages, no labels": ("/s", 7),
    "samples over HTTP (remote-write), durable": ("/s", 600_000),
    "  after the first second's, when all 300,000 series are known": ("/s", 300_000),
    "  memory of the server, at most": ("MB", 1),
    "0.2 M readings accounted, duckdb": ("s", 1),
    "  memory of 0.2 M readings accounted, duckdb": ("MB", 1),
    "0.2 M readings accounted by minute roll-ups, duckdb": ("s", 1),
    "rules: transfers under us-ear, reasons, no trace": ("/s", 1),
    "  with the trace of every rule and definition": ("/s", 1),
    "  cedarpy: the same limbs as policies": ("/s", 1),
}
WITH_SERVER = "register: durable saves of one-chip events, 1000 a group (PostgreSQL)"
LEFT_OUT = {
    "agent with work, quanta of 60 s",
    "sekisho drill, all steps",
    "sekisho audit of the drill's bundle",
    "make setup, caches warm",
}


def bench(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(RUN), *arguments],
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout.decode()


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One quick run for all tests of this file."""
    folder = tmp_path_factory.mktemp("bench")
    found: dict[str, Any] = json.loads(bench(folder, "--quick", "--json"))
    return {**found, "left": sorted(path.name for path in folder.iterdir())}


@pytest.mark.slow
def test_every_promised_figure_is_measured(document: dict[str, Any]) -> None:
    """A quick run leaves out drill and agent's two minutes; each other row has a positive figure and its count."""
    rows = {(row["what"], row["unit"]): row for row in document["rows"]}
    for what, (unit, n) in MEASURED.items():
        row = rows[what, unit]
        assert row["n"] == n, what
        assert row["median"] > 0, what
    left_out = {row["what"] for row in document["rows"] if row["verdict"] == "not measured"}
    assert left_out - {WITH_SERVER} == LEFT_OUT
    assert (WITH_SERVER in left_out) == (find_postgres() is None)


@pytest.mark.slow
def test_freeze_and_cosignatures_are_both_waited_for(document: dict[str, Any]) -> None:
    """The headline is never quicker than the slower of its two parts."""
    both, frozen, cosigned = (row["median"] for row in document["rows"][:3])
    assert both >= max(frozen, cosigned)


@pytest.mark.slow
def test_the_machine_and_its_load_are_named(document: dict[str, Any]) -> None:
    """Figures without the machine under them say nothing."""
    machine = document["machine"]
    assert machine["cores"] >= 1
    assert machine["cpu"]
    assert machine["kernel"]
    assert len(machine["load"]) == 3


@pytest.mark.slow
def test_nothing_is_left_behind(document: dict[str, Any]) -> None:
    """Every folder that a run makes goes with it."""
    assert document["left"] == []


def test_the_table_says_what_was_not_measured(tmp_path: Path) -> None:
    """A row without a figure shows a dash and the way to get one, never a zero."""
    text = bench(tmp_path, "--only", "setup")
    row = next(line for line in text.splitlines() if line.startswith("make setup"))
    assert row.split("  ")[0] == "make setup, caches warm"
    assert "< 120" in row
    assert "not measured: in a fresh clone" in row
    assert " 0 " not in row


def test_the_worse_of_median_and_percentile_decides() -> None:
    """A good median does not hide a bad tail."""
    row = row_of("x", "ms", [10.0] * 90 + [90.0] * 10, Target(median=100, p99=60))
    assert (row.median, row.p99, row.n) == (10.0, 90.0, 100)
    assert (row.ratio, row.verdict) == (1.5, "MISSED")


def test_a_bound_is_exclusive_and_without_one_nothing_is_met() -> None:
    """Exactly the target is a miss; no target and no figure have verdicts of their own."""
    assert Row(what="x", unit="s", median=0.3, n=1, target=Target(median=0.3)).verdict == "MISSED"
    assert Row(what="x", unit="s", median=0.29, n=1, target=Target(median=0.3)).verdict == "met"
    assert Row(what="x", unit="s", median=9.0, n=1).verdict == "no target"
    assert missing("x", "s", Target(median=1), "why").verdict == "not measured"


@pytest.mark.parametrize(
    ("count", "p99"), [(1, 1), (10, 10), (99, 99), (100, 99), (101, 100), (200, 198)]
)
def test_the_percentile_is_a_value_that_occurred(count: int, p99: int) -> None:
    """Nearest rank: 99 of 100 values lie at or below it, and below 100 values it is the largest."""
    assert spread([float(value) for value in range(count, 0, -1)])[1] == p99
