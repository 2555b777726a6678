"""Parsers of foreign bytes, each with bodies to start from. A new one is one line of TARGETS.

A target's `read` takes any bytes and returns or raises InvalidInput; every other exception, and an endless run, is a
finding. Where a parser has a quick and a careful way, `read` runs both and compares.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import cramjam
import msgspec

from sekisho.adapters.telemetry.columns import SeriesBook
from sekisho.adapters.telemetry.csv_samples import parse_csv
from sekisho.adapters.telemetry.decompress import decompress
from sekisho.adapters.telemetry.fleet_agent import parse_fleet_csv
from sekisho.adapters.telemetry.job_records.kubernetes import parse_pods
from sekisho.adapters.telemetry.job_records.slurm import parse_sacct, parse_sacct_json
from sekisho.adapters.telemetry.job_records.table import parse_allocations_csv
from sekisho.adapters.telemetry.otlp import parse_otlp
from sekisho.adapters.telemetry.parquet_pages import check_file
from sekisho.adapters.telemetry.prometheus_text import parse_prometheus
from sekisho.adapters.telemetry.remote_write import parse_remote_write
from sekisho.model.errors import InvalidInput
from tests.exporter_bodies import (
    Said,
    as_text,
    as_write_1,
    as_write_2,
    dcgm_series,
    everything_book,
    said,
)
from tests.job_bodies import PODS, SACCT, SACCT_JSON, SMALL_PARQUET, TABLE
from tests.otlp_bodies import JSON, PROTOBUF, Point, as_json, request

__all__ = ["TARGETS", "Target", "beside_fresh", "run_once"]

Parse = Callable[[bytes, SeriesBook], Any]


class Target(msgspec.Struct, frozen=True):
    """A parser as the fuzzer calls it, and bodies that it reads."""

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


def beside_fresh(
    parse: Parse, *warm_with: bytes, book: Callable[[], SeriesBook] = everything_book
) -> Callable[[bytes], object]:
    """A parser with a memory: a book that knows some bodies must read every body as a fresh one does."""
    warm = book()
    for body in warm_with * 3:
        parse(body, warm)

    def read(body: bytes) -> object:
        found = _say(parse, body, warm)
        expected = _say(parse, body, book())
        assert found == expected, (body, found, expected)
        return found

    return read


def _say(parse: Parse, body: bytes, book: SeriesBook) -> Said | str:
    try:
        return said(parse(body, book), book)
    except InvalidInput as error:
        return str(error)


def run_once(target: Target, body: bytes) -> None:
    """One body through a target; what it may refuse is refused, in words that a terminal can show."""
    refusal = ""
    try:
        target.read(body)
    except InvalidInput as error:
        refusal = str(error)
    assert refusal.isprintable(), body


_SERIES: Final = dcgm_series(hosts=1, gpus=1)[:3]
_ONE: Final = [[(0.5, 1_700_000_000_123)], [(0.0, 1_700_000_000_123)], [(1.0, 5), (2.0, 6)]]
_TEXT: Final = as_text(_SERIES, ["1", "0.5", "1e3"])
_MORE: Final = (
    b'up 1\nm{a="}\\"",b="\\n"} +Inf 5\n{"x.y","z"="w"} NaN\nc_total 1 # {a="b"} 2 3\n# EOF\n'
)
_WRITE_1: Final = as_write_1(_SERIES, _ONE, pack=False)
_WRITE_2: Final = as_write_2(_SERIES, _ONE, pack=False)


def _text(body: bytes, book: SeriesBook) -> Any:
    return parse_prometheus(body, book, received_us=1_700_000_000_000_000)


def _write(version: Literal[1, 2]) -> Parse:
    return lambda body, book: parse_remote_write(body, book, version=version, compressed=False)


def _unpack(encoding: str) -> Callable[[bytes], object]:
    return lambda body: decompress(body, encoding, 100_000)


_POINTS: Final = [
    Point(value=7, attributes={"hw.id": "GPU-0001"}),
    Point(start=5, attributes={"hw.id": "GPU-0002", "n": 7, "b": True}, flags=1),
    Point(name="hw.energy", unit="J", sums=1, start=5, value=2.5),
]
_OTLP: Final = request(_POINTS, resource={"host.name": "n1"}, scope="s").SerializeToString()
_OTLP_JSON: Final = as_json(request(_POINTS, resource={"host.name": "n1"}, scope="s"))
_LONG: Final = (
    b"timestamp,device,metric,value\n2026-09-21T12:00:00Z,GPU-a,power_w,1.5\n1789992000,GPU-b,x,\n"
)
_WIDE: Final = b'at_us,device,power_w,chip\n5,"GPU-a",N/A,H100\n6,GPU-b,1e3,H100\n'
_FLEET: Final = (
    b'timestamp,metric_name,value,labels\n2026-09-21T12:00:00Z,a,1,"{""uuid"":""GPU-a""}"\n'
)


def _otlp(encoding: str) -> Parse:
    return lambda body, book: parse_otlp(body, book, content_type=encoding)


TARGETS: Final[Mapping[str, Target]] = {
    "prometheus-text": Target(beside_fresh(_text, _TEXT, _MORE), (_TEXT, _MORE)),
    "remote-write-1": Target(beside_fresh(_write(1), _WRITE_1), (_WRITE_1,)),
    "remote-write-2": Target(beside_fresh(_write(2), _WRITE_2), (_WRITE_2,)),
    "otlp": Target(beside_fresh(_otlp(PROTOBUF), _OTLP), (_OTLP,)),
    "otlp-json": Target(beside_fresh(_otlp(JSON), _OTLP_JSON), (_OTLP_JSON,)),
    "csv": Target(beside_fresh(parse_csv, _LONG, _WIDE), (_LONG, _WIDE)),
    "fleet-csv": Target(beside_fresh(parse_fleet_csv, _FLEET), (_FLEET,)),
    "parquet-frame": Target(lambda body: check_file(body, path="x"), (SMALL_PARQUET,)),
    "sacct": Target(lambda body: parse_sacct(body, site="s", zone="Asia/Tokyo"), (SACCT,)),
    "sacct-json": Target(lambda body: parse_sacct_json(body, site="s"), (SACCT_JSON,)),
    "pods": Target(lambda body: parse_pods(body, site="s"), (PODS,)),
    "allocations": Target(lambda body: parse_allocations_csv(body, site="s"), (TABLE,)),
    "snappy": Target(_unpack("snappy"), (bytes(cramjam.snappy.compress_raw(_TEXT)),)),
    "gzip": Target(_unpack("gzip"), (gzip.compress(_TEXT, mtime=0),)),
    "zstd": Target(_unpack("zstd"), (bytes(cramjam.zstd.compress(_TEXT)),)),
}
