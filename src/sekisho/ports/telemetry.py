"""Where telemetry lies and who sums it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, DeviceSeen, Intake, SeenSpan, Usage

__all__ = ["Gap", "Telemetry", "TelemetryFormat", "UsageQuery"]

TelemetryFormat: TypeAlias = Literal["prometheus", "remote-write", "otlp", "csv", "parquet"]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing was measured of a device between two instants: a distance longer than three of its usual periods.

    `energy_mj` is what its energy counter grew by meanwhile, None where it does not say or began again. It is known for
    the gap as a whole: spread evenly over it, it is an estimate.
    """

    device: str
    site: str
    start: Instant
    end: Instant
    energy_mj: int | None = None


class UsageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """[start, end) in buckets of `bucket_s` seconds counted from the epoch; 0 for one bucket over all."""

    start: Instant
    end: Instant
    bucket_s: int = 3600
    site: str = ""  # "" for all


class Telemetry(Protocol):
    """Every write is durable before it returns. Safe for several processes over one store.

    Raises InvalidInput for what cannot be read as a whole, Unavailable where the disk or engine refuses.
    """

    def take(  # noqa: PLR0913 - a delivery and its envelope
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
        """Read, clean and keep one delivery; the same bytes again are duplicates.

        `content_type` and `encoding` are what the sender's headers say (`application/x-protobuf;proto=...`,
        `application/json`; `snappy`, `gzip`, `zstd`, `identity`); "" where nobody says: then remote-write is version 1
        in snappy, and of the others the body itself tells.
        """
        ...

    def take_allocations(self, allocations: Sequence[Allocation]) -> Intake:
        """Keep records of a scheduler; a newer record of one job and start replaces the older one."""
        ...

    def load_devices(self) -> tuple[DeviceSeen, ...]: ...

    def load_allocations(self, start: Instant, end: Instant) -> tuple[Allocation, ...]: ...

    def sum_usage(self, query: UsageQuery) -> Iterator[Usage]:
        """Exact sums by job, chip type and bucket, unattributed device time included; ordered by bucket, job."""
        ...

    def find_gaps(self, start: Instant, end: Instant) -> Iterable[Gap]: ...

    def find_seen(self, start: Instant, end: Instant) -> Iterable[SeenSpan]:
        """Stretches of [start, end) in which readings show a device or slice: between its gaps, in any order.

        Where single readings were dropped, from the minute sums: as long, and placed to the minute.
        """
        ...
