"""A telemetry store in memory that keeps bodies as they come, and does what a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence

from sekisho.adapters.telemetry.store.backlog import Backlog
from sekisho.app.running_telemetry import Delivery
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, DeviceSeen, Intake, SeenSpan, Usage
from sekisho.ports.telemetry import Gap, TelemetryFormat, UsageQuery

__all__ = ["FakeTelemetry"]


class FakeTelemetry:
    """`answer` is what every delivery comes to, or raises. `gate` holds deliveries back until it is set."""

    def __init__(self) -> None:
        self.taken: list[tuple[Delivery, bytes]] = []
        self.answer: Intake | Exception = Intake(taken=1)
        self.devices: tuple[DeviceSeen, ...] = ()
        self.usages: tuple[Usage, ...] = ()
        self.gaps: tuple[Gap, ...] = ()
        self.allocations: list[Allocation] = []
        self.compactions = 0
        self.gate: threading.Event | None = None

    def take(
        self,
        kind: TelemetryFormat,
        body: bytes,
        *,
        site: str,
        received: Instant,
        name: str = "",
        content_type: str = "",
        encoding: str = "",
    ) -> Intake:
        delivery = Delivery(
            kind=kind, site=site, name=name, content_type=content_type, encoding=encoding
        )
        if self.gate is not None:
            self.gate.wait(60)
        self.taken.append((delivery, body))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def take_allocations(self, allocations: Sequence[Allocation]) -> Intake:
        self.allocations += allocations
        return Intake(taken=len(allocations))

    def load_devices(self) -> tuple[DeviceSeen, ...]:
        return self.devices

    def load_allocations(self, start: Instant, end: Instant) -> tuple[Allocation, ...]:
        return tuple(self.allocations)

    def sum_usage(self, query: UsageQuery) -> Iterator[Usage]:
        return iter(self.usages)

    def find_gaps(self, start: Instant, end: Instant) -> Iterable[Gap]:
        return self.gaps

    def find_seen(self, start: Instant, end: Instant) -> Iterable[SeenSpan]:
        return ()

    def compact(self) -> None:
        self.compactions += 1

    def backlog(self) -> Backlog:
        return Backlog(segments=0, oldest=None)
