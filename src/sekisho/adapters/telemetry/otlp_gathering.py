"""Points of OTLP in their order, gathered and turned into arrays some thousands at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.assembling import assemble
from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.refusal_counts import Refusing

__all__ = ["DROPPED", "Gathering"]

DROPPED: Final = int(np.iinfo(np.int64).min)
"""In the place of a channel number: refused already, and counted."""

Times = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


class Gathering:
    """Arrays of (channel, start, time in nanoseconds, value, delta or not), judged for their times and kept."""

    def __init__(self, book: SeriesBook) -> None:
        self.book = book
        self.refusing = Refusing()
        self._parts: list[tuple[Any, Any, Any]] = []

    def add(
        self,
        channel: npt.NDArray[np.int64],
        start: Times,
        time: Times,
        value: npt.NDArray[np.float64],
        delta: Mask,
    ) -> None:
        """Keep what has a time. A delta becomes the mean rate of its stretch, and stands at its start."""
        ours = channel >= 0
        timeless = ours & (time == 0)
        endless = ours & delta & ~timeless & ((start == 0) | (start >= time))
        self._refuse(channel, timeless, "its time is 0", "set time_unix_nano")
        self._refuse(
            *(channel, endless, "a delta without a start before its time"),
            "set start_time_unix_nano, or export cumulative sums",
        )
        keep = ~timeless & ~endless & (channel != DROPPED)
        at = np.where(delta, start, time)[keep] // np.uint64(1000)
        rate = delta & ours & keep
        if rate.any():
            value = value.copy()
            value[rate] /= (time[rate] - start[rate]).astype(np.float64) / 1e9
        self._parts.append((channel[keep], at.astype(np.int64), value[keep]))

    def add_rows(self, rows: Sequence[tuple[int, int, int, float, bool]]) -> None:
        """The same from rows, for few or unusual points."""
        if rows:
            channel, start, time, value, delta = zip(*rows, strict=True)
            self.add(
                np.array(channel, np.int64),
                np.array(start, np.uint64),
                np.array(time, np.uint64),
                np.array(value, np.float64),
                np.array(delta, np.bool_),
            )

    def samples(self) -> Samples:
        return assemble(self.book, self._parts, self.refusing)

    def _refuse(self, channel: npt.NDArray[np.int64], which: Mask, why: str, remedy: str) -> None:
        count = int(np.count_nonzero(which))
        if count:
            first = self.book.channels[int(channel[which][0])]
            said = f"{first.device} {first.field}: {why}"
            self.refusing.add("no time", said, remedy=remedy, count=count)
