"""Exporter text (Prometheus text format 0.0.4, OpenMetrics 1.0) to samples.

Two ways, one meaning. A line is *plain* when what stands before its last blank is, byte for byte, a series that the
careful reader of `exposition_lines` understood before, and what stands behind is a plain decimal number: then that
reader would read this series, this value and no time, because it reads from left to right. Plain lines are converted
thousands at a time; every other line goes through the careful reader. A line that nobody can read is refused and
counted, and costs the others nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from operator import not_
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.assembling import assemble
from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.exposition_lines import (
    LONGEST_LINE,
    LONGEST_NUMBER,
    LONGEST_SERIES,
    BadLine,
    Reading,
    parse_reading,
    parse_series,
)
from sekisho.adapters.telemetry.line_orders import BodyOrder, LineOrders
from sekisho.adapters.telemetry.refusal_counts import Refusing

__all__ = ["parse_prometheus"]

# Bytes split at once: small enough that the pieces stay in the processor's cache.
_BLOCK: Final = 128 * 1024
_PLAIN_CHARACTERS: Final = b"0123456789+-.eE\n"
_DECIMAL: Final = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_COMMENT: Final = b"#"
_REMEDY: Final = "compare with the text format 0.0.4; other lines of the body were read"

_Reading = tuple[int, int, float]
_Part = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]


def parse_prometheus(body: bytes, book: SeriesBook, *, received_us: int) -> Samples:
    """The samples of an exposition; one without a time of its own is of `received_us`.

    Times are milliseconds, and seconds where the last line is `# EOF` (OpenMetrics). Refuses lines, never the body:
    labels that cannot be read, bytes that are not UTF-8, lines over 64 KiB, a last line that was cut off.
    """
    reader = _Reader(book, received_us, is_openmetrics=_ends_as_openmetrics(body))
    whole = body if body.endswith(b"\n") else body[: body.rfind(b"\n") + 1]
    for block in _blocks(whole):
        reader.take(block)
    reader.end(body[len(whole) :])
    return assemble(book, reader.parts, reader.refusing)


def _ends_as_openmetrics(body: bytes) -> bool:
    return body[-10:].rstrip(b"\r\n").endswith(b"\n# EOF")


def _blocks(body: bytes) -> Iterator[bytes]:
    """The body in pieces of whole lines."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + _BLOCK) + 1 or len(body)
        yield body[start:end]
        start = end


class _Reader:
    """Reads block after block."""

    def __init__(self, book: SeriesBook, received_us: int, *, is_openmetrics: bool) -> None:
        self.parts: list[_Part] = []
        self.refusing = Refusing()
        self._book = book
        self._received_us = received_us
        self._is_openmetrics = is_openmetrics
        self._lines_before = 0
        self._order = BodyOrder(book.memory.setdefault("line orders", LineOrders()))

    def take(self, block: bytes) -> None:
        """Whole lines: as they came last time, or by looking each up, or one by one."""
        lines = block.split(b"\n")
        lines.pop()
        if not self._take_as_last_time(lines):
            self._take_by_series(lines)
        self._lines_before += len(lines)

    def _take_as_last_time(self, lines: Sequence[bytes]) -> bool:
        found = self._order.match(lines)
        values = _plain_values(found[1]) if found else None
        if found is None or values is None:
            return False
        self._keep(found[0], values)
        self._order.skip(len(lines))
        return True

    def _take_by_series(self, lines: Sequence[bytes]) -> None:
        """1. Look up what stands before the last blank. 2. Convert what stands behind. 3. Else read one by one."""
        heads, _, tails = zip(*[line.rpartition(b" ") for line in lines], strict=True)
        numbers = list(map(self._book.by_key.get, heads))
        is_known = [number is not None for number in numbers]
        others = compress(lines, map(not_, is_known))
        values = None
        if all(line.startswith(_COMMENT) for line in others):
            values = _plain_values(list(compress(tails, is_known)))
        if values is None:
            self._take_mixed(lines, heads, tails)
            self._order.skip(len(lines))
        else:
            known = [number for number in numbers if number is not None]
            self._keep(np.array(known, np.int64), values)
            self._order.extend(lines, list(compress(heads, is_known)), known)

    def _keep(self, numbers: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> None:
        self.parts.append((numbers, np.full(len(numbers), self._received_us, np.int64), values))

    def _take_mixed(
        self, lines: Sequence[bytes], heads: Sequence[bytes], tails: Sequence[bytes]
    ) -> None:
        """Lines of which some are new or not plain: new series are learned, the careful reader takes the rest."""
        readings: list[_Reading] = []
        places = range(self._lines_before + 1, self._lines_before + 1 + len(lines))
        for place, line, head, tail in zip(places, lines, heads, tails, strict=True):
            if len(tail) <= LONGEST_NUMBER and _DECIMAL.fullmatch(tail):
                number = self._book.by_key.get(head)
                number = self._learn(head) if number is None else number
                if number is not None:
                    readings.append((number, self._received_us, float(tail)))
                    continue
            self._take_odd(line, place, readings)
        if readings:
            channel, at_us, values = zip(*readings, strict=True)
            self.parts.append(
                (np.array(channel, np.int64), np.array(at_us, np.int64), np.array(values, float))
            )

    def _learn(self, head: bytes) -> int | None:
        """Number a series that was not met before; None where this is not a series and nothing else."""
        try:
            series = parse_series(head)
        except BadLine:
            return None
        if series.end < len(head) or len(head) > LONGEST_SERIES:
            return None
        return self._book.learn(head, series.name, series.labels)

    def _take_odd(self, line: bytes, place: int, readings: list[_Reading]) -> None:
        """One line through the careful reader, or one refusal."""
        text = line.strip(b" \t\r")
        if not text or text.startswith(_COMMENT):
            return
        try:
            readings.append(self._read(text))
        except BadLine as error:
            self.refusing.add(
                "malformed", f"line {place}: {error}: {_excerpt(line)}", remedy=_REMEDY
            )

    def _read(self, text: bytes) -> _Reading:
        if len(text) > LONGEST_LINE:
            raise BadLine(f"longer than {LONGEST_LINE:,} bytes")
        found = self._read_known(text)
        if found is not None:
            return found
        series = parse_series(text)
        reading = parse_reading(text[series.end :], is_openmetrics=self._is_openmetrics)
        number = self._number(text[: series.end], series.name, series.labels)
        return self._at(number, reading)

    def _read_known(self, text: bytes) -> _Reading | None:
        """A known series before one value, or before a value and a time, behind single blanks."""
        end = text.rfind(b" ")
        for place in (end, text.rfind(b" ", 0, max(end, 0))):
            number = self._book.by_key.get(text[: max(place, 0)])
            if number is not None:
                try:
                    reading = parse_reading(text[place:], is_openmetrics=self._is_openmetrics)
                except BadLine:
                    return None  # `m {a="b"} 1` where `m` is known: the series is longer
                return self._at(number, reading)
        return None

    def _at(self, number: int, reading: Reading) -> _Reading:
        at_us = self._received_us if reading.at_us is None else reading.at_us
        return number, at_us, reading.value

    def _number(self, key: bytes, name: str, labels: Mapping[str, str]) -> int:
        if len(key) > LONGEST_SERIES:
            raise BadLine(f"a series of more than {LONGEST_SERIES:,} bytes")
        number = self._book.by_key.get(key)
        return self._book.learn(key, name, labels) if number is None else number

    def end(self, rest: bytes) -> None:
        """A last line without a line feed: its value may have lost digits on the way."""
        self._order.keep()
        text = rest.strip(b" \t\r")
        if text and not text.startswith(_COMMENT):
            self.refusing.add(
                "malformed",
                f"line {self._lines_before + 1}: the last line is not ended: {_excerpt(rest)}",
                remedy="end the body with a line feed; if it had one, it was cut off on the way",
            )


def _plain_values(tails: Sequence[bytes]) -> npt.NDArray[np.float64] | None:
    """Decimal numbers, all at once; None where one of them is anything else."""
    if not tails:
        return np.empty(0, np.float64)
    joined = b"\n".join(tails)
    if joined.translate(None, _PLAIN_CHARACTERS) or max(map(len, tails)) > LONGEST_NUMBER:
        return None
    try:
        texts = pa.array(tails, pa.binary()).cast(pa.string())
        return np.asarray(texts.cast(pa.float64()), np.float64)
    except pa.ArrowInvalid:
        return None


def _excerpt(line: bytes) -> str:
    """Foreign bytes as a message may show them."""
    return ascii(line[:80].decode("utf-8", "replace"))
