"""OTLP in protobuf: a fast way for points as exporters write them, the reference library for the rest.

A number point as every encoder writes it is 9 bytes of start (which may be missing), 9 of time, 9 of value, then its
attributes and flags. The first three become numbers in an array, thousands at once; the last are the name of the
series. A point of any other shape goes through the reference library, one at a time. Both ways give the same numbers
(property-tested): a protobuf message is the merge of its parts, so attributes that carry neither time nor value can be
set apart.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no types
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from sekisho.adapters.telemetry.columns import PASSED_OVER, Samples, SeriesBook
from sekisho.adapters.telemetry.otlp_frame import POINTS, REQUEST
from sekisho.adapters.telemetry.otlp_gathering import DROPPED, Gathering
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
    text_of,
)
from sekisho.model.errors import InvalidInput

__all__ = ["read_wire"]

_AT_ONCE: Final = 16_384
_HEAD: Final = 27  # start, time, value: a tag and eight bytes each
_SHORT_HEAD: Final = 18  # the same without start
_START, _TIME, _DOUBLE, _INT = 0x11, 0x19, 0x21, 0x31
_FIRST_FIELD: Final = 0x0A  # field 1, of a length that follows
_NO_START: Final = bytes((_START, *bytes(8)))
_NO_POINT: Final = bytes(_HEAD)
_SLOWLY: Final = int(np.iinfo(np.int64).max)
"""In the place of a channel number: this point goes through the reference library."""


def read_wire(body: bytes, book: SeriesBook) -> Samples:
    """The samples of one protobuf request. Raises InvalidInput where its frame is broken."""
    request, reader = REQUEST(), _Reader(book)
    try:
        request.ParseFromString(body)
        for resource in request.resources:
            said_by = resource.resource
            for scope in resource.scopes:
                around = _Around(book, said_by, scope.scope)
                for metric in scope.metrics:
                    reader.take(metric, around)
    except DecodeError:
        raise InvalidInput(
            "is no OTLP metrics request in protobuf",
            path="body",
            remedy="send the whole request; check content-encoding",
        ) from None
    return reader.samples()


class _Around:
    """A resource and a scope: their bytes, and, when a series of theirs is met first, what they say."""

    def __init__(self, book: SeriesBook, resource: bytes, scope: bytes) -> None:
        self._book, self._resource, self._scope = book, resource, scope
        self._said: tuple[dict[str, str], dict[str, str], str] | None = None
        self._series: dict[tuple[bytes, bytes, str], _Series] = {}
        self.is_bomb = len(resource) > MAX_ATTRIBUTE_BYTES or len(scope) > MAX_ATTRIBUTE_BYTES

    def series(self, name: bytes, unit: bytes, kind: str) -> _Series:
        """What the points of one metric under this resource and scope share."""
        of = (name, unit, kind)
        found = self._series.get(of)
        if found is None:
            found = self._series[of] = _Series(of, self, 0 if self.is_bomb else self._symbol(of))
        return found

    def said(self) -> tuple[dict[str, str], dict[str, str], str]:
        """Attributes of the resource, attributes of the scope, its name. Raises DecodeError."""
        if self._said is None:
            resource, scope = Resource(), InstrumentationScope()
            resource.ParseFromString(self._resource)
            scope.ParseFromString(self._scope)
            self._said = text_of(resource.attributes), text_of(scope.attributes), scope.name
        return self._said

    def _symbol(self, of: tuple[bytes, bytes, str]) -> int:
        parts = (self._resource, self._scope, *of[:2], of[2].encode())
        lengths = b",".join(b"%d" % len(part) for part in parts)
        whole = lengths + b":" + b"".join(parts)
        return self._book.number_symbol(whole.decode("latin-1"))


class _Series:
    """A metric under its resource and scope. `symbol` stands before the attributes in the name of a series."""

    def __init__(self, of: tuple[bytes, bytes, str], around: _Around, symbol: int) -> None:
        self.name, self.unit, self.kind = of
        self.around = around
        self.symbol = symbol.to_bytes(8, "big")


class _Reader:
    """Reads the points of one request, some thousands at a time."""

    def __init__(self, book: SeriesBook) -> None:
        self._book = book
        self._gathering = Gathering(book)
        self._heads: list[bytes] = []
        self._numbers: list[int] = []
        self._points: list[bytes] = []
        self._of: list[_Series] = []
        self._deltas: list[tuple[int, int]] = []

    def take(self, metric: Any, around: _Around) -> None:
        """The points of one metric, in their order. Raises DecodeError where their frame is broken."""
        kind, data = GAUGE, metric.gauge
        if data:
            points = _points_of(data)
        elif data := metric.sum:
            sums = POINTS.FromString(data)
            kind = kind_of_sum(sums.temporality, monotonic=sums.monotonic)
            points = list(sums.points)
        else:
            data = metric.histogram or metric.exponential_histogram or metric.summary
            self._pass_over(len(_points_of(data)) if data else 0, around)
            return
        series = around.series(metric.name, metric.unit, kind)
        before = len(self._numbers)
        if len(points) == 1:  # an exporter that writes a metric for each point
            self._take_point(points[0], series)
        elif points:
            self._take_points(points, series)
        if kind is DELTA:
            self._deltas.append((before, len(self._numbers)))
        if before >= _AT_ONCE:
            self._flush()

    def samples(self) -> Samples:
        self._flush()
        return self._gathering.samples()

    def _pass_over(self, count: int, around: _Around) -> None:
        """Points that are no numbers, in their place in the order."""
        self._heads += [_NO_POINT] * count
        self._numbers += [PASSED_OVER] * count
        self._points += [b""] * count
        self._of += [around.series(b"", b"", GAUGE)] * count

    def _take_point(self, point: bytes, series: _Series) -> None:
        if point[:1] == b"\x11":
            head, key = point[:_HEAD], series.symbol + point[_HEAD:]
        else:
            head, key = _NO_START + point[:_SHORT_HEAD], series.symbol + point[_SHORT_HEAD:]
        number = self._book.by_key.get(key)
        self._heads.append(head)
        self._numbers.append(self._meet(key, head, series) if number is None else number)
        self._points.append(point)
        self._of.append(series)

    def _take_points(self, points: list[bytes], series: _Series) -> None:
        """One look-up for each point; what was never met, or has another shape, is looked at closely."""
        symbol = series.symbol
        if points[0][:1] == b"\x11":
            heads = [point[:_HEAD] for point in points]
            keys = [symbol + point[_HEAD:] for point in points]
        else:
            heads = [_NO_START + point[:_SHORT_HEAD] for point in points]
            keys = [symbol + point[_SHORT_HEAD:] for point in points]
        numbers = [*map(self._book.by_key.get, keys)]
        if None in numbers:
            rows = zip(numbers, keys, heads, strict=True)
            numbers = [self._meet(k, h, series) if n is None else n for n, k, h in rows]
        self._heads += heads
        self._numbers += numbers  # type: ignore[arg-type]  # the lines above have left no None
        self._points += points
        self._of += [series] * len(points)

    def _meet(self, key: bytes, head: bytes, series: _Series) -> int:
        """The number of a series that was not known when its points were looked up."""
        met = self._book.by_key.get(key)  # the point before may have been its first
        if met is not None:
            return met
        return _learn(self._book, key, series) if _is_usual(head) else _SLOWLY

    def _flush(self) -> None:
        """What was gathered, as arrays."""
        count = len(self._numbers)
        if not count:
            return
        packed = b"".join(self._heads)
        if len(packed) != _HEAD * count:
            packed = b"".join([h if len(h) == _HEAD else _NO_POINT for h in self._heads])
        heads = np.frombuffer(packed, np.uint8).reshape(count, _HEAD)
        number = np.array(self._numbers, np.int64)
        delta = np.zeros(count, np.bool_)
        for begin, end in self._deltas:
            delta[begin:end] = True
        start, time, value = _numbers_of(heads)
        slow = (number != PASSED_OVER) & ~_usual(heads) | (number == _SLOWLY)
        for at in map(int, np.flatnonzero(slow)):
            row = _read_point(self._gathering, self._points[at], self._of[at])
            number[at], start[at], time[at], value[at] = row
        self._gathering.add(number, start, time, value, delta)
        self._heads, self._numbers, self._points = [], [], []
        self._of, self._deltas = [], []


def _points_of(data: bytes) -> list[bytes]:
    """The points in a gauge, a histogram or a summary. Raises DecodeError."""
    size = len(data)
    if size > 3 and data[0] == _FIRST_FIELD:
        length, more = data[1], data[2]
        if length < 128:
            if size == length + 2:  # one point and nothing else
                return [data[2:]]
        elif more < 128 and size == (length & 127 | more << 7) + 3:
            return [data[3:]]
    return list(POINTS.FromString(data).points)


def _is_usual(head: bytes) -> bool:
    return (
        len(head) == _HEAD
        and head[0] == _START
        and head[9] == _TIME
        and head[18] in (_DOUBLE, _INT)
    )


def _usual(heads: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    value = heads[:, 18]
    usual: npt.NDArray[np.bool_] = (heads[:, 0] == _START) & (heads[:, 9] == _TIME)
    usual &= (value == _DOUBLE) | (value == _INT)
    return usual


def _numbers_of(
    heads: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.float64]]:
    """Start and time in nanoseconds, and the value, of heads of the usual shape."""
    start, time, bits = (
        np.ascontiguousarray(heads[:, place : place + 8]).view("<u8").ravel().astype(np.uint64)
        for place in (1, 10, 19)
    )
    value = bits.view(np.float64).copy()
    whole = heads[:, 18] == _INT
    value[whole] = bits.view(np.int64)[whole]
    return start, time, value


def _learn(book: SeriesBook, key: bytes, series: _Series) -> int:
    """The number of a series that was not met before, from the attributes at the end of its first point."""
    if series.around.is_bomb or len(key) > MAX_ATTRIBUTE_BYTES:
        return _too_many(book)
    point = NumberDataPoint()
    try:
        point.ParseFromString(key[8:])
        if point.exemplars or point.WhichOneof("value") or _has_time(point):
            return _SLOWLY
        return _number(book, key, point, series)
    except (DecodeError, UnicodeDecodeError):
        return _SLOWLY


def _has_time(point: Any) -> bool:
    return bool(point.time_unix_nano or point.start_time_unix_nano)


def _number(book: SeriesBook, key: bytes, point: Any, series: _Series) -> int:
    """Raises DecodeError where resource or scope cannot be read, UnicodeDecodeError for a name that is no text."""
    if len(point.attributes) > MAX_ATTRIBUTES:
        return book.refuse(key, TOO_MANY)
    if point.flags & NO_VALUE_FLAG:
        return book.refuse(key, BLANK)
    resource, scope, scope_name = series.around.said()
    labels = labels_of(
        (resource, scope, text_of(point.attributes)),
        unit=series.unit.decode(),
        scope=scope_name,
        kind=series.kind,
    )
    return book.learn(key, series.name.decode(), labels)


def _too_many(book: SeriesBook) -> int:
    key = b"otlp: too many attributes"
    known = book.by_key.get(key)
    return book.refuse(key, TOO_MANY) if known is None else known


def _read_point(gathering: Gathering, raw: bytes, series: _Series) -> tuple[int, int, int, float]:
    book, point = gathering.book, NumberDataPoint()
    dropped = (DROPPED, 0, 0, 0.0)
    try:
        point.ParseFromString(raw)
        rest = NumberDataPoint(attributes=point.attributes, flags=point.flags)
        key = series.symbol + rest.SerializeToString()
        if series.around.is_bomb or len(key) > MAX_ATTRIBUTE_BYTES:
            number = _too_many(book)
        else:
            known = book.by_key.get(key)
            number = _number(book, key, rest, series) if known is None else known
    except (DecodeError, UnicodeDecodeError):
        gathering.refusing.add("malformed", "a data point that cannot be read")
        return dropped
    which = point.WhichOneof("value")
    if which is None and number >= 0:
        gathering.refusing.add(
            "malformed", f"{book.channels[number].device}: a point without a value"
        )
        return dropped
    value = float(getattr(point, which)) if which else 0.0
    return number, point.start_time_unix_nano, point.time_unix_nano, value
