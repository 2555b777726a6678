"""The buckets of a query, and pieces cut at their edges."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from sekisho.adapters.telemetry.engines.cells import Grouped, cut_at
from sekisho.adapters.telemetry.engines.fleet import Ints
from sekisho.adapters.telemetry.engines.numbering import CLAIM_BITS
from sekisho.adapters.telemetry.engines.pieces import Pieces
from sekisho.ports.telemetry import UsageQuery

__all__ = ["Buckets"]


class Buckets(msgspec.Struct, frozen=True):
    """Numbered from 0; milliseconds. `step` 0: one bucket over all."""

    start: int
    end: int
    step: int

    @classmethod
    def of(cls, query: UsageQuery) -> Self:
        return cls(query.start.us // 1000, query.end.us // 1000, query.bucket_s * 1000)

    def bounds(self, number: int) -> tuple[int, int]:
        """From when to when, within the query."""
        if not self.step:
            return self.start, self.end
        begin = (self.start // self.step + number) * self.step
        return max(begin, self.start), min(begin + self.step, self.end)

    def number(self, moments: Ints) -> Ints:
        """The bucket of each moment of the query."""
        if not self.step:
            return np.zeros_like(moments)
        return moments // self.step - self.start // self.step

    def over(self, until: int) -> int:
        """How many buckets, from the first, have ended by this moment."""
        if until >= self.end:
            return int(self.number(np.array([self.end - 1]))[0]) + 1
        return until // self.step - self.start // self.step if self.step else 0

    def cut(self, start: Ints, end: Ints) -> tuple[Ints, Ints, Ints]:
        """Stretches cut at the edges of buckets: for each part the row that it comes from, its start, its end."""
        if not self.step:
            return np.arange(start.size), start, end
        return cut_at(start, end, self.step)

    def group(self, pieces: Pieces, plain_of: Ints) -> Grouped:
        """Pieces cut, each with its bucket and claim in one number."""
        row, start, end = self.cut(pieces.start, pieces.end)
        group = (self.number(start) << CLAIM_BITS) | plain_of[pieces.claim[row]]
        return Grouped(pieces.seat[row], start, end, group, self.step)
