"""How many devices a line had in a bucket, each counted once, without a row for each of them in each bucket."""

from __future__ import annotations

import numpy as np

from sekisho.adapters.telemetry.engines.fleet import Ints
from sekisho.adapters.telemetry.engines.numbering import CLAIM_BITS, number_groups

__all__ = ["DeviceCounts"]

_HALF = 1 << 31


class DeviceCounts:
    """Add windows in their order, all sites of one, then `take` what is over."""

    def __init__(self) -> None:
        self._counts: list[tuple[Ints, Ints]] = []
        self._open = -1  # the bucket that was not over when the last window was
        self._had = np.empty(0, dtype=np.int64)  # lines and devices that it was counted for
        self._has: list[Ints] = []

    def add(self, line: Ints, device: Ints, first: Ints, last: Ints) -> None:
        """Columns of one length: a line had a device (its number may be negative) in the buckets `first` to `last`."""
        if not line.size:
            return
        order = np.lexsort((first, device, line))
        line, first, last = line[order], first[order], last[order]
        pair = (line << CLAIM_BITS) | (device[order] + _HALF)
        begins = np.ones(pair.size, dtype=np.bool_)
        begins[1:] = pair[1:] != pair[:-1]
        # How far the rows before have counted each pair, on one rising line for all of them.
        place = (np.cumsum(begins) - 1) * (int(last.max()) + 2)
        reached = np.roll(np.maximum.accumulate(place + last + 1), 1) - place
        reached[begins] = 0
        if self._had.size:
            again = begins & (first == self._open)
            reached[again] = np.where(np.isin(pair[again], self._had), self._open + 1, 0)
        self._has.append(pair[last == last.max()])
        self._has_bucket = int(last.max())
        first = np.maximum(first, reached)
        new = first <= last
        self._count(line[new], first[new], last[new])
