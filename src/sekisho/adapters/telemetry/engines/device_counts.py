"""How many devices a line had in each bucket, every one counted once, without a row for each device and bucket."""

from __future__ import annotations

import numpy as np

from sekisho.adapters.telemetry.engines.cells import cut_at
from sekisho.adapters.telemetry.engines.fleet import Ints
from sekisho.adapters.telemetry.engines.numbering import CLAIM_BITS, count_rows, number_groups

__all__ = ["DeviceCounts"]

_HALF = 1 << (CLAIM_BITS - 1)


class _Had:
    """The last bucket of a window, and the lines and devices that had it."""

    def __init__(self) -> None:
        self.bucket = -1
        self.pairs = np.empty(0, dtype=np.int64)

    def add(self, bucket: int, pairs: Ints) -> None:
        if bucket > self.bucket:
            self.bucket, self.pairs = bucket, pairs
        elif bucket == self.bucket:
            self.pairs = np.concatenate([self.pairs, pairs])


class DeviceCounts:
    """Add all sites of a window, then take what is over; window by window."""

    def __init__(self) -> None:
        self._groups = self._counts = np.empty(0, dtype=np.int64)
        self._before, self._now = _Had(), _Had()

    def add(self, line: Ints, device: Ints, first: Ints, last: Ints) -> None:
        """Columns of one length: a line had a device (its number may be below zero) in buckets `first` to `last`."""
        if not line.size:
            return
        order = np.lexsort((first, device, line))
        pair = (line[order] << CLAIM_BITS) | (device[order] + _HALF)
        first, last = first[order], last[order]
        latest = int(last.max())
        self._now.add(latest, pair[last == latest])
        first = np.maximum(first, self._counted(pair, last))
        new = first <= last
        self._count(pair[new] >> CLAIM_BITS, first[new], last[new])

    def take(self, limit: int) -> dict[int, int]:
        """Counts by group of all groups below the limit, which are then gone. Ends a window."""
        self._before.add(self._now.bucket, self._now.pairs)
        self._now = _Had()
        groups, place = number_groups(self._groups)
        counts = np.zeros(groups.size, dtype=np.int64)
        np.add.at(counts, place, self._counts)
        cut = int(np.searchsorted(groups, limit))
        self._groups, self._counts = groups[cut:], counts[cut:]
        return dict(zip(groups[:cut].tolist(), counts[:cut].tolist(), strict=True))

    def _counted(self, pair: Ints, last: Ints) -> Ints:
        """For each row the first bucket that its pair was not counted in yet."""
        begins = np.ones(pair.size, dtype=np.bool_)
        begins[1:] = pair[1:] != pair[:-1]
        # One rising line for all pairs, so that one running maximum serves them.
        offset = (np.cumsum(begins) - 1) * (int(last.max()) + 2)
        counted: Ints = np.roll(np.maximum.accumulate(offset + last + 1), 1) - offset
        before = self._before
        had = np.isin(pair, before.pairs) if before.pairs.size else np.zeros_like(begins)
        counted[begins] = np.where(had[begins], before.bucket + 1, 0)
        return np.maximum(counted, np.where(had, before.bucket + 1, 0))

    def _count(self, line: Ints, first: Ints, last: Ints) -> None:
        """Most pairs have the same buckets as many others: these are counted first."""
        (line, first, last), times = count_rows(line, first, last)
        row, bucket, _ = cut_at(first, last + 1, 1)
        self._groups = np.concatenate([self._groups, (bucket << CLAIM_BITS) | line[row]])
        self._counts = np.concatenate([self._counts, times[row]])
