"""Reading a delivery of any format: which parser, whose names, and the book of series that the words go into."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from threading import BoundedSemaphore, Lock
from typing import Any, Final

import msgspec

from sekisho.adapters.telemetry.cleaning import Cleaned, clean
from sekisho.adapters.telemetry.columns import Mapper, Samples, SeriesBook
from sekisho.adapters.telemetry.csv_samples import parse_csv
from sekisho.adapters.telemetry.decompress import decompress
from sekisho.adapters.telemetry.fleet_agent import parse_fleet_csv, parse_fleet_json
from sekisho.adapters.telemetry.names_dcgm import dcgm_mapper
from sekisho.adapters.telemetry.names_otel import otel_mapper
from sekisho.adapters.telemetry.names_table import table_mapper
from sekisho.adapters.telemetry.otlp import content_type_of, parse_otlp
from sekisho.adapters.telemetry.parquet_samples import parse_parquet
from sekisho.adapters.telemetry.prometheus_text import parse_prometheus
from sekisho.adapters.telemetry.remote_write import parse_remote_write
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import DeviceSeen
from sekisho.ports.telemetry import TelemetryFormat

__all__ = ["MAX_BODY", "Books", "Delivery"]

MAX_BODY: Final = 1 << 30
"""Bytes of one delivery, unpacked."""
MOST_BOOKS: Final = 64
UNPACKED_AT_ONCE: Final = 2
_STRETCHING: Final = frozenset({"gzip", "zstd"})
_VERSION_2: Final = "io.prometheus.write.v2.request"
_Dialect = tuple[str, str, str]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One body and what its sender said about it. `exporter` is the version of dcgm-exporter, "" where nobody knows.

    `most` bytes it may unpack to.
    """

    kind: TelemetryFormat
    body: bytes
    site: str
    received: Instant
    name: str = ""
    content_type: str = ""
    encoding: str = ""
    exporter: str = ""
    most: int = MAX_BODY


_NOT_LOOKED: Final = (-1, -1)


class _Book:
    """A book of series behind a lock, and which of its devices were handed on."""

    def __init__(self, mapper: Mapper, site: str) -> None:
        self.series = SeriesBook(mapper, site)
        self.lock = Lock()
        self._told: dict[str, DeviceSeen] = {}
        self._seen = _NOT_LOOKED

    def news(self) -> tuple[DeviceSeen, ...]:
        """Devices that are new or say something new since `tell`; looked for only where a series was learned."""
        mark = (len(self.series.by_key), len(self.series.devices))
        if mark == self._seen:
            return ()
        found = self.series.devices.items()
        # Mostly it is the very object that was told: compared word by word is only what is not.
        strange = [(n, device) for n, device in found if self._told.get(n) is not device]
        return tuple(device for name, device in strange if self._told.get(name) != device)

    def shown(self, devices: tuple[DeviceSeen, ...], table: Any) -> tuple[DeviceSeen, ...]:
        """Those of which a reading stands, and their whole devices: one that is only named has no time."""
        if not devices:
            return ()
        names = {*self._told, *table.column("device").unique().to_pylist()}
        names |= {device.parent for device in devices if device.device in names}
        return tuple(device for device in devices if device.device in names)

    def tell(self, devices: tuple[DeviceSeen, ...], mark: tuple[int, int]) -> None:
        """They are kept: say no more of them."""
        self._told.update({device.device: device for device in devices})
        self._seen = mark


class Books:
    """Books by site and dialect, the least used forgotten first. Safe for several threads."""

    def __init__(self) -> None:
        self._books: OrderedDict[_Dialect, _Book] = OrderedDict()
        self._lock = Lock()
        self._unpacking = BoundedSemaphore(UNPACKED_AT_ONCE)

    def read(self, delivery: Delivery, keep: Callable[[tuple[DeviceSeen, ...]], object]) -> Cleaned:
        """Parse and clean. `keep` is given devices that were not known, before their rows are handed on.

        Raises InvalidInput for a body that cannot be read as a whole.
        """
        # A packed body may be a thousand times its size: of these, few are held unpacked at once.
        with self._unpacking if delivery.encoding in _STRETCHING else nullcontext():
            return self._read(_unpacked(delivery), delivery, keep)

    def _read(
        self, body: bytes, delivery: Delivery, keep: Callable[[tuple[DeviceSeen, ...]], object]
    ) -> Cleaned:
        dialect = _dialect_of(delivery, body)
        book = self._book(delivery, dialect)
        with book.lock:
            samples = _PARSERS[dialect](body, book.series, delivery)
            cleaned = clean(samples, book.series, received_us=delivery.received.us)
            waiting = book.news()
            mark = (len(book.series.by_key), len(book.series.devices))
            news = book.shown(waiting, cleaned.table)
            if news:
                keep(news)
            book.tell(news, mark if len(news) == len(waiting) else _NOT_LOOKED)
        return cleaned

    def _book(self, delivery: Delivery, dialect: str) -> _Book:
        key = (delivery.site, dialect, delivery.exporter)
        with self._lock:
            book = self._books.get(key)
            if book is None:
                mapper = _mapper(dialect, delivery)
                book = self._books[key] = _Book(mapper, delivery.site)
                while len(self._books) > MOST_BOOKS:
                    self._books.popitem(last=False)
            self._books.move_to_end(key)
        return book


def _unpacked(delivery: Delivery) -> bytes:
    if delivery.kind == "remote-write" and delivery.encoding in ("", "snappy"):
        return delivery.body  # its parser unpacks it, and says more of what is wrong with it
    return decompress(delivery.body, delivery.encoding, delivery.most)


def _dialect_of(delivery: Delivery, body: bytes) -> str:
    """A format, or one of the shapes in which it comes."""
    if delivery.kind == "csv":
        head = body[:4096].partition(b"\n")[0].lower()
        return "fleet csv" if b"metric_name" in head and b"labels" in head else "csv"
    if delivery.kind == "otlp" and body[:1] == b"[":
        return "fleet json"
    if delivery.kind not in _PARSERS:
        raise InvalidInput(
            f"{str(delivery.kind)[:40]!r} is no format of telemetry",
            path="format",
            remedy="prometheus, remote-write, otlp, csv or parquet",
        )
    return delivery.kind


def _mapper(dialect: str, delivery: Delivery) -> Mapper:
    if dialect in ("prometheus", "remote-write"):
        return dcgm_mapper(site=delivery.site, version=delivery.exporter)
    if dialect in ("csv", "parquet"):
        return table_mapper(site=delivery.site)
    return otel_mapper(site=delivery.site)


def _read_prometheus(body: bytes, book: SeriesBook, delivery: Delivery) -> Samples:
    return parse_prometheus(body, book, received_us=delivery.received.us)


def _read_remote_write(body: bytes, book: SeriesBook, delivery: Delivery) -> Samples:
    is_second = _VERSION_2 in delivery.content_type.lower()
    is_packed = delivery.encoding in ("", "snappy")
    return parse_remote_write(body, book, version=2 if is_second else 1, compressed=is_packed)


def _read_otlp(body: bytes, book: SeriesBook, delivery: Delivery) -> Samples:
    return parse_otlp(body, book, content_type=delivery.content_type or content_type_of(body))


def _read_csv(body: bytes, book: SeriesBook, delivery: Delivery) -> Samples:
    return parse_csv(body, book, path=delivery.name)


def _read_parquet(body: bytes, book: SeriesBook, delivery: Delivery) -> Samples:
    return parse_parquet(body, book, path=delivery.name)


def _read_fleet_csv(body: bytes, book: SeriesBook, delivery: Delivery) -> Samples:
    return parse_fleet_csv(body, book, path=delivery.name)


def _read_fleet_json(body: bytes, book: SeriesBook, delivery: Delivery) -> Samples:
    return parse_fleet_json(body, book, path=delivery.name)


_PARSERS: Final[Mapping[str, Callable[[bytes, SeriesBook, Delivery], Samples]]] = {
    "prometheus": _read_prometheus,
    "remote-write": _read_remote_write,
    "otlp": _read_otlp,
    "csv": _read_csv,
    "parquet": _read_parquet,
    "fleet csv": _read_fleet_csv,
    "fleet json": _read_fleet_json,
}
