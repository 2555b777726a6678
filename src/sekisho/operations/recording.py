"""Reading a host's devices again and again, at a steady pace, into rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, format_instant
from sekisho.model.telemetry import FIELDS
from sekisho.ports.device_meter import DeviceMeter, DeviceReading

__all__ = ["HEADER", "Pace", "Recorded", "Recorder"]

FASTEST_HZ, SLOWEST_HZ = 10, 1
HEADER: Final = ("timestamp", "device", "chip", "host", *FIELDS)
"""The columns of a recording: the store's own fields and units, so that nothing is rounded on the way."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often, and for how long; `seconds` 0: until it is told to stop."""

    hz: int
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if not SLOWEST_HZ <= self.hz <= FASTEST_HZ:
            raise InvalidInput(
                f"{self.hz} readings a second", path="--hz", remedy=f"1 to {FASTEST_HZ}"
            )


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `late` ticks came after the next was due and were left out: a gap, never a repetition."""

    ticks: int
    rows: int
    late: int
    lost: Mapping[str, int]  # why a device did not answer -> how many readings
    unreadable: Mapping[str, str]


class Recorder:
    """Ticks on a grid from `started`: a slow read shortens the next wait and does not shift what follows."""

    def __init__(self, meter: DeviceMeter, pace: Pace, *, elapsed: Callable[[], float]) -> None:
        self._meter = meter
        self._pace = pace
        self._elapsed = elapsed
        self._seen = {device.device: device for device in meter.devices()}
        self._ticks = self._rows = self._late = 0
        self._lost: Counter[str] = Counter()

    def rows(
        self, now: Callable[[], Instant], wait: Callable[[float], bool]
    ) -> Iterator[list[list[str]]]:
        """The rows of one tick after another. `wait` sleeps so many seconds and is true where it should end."""
        began, due = self._elapsed(), 0
        self._meter.read()  # averages begin here; this one has none
        while not self._is_over(due + 1):
            due += 1
            pause = began + due / self._pace.hz - self._elapsed()
            if pause <= -1 / self._pace.hz:
                self._late += 1
                continue
            if wait(max(pause, 0.0)):
                return
            at = format_instant(now())
            self._ticks += 1
            yield self._tick(at)

    def summary(self) -> Recorded:
        return Recorded(
            ticks=self._ticks,
            rows=self._rows,
            late=self._late,
            lost=dict(self._lost),
            unreadable=self._meter.unreadable(),
        )

    def _is_over(self, due: int) -> bool:
        return bool(self._pace.seconds) and due / self._pace.hz > self._pace.seconds + 1e-9

    def _tick(self, at: str) -> list[list[str]]:
        rows = []
        for reading in self._meter.read():
            if reading.lost:
                self._lost[reading.lost] += 1
            elif reading.values:
                rows.append(self._row(at, reading))
        self._rows += len(rows)
        return rows

    def _row(self, at: str, reading: DeviceReading) -> list[str]:
        seen, values = self._seen[reading.device], reading.values
        fields = (str(values[name]) if name in values else "" for name in FIELDS)
        return [at, reading.device, seen.chip, seen.host, *fields]
