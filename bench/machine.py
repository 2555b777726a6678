"""The machine that the figures were taken on, and how busy it was when they were begun."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import msgspec

__all__ = ["Machine", "look_at_machine"]


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """`load` is the load average over 1, 5 and 15 minutes at the start: above `cores` the figures carry noise."""

    cores: int
    cpu: str
    kernel: str
    python: str
    load: tuple[float, float, float]

    def to_text(self) -> str:
        load = " ".join(f"{value:.2f}" for value in self.load)
        return (
            f"{self.cores} cores, {self.cpu}, {self.kernel}, Python {self.python}; "
            f"load average at the start {load}"
        )


def look_at_machine() -> Machine:
    """What this process may use of the machine, now."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        cpu=_cpu_model(),
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load=os.getloadavg(),
    )


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()
