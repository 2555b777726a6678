"""How the test files are spread over the workers of one call (`make test JOBS=2`).

A file stays on one worker, and with it the files that use the same heavy system. Long ones begin first, so that no
worker is left with one at the end. Of those that are bound to real time no two run side by side while there is
anything else to do: on two cores two regimes of twelve processes with leases of seconds prove nothing about either.
How long a file takes is read from `long_files.txt`; one that is not in there counts as short. `python -m
tests.spreading RESULTS` writes that list anew from a JUnit file.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # it comes without types

__all__ = ["REAL_TIME", "TOGETHER", "Spread", "choose_next", "seconds_of_files", "unit_of"]

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_name("long_files.txt")
LEAST_S = 3.0
"""Shorter files are not worth a line of the list."""

TOGETHER: Mapping[str, tuple[str, ...]] = {
    "spark": ("tests/adapters/telemetry/engines/",),
    "slurm": (
        "tests/adapters/schedulers/test_slurm_driver.py",
        "tests/agent/test_slurm.py",
        "tests/agent/test_slurm_charters.py",
        "tests/attacks/test_driver_full_disk.py",
        "tests/attacks/test_observer_schedulers.py",
        "tests/attacks/test_slurm_gate.py",
    ),
    "tiers of metering": (
        "tests/metering/test_metering_guide.py",
        "tests/metering/test_tier_accuracy.py",
    ),
}
"""Files and folders that share what takes long to make: one Java process, one cluster, one corpus."""

REAL_TIME = (
    "slurm",
    "tests/adapters/schedulers/test_cgroup.py",
    "tests/adapters/schedulers/test_process.py",
    "tests/adapters/schedulers/test_shaping.py",
    "tests/adapters/schedulers/test_slurm_nodes.py",
    "tests/adapters/schedulers/test_throttle.py",
    "tests/agent/test_census.py",
    "tests/agent/test_kubernetes.py",
    "tests/agent/test_main.py",
    "tests/agent/test_tpm_agent.py",
    "tests/attacks/test_cgroup_driver.py",
    "tests/attacks/test_slurm_watch.py",
    "tests/attacks/test_tpm_leases.py",
    "tests/attacks/test_vanished_clients.py",
    "tests/attacks/test_watchdog_strangers.py",
    "tests/cli/test_lease_carrying.py",
    "tests/crashes/test_agent_kill.py",
    "tests/crashes/test_log_kill.py",
    "tests/crashes/test_regime_kills.py",
    "tests/crashes/test_standby.py",
    "tests/crashes/test_standby_elsewhere.py",
    "tests/crashes/test_telemetry_kill.py",
    "tests/crashes/test_three_users.py",
    "tests/crashes/test_watchdog_deaths.py",
    "tests/docs/test_slurm_guide.py",
    "tests/observer/test_main.py",
    "tests/rehearsal/",
    "tests/web/test_real_prometheus.py",
)
"""What runs systems of many processes, or binds what must happen to seconds."""


def unit_of(file: str) -> str:
    """What goes to a worker as one: the file, or the name under which it stands with others in TOGETHER."""
    return next((name for name, files in TOGETHER.items() if file.startswith(files)), file)


def seconds_of_units() -> Mapping[str, float]:
    """What each took when the list was written."""
    taken: defaultdict[str, float] = defaultdict(float)
    for file, seconds in seconds_of_files().items():
        taken[unit_of(file)] += seconds
    return taken


def seconds_of_files() -> Mapping[str, float]:
    """What each long file took then."""
    rows = (line.split() for line in LIST.read_text().splitlines() if not line.startswith("#"))
    return {file: float(seconds) for seconds, file in rows}


def choose_next(
    waiting: Mapping[str, int], under_way: Iterable[str], seconds: Mapping[str, float]
) -> str:
    """The longest that waits; one bound to real time only last while another worker has such a one under way.

    `waiting` gives the number of tests, which decides between those of whose length nothing is known.
    """
    is_taken = any(unit.startswith(REAL_TIME) for unit in under_way)

    def urgency(unit: str) -> tuple[bool, float, int]:
        return not (is_taken and unit.startswith(REAL_TIME)), seconds.get(unit, 0.0), waiting[unit]

    return max(waiting, key=urgency)


class Spread(LoadFileScheduling):  # type: ignore[misc]  # it comes without types
    """xdist's own order by file, but with our units, and our choice of what comes next."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)
        self._seconds = seconds_of_units()

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(str(super()._split_scope(nodeid)))

    def _assign_work_unit(self, node: object) -> None:
        waiting = {unit: len(tests) for unit, tests in self.workqueue.items()}
        under_way = [
            unit
            for other, units in self.assigned_work.items()
            for unit, tests in units.items()
            if other is not node and not all(tests.values())
        ]
        self.workqueue.move_to_end(choose_next(waiting, under_way, self._seconds), last=False)
        super()._assign_work_unit(node)


def _write_list(results: Path) -> None:
    taken: defaultdict[str, float] = defaultdict(float)
    for case in ET.parse(results).iter("testcase"):
        taken[_file_of(case.attrib["classname"])] += float(case.attrib["time"])
    long = sorted((-s, file) for file, s in taken.items() if s >= LEAST_S)
    rows = [f"{-seconds:6.1f} {file}" for seconds, file in long]
    told = "# Seconds that a test file takes, the long ones: read by tests/spreading.py, which writes it, too."
    LIST.write_text("\n".join([told, *rows, ""]))


def _file_of(name: str) -> str:
    """The file of a class name as JUnit has it: its folders and name with points, perhaps a class behind."""
    parts = name.split(".")
    while parts and not (ROOT / f"{'/'.join(parts)}.py").is_file():
        parts.pop()
    return f"{'/'.join(parts)}.py"


if __name__ == "__main__":
    _write_list(Path(sys.argv[1]))
