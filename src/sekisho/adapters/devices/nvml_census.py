"""NVIDIA devices counted through NVML, afresh every few seconds. Needs the extra `agent`.

NVML lists the devices that were there when it was initialised, so a look that must notice what was plugged in since
begins with initialising it again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import pynvml as nvml  # type: ignore[import-untyped]  # it comes without types

from sekisho.model.errors import Unavailable
from sekisho.ports.device_census import SeenDevice, SeenProcess

__all__ = ["NvmlCensus"]

Handle = Any
T = TypeVar("T")
MOST_ANCESTORS: Final = 64
FRESH_EVERY: Final = 5
MOST_PROCESSES: Final = 1024
_PROC: Final = Path("/proc")


class NvmlCensus:
    """A `DeviceCensus` over NVML, used by one thread. `fresh_every`: looks for which one initialising is good.

    Where no persistence daemon runs, initialising wakes the driver up, which can take a second; hence not each time.
    """

    def __init__(self, fresh_every: int = FRESH_EVERY) -> None:
        self._fresh_every = fresh_every
        self._looks_left = 0

    def seen(self) -> tuple[SeenDevice, ...]:
        if not self._looks_left:
            self._open()
        self._looks_left -= 1
        try:
            return tuple(self._look(index) for index in range(nvml.nvmlDeviceGetCount()))
        except nvml.NVMLError as error:
            self._looks_left = 0  # a driver that was restarted answers only to who begins again
            raise Unavailable(f"NVML does not list the devices: {error}") from None
        finally:
            if not self._looks_left:
                self._close()

    def _open(self) -> None:
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            raise Unavailable(
                f"NVML: {error}",
                remedy="install the NVIDIA driver, or run where its libnvidia-ml.so.1 can be loaded",
            ) from None
        self._looks_left = self._fresh_every

    def _close(self) -> None:
        with suppress(nvml.NVMLError):  # nothing is left to do about it
            nvml.nvmlShutdown()

    def _look(self, index: int) -> SeenDevice:
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            name = _text(nvml.nvmlDeviceGetUUID(handle))
        except nvml.NVMLError as error:
            # Fallen off the bus: listed still, without a name. Which one it is shows in who is missing.
            return SeenDevice(device=f"device {index}", lost=str(error))
        lost = ""
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            nvml.nvmlDeviceGetUtilizationRates(handle)
        except nvml.NVMLError_NotSupported:
            memory = _asked(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        except nvml.NVMLError as error:
            memory, lost = None, str(error)
        return SeenDevice(
            device=name,
            chip=_asked(lambda: _text(nvml.nvmlDeviceGetName(handle))) or "",
            slot=_asked(lambda: _text(nvml.nvmlDeviceGetPciInfo(handle).busId)) or "",
            util_ppm=_asked(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu * 10_000),
            power_mw=_asked(lambda: int(nvml.nvmlDeviceGetPowerUsage(handle))),
            power_limit_mw=_asked(lambda: int(nvml.nvmlDeviceGetEnforcedPowerLimit(handle))),
            memory_bytes=None if memory is None else int(memory.total),
            processes=self._processes(handle),
            lost=lost,
        )

    def _processes(self, handle: Handle) -> tuple[SeenProcess, ...] | None:
        found = _asked(lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle))
        if found is None:
            return None
        pids = sorted({int(process.pid) for process in found[:MOST_PROCESSES]})
        return tuple(SeenProcess(pid=pid, ancestors=self._ancestors(pid)) for pid in pids)

    def _ancestors(self, pid: int) -> tuple[int, ...]:
        """Up to the first process; what ended meanwhile, or is in another pid namespace, has none."""
        found: list[int] = []
        while pid > 1 and len(found) < MOST_ANCESTORS:
            try:
                stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
                pid = int(stat.rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                break
            found.append(pid)
        return tuple(found)


def _asked(ask: Callable[[], T]) -> T | None:
    """What the driver answers, None where it does not support or permit it, or the library lacks it."""
    try:
        return ask()
    except nvml.NVMLError:
        return None


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
