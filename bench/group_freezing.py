"""How long a control group takes from the call to frozen: eight spinning processes, in each version that the host has.

The call is the driver's own `freeze`, which returns when the kernel says that every process stands; between two calls
the group is thawed and runs for a moment. Beside it the same through a watchdog's socket, as an agent asks for it.
`python bench/group_freezing.py` prints milliseconds.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.schedulers.cgroup import CgroupDriver
from sekisho.adapters.schedulers.watchdog_link import spawn_watchdog
from sekisho.model.errors import InvalidInput
from sekisho.ports.driver import Driver, Permit
from sekisho.ports.driver_settings import CgroupSettings

__all__ = ["measure_group_freezes"]

SPINS = (sys.executable, "-S", "-c", "import os\nfor _ in range(3): os.fork()\nwhile True: pass")
RUNS_S = 0.02


def measure_group_freezes(count: int) -> dict[str, list[float]]:
    """Milliseconds by what was asked; a version that this host lacks is left out."""
    found: dict[str, list[float]] = {}
    for version in ("v2", "v1"):
        with tempfile.TemporaryDirectory() as folder:
            try:
                with _group_driver(Path(folder), version) as driver:
                    found[f"freeze of a group of 8, {version}, call to frozen"] = _time(
                        driver, count
                    )
            except InvalidInput:
                continue
    with tempfile.TemporaryDirectory() as folder:
        found["  the same through the watchdog's socket"] = _time_watchdog(Path(folder), count)
    return found


@contextmanager
def _group_driver(folder: Path, version: str) -> Iterator[CgroupDriver]:
    settings = CgroupSettings(
        group=f"/sekisho-bench-{os.getpid()}",
        make=True,
        version="v2" if version == "v2" else "v1",
    )
    driver = CgroupDriver(folder / "driver", settings)
    try:
        driver.start("bench", SPINS, {})
        yield driver
    finally:
        driver.kill()
        driver.close()


def _time_watchdog(folder: Path, count: int) -> list[float]:
    link = spawn_watchdog(folder / "watchdog")
    until = SystemClock().elapsed_s() + 600.0
    link.permit(Permit(checkpoint_at_s=until, until_s=until, then="kill"))
    link.start("bench", SPINS, {})
    try:
        return _time(link, count)
    finally:
        link.kill()
        link.quit()


def _time(driver: Driver, count: int) -> list[float]:
    while driver.read().processes < 8:
        time.sleep(0.01)
    taken = []
    for _ in range(count):
        time.sleep(RUNS_S)
        begun = time.perf_counter()
        driver.freeze()
        taken.append((time.perf_counter() - begun) * 1000)
        driver.thaw()
    return taken


if __name__ == "__main__":
    for what, figures in measure_group_freezes(100).items():
        figures.sort()
        print(f"{what}: median {figures[50]:.2f} ms, p99 {figures[98]:.2f} ms, n 100")
