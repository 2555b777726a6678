"""What slows work without stopping it: the kernel's quota where there is one, else a freeze that comes and goes.

Tried in this order, and the answer names which: `cpu.max` (version 2, where the cpu controller reaches the group), a
quota of version 1's cpu hierarchy, a duty cycle. Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst and
Documentation/scheduler/sched-bwc.rst (cpu.cfs_quota_us; quotas from 1 ms, periods from 1 ms to 1 s).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from sekisho.adapters.schedulers.cgroups import find_cgroup_mount
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.driver import CapMeans

__all__ = ["DutyCycle", "DutyReading", "GroupThrottle", "Slowed"]

WHOLE_PPM = 1_000_000
PERIOD_S = 0.1
LONGEST_PERIOD_S = 1.0
SHORTEST_ON_S = 0.005
"""A thaw and a freeze cost a few milliseconds: shorter moments would be nothing but error."""
QUOTA_PERIOD_US = 100_000
LONGEST_QUOTA_PERIOD_US = 1_000_000
SHORTEST_QUOTA_US = 1_000


class Slowed(NamedTuple):
    """The work as a throttle sees it: its version 2 group where it stands in one, and its processes.

    `halt` stops all of it for a moment and returns once it stands, or soon after; `let_go` wakes it again.
    """

    folder: Callable[[], Path | None]
    pids: Callable[[], set[int]]
    halt: Callable[[], None]
    let_go: Callable[[], None]


class DutyReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a duty cycle has measured of itself: seconds that it let the work run, of seconds that have passed."""

    on_s: float
    passed_s: float

    @property
    def share(self) -> float:
        return self.on_s / self.passed_s if self.passed_s else 0.0


class DutyCycle:
    """Freezes and thaws in turns, so that the work runs `share_ppm` millionths of the time, on all cores or on few.

    The on-time is measured from the thaw to the confirmed freeze, and what one turn took too much the next ones lack:
    the error is one turn's overshoot, a few milliseconds, over the whole time, never its sum. A share whose on-time
    would be under 5 ms in a period of a second leaves the work frozen. `hold` keeps it frozen until `release`, whoever
    asks: a cycle never thaws what an order or a permit has stopped. A cycle that cannot go on leaves it frozen.
    """

    def __init__(self, slowed: Slowed, share_ppm: int) -> None:
        self._slowed = slowed
        self._share = share_ppm / WHOLE_PPM
        self.period_s = min(max(PERIOD_S, SHORTEST_ON_S / self._share), LONGEST_PERIOD_S)
        self._lock = threading.RLock()
        self._woken = threading.Condition(self._lock)
        self._held = False
        self._ended = False
        self._on_s = self._passed_s = 0.0
        self._thread = threading.Thread(target=self._run, name="duty-cycle", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def hold(self) -> None:
        """From the return of this on, nothing is thawed here."""
        with self._woken:
            self._held = True
            self._woken.notify_all()

    def release(self) -> None:
        with self._woken:
            self._held = False
            self._woken.notify_all()

    def end(self) -> None:
        """Leave the work as it stands; whoever ends the cycle thaws or freezes it."""
        with self._woken:
            self._ended = True
            self._woken.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def read(self) -> DutyReading:
        with self._lock:
            return DutyReading(on_s=self._on_s, passed_s=self._passed_s)

    def _run(self) -> None:
        begun, given_s = time.monotonic(), 0.0
        with self._woken:
            while not self._ended:
                if self._held:
                    self._woken.wait()
                    begun, given_s = time.monotonic(), 0.0
                    continue
                at = time.monotonic()
                owed_s = self._share * (at - begun + self.period_s) - given_s
                # What was lost by a late turn is not made up for by a long one.
                owed_s = min(owed_s, self._share * self.period_s + SHORTEST_ON_S)
                on_s = self._turn(owed_s) if owed_s >= SHORTEST_ON_S else self._stand_still()
                self._sleep(at + self.period_s)
                given_s += on_s
                self._on_s += on_s
                self._passed_s += time.monotonic() - at

    def _turn(self, on_s: float) -> float:
        """Thaw, wait, freeze; the seconds from the one to the other."""
        begun = time.monotonic()
        try:
            self._slowed.let_go()
        except OSError:
            return self._stand_still()  # the group is gone, or stays frozen
        self._sleep(begun + on_s)
        if (
            not self._held
        ):  # else it is the holder's to freeze, and his freeze must not wait for ours
            self._stand_still()
        return time.monotonic() - begun

    def _stand_still(self) -> float:
        with contextlib.suppress(OSError, Unavailable):  # the next turn tries again
            self._slowed.halt()
        return 0.0

    def _sleep(self, until_s: float) -> None:
        while not (self._ended or self._held) and (left := until_s - time.monotonic()) > 0:
            self._woken.wait(left)


class GroupThrottle:
    """Implements ports.Throttle over work in groups or outside them. One cap at a time; a new one replaces it.

    `cores` are what a share is of: all of this host's unless told. A quota that stood there before ours and was
    stricter stays, and comes back when ours is lifted.
    """

    def __init__(self, slowed: Slowed, label: str, *, cores: int | None = None) -> None:
        self._slowed = slowed
        self._label = label
        self._cores = cores or os.cpu_count() or 1
        self.means: CapMeans = "none"
        self.share_ppm = WHOLE_PPM
        self._held = False
        self._cycle: DutyCycle | None = None
        self._undo: Callable[[], None] | None = None
        self._quota_group: Path | None = None
        self._before: tuple[Path, str] | None = None

    def cap(self, share_ppm: int) -> CapMeans:
        """Leave the work `share_ppm` millionths of all cores; 1,000,000 lifts the cap.

        Raises InvalidInput for a share outside 1..1,000,000, Unavailable where no means is at hand.
        """
        if not 1 <= share_ppm <= WHOLE_PPM:
            raise InvalidInput("is not within 1..1,000,000", path="share_ppm")
        if share_ppm == self.share_ppm:
            self.tighten()
            return self.means
        self._replace(share_ppm)
        self.share_ppm = share_ppm
        return self.means

    def recover(self) -> None:
        """Take over a version 1 quota that a dead watchdog left on living work: it stays until the next word."""
        group = _common_cpu_group(self._slowed.pids())
        if group is not None and group.name == self._label:
            self._quota_group, self._undo = group, lambda: _leave_all(group)
            self.means, self.share_ppm = (
                "cgroup-v1-quota",
                0,
            )  # how much it leaves is not known here

    def hold(self) -> None:
        """The work is being stopped: from now on no cycle thaws it."""
        self._held = True
        if self._cycle:
            self._cycle.hold()

    def release(self) -> None:
        """The work was thawed: a cycle may go on."""
        self._held = False
        if self._cycle:
            self._cycle.release()

    @property
    def is_cycling(self) -> bool:
        """Whether a freeze that is seen may be a turn of ours."""
        return self._cycle is not None and not self._held

    def read_cycle(self) -> DutyReading | None:
        return self._cycle.read() if self._cycle else None

    def tighten(self) -> None:
        """Take in what has come or gone astray since: a quota of version 1 binds only who is in its group."""
        if self._quota_group is not None:
            _enter_all(self._quota_group, self._slowed.pids)

    def end(self) -> None:
        """The work is over: leave nothing behind."""
        self._end_cycle()
        self._lift_quota()
        self.means, self.share_ppm, self._held = "none", WHOLE_PPM, False

    def _replace(self, share_ppm: int) -> None:
        """The new cap stands before the old one goes, so that a crash between the two leaves the stricter."""
        if share_ppm == WHOLE_PPM:
            cycled = self._end_cycle()
            self._lift_quota()
            self.means = "none"
            if cycled and not self._held:
                self._slowed.let_go()
            return
        if self._by_kernel(share_ppm):
            if self._end_cycle() and not self._held:
                self._slowed.let_go()
            return
        self._end_cycle()
        self._cycle = DutyCycle(self._slowed, share_ppm)
        if self._held:
            self._cycle.hold()
        self._cycle.begin()
        self.means = "duty-cycle"

    def _by_kernel(self, share_ppm: int) -> bool:
        quota = _quota_of(share_ppm, self._cores)
        if quota is None:
            return False
        with contextlib.suppress(OSError):
            return self._by_cpu_max(*quota) or self._by_v1_quota(*quota)
        return False

    def _by_cpu_max(self, quota_us: int, period_us: int) -> bool:
        folder = self._slowed.folder()
        if folder is None or not _reaches_cpu(folder):
            return False
        if self._before is None or self._before[0] != folder:
            self._before = folder, (folder / "cpu.max").read_text().strip()
        before = self._before[1]  # the site's own, under which every cap of ours stays
        (folder / "cpu.max").write_text(_stricter(f"{quota_us} {period_us}", before))
        self._undo = lambda: _write_quietly(folder / "cpu.max", before)
        self.means = "cgroup-v2-cpu-max"
        return True

    def _by_v1_quota(self, quota_us: int, period_us: int) -> bool:
        group = self._quota_group or self._make_quota_group()
        if group is None or not (group / "cpu.cfs_quota_us").exists():
            return False
        ours = f"{quota_us} {period_us}"
        for theirs in _quotas_above(group):  # the kernel refuses a group more than those above have
            ours = _stricter(ours, theirs)
        quota, period = ours.split()
        # Tighter first: with the old quota under the new period there is no moment of more.
        (group / "cpu.cfs_quota_us").write_text(str(SHORTEST_QUOTA_US))
        (group / "cpu.cfs_period_us").write_text(period)
        (group / "cpu.cfs_quota_us").write_text(quota)
        _enter_all(group, self._slowed.pids)
        self._quota_group = group
        self._undo = lambda: _leave_all(group)
        self.means = "cgroup-v1-quota"
        return True

    def _make_quota_group(self) -> Path | None:
        parent = _common_cpu_group(self._slowed.pids())
        if parent is None or not os.access(parent, os.W_OK):
            return None
        (parent / self._label).mkdir(exist_ok=True)
        return parent / self._label

    def _lift_quota(self) -> None:
        if self._undo:
            self._undo()
        self._undo, self._quota_group, self._before = None, None, None

    def _end_cycle(self) -> bool:
        if self._cycle is None:
            return False
        self._cycle.end()
        self._cycle = None
        return True


def _quota_of(share_ppm: int, cores: int) -> tuple[int, int] | None:
    """Quota and period in microseconds, rounded down; None where the share is too small for the kernel."""
    for period in (QUOTA_PERIOD_US, LONGEST_QUOTA_PERIOD_US):
        quota = share_ppm * cores * period // WHOLE_PPM
        if quota >= SHORTEST_QUOTA_US:
            return quota, period
    return None


def _stricter(ours: str, theirs: str) -> str:
    if theirs.startswith("max"):
        return ours
    (our_quota, our_period), (quota, period) = (map(int, text.split()) for text in (ours, theirs))
    return ours if our_quota * period <= quota * our_period else theirs


def _quotas_above(group: Path) -> Iterator[str]:
    """Version 1's quotas of the groups above, each in cpu.max's words; those without one are passed over."""
    for folder in group.parents:
        if not (folder / "cpu.cfs_quota_us").exists():
            return
        quota = (folder / "cpu.cfs_quota_us").read_text().strip()
        if not quota.startswith("-"):
            yield f"{quota} {(folder / 'cpu.cfs_period_us').read_text().strip()}"


def _reaches_cpu(folder: Path) -> bool:
    """Whether the group has cpu.max, asking the group above for it where that has the controller itself."""
    if not (folder / "cpu.max").exists():
        with contextlib.suppress(OSError):  # a group with processes of its own may not hand it down
            (folder.parent / "cgroup.subtree_control").write_text("+cpu")
    return os.access(folder / "cpu.max", os.W_OK)


def _enter_all(group: Path, pids: Callable[[], set[int]]) -> None:
    """Put every process into the group, until a look finds nobody outside: children are born where the parent is."""
    for _ in range(50):
        inside = set(map(int, (group / "cgroup.procs").read_text().split()))
        outside = pids() - inside
        if not outside:
            return
        for pid in outside:
            with contextlib.suppress(ProcessLookupError):
                (group / "cgroup.procs").write_text(str(pid))


def _common_cpu_group(pids: set[int]) -> Path | None:
    """Where all of them stand in version 1's cpu hierarchy: below it they stay under whatever limits it has.

    None where there is no such hierarchy, nobody, or where they stand in different groups.
    """
    mount = find_cgroup_mount("cpu")
    names = {name for pid in pids if (name := _cpu_group_of(pid)) is not None}
    if mount is None or len(names) != 1:
        return None
    return mount / names.pop().lstrip("/")


def _cpu_group_of(pid: int) -> str | None:
    """The name in the row of the hierarchy that has the controller `cpu` (cgroups(7), /proc/PID/cgroup)."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, name = line.split(":", 2)
            if "cpu" in controllers.split(","):
                return name
    return None


def _leave_all(group: Path) -> None:
    with contextlib.suppress(OSError):
        (group / "cpu.cfs_quota_us").write_text("-1")
        for pid in (group / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (group.parent / "cgroup.procs").write_text(pid)
        for _ in range(50):
            try:
                group.rmdir()
            except OSError:
                time.sleep(0.002)  # whoever was just killed is still on the way out
            else:
                return


def _write_quietly(file: Path, text: str) -> None:
    with contextlib.suppress(OSError):  # the group went with its work
        file.write_text(text)
