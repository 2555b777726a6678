"""What NVIDIA's open fleet agent writes when it is offline: metrics in CSV, or OTLP in JSON.

CSV (P, NVIDIA/fleet-intelligence-agent internal/exporter/converter/csv.go): `timestamp,component,metric_name,value,
labels`, the labels one JSON object, the time RFC 3339 in UTC to the second. JSON (P, internal/exporter/writer/
file.go): the same OTLP message that it sends when it is online, as protobuf writes JSON. A list of objects with the
five names of the CSV is read too. The book's mapper is names_otel.otel_mapper.
"""

from __future__ import annotations

import json
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.csv_samples import parse_csv
from sekisho.adapters.telemetry.otlp_json import read_json
from sekisho.adapters.telemetry.sample_tables import Batch, SampleTable, shape_of
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import JsonValue, parse_json

__all__ = ["parse_fleet_csv", "parse_fleet_json"]

_NAMES: Final = ("timestamp", "metric_name", "value", "labels")
_MAX_DOCUMENT: Final = 64 << 20


def parse_fleet_csv(body: bytes, book: SeriesBook, *, path: str = "") -> Samples:
    """The metrics file of an offline export. Raises InvalidInput for another table, its events for example."""
    head = body[:4096].split(b"\n", 1)[0]
    if not all(name.encode() in head for name in _NAMES):
        raise InvalidInput(
            f"the columns {', '.join(_NAMES)} do not all stand in the first line",
            path=path,
            remedy="give the metrics file of the export, not its events or components",
        )
    return parse_csv(body, book, path=path)


def parse_fleet_json(body: bytes, book: SeriesBook, *, path: str = "") -> Samples:
    """The metrics file of an offline export in JSON. Raises InvalidInput."""
    if body.lstrip()[:1] != b"[":
        return read_json(body, book)
    listed = parse_json(body, path=path, limit=_MAX_DOCUMENT, largest=2**64, any_float=True)
    table = SampleTable(shape_of(_NAMES, path=path), book)
    rows = []
    for number, each in enumerate(listed if isinstance(listed, list) else []):
        row = _row(each)
        if row is None:
            table.refusing.add("malformed", f"[{number}] is no object with {', '.join(_NAMES)}")
        else:
            rows.append((number, row))
    columns = {
        name: pa.array([row[place] for _, row in rows], pa.string())
        for place, name in enumerate(_NAMES)
    }
    table.take(Batch(columns=columns, rows=len(rows), where=lambda row: f"[{rows[row][0]}]"))
    return table.samples()


def _row(each: JsonValue) -> tuple[str, ...] | None:
    """Time, name, value and labels as texts; None where the object is another one."""
    if not isinstance(each, dict):
        return None
    time, name, value, labels = (each.get(name) for name in _NAMES)
    if not isinstance(name, str) or not isinstance(time, str | int):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    said = labels if isinstance(labels, str) else json.dumps(labels or {})
    return str(time), name, str(value), said
