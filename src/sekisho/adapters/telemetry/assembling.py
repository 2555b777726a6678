"""Arrays of samples put together: what every parser of this room does at its end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.columns import PASSED_OVER, Samples, SeriesBook
from sekisho.adapters.telemetry.refusal_counts import Refusing

__all__ = ["assemble"]


def assemble(
    book: SeriesBook,
    parts: Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]],
    refusing: Refusing,
    *,
    notes: tuple[str, ...] = (),
) -> Samples:
    """One `Samples` of parts in order (channels, microseconds, values); counts of codes become their codes."""
    if parts:
        channel = np.concatenate([part[0] for part in parts])
        at_us = np.concatenate([part[1] for part in parts])
        value = np.concatenate([part[2] for part in parts])
    else:
        channel, at_us = np.empty(0, np.int64), np.empty(0, np.int64)
        value = np.empty(0, np.float64)
    _say_codes(book, channel, value)
    return Samples(
        channel=channel, at_us=at_us, value=value, refused=refusing.refusals(), notes=notes
    )


def _say_codes(
    book: SeriesBook, channel: npt.NDArray[np.int64], value: npt.NDArray[np.float64]
) -> None:
    """A count of errors of one code says that code where it is above zero, and else nothing."""
    for number, code in book.codes.items():
        mine = channel == number
        seen = mine & (value > 0)
        channel[mine & ~seen] = PASSED_OVER
        value[seen] = code
