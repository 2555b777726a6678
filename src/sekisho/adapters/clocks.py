"""The host's own clocks."""

from __future__ import annotations

import time
from pathlib import Path

from sekisho.model.errors import Unavailable
from sekisho.model.instants import Instant

__all__ = ["SystemClock"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """The system clock, and CLOCK_BOOTTIME: seconds since boot that count through suspend (clock_gettime(2))."""

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1000)

    def elapsed_s(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def awake_s(self) -> float:
        """CLOCK_MONOTONIC: the same seconds without those in suspend (clock_gettime(2))."""
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    def boot_id(self) -> str:
        """Which boot `elapsed_s` counts from. Raises Unavailable where the kernel does not say."""
        try:
            return _BOOT_ID.read_text("ascii").strip()
        except OSError as error:
            raise Unavailable(f"{_BOOT_ID} cannot be read: {error.strerror}") from None
