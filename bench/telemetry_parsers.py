"""`python bench/telemetry_parsers.py`: how many samples a second each reader of telemetry takes, on one core.

Bodies are those of dcgm-exporters: eleven labels and one sample a series, new values in every round. Processor time of
the whole process, from the packed body to arrays of channels, times and values, every check included. Beside the text
reader prometheus_client reads the same exposition; beside remote-write stands protobuf's own decoder, which only builds
the messages and looks at none of them. The samples are compared first: a wrong answer is no fast one.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from prometheus_client.parser import text_string_to_metric_families
from row import Row, Target, row_of

from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.decompress import decompress
from sekisho.adapters.telemetry.names_dcgm import dcgm_mapper
from sekisho.adapters.telemetry.prometheus_text import parse_prometheus
from sekisho.adapters.telemetry.remote_write import parse_remote_write
from sekisho.adapters.telemetry.wire_messages import remote_write_1, remote_write_2

sys.path.insert(0, str(Path(__file__).parents[1]))  # the bodies that the tests read too
from tests.exporter_bodies import (
    Series,
    as_text,
    as_write_1,
    as_write_2,
    dcgm_series,
    dcgm_values,
)

__all__ = ["measure_remote_write", "measure_text"]

ROUNDS = 7
SERIES_A_REQUEST = 2_000  # the most that a Prometheus sends at once unless told otherwise
NOW_US = 1_700_000_000_000_000
TEXT, WRITE = Target(least=1_000_000), Target(least=250_000)


def measure_text(hosts: int) -> list[Row]:
    """Exposition of some hosts, 96 series each: as it comes every time, in another order, and for the first time."""
    dice = random.Random(6)  # noqa: S311 - the same values every time
    series = dcgm_series(hosts)
    book = _book()
    bodies = [as_text(series, dcgm_values(len(series), dice)) for _ in range(ROUNDS)]
    part = series[: len(series) // 10]
    few = [as_text(part, dcgm_values(len(part), dice)).decode() for _ in range(3)]
    _check_text(few[0])
    for body in bodies[:2]:
        _parse(body, book)
    usual = [_rate(_parse, body, book, count=len(series)) for body in bodies]
    other = [_rate_forgetful(body, book, len(series)) for body in bodies]
    first = [_rate(_parse, body, _book(), count=len(series)) for body in bodies[:3]]
    peer = [_rate(_parse_by_peer, text, count=len(part)) for text in few]
    return [
        _row("Prometheus text to samples, one core", usual, TEXT, peer, "prometheus_client"),
        _row("  text in an order never seen", other, Target(), peer, "prometheus_client"),
        _row("  text of series never met", first, Target(), peer, "prometheus_client"),
        row_of("  prometheus_client, the same text", "/s", peer),
    ]


def measure_remote_write(hosts: int) -> list[Row]:
    """Requests of 2,000 series in an order that changes, packed with snappy; a book that knows the series."""
    return [*_measure_version(1, as_write_1, hosts), *_measure_version(2, as_write_2, hosts)]


def _measure_version(version: Literal[1, 2], write: Callable[..., bytes], hosts: int) -> list[Row]:
    dice = random.Random(6)  # noqa: S311 - the same values every time
    series = dcgm_series(hosts)
    book = _book()
    rounds = [_requests(write, series, dice) for _ in range(ROUNDS)]
    kind = (remote_write_1 if version == 1 else remote_write_2)()["Request"]
    first = [_rate(_take, rounds[0], book, version, count=len(series))]
    usual = [_rate(_take, bodies, book, version, count=len(series)) for bodies in rounds]
    peer = [_rate(_decode, kind, bodies, count=len(series)) for bodies in rounds]
    name = f"remote-write {version}"
    return [
        _row(f"{name} to samples, one core", usual, WRITE, peer, "protobuf alone"),
        _row(f"  {name} of series never met", first, Target(), peer, "protobuf alone"),
        row_of(f"  {name}, protobuf alone: messages, no labels", "/s", peer),
    ]


def _requests(
    write: Callable[..., bytes], series: list[Series], dice: random.Random
) -> list[bytes]:
    order = dice.sample(series, len(series))
    values = dcgm_values(len(order), dice)
    samples = [[(float(value), NOW_US // 1000 + n)] for n, value in enumerate(values)]
    starts = range(0, len(order), SERIES_A_REQUEST)
    return [
        write(order[at : at + SERIES_A_REQUEST], samples[at : at + SERIES_A_REQUEST])
        for at in starts
    ]


def _book() -> SeriesBook:
    return SeriesBook(dcgm_mapper(site="bench"), "bench")


def _parse(body: bytes, book: SeriesBook) -> Samples:
    return parse_prometheus(body, book, received_us=NOW_US)


def _take(bodies: Sequence[bytes], book: SeriesBook, version: Literal[1, 2]) -> None:
    for body in bodies:
        parse_remote_write(body, book, version=version)


def _parse_by_peer(text: str) -> object:
    return list(text_string_to_metric_families(text))


def _decode(kind: Any, bodies: Sequence[bytes]) -> object:
    return [kind.FromString(decompress(body, "snappy", 2**28)) for body in bodies]


def _rate(do: Callable[..., object], *arguments: object, count: int) -> float:
    began = time.process_time()
    do(*arguments)
    return count / (time.process_time() - began)


def _rate_forgetful(body: bytes, book: SeriesBook, count: int) -> float:
    """Known series, but no order of lines to hold them against."""
    book.memory.clear()
    return _rate(_parse, body, book, count=count)


def _check_text(text: str) -> None:
    """The same values in the same order as prometheus_client, by the quick way too."""
    theirs = [
        sample.value for family in text_string_to_metric_families(text) for sample in family.samples
    ]
    book = _book()
    for _ in range(3):
        if not np.array_equal(_parse(text.encode(), book).value, np.array(theirs)):
            raise SystemExit("prometheus_client reads other values than we do")


def _row(what: str, rates: list[float], target: Target, peer: list[float], name: str) -> Row:
    row = row_of(what, "/s", rates, target)
    times = statistics.median(rates) / statistics.median(peer)
    return Row(
        what=row.what,
        unit=row.unit,
        median=row.median,
        n=row.n,
        target=target,
        note=f"{times:.1f} x {name}",
    )


if __name__ == "__main__":
    from machine import look_at_machine
    from table import render

    print(render(look_at_machine(), [*measure_text(500), *measure_remote_write(500)]))
