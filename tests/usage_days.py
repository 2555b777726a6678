"""A made-up store of telemetry: sums of usage and job records, as a store would answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, DeviceSeen, Intake, SeenSpan, Usage
from sekisho.ports.telemetry import Gap, TelemetryFormat, UsageQuery

__all__ = ["EVIDENCE", "MadeTelemetry", "allocated", "used"]

EVIDENCE = "sha256:" + "e" * 64
HOUR_MS = 3_600_000


def allocated(job: str, start: Instant, *, hours: float = 24, **more: object) -> Allocation:
    """A job of acme on eight H100 from an instant on."""
    fields: dict[str, object] = {
        "site": "tokyo",
        "chips": 8,
        "chip": "H100 SXM",
        "customer": "acme",
        "end": start.plus(hours * 3_600),
        **more,
    }
    return Allocation(job=job, start=start, **fields)  # type: ignore[arg-type]  # test's words


def used(job: str, start: Instant, *, chips: int = 8, **more: object) -> Usage:
    """One hour of a job, half its tensor cycles active at 1.98 GHz."""
    chip_ms = chips * HOUR_MS
    fields: dict[str, object] = {
        "site": "tokyo",
        "chip": "H100 SXM",
        "devices": chips,
        "chip_ms": chip_ms,
        "readings": chips * 360,
        "tensor_ms": chip_ms,
        "tensor_work": chip_ms * 500_000 * 1_830_000,
        "clock_ms": chip_ms,
        "clock_work": chip_ms * 1_830_000,
        "clock_max_khz": 1_830_000,
        "evidence": EVIDENCE,
        **more,
    }
    return Usage(job=job, start=start, end=start.plus(3_600), **fields)  # type: ignore[arg-type]  # test's words


class MadeTelemetry:
    """A `Telemetry` that answers from lists; what it is given it does not keep."""

    def __init__(self, usages: Iterable[Usage] = (), records: Iterable[Allocation] = ()) -> None:
        self.usages = list(usages)
        self.records = list(records)
        self.asked: list[UsageQuery] = []

    def take(  # as the port has it
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
        raise NotImplementedError

    def take_allocations(self, allocations: Sequence[Allocation]) -> Intake:
        raise NotImplementedError

    def load_devices(self) -> tuple[DeviceSeen, ...]:
        return ()

    def load_allocations(self, start: Instant, end: Instant) -> tuple[Allocation, ...]:
        return tuple(
            row for row in self.records if row.start < end and (row.end is None or row.end > start)
        )

    def sum_usage(self, query: UsageQuery) -> Iterator[Usage]:
        self.asked.append(query)
        rows = (u for u in self.usages if query.start <= u.start < query.end)
        yield from sorted(rows, key=lambda u: (u.start, u.job))

    def find_gaps(self, start: Instant, end: Instant) -> Iterable[Gap]:
        return ()

    def find_seen(self, start: Instant, end: Instant) -> Iterable[SeenSpan]:
        return ()

    def correct(self, job: str, chips: int = 8, **changes: object) -> None:
        """Give all sums of a job as many chips, and other fields."""
        self.usages = [
            used(job, u.start, chips=chips, **changes) if u.job == job else u for u in self.usages
        ]
