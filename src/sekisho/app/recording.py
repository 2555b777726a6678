"""Wires the recorder: this host's devices, its clocks, and the rows they yield."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sekisho.adapters.clocks import SystemClock
from sekisho.model.errors import InvalidInput
from sekisho.model.telemetry import DeviceSeen
from sekisho.operations.recording import HEADER, Pace, Recorded, Recorder

__all__ = ["HEADER", "Pace", "Recorded", "Recording", "open_recording"]


class Recording:
    """A recording of this host; `stop` may be called from a signal handler."""

    def __init__(self, recorder: Recorder, devices: tuple[DeviceSeen, ...]) -> None:
        self.devices = devices
        self._recorder = recorder
        self._stopping = threading.Event()
        self._clock = SystemClock()
        self._began = time.monotonic()
        self._spent = _processor_s()

    def rows(self) -> Iterator[list[list[str]]]:
        return self._recorder.rows(self._clock.now, self._stopping.wait)

    def stop(self) -> None:
        self._stopping.set()

    def summary(self) -> Recorded:
        return self._recorder.summary()

    def core_share(self) -> float:
        """Processor time of this process since the recording was opened, as a share of one core."""
        return (_processor_s() - self._spent) / max(time.monotonic() - self._began, 1e-9)


@contextmanager
def open_recording(pace: Pace, *, host: str, site: str) -> Iterator[Recording]:
    """Open NVML. Raises Unavailable without a driver, InvalidInput without the extra `agent`."""
    try:
        from sekisho.adapters.devices.nvml import NvmlMeter
    except ModuleNotFoundError:
        raise InvalidInput(
            "the recorder needs the package nvidia-ml-py", remedy="install sekisho[agent]"
        ) from None
    meter = NvmlMeter(host=host, site=site)
    try:
        clock = SystemClock()
        yield Recording(Recorder(meter, pace, elapsed=clock.elapsed_s), meter.devices())
    finally:
        meter.close()


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
