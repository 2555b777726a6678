"""`Telemetry` over Parquet files: parse, clean, keep, settle, sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sekisho.adapters.telemetry.store import Partition
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, DeviceSeen, Intake, Usage
from sekisho.ports.telemetry import Gap, TelemetryFormat, UsageQuery

__all__ = ["ParquetTelemetry"]


class ParquetTelemetry:
    """Telemetry in a folder or at s3://BUCKET/PREFIX. Safe for several threads and processes."""

    def __init__(self, place: str, *, gather_s: float = 0.1) -> None:
        self.place = place

    def take(  # noqa: PLR0913 - a delivery and its envelope, as the port has it
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
        raise NotImplementedError

    def load_allocations(self, start: Instant, end: Instant) -> tuple[Allocation, ...]:
        raise NotImplementedError

    def sum_usage(self, query: UsageQuery) -> Iterator[Usage]:
        raise NotImplementedError

    def find_gaps(self, start: Instant, end: Instant) -> Iterable[Gap]:
        raise NotImplementedError

    def partitions(self, start: Instant, end: Instant, site: str = "") -> tuple[Partition, ...]:
        """The days that [start, end) touches, their files checked and ready for an engine."""
        raise NotImplementedError
