"""OTLP in JSON: one request, or a file with one to a line as the collector's file exporter writes.

The names are lowerCamelCase, and the snake_case that protobuf's own JSON reader takes too; 64-bit numbers are strings
or numbers; a value may be the words NaN, Infinity and -Infinity, which cleaning refuses. A field of the wrong type
costs its own point where it is inside one, else the body, with its path.
Source: OTLP specification, JSON Protobuf Encoding; protobuf's ProtoJSON format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from sekisho.adapters.telemetry.columns import PASSED_OVER, Samples, SeriesBook
from sekisho.adapters.telemetry.otlp_gathering import Gathering
from sekisho.adapters.telemetry.otlp_series import (
    BLANK,
    DELTA,
    GAUGE,
    MAX_ATTRIBUTE_BYTES,
    MAX_ATTRIBUTES,
    NO_VALUE_FLAG,
    TOO_MANY,
    kind_of_sum,
    labels_of,
)
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import JsonValue, parse_json

__all__ = ["read_json"]

MAX_DOCUMENT: Final = 64 << 20
_AT_ONCE: Final = 16_384
_LARGEST: Final = 2**64
_NUMBERLESS: Final = ("histogram", "exponentialHistogram", "summary")
_TEMPORALITY: Final = {
    "AGGREGATION_TEMPORALITY_DELTA": 1,
    "AGGREGATION_TEMPORALITY_CUMULATIVE": 2,
}
_WORDS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_HUMP: Final = re.compile(r"(?=[A-Z])")

Object = dict[str, JsonValue]
Row = tuple[int, int, int, float, bool]


class _BadPoint(Exception):
    """A point that cannot be read; the others can."""


def read_json(body: bytes, book: SeriesBook) -> Samples:
    """The samples of one JSON request, or of several on lines of their own. Raises InvalidInput."""
    gathering = Gathering(book)
    rows: list[Row] = []
    for path, document in _documents(body):
        for row in _rows(_object(document, path or "body"), path, gathering):
            rows.append(row)
            if len(rows) >= _AT_ONCE:
                gathering.add_rows(rows)
                rows = []
    gathering.add_rows(rows)
    return gathering.samples()


def _documents(body: bytes) -> Iterator[tuple[str, JsonValue]]:
    lines = body.strip().split(b"\n")
    if len(lines) > 1 and all(line[:1] == b"{" for line in lines if line.strip()):
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield f"line {number}", _parse(line, f"line {number}")
    else:
        yield "", _parse(body, "body")


def _parse(text: bytes, path: str) -> JsonValue:
    return parse_json(text, path=path, limit=MAX_DOCUMENT, largest=_LARGEST, any_float=True)


def _rows(document: Object, path: str, gathering: Gathering) -> Iterator[Row]:
    for at, resource in _objects(document, "resourceMetrics", path):
        about = _object(_field(resource, "resource"), f"{at}.resource")
        for inner, scope in _objects(resource, "scopeMetrics", at):
            around = _Around(about, _object(_field(scope, "scope"), f"{inner}.scope"), inner)
            for place, metric in _objects(scope, "metrics", inner):
                yield from _rows_of(metric, place, around, gathering)


def _rows_of(metric: Object, path: str, around: _Around, gathering: Gathering) -> Iterator[Row]:
    """The points of one metric; those of histograms and summaries are passed over."""
    for name in _NUMBERLESS:
        if (data := _field(metric, name)) is not None:
            for _ in _objects(_object(data, f"{path}.{name}"), "dataPoints", f"{path}.{name}"):
                yield PASSED_OVER, 0, 0, 0.0, False
    for name in ("gauge", "sum"):
        if (data := _field(metric, name)) is None:
            continue
        inside = _object(data, f"{path}.{name}")
        kind = GAUGE if name == "gauge" else _kind(inside, f"{path}.sum")
        series = _Series(metric, kind, around, path)
        for at, point in _objects(inside, "dataPoints", f"{path}.{name}"):
            try:
                yield series.row(gathering.book, point)
            except _BadPoint as bad:
                gathering.refusing.add("malformed", f"{at}: {bad}")


def _kind(data: Object, path: str) -> str:
    written = _field(data, "aggregationTemporality")
    number = _TEMPORALITY.get(written, 0) if isinstance(written, str) else written
    if number is None:
        number = 0
    monotonic = _field(data, "isMonotonic")
    if not isinstance(number, int) or not isinstance(monotonic, bool | None):
        raise InvalidInput("a temporality and a truth value belong here", path=path)
    return kind_of_sum(number, monotonic=bool(monotonic))


class _Around:
    """A resource and a scope: their attributes, the scope's name, and both as one text."""

    def __init__(self, resource: Object, scope: Object, path: str) -> None:
        self.resource, self.scope = _attributes(resource), _attributes(scope)
        name = _field(scope, "name")
        if self.resource is None or self.scope is None or not isinstance(name, str | None):
            raise InvalidInput("attributes are a list of keys and values", path=path)
        self.name = name or ""
        self.text = json.dumps([self.resource, self.scope, self.name])
        self.is_bomb = len(self.text) > MAX_ATTRIBUTE_BYTES


class _Series:
    """What the points of one metric share."""

    def __init__(self, metric: Object, kind: str, around: _Around, path: str) -> None:
        name, unit = _field(metric, "name"), _field(metric, "unit")
        if not isinstance(name, str) or not isinstance(unit, str | None):
            raise InvalidInput("name and unit of a metric are texts", path=path)
        self.name, self.unit, self.kind, self.around = name, unit or "", kind, around
        self._text = json.dumps([around.text, name, self.unit, kind])

    def row(self, book: SeriesBook, point: Object) -> Row:
        """Channel, start, time, value, delta or not. Raises _BadPoint."""
        number = self._number(book, point)
        value = _value(point)
        if value is None and number >= 0:
            raise _BadPoint("has no value")
        start, time = _nanoseconds(point, "startTimeUnixNano"), _nanoseconds(point, "timeUnixNano")
        return number, start, time, value or 0.0, self.kind == DELTA

    def _number(self, book: SeriesBook, point: Object) -> int:
        listed = _field(point, "attributes")
        if self.around.is_bomb or (isinstance(listed, list) and len(listed) > MAX_ATTRIBUTES):
            return _too_many(book)
        attributes = _attributes(point)
        if attributes is None:
            raise _BadPoint("its attributes are no list of keys and values")
        said, blank = json.dumps(attributes), _whole(point, "flags") & NO_VALUE_FLAG
        if len(said) > MAX_ATTRIBUTE_BYTES:
            return _too_many(book)
        key = b"%d %d %b" % (book.number_symbol(self._text), blank, said.encode())
        known = book.by_key.get(key)
        if known is not None:
            return known
        if blank:
            return book.refuse(key, BLANK)
        around = self.around
        layers = (around.resource or {}, around.scope or {}, attributes)
        labels = labels_of(layers, unit=self.unit, scope=around.name, kind=self.kind)
        return book.learn(key, self.name, labels)


def _too_many(book: SeriesBook) -> int:
    key = b"otlp json: too many attributes"
    known = book.by_key.get(key)
    return book.refuse(key, TOO_MANY) if known is None else known


def _value(point: Object) -> float | None:
    """What a point says, NaN and infinities as they are. Raises _BadPoint."""
    double, whole = _field(point, "asDouble"), _field(point, "asInt")
    if double is not None:
        if isinstance(double, str):
            if double not in _WORDS:
                return _float(double)
            return _WORDS[double]
        if isinstance(double, bool) or not isinstance(double, int | float):
            raise _BadPoint("asDouble is no number")
        return float(double)
    return None if whole is None else float(_whole(point, "asInt"))


def _float(text: str) -> float:
    try:
        return float(text) if re.fullmatch(r"-?[0-9.eE+-]{1,40}", text) else float("none")
    except ValueError:
        raise _BadPoint("asDouble is no number") from None


def _nanoseconds(point: Object, name: str) -> int:
    number = _whole(point, name)
    if not 0 <= number < _LARGEST:
        raise _BadPoint(f"{name} is no time")
    return number


def _whole(point: Object, name: str) -> int:
    """A whole number, as a number or a string of digits; 0 where it is absent. Raises _BadPoint."""
    value = _field(point, name)
    if value is None:
        return 0
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}", value, re.ASCII):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _BadPoint(f"{name} is no whole number")
    return value


def _attributes(owner: Object) -> dict[str, str] | None:
    """Attributes as text, lists and maps left out; None where they are no attributes."""
    listed = _field(owner, "attributes")
    if listed is None:
        return {}
    if not isinstance(listed, list):
        return None
    found: dict[str, str] = {}
    for each in listed:
        if not isinstance(each, dict) or not isinstance(key := each.get("key", ""), str):
            return None
        value = each.get("value")
        if not isinstance(value, dict | None):
            return None
        text = _text(value or {})
        if text is not None:
            found[key] = text
    return found


def _text(value: Object) -> str | None:
    for name in ("stringValue", "intValue", "boolValue", "doubleValue"):
        said = _field(value, name)
        if isinstance(said, bool):
            return "true" if said else "false"
        if isinstance(said, str | int | float):
            return said if isinstance(said, str) else repr(said)
    return None


def _field(owner: Object, name: str) -> JsonValue:
    """A field by its JSON name, or by its name in the protocol's own file."""
    found = owner.get(name)
    return owner.get(_HUMP.sub("_", name).lower()) if found is None else found


def _object(value: JsonValue, path: str) -> Object:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput("an object belongs here", path=path)
    return value


def _objects(owner: Object, name: str, path: str) -> Iterator[tuple[str, Object]]:
    listed = _field(owner, name)
    where = f"{path}.{name}".lstrip(".")
    if listed is None:
        return
    if not isinstance(listed, list):
        raise InvalidInput("a list belongs here", path=where)
    for number, each in enumerate(listed):
        yield f"{where}[{number}]", _object(each, f"{where}[{number}]")
