"""The order in which the lines of a source came last time: it will be the same next time.

An exporter prints its series in one order, scrape after scrape. Comparing a line with the one that stood in its place
costs a third of splitting it and looking its series up. The comparison is exact, so nothing is guessed: a line that
does not begin with the series expected in its place is simply read the other way.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import compress
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["BodyOrder", "LineOrders"]

_MAX_BYTES: Final = 256 * 2**20
_COMMENT: Final = b"#"
_Cut = slice  # of a line: what stands behind its series
_NOTHING: Final = _Cut(0, 0)


class _LineOrder:
    """What every line of a body began with. Of a sample line that is its series and one blank."""

    def __init__(self) -> None:
        self._prefixes: list[bytes] = []
        self._cuts: list[_Cut] = []
        self._is_sample = bytearray()
        self._numbers = array("q")

    def __len__(self) -> int:
        return len(self._prefixes)

    def match(
        self, lines: Sequence[bytes], at: int
    ) -> tuple[npt.NDArray[np.int64], list[bytes]] | None:
        """Channel numbers and what stands behind each series, if lines from `at` on begin as they did last time."""
        end = at + len(lines)
        expected = self._prefixes[at:end]
        if len(expected) < len(lines) or not all(map(bytes.startswith, lines, expected)):
            return None
        is_sample = self._is_sample[at:end]
        tails = compress(map(bytes.__getitem__, lines, self._cuts[at:end]), is_sample)
        numbers = np.array(self._numbers[at:end], np.int64)
        return numbers[np.frombuffer(is_sample, np.bool_)], list(tails)

    def extend(
        self, lines: Sequence[bytes], heads: Sequence[bytes], numbers: Sequence[int]
    ) -> None:
        """Remember lines that were read, comments and plain samples; `heads` and `numbers` are of the samples."""
        series = iter(zip(heads, numbers, strict=True))
        for line in lines:
            is_sample = not line.startswith(_COMMENT)
            head, number = next(series) if is_sample else (b"", 0)
            prefix = head + b" " if is_sample else _COMMENT
            self._prefixes.append(prefix)
            self._cuts.append(slice(len(prefix), None) if is_sample else _NOTHING)
            self._is_sample.append(is_sample)
            self._numbers.append(number)

    def cut(self, at: int) -> None:
        """Forget the lines from `at` on."""
        for column in (self._prefixes, self._cuts, self._is_sample, self._numbers):
            del column[at:]

    def size(self) -> int:
        """Bytes held, about."""
        return sum(map(len, self._prefixes))


class LineOrders:
    """The orders of a book's bodies, each under the first series in it; forgotten all at once when they grow large."""

    def __init__(self) -> None:
        self._orders: dict[bytes, _LineOrder | None] = {}
        self._sizes: dict[bytes, int] = {}
        self._held = 0

    def is_seen(self, first: bytes) -> bool:
        """True from the second body on: one whose lines come in another order each time is not worth remembering."""
        if first in self._orders:
            return True
        self._put(first, None, len(first))
        return False

    def find(self, first: bytes) -> _LineOrder | None:
        return self._orders.get(first)

    def keep(self, first: bytes, order: _LineOrder) -> None:
        """Put an order in the place of the one that stood there."""
        self._put(first, order, order.size())

    def _put(self, first: bytes, order: _LineOrder | None, size: int) -> None:
        self._held += size - self._sizes.get(first, 0)
        if self._held > _MAX_BYTES:
            self._orders.clear()
            self._sizes.clear()
            self._held = size
        self._orders[first] = order
        self._sizes[first] = size


class BodyOrder:
    """The body being read, held against the last one that began with the same series."""

    def __init__(self, orders: LineOrders) -> None:
        self._orders = orders
        self._first = b""
        self._last: _LineOrder | None = None
        self._at = 0
        self._is_seen = False
        self._is_changed = False

    def match(self, lines: Sequence[bytes]) -> tuple[npt.NDArray[np.int64], list[bytes]] | None:
        """Channel numbers and what stands behind each series, if the next lines begin as they did last time."""
        if not self._first:
            self._first = _first_series(lines)
            self._is_seen = self._orders.is_seen(self._first)
            self._last = self._orders.find(self._first)
        return None if self._last is None else self._last.match(lines, self._at)

    def extend(
        self, lines: Sequence[bytes], heads: Sequence[bytes], numbers: Sequence[int]
    ) -> None:
        """These lines, comments and plain samples, stand here from now on, if the body begins like an earlier one."""
        if self._is_seen:
            self._last = self._last or _LineOrder()
            self._last.cut(self._at)
            if len(self._last) == self._at:
                self._last.extend(lines, heads, numbers)
                self._is_changed = True
        self.skip(len(lines))

    def skip(self, count: int) -> None:
        """Lines of any kind that were read."""
        self._at += count

    def keep(self) -> None:
        """At the end of the body."""
        if self._is_changed and self._last is not None:
            self._orders.keep(self._first, self._last)


def _first_series(lines: Sequence[bytes]) -> bytes:
    samples = (line for line in lines if line and not line.startswith(_COMMENT))
    return next(samples, b"").rpartition(b" ")[0]
