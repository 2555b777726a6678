"""What both versions of remote-write have in common: one sample on the wire, labels checked, samples gathered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.assembling import assemble
from sekisho.adapters.telemetry.columns import PASSED_OVER, Samples, SeriesBook
from sekisho.adapters.telemetry.refusal_counts import Refusing

__all__ = ["BARE", "ROUND", "BadLabels", "Gathered", "check_labels", "read_samples"]

# A sample inside a series: 12 <length> 09 <value, 8 bytes> 10 <time, a varint of 6 bytes>. A time between 1971 and 2109
# takes 6 bytes; a value of zero is not written at all.
ROUND: Final = 18
BARE: Final = 9
_SIZES: Final = {ROUND: 16, BARE: 7}
_STALE: Final = np.uint64(0x7FF0000000000002)
_LATEST_MS: Final = 2**62 // 1000
_MOST_SHOWN: Final = 80
_REMEDY: Final = "the other series of the request were read; mend what writes this one"


class BadLabels(ValueError):
    """Labels that name no series; the text says why."""


class Gathered:
    """Samples of one request, in the order of its series."""

    def __init__(self, book: SeriesBook) -> None:
        self.refusing = Refusing()
        self._book = book
        self._places: list[npt.NDArray[np.int64]] = []
        self._numbers: list[npt.NDArray[np.int64]] = []
        self._at_ms: list[npt.NDArray[np.int64]] = []
        self._values: list[npt.NDArray[np.float64]] = []
        self._odd: list[tuple[int, int, int, float]] = []
        self._histograms = 0

    def keep(
        self,
        places: npt.NDArray[np.int64],
        numbers: npt.NDArray[np.int64],
        at_ms: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
    ) -> None:
        """Samples by the quick way; `places` are those of their series in the request."""
        self._places.append(places)
        self._numbers.append(numbers)
        self._at_ms.append(at_ms)
        self._values.append(values)

    def keep_series(self, place: int, number: int, series: Any) -> None:
        """Samples by the full way, all of one series."""
        self._histograms += len(series.histograms)
        for sample in series.samples:
            if abs(sample.timestamp) > _LATEST_MS:
                said = f"series {place + 1}: a sample at {sample.timestamp} ms"
                self.refusing.add("no time", said, remedy="send milliseconds since the epoch")
            else:
                self._odd.append((place, number, sample.timestamp, sample.value))

    def refuse_series(self, place: int, series: Any, error: BadLabels) -> None:
        """Count the samples of a series that nobody can name."""
        self._histograms += len(series.histograms)
        said = f"series {place + 1}: {error}"
        self.refusing.add("malformed", said, remedy=_REMEDY, count=len(series.samples))

    def samples(self) -> Samples:
        """Everything in order; stale markers passed over."""
        if self._odd:
            places, numbers, at_ms, values = zip(*self._odd, strict=True)
            self.keep(
                np.array(places, np.int64),
                np.array(numbers, np.int64),
                np.array(at_ms, np.int64),
                np.array(values, np.float64),
            )
        if not self._places:
            return assemble(self._book, [], self.refusing, notes=self._notes())
        order = np.argsort(np.concatenate(self._places), kind="stable")
        values_in = np.concatenate(self._values)[order]
        numbers_in = np.concatenate(self._numbers)[order]
        numbers_in[values_in.view(np.uint64) == _STALE] = PASSED_OVER
        at_us = np.concatenate(self._at_ms)[order] * 1000
        part = (numbers_in, at_us, values_in)
        return assemble(self._book, [part], self.refusing, notes=self._notes())

    def _notes(self) -> tuple[str, ...]:
        if not self._histograms:
            return ()
        return (f"{self._histograms} native histograms passed over",)


def read_samples(
    tails: Sequence[bytes], size: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Samples of one layout (ROUND or BARE), from the last `size` bytes of each series.

    Which of them are of this layout to the bit, their times in milliseconds, their values. Of the others time and value
    mean nothing.
    """
    table = np.frombuffer(b"".join(tails), np.uint8).reshape(len(tails), size)
    fits = (table[:, 0] == 0x12) & (table[:, 1] == _SIZES[size]) & (table[:, -7] == 0x10)
    time = table[:, -6:]
    fits &= (time[:, :5] >= 0x80).all(axis=1) & (time[:, 5] < 0x80)
    at_ms = np.zeros(len(tails), np.int64)
    for place in range(6):
        at_ms |= (time[:, place] & 0x7F).astype(np.int64) << (7 * place)
    if size == BARE:
        return fits, at_ms, np.zeros(len(tails), np.float64)
    fits &= table[:, 2] == 0x09
    values = np.ascontiguousarray(table[:, 3:11]).view("<f8").reshape(-1).astype(np.float64)
    return fits, at_ms, values


def check_labels(pairs: Iterable[tuple[str, str]]) -> tuple[str, dict[str, str]]:
    """The metric's name and the other labels. Raises BadLabels."""
    labels: dict[str, str] = {}
    for name, value in pairs:
        if not name:
            raise BadLabels("a label without a name")
        if name in labels:
            raise BadLabels(f"the label {name[:_MOST_SHOWN]!a} twice")
        labels[name] = value
    metric = labels.pop("__name__", "")
    if not metric:
        raise BadLabels("no metric name")
    return metric, labels
