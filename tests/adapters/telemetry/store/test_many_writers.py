"""Several processes append to one store while one compacts: none of their rows is lost, none stands twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.model.instants import Instant
from tests.adapters.telemetry.store.keeping import NOON, everything, local_store, rows_of

ROOT = Path(__file__).parents[4]
LATER = NOON.plus(3 * 86_400)
_WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sekisho.adapters.telemetry.store import ReadingStore, StoreSettings
from sekisho.adapters.telemetry.store.files import LocalFiles
from tests.adapters.telemetry.store.keeping import NOON, RULES, incoming, rows_of
root, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = ReadingStore(LocalFiles(root), settings=StoreSettings(gather_s=0.01), rules=RULES)
print("ready", flush=True)
sys.stdin.readline()
def put(number):
    rows = rows_of([f"GPU-{name}-{number % 7}"], NOON.plus(number * 10), 1)
    store.append("osaka", incoming(rows), received_us=NOON.us)
with ThreadPoolExecutor(4) as pool:
    list(pool.map(put, range(count)))
"""


def write_together(root: Path, writers: int, count: int) -> None:
    """Start the processes, let them go at once, and compact while they write."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(root), str(number), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for number in range(writers)
    ]
    store = local_store(root)
    for process in started:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    while any(process.poll() is None for process in started):
        store.compact("osaka", now=LATER)
    for process in started:
        process.communicate(timeout=30)
        assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("count", [60, pytest.param(3_000, marks=pytest.mark.soak)])
def test_four_processes_lose_and_double_nothing(tmp_path: Path, count: int) -> None:
    """Each row that was answered is found once, before the last compaction and after it."""
    write_together(tmp_path / "t", 4, count)
    store = local_store(tmp_path / "t")
    wanted = sorted(
        row
        for name in range(4)
        for number in range(count)
        for row in rows_of([f"GPU-{name}-{number % 7}"], NOON.plus(number * 10), 1)
    )
    assert everything(store) == wanted
    store.compact("osaka", now=LATER)
    assert everything(store) == wanted
    assert store.waiting("osaka", "2026-01-01", "2026-12-31") == ()
    assert store.check().verdict == "holds"
    assert len(store.partitions(Instant(0), LATER)[0].manifest.readings) >= 1
