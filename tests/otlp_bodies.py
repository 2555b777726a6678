"""OTLP requests made by hand in few words, and the plain way to read them: the reference library and a walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from google.protobuf import json_format  # type: ignore[import-untyped]  # it comes without types
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from sekisho.adapters.telemetry.columns import Channel, Samples, SeriesBook, Unusable
from sekisho.model.telemetry import DeviceSeen

__all__ = [
    "JSON",
    "NOON_NS",
    "PROTOBUF",
    "Point",
    "as_json",
    "echo_book",
    "request",
    "rows_of",
    "walk",
]

PROTOBUF, JSON = "application/x-protobuf", "application/json"
NOON_NS = 1_790_000_000_000_000_000
DELTA, CUMULATIVE = 1, 2


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One point; `sums` 1 for a delta, 2 for a running total, 0 for a gauge."""

    name: str = "hw.power"
    value: float | int | None = 1.5
    time: int = NOON_NS
    start: int = 0
    unit: str = "W"
    flags: int = 0
    sums: int = 0
    monotonic: bool = True
    attributes: Mapping[str, Any] = msgspec.field(
        default_factory=lambda: {"hw.id": "GPU-0001", "hw.type": "gpu"}
    )


def request(
    points: Sequence[Point], *, resource: Mapping[str, Any] | None = None, scope: str = ""
) -> ExportMetricsServiceRequest:
    """One resource and scope with a metric for each run of points of one name."""
    made = ExportMetricsServiceRequest()
    about = made.resource_metrics.add()
    _say(about.resource.attributes, resource or {})
    inside = about.scope_metrics.add()
    inside.scope.name = scope
    before: Point | None = None
    for point in points:
        if before is None or _head(before) != _head(point):
            metric = inside.metrics.add(name=point.name, unit=point.unit)
            data: Any = metric.sum if point.sums else metric.gauge
            if point.sums:
                data.aggregation_temporality = point.sums
                data.is_monotonic = point.monotonic
        before = point
        added = data.data_points.add(flags=point.flags)
        added.time_unix_nano, added.start_time_unix_nano = point.time, point.start
        if isinstance(point.value, int):
            added.as_int = point.value
        elif point.value is not None:
            added.as_double = point.value
        _say(added.attributes, point.attributes)
    return made


def as_json(made: ExportMetricsServiceRequest) -> bytes:
    """As protobuf's own library writes it."""
    written: str = json_format.MessageToJson(made)
    return written.encode()


def echo_book() -> SeriesBook:
    """A book in which a device is all that its series says, so that two readings of it can be compared."""

    def mapper(
        name: str, labels: Mapping[str, str]
    ) -> tuple[Channel, DeviceSeen] | Unusable | None:
        device = repr((name, sorted(labels.items())))
        return Channel(device=device, field="power_mw"), DeviceSeen(device=device, site="s")

    return SeriesBook(mapper, "s")


def rows_of(samples: Samples, book: SeriesBook) -> list[tuple[str, int, str]]:
    """Device, microseconds, value (as text, so that NaN equals itself) of each sample that has a channel."""
    columns = zip(samples.channel, samples.at_us, samples.value, strict=True)
    return [(book.channels[c].device, int(at), repr(float(v))) for c, at, v in columns if c >= 0]


def walk(made: ExportMetricsServiceRequest) -> list[tuple[str, int, str]]:
    """The gauge and running-total points of a request, each point looked at by the reference library."""
    rows = []
    for resource in made.resource_metrics:
        outer = {a.key: _text(a.value) for a in resource.resource.attributes}
        for scope in resource.scope_metrics:
            around = outer | {a.key: _text(a.value) for a in scope.scope.attributes}
            for metric in scope.metrics:
                data = metric.gauge if metric.HasField("gauge") else metric.sum
                totals = metric.HasField("sum") and metric.sum.is_monotonic
                for point in data.data_points:
                    if not point.time_unix_nano or point.flags & 1:
                        continue
                    labels = around | {a.key: _text(a.value) for a in point.attributes}
                    labels |= {"otel.unit": metric.unit, "otel.scope.name": scope.scope.name}
                    labels["otel.kind"] = "cumulative" if totals else "gauge"
                    said = sorted((k, v) for k, v in labels.items() if v is not None)
                    which = point.WhichOneof("value")
                    if which is not None:
                        value = float(getattr(point, which))
                        at_us = point.time_unix_nano // 1000
                        rows.append((repr((metric.name, said)), at_us, repr(value)))
    return rows


def _head(point: Point) -> tuple[object, ...]:
    return point.name, point.unit, point.sums, point.monotonic


def _say(attributes: Any, said: Mapping[str, Any]) -> None:
    for key, value in said.items():
        added = attributes.add(key=key)
        kind = {bool: "bool_value", int: "int_value", float: "double_value"}.get(type(value))
        setattr(added.value, kind or "string_value", value)


def _text(value: Any) -> str | None:
    which = value.WhichOneof("value")
    said = getattr(value, which) if which else None
    if isinstance(said, bool):
        return "true" if said else "false"
    return said if isinstance(said, str) else None if said is None else repr(said)
