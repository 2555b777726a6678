"""Caps: which means is taken, what share of the processors is left, and that no cap thaws what an order froze."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.schedulers import ProcessDriver, throttle
from sekisho.adapters.schedulers.cgroup import CgroupDriver
from sekisho.adapters.schedulers.cgroups import find_cgroup_mount
from sekisho.adapters.schedulers.throttle import DutyCycle, GroupThrottle, Slowed
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.driver_settings import CgroupSettings
from tests.adapters.schedulers.groups import SPIN, VERSIONS, others_group, wait_until

CORES = os.cpu_count() or 1
FORKS = "import os\nfor _ in range(3): os.fork()\n"
SPENT_ERROR = 0.15  # on a machine with other work: late turns over the second that a test lasts, ticks of 10 ms


class Light:
    """Work that is on or off, and knows for how long it was on."""

    def __init__(self, slow_s: float = 0.0) -> None:
        self.is_on = True
        self.on_s = 0.0
        self.turns: list[float] = []
        self.refuses = False
        self._slow_s = slow_s
        self._since = time.monotonic()

    def halt(self) -> None:
        time.sleep(self._slow_s)
        if self.is_on:
            self.turns.append(time.monotonic() - self._since)
            self.on_s += self.turns[-1]
        self.is_on = False

    def let_go(self) -> None:
        if self.refuses:
            raise OSError("gone")
        self._since = time.monotonic()
        self.is_on = True

    def slowed(self, folder: Path | None = None) -> Slowed:
        return Slowed(folder=lambda: folder, pids=set, halt=self.halt, let_go=self.let_go)


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without any quota: what is left is the duty cycle."""
    monkeypatch.setattr(GroupThrottle, "_by_kernel", lambda *_: False)


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("slow_s", [0.0, 0.012])
def test_a_duty_cycle_leaves_its_share_of_the_time(share: float, slow_s: float) -> None:
    """Measured from thaw to freeze it exceeds the share by one turn at most, though every freeze comes late."""
    light = Light(slow_s)
    cycle = DutyCycle(light.slowed(), round(share * 1_000_000))
    light.halt()
    light.on_s, light.turns = 0.0, []
    begun = time.monotonic()
    cycle.begin()
    time.sleep(0.8)
    cycle.end()
    light.halt()
    passed = time.monotonic() - begun
    assert 0 < light.on_s <= share * (passed + cycle.period_s) + max(light.turns)
    assert cycle.read().on_s == pytest.approx(light.on_s, abs=max(light.turns) + 0.05)


def test_a_share_too_small_for_a_turn_leaves_the_work_frozen() -> None:
    """Rounding goes to the stricter side."""
    light = Light()
    cycle = DutyCycle(light.slowed(), 100)
    cycle.begin()
    wait_until(lambda: not light.is_on)
    light.on_s = 0.0
    time.sleep(0.3)
    cycle.end()
    assert (light.is_on, light.on_s) == (False, 0.0)


def test_a_held_cycle_thaws_nothing(no_kernel: None) -> None:
    """Between hold and release the work stays as the holder leaves it, under a change of the cap too."""
    light = Light()
    slowed = GroupThrottle(light.slowed(), "x")
    assert slowed.cap(900_000) == "duty-cycle"
    time.sleep(0.15)
    slowed.hold()
    light.halt()
    for share in (500_000, 800_000, 1_000_000, 700_000):
        slowed.cap(share)
        time.sleep(0.15)
        assert not light.is_on
    slowed.release()
    wait_until(lambda: light.is_on)
    slowed.end()


def test_a_cycle_that_cannot_thaw_leaves_the_work_frozen(no_kernel: None) -> None:
    """A group that refuses is no reason to end the cycle, nor to let go."""
    light = Light()
    light.refuses = True
    slowed = GroupThrottle(light.slowed(), "x")
    slowed.cap(500_000)
    wait_until(lambda: not light.is_on)
    time.sleep(0.2)
    assert not light.is_on
    light.refuses = False
    wait_until(lambda: light.is_on)
    assert slowed.cap(1_000_000) == "none"
    assert light.is_on


def test_lifting_a_cap_lets_the_work_go(no_kernel: None) -> None:
    """After the cap there is no thread left and the work runs."""
    light = Light()
    slowed = GroupThrottle(light.slowed(), "x")
    slowed.cap(10_000)
    wait_until(lambda: not light.is_on)
    assert slowed.cap(1_000_000) == "none"
    assert light.is_on
    assert "duty-cycle" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize("share", [0, -1, 1_000_001])
def test_a_share_beyond_the_whole_is_bad_input(share: int) -> None:
    """A share is of 1..1,000,000 millionths."""
    with pytest.raises(InvalidInput, match="share_ppm"):
        GroupThrottle(Light().slowed(), "x").cap(share)


@given(st.integers(1, 999_999), st.integers(1, 512))
def test_a_quota_never_leaves_more_than_the_share(share: int, cores: int) -> None:
    """Rounded down, within the kernel's bounds, or not at all."""
    quota = throttle._quota_of(share, cores)
    if quota is None:
        assert share * cores < 1_000
    else:
        quota_us, period_us = quota
        assert quota_us * 1_000_000 <= share * cores * period_us
        assert quota_us >= 1_000
        assert 1_000 <= period_us <= 1_000_000


def cpu_group(folder: Path, text: str) -> Path:
    """A version 2 group as the controller shows it, in plain files."""
    folder.mkdir()
    (folder / "cpu.max").write_text(text)
    return folder


def test_cpu_max_is_taken_where_the_controller_reaches(tmp_path: Path) -> None:
    """The quota is written to the group's own file, and lifting it brings back what stood there."""
    folder = cpu_group(tmp_path / "g", "max 100000\n")
    slowed = GroupThrottle(Light().slowed(folder), "x", cores=4)
    assert slowed.cap(250_000) == "cgroup-v2-cpu-max"
    assert (folder / "cpu.max").read_text() == "100000 100000"
    assert slowed.cap(500_000) == "cgroup-v2-cpu-max"
    assert (folder / "cpu.max").read_text() == "200000 100000"
    assert slowed.cap(1_000_000) == "none"
    assert (folder / "cpu.max").read_text() == "max 100000"


def test_a_stricter_quota_of_somebody_else_stays(tmp_path: Path) -> None:
    """A cap never widens what a container was given."""
    folder = cpu_group(tmp_path / "g", "50000 100000")
    slowed = GroupThrottle(Light().slowed(folder), "x", cores=4)
    assert slowed.cap(500_000) == "cgroup-v2-cpu-max"
    assert (folder / "cpu.max").read_text() == "50000 100000"
    slowed.cap(50_000)
    assert (folder / "cpu.max").read_text() == "20000 100000"
    slowed.end()
    assert (folder / "cpu.max").read_text() == "50000 100000"


def test_a_later_cap_does_not_forget_a_stricter_quota(tmp_path: Path) -> None:
    """However many caps come after each other, each stays under what stood there before the first."""
    folder = cpu_group(tmp_path / "g", "10000 100000")
    slowed = GroupThrottle(Light().slowed(folder), "x", cores=1)
    for share in (500_000, 600_000, 900_000):
        slowed.cap(share)
        assert (folder / "cpu.max").read_text() == "10000 100000"
    slowed.cap(50_000)
    assert (folder / "cpu.max").read_text() == "5000 100000"
    slowed.end()
    assert (folder / "cpu.max").read_text() == "10000 100000"


def v1_group(folder: Path, quota_us: int) -> Path:
    """A version 1 group as the controller shows it, in plain files."""
    folder.mkdir()
    (folder / "cpu.cfs_quota_us").write_text(f"{quota_us}\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    (folder / "cgroup.procs").write_text("")
    return folder


def test_a_stricter_quota_above_a_version_1_group_stays(tmp_path: Path) -> None:
    """Neither the first cap nor a later one asks for more than the groups above have, which the kernel refuses."""
    site = v1_group(tmp_path / "site", 10_000)
    group = v1_group(v1_group(site / "unlimited", -1) / "x", -1)
    slowed = GroupThrottle(Light().slowed(), "x", cores=1)
    slowed._quota_group = group
    for share, quota in ((500_000, "10000"), (600_000, "10000"), (50_000, "5000")):
        assert slowed.cap(share) == "cgroup-v1-quota"
        assert (group / "cpu.cfs_quota_us").read_text() == quota
        assert (group / "cpu.cfs_period_us").read_text().strip() == "100000"


@pytest.fixture(params=VERSIONS)
def spinning(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CgroupDriver]:
    """A driver over a group with more spinning processes than this host has processors, up to eight."""
    with others_group(request.param, "sekisho-slow") as group:
        driver = CgroupDriver(
            tmp_path / "driver", CgroupSettings(group=group.name, version=request.param)
        )
        group.start(FORKS + SPIN)
        wait_until(lambda: driver.read().processes == 8)
        yield driver
        driver.kill()
        driver.close()


def spent_share(driver: CgroupDriver | ProcessDriver, for_s: float) -> float:
    """Processor seconds of the work, of all processors' seconds."""
    begun, before = time.monotonic(), driver.read().cpu_s
    time.sleep(for_s)
    return (driver.read().cpu_s - before) / (time.monotonic() - begun) / CORES


@pytest.mark.groups
@pytest.mark.slow
def test_a_duty_cycle_holds_real_work_to_its_share(spinning: CgroupDriver, no_kernel: None) -> None:
    """Processor time stays below share and stated error, and the work counts as running all along."""
    for share in (0.2, 0.6):
        assert spinning.cap(round(share * 1_000_000)) == "duty-cycle"
        assert spent_share(spinning, 1.0) <= share + SPENT_ERROR
        assert spinning.read().state == "running"
        assert spinning.read().cpu_s > 0
    cycle = spinning._throttle.read_cycle()
    assert cycle is not None
    assert 0.3 < cycle.share <= 0.6 + SPENT_ERROR
    assert spinning.freeze() != "none"
    assert spinning.read().state == "frozen"
    assert spent_share(spinning, 0.3) < 0.01
    spinning.cap(1_000_000)
    assert spinning.read().state == "frozen"


def has_v1_quota() -> bool:
    found = find_cgroup_mount("cpu")
    return found is not None and os.access(found, os.W_OK)


@pytest.mark.groups
@pytest.mark.slow
def test_the_kernels_quota_holds_real_work_to_its_share(spinning: CgroupDriver) -> None:
    """Where this host has a quota it is taken before a duty cycle, binds later children too, and goes when lifted."""
    means = spinning.cap(200_000)
    if means == "duty-cycle":
        assert not has_v1_quota()
        return
    time.sleep(0.2)
    assert spent_share(spinning, 1.0) <= 0.2 + SPENT_ERROR
    assert spinning.cap(100_000) == means
    time.sleep(0.2)
    assert spent_share(spinning, 1.0) <= 0.1 + SPENT_ERROR
    group = spinning._throttle._quota_group
    spinning.cap(1_000_000)
    assert group is None or not group.exists()
    before = spinning.read().cpu_s
    wait_until(lambda: spinning.read().cpu_s > before + 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("groups", [True, False], ids=["group", "signals"])
def test_the_process_driver_caps_by_a_duty_cycle(
    tmp_path: Path, no_kernel: None, *, groups: bool
) -> None:
    """By freezing the group or by signals; the cap holds for the next work too, and its end lets go."""
    driver = ProcessDriver(tmp_path / "driver", cgroups=groups)
    command = (sys.executable, "-S", "-c", FORKS + SPIN)
    assert driver.cap(300_000) == "duty-cycle"
    driver.start("run-1", command, {})
    wait_until(lambda: driver.read().processes == 8)
    assert spent_share(driver, 1.0) <= 0.3 + SPENT_ERROR
    assert driver.read().state == "running"
    driver.kill()
    driver.start("run-2", command, {})
    assert spent_share(driver, 1.0) <= 0.3 + SPENT_ERROR
    driver.cap(1_000_000)
    driver.kill()
    driver.close()


def test_a_cap_that_nothing_can_keep_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A halt that fails is tried again at the next turn; nobody is told that it was done."""
    tries: list[float] = []

    def fail() -> None:
        tries.append(time.monotonic())
        raise Unavailable("it does not stop")

    slowed = Slowed(folder=lambda: None, pids=set, halt=fail, let_go=lambda: None)
    cycle = DutyCycle(slowed, 100)
    monkeypatch.setattr(cycle, "period_s", 0.05)
    cycle.begin()
    wait_until(lambda: len(tries) >= 3)
    cycle.end()
    assert cycle.read().on_s == 0.0
