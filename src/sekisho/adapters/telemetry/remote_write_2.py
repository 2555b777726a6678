"""Remote-write version 2: label names and values by their place in a table of symbols that each request brings along.

The table differs from request to request, so a series is remembered by numbers that the book gives to strings for good
(`SeriesBook.number_symbol`), eight bytes each, in the order of its labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.remote_write_samples import (
    BARE,
    ROUND,
    BadLabels,
    Gathered,
    check_labels,
    read_samples,
)
from sekisho.adapters.telemetry.wire_messages import remote_write_2

__all__ = ["read_version_2"]

_REFS: Final = 0x0A  # field 1 of a series, with its length behind
_LAYOUTS: Final = {b"\x12\x10": ROUND, b"\x12\x07": BARE}  # how a sample begins, and its size
_REF_BYTES: Final = 4  # of a reference as a varint, by the quick way; no request has 2**28 symbols

Symbols = npt.NDArray[np.uint64]


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request with its series undecoded, and the book's numbers of its symbols, as eight bytes each."""

    symbols: Sequence[str]
    series: Sequence[bytes]
    numbers: Symbols
    book: SeriesBook

    def key(self, refs: npt.NDArray[np.int64]) -> bytes:
        return bytes(self.numbers[refs].tobytes())


class _Shapes:
    """Series of one request that look like references, one sample, and perhaps metadata behind it."""

    def __init__(self) -> None:
        self.places: list[int] = []
        self.refs: list[bytes] = []
        self.samples: dict[int, list[bytes]] = {ROUND: [], BARE: []}
        self.sizes: list[int] = []


def read_version_2(body: bytes, book: SeriesBook) -> Samples:
    """The samples of an io.prometheus.write.v2.Request. Raises DecodeError (protobuf) where it is none."""
    outline = remote_write_2()["Outline"].FromString(body)
    symbols = list(outline.symbols)
    request = _Request(
        symbols=symbols,
        series=list(outline.timeseries),
        numbers=np.array(book.number_symbols(symbols), ">u8"),
        book=book,
    )
    gathered = Gathered(book)
    done = _keep_known(request, gathered)
    _read_in_full(request, done, gathered)
    return gathered.samples()


def _keep_known(request: _Request, gathered: Gathered) -> npt.NDArray[np.bool_]:
    """Keep known series with one plain sample; which those were."""
    done = np.zeros(len(request.series), np.bool_)
    shapes = _sort_by_shape(request.series)
    keys = _keys(request, shapes.refs)
    known = request.book.by_key.get
    numbers = np.array([-(2**62) if (n := known(key)) is None else n for key in keys], np.int64)
    places = np.array(shapes.places[: len(keys)], np.int64)
    sizes = np.array(shapes.sizes[: len(keys)], np.int64)
    for size, samples in shapes.samples.items():
        mine = sizes == size
        if mine.any():
            fits, at_ms, values = read_samples(samples, size)
            fits &= numbers[mine] > -(2**62)
            gathered.keep(places[mine][fits], numbers[mine][fits], at_ms[fits], values[fits])
            done[places[mine][fits]] = True
    return done


def _sort_by_shape(series: Sequence[bytes]) -> _Shapes:
    """1. References. 2. A sample of one of two sizes. 3. What stands behind is metadata and nothing else."""
    shapes = _Shapes()
    is_about: dict[bytes, bool] = {b"": True}
    for place, one in enumerate(series):
        start, end = _find_refs(one)
        size = _LAYOUTS.get(one[end : end + 2])
        if size is None or not start or len(one) < end + size:
            continue
        behind = one[end + size :]
        if behind not in is_about:
            is_about[behind] = _is_about(behind)
        if is_about[behind]:
            shapes.places.append(place)
            shapes.refs.append(one[start:end])
            shapes.samples[size].append(one[end : end + size])
            shapes.sizes.append(size)
    return shapes


def _find_refs(one: bytes) -> tuple[int, int]:
    """Where the references stand that a series begins with; zeros where it begins in another way."""
    if len(one) < BARE or one[0] != _REFS:
        return 0, 0
    length = one[1]
    if length < 0x80:
        return 2, 2 + length
    return (3, 3 + (length & 0x7F | one[2] << 7)) if one[2] < 0x80 else (0, 0)


def _is_about(behind: bytes) -> bool:
    """True for whole fields that say something about a series and carry neither labels nor samples."""
    said = remote_write_2()["TimeSeries"].FromString(behind)
    return not (said.labels_refs or said.samples or said.histograms or said.exemplars)


def _keys(request: _Request, refs: Sequence[bytes]) -> list[bytes]:
    """For each list of references the name of its series; none at all where one list is unusual."""
    decoded = _decode_refs(refs)
    if decoded is None:
        return []
    places, counts = decoded
    if len(places) and places.max() >= len(request.symbols):
        return []
    named = request.key(places)
    ends = (np.cumsum(counts) * 8).tolist()
    return [named[start:end] for start, end in pairwise([0, *ends])]


def _decode_refs(
    refs: Sequence[bytes],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
    """All references of packed lists, and how many each has; None where one is cut off or longer than _REF_BYTES."""
    data = np.frombuffer(b"".join(refs), np.uint8)
    lengths = np.fromiter(map(len, refs), np.int64, len(refs))
    is_last = data < 0x80
    behind = np.cumsum(lengths)
    if not is_last[behind[lengths > 0] - 1].all():
        return None
    last = np.flatnonzero(is_last)
    first = np.concatenate(([0], last[:-1] + 1)) if len(last) else last
    sizes = last - first + 1
    if len(sizes) and sizes.max() > _REF_BYTES:
        return None
    values = np.zeros(len(last), np.int64)
    for place in range(_REF_BYTES):
        has = sizes > place
        values[has] |= (data[first[has] + place] & 0x7F).astype(np.int64) << (7 * place)
    before = np.concatenate(([0], np.cumsum(is_last)))
    return values, before[behind] - before[behind - lengths]


def _read_in_full(request: _Request, done: npt.NDArray[np.bool_], gathered: Gathered) -> None:
    kind = remote_write_2()["TimeSeries"]
    for place in np.flatnonzero(~done).tolist():
        series = kind.FromString(request.series[place])
        try:
            number = _find_number(request, series)
        except BadLabels as error:
            gathered.refuse_series(place, series, error)
        else:
            gathered.keep_series(place, number, series)


def _find_number(request: _Request, series: Any) -> int:
    """The channel of a decoded series, learned where it was not met before."""
    refs = np.array(series.labels_refs, np.int64)
    if len(refs) % 2:
        raise BadLabels("a label reference without its other half")
    if len(refs) and refs.max() >= len(request.symbols):
        raise BadLabels("a label reference beyond the symbols")
    key = request.key(refs)
    number = request.book.by_key.get(key)
    if number is not None:
        return number
    words = [request.symbols[ref] for ref in refs.tolist()]
    name, labels = check_labels(zip(words[::2], words[1::2], strict=True))
    return request.book.learn(key, name, labels)
