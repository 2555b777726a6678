"""Real spinning work under a cap of 40 %, against an uncapped sibling in the same seconds."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.schedulers import ProcessDriver
from sekisho.adapters.schedulers.throttle import GroupThrottle
from sekisho.orders.caps import judge_cap, measure_processor
from tests.adapters.schedulers.groups import SPIN, wait_until

CORES = os.cpu_count() or 1
COMMAND = (sys.executable, "-S", "-c", "import os\nfor _ in range(3): os.fork()\n" + SPIN)
FREE_MARGIN = 0.8  # two equal siblings are rarely told apart by more, on however busy a machine


@pytest.fixture
def siblings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ProcessDriver, ProcessDriver]]:
    """Two drivers, each over eight spinning processes, on a host whose kernel has no quota to give.

    A quota is of all cores: on a machine that others use, fair shares may lie below it, and it would show nothing.
    """
    monkeypatch.setattr(GroupThrottle, "_by_kernel", lambda *_: False)
    drivers = ProcessDriver(tmp_path / "capped"), ProcessDriver(tmp_path / "free")
    for number, driver in enumerate(drivers):
        driver.start(f"run-{number}", COMMAND, {})
    wait_until(lambda: all(driver.read().processes == 8 for driver in drivers))
    yield drivers
    for driver in drivers:
        driver.cap(1_000_000)
        driver.kill()
        driver.close()


def spent(
    siblings: tuple[ProcessDriver, ProcessDriver], for_s: float
) -> tuple[float, float, float]:
    """Processor seconds of the one and of the other, and how long that was."""
    begun, before = time.monotonic(), [driver.read().cpu_s for driver in siblings]
    time.sleep(for_s)
    one, other = (driver.read().cpu_s - was for driver, was in zip(siblings, before, strict=True))
    return one, other, time.monotonic() - begun


@pytest.mark.slow
def test_a_cap_of_40_percent_slows_real_work_against_its_sibling(
    siblings: tuple[ProcessDriver, ProcessDriver],
) -> None:
    """What it gets of its sibling's share falls with the cap, and comes back when that is lifted."""
    capped, _ = siblings
    one, other, _ = spent(siblings, 1.0)
    free_ratio = one / other
    assert capped.cap(400_000) == "duty-cycle"
    time.sleep(0.2)
    one, other, seconds = spent(siblings, 2.0)
    ratio = one / other
    assert 0 < ratio < FREE_MARGIN * free_ratio
    use = measure_processor(one, seconds, CORES)
    assert use is not None
    assert use.high <= 0.4 + 0.15 + 0.2 / seconds
    assert judge_cap(40, use).verdict == "not-measured"  # two seconds are too short a time to tell
    capped.cap(1_000_000)
    time.sleep(0.2)
    one, other, _ = spent(siblings, 1.0)
    assert one / other > ratio
