"""Remote-write version 1: label names and values written out in every series."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.remote_write_samples import (
    BARE,
    ROUND,
    BadLabels,
    Gathered,
    check_labels,
    read_samples,
)
from sekisho.adapters.telemetry.wire_messages import remote_write_1

__all__ = ["read_version_1"]

_LABEL: Final = b"\x0a"  # field 1 of a series, with its length behind


def read_version_1(body: bytes, book: SeriesBook) -> Samples:
    """The samples of a prometheus.WriteRequest. Raises DecodeError (protobuf) where it is none."""
    series = list(remote_write_1()["Outline"].FromString(body).timeseries)
    gathered = Gathered(book)
    _keep_known(series, book, gathered)
    return gathered.samples()


def _keep_known(series: list[bytes], book: SeriesBook, gathered: Gathered) -> None:
    """1. Look up all but the last 18, then all but the last 9 bytes. 2. Read those in bulk. 3. Then the rest."""
    known = book.by_key.get
    by_size: dict[int, tuple[list[int], list[int]]] = {ROUND: ([], []), BARE: ([], [])}
    odd: list[int] = []
    for place, one in enumerate(series):
        number, size = known(one[:-ROUND]), ROUND
        if number is None:
            number, size = known(one[:-BARE]), BARE
        if number is None:
            odd.append(place)
        else:
            places, numbers = by_size[size]
            places.append(place)
            numbers.append(number)
    for size, (places, numbers) in by_size.items():
        if places:
            odd += _keep_in_bulk(series, places, numbers, size, gathered)
    _read_in_full(series, sorted(odd), book, gathered)


def _keep_in_bulk(
    series: list[bytes], places: list[int], numbers: list[int], size: int, gathered: Gathered
) -> list[int]:
    """Keep what is a known series and one plain sample; the places of what is not."""
    fits, at_ms, values = read_samples([series[place][-size:] for place in places], size)
    at = np.array(places, np.int64)
    gathered.keep(at[fits], np.array(numbers, np.int64)[fits], at_ms[fits], values[fits])
    return [int(place) for place in at[~fits]]


def _read_in_full(
    series: list[bytes], places: list[int], book: SeriesBook, gathered: Gathered
) -> None:
    kind = remote_write_1()["TimeSeries"]
    for place in places:
        _read_series(kind, place, series[place], book, gathered)


def _read_series(kind: Any, place: int, one: bytes, book: SeriesBook, gathered: Gathered) -> None:
    """One series: its label block as known, or learned; then every sample."""
    end = _labels_end(one)
    number = book.by_key.get(one[:end])
    rest = kind.FromString(one[end:])
    if number is not None and not rest.labels:
        gathered.keep_series(place, number, rest)
        return
    whole = kind.FromString(one)
    try:
        name, labels = check_labels((label.name, label.value) for label in whole.labels)
    except BadLabels as error:
        gathered.refuse_series(place, whole, error)
        return
    # Labels behind samples are legal and never seen: such a series is remembered by what it says.
    key = tuple(labels.items()), name
    number = book.learn(key if rest.labels else one[:end], name, labels)
    gathered.keep_series(place, number, whole)


def _labels_end(one: bytes) -> int:
    """Where the labels at the beginning of a series end: whole fields, looked at from outside."""
    at = 0
    while one[at : at + 1] == _LABEL:
        length, behind = _read_varint(one, at + 1)
        if behind + length > len(one):
            return at
        at = behind + length
    return at


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """A length and the place behind it; a length beyond the data where there is none."""
    value = shift = 0
    for byte in data[at : at + 5]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at + shift // 7
    return len(data), at
