"""Where a deployment's telemetry lies, opened for the command line and the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, Period
from sekisho.model.telemetry import Intake
from sekisho.ports.telemetry import Gap, Telemetry, TelemetryFormat

if TYPE_CHECKING:
    from sekisho.adapters.telemetry.job_records import JobRecords

    # Under its own name, so that faces may write down what they are handed.
    from sekisho.adapters.telemetry.parquet_telemetry import (
        ParquetTelemetry as ParquetTelemetry,  # noqa: PLC0414 - how mypy is told
    )
    from sekisho.metering.allotment import Allotment
    from sekisho.metering.enrolment import EnrolledDevice

__all__ = [
    "Came",
    "JobFile",
    "JobFormat",
    "TelemetryFile",
    "account_whole",
    "open_telemetry",
    "read_jobs",
    "take_file",
]

JobFormat = Literal["sacct", "sacct-json", "kubernetes", "csv"]


class TelemetryFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of telemetry and what a person says about it; "" where nobody does."""

    kind: TelemetryFormat
    body: bytes
    site: str
    name: str = ""
    content_type: str = ""
    encoding: str = ""
    exporter: str = ""


class JobFile(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduler's file. `zone` is the time zone of its clock, where it writes times without one."""

    kind: JobFormat
    body: bytes
    site: str
    zone: str = ""
    name: str = ""


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file, and which gaps lie in the time that it speaks of (nothing where nothing was kept)."""

    intake: Intake
    start: Instant | None = None
    end: Instant | None = None
    gaps: tuple[Gap, ...] = ()


def open_telemetry(
    place: str, *, engine: str = "duckdb", fresh_s: float = 0.0, most_body: int = 1 << 30
) -> ParquetTelemetry:
    """The telemetry kept in a folder or at s3://BUCKET/PREFIX; nothing is read yet.

    Questions settle what they touch first, unless that was done within `fresh_s`; a delivery may unpack to `most_body`.
    Raises InvalidInput where the address is none, or the extra `analytics` is not installed.
    """
    with _explained():
        from sekisho.adapters.telemetry.parquet_telemetry import ParquetTelemetry, TelemetrySettings
    settings = TelemetrySettings(engine=engine, fresh_s=fresh_s, most_body=most_body)
    return ParquetTelemetry(place, settings)


def take_file(telemetry: ParquetTelemetry, file: TelemetryFile, *, received: Instant) -> Came:
    """Keep a file and look for gaps in its time, which settles those days. Raises InvalidInput, Unavailable."""
    with _explained():
        from sekisho.adapters.telemetry.deliveries import Delivery
    delivery = Delivery(received=received, **msgspec.structs.asdict(file))
    intake, span = telemetry.take_delivery(delivery)
    if span is None:
        return Came(intake=intake)
    start, end = span
    if (
        end.us - start.us <= 1
    ):  # a page is one instant: there is no time in it that could hold a gap
        return Came(intake=intake, start=start, end=end)
    gaps = tuple(telemetry.find_gaps(start, end, file.site))
    intake = msgspec.structs.replace(intake, gaps=len(gaps))
    return Came(intake=intake, start=start, end=end, gaps=gaps)


def read_jobs(file: JobFile) -> JobRecords:
    """The allocations in a scheduler's file, and what was refused. Raises InvalidInput for what cannot be read."""
    with _explained():
        from sekisho.adapters.telemetry.job_records import kubernetes, slurm, table
    if file.kind == "sacct":
        return slurm.parse_sacct(file.body, site=file.site, zone=file.zone, path=file.name)
    if file.zone:
        raise InvalidInput("only sacct's text leaves its zone out", path="--zone")
    readers = {
        "sacct-json": slurm.parse_sacct_json,
        "kubernetes": kubernetes.parse_pods,
        "csv": table.parse_allocations_csv,
    }
    return readers[file.kind](file.body, site=file.site, path=file.name)


def account_whole(
    telemetry: Telemetry, period: Period, register: Sequence[EnrolledDevice] | None = None
) -> Allotment:
    """Every device of a store, and of a register where one is at hand, accounted for all of a period.

    The days of the period are settled first. Raises Unavailable.
    """
    from sekisho.metering.allotment import allot
    from sekisho.metering.enrolment import enrol, hold_against

    seen = tuple(telemetry.find_seen(period.start, period.end))
    devices = telemetry.load_devices()
    allocations = telemetry.load_allocations(period.start, period.end)
    if register is None:
        return allot(period, devices, allocations, seen)
    found = allot(period, enrol(devices, register), allocations, seen)
    return hold_against(found, period, devices, register)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"telemetry needs {error.name}, which is not installed",
            remedy="pip install 'sekisho[analytics]'",
        ) from None
