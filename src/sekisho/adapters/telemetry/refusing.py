"""What is said of samples that were refused, and of a delivery as a whole."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.limits import Limits
from sekisho.adapters.telemetry.pivoting import Pivoted
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Reason, Refusals

__all__ = ["Verdict", "delivery_notes", "tell_refusals"]


class Verdict(IntEnum):
    """What cleaning says of one sample."""

    GOOD = 0
    NO_TIME = 1
    TOO_OLD = 2
    IN_THE_FUTURE = 3
    NOT_A_NUMBER = 4
    BLANK = 5
    NEGATIVE = 6
    OUT_OF_RANGE = 7


_WORDS: Final[dict[Verdict, tuple[Reason, str]]] = {
    Verdict.NO_TIME: (
        "no time",
        "set the sender's clock; a time in seconds where milliseconds are meant lies in 1970 too",
    ),
    Verdict.TOO_OLD: ("too old", "send what is younger, or import with a wider limit"),
    Verdict.IN_THE_FUTURE: ("in the future", "set the sender's clock (NTP)"),
    Verdict.NOT_A_NUMBER: ("not a number", "leave out what was not measured"),
    Verdict.BLANK: (
        "blank",
        "nothing: the source says that it has no value; profiling may be switched off or not permitted",
    ),
    Verdict.NEGATIVE: ("negative", "check the sensor: no quantity that is stored can be negative"),
    Verdict.OUT_OF_RANGE: ("out of range", "check the unit in which the exporter reports"),
}


def tell_refusals(
    verdicts: npt.NDArray[np.uint8], samples: Samples, book: SeriesBook
) -> list[Refusals]:
    """For each reason how many samples, and the first of them in words."""
    counts = np.bincount(verdicts, minlength=len(Verdict))
    found = []
    for verdict, (reason, remedy) in _WORDS.items():
        if counts[verdict]:
            place = int(np.argmax(verdicts == verdict))
            found.append(
                Refusals(
                    reason=reason,
                    count=int(counts[verdict]),
                    first=_describe(place, samples, book),
                    remedy=remedy,
                )
            )
    return found


def delivery_notes(
    samples: Samples, book: SeriesBook, rows: Pivoted, *, received_us: int, limits: Limits
) -> tuple[str, ...]:
    """What rules did to samples that were taken, and clocks that are off: noted, never corrected."""
    notes = [*samples.notes, *_ahead(samples, book, received_us, limits)]
    behind_s = (received_us - int(samples.at_us.max())) / 1e6
    if behind_s > limits.behind_noted_s:
        notes.append(
            f"the newest sample is {behind_s:.0f} s older than its receipt: a backlog, an import, or a clock behind"
        )
    if rows.lower:
        notes.append(
            f"{rows.lower} samples gave a lower value for an instant that had one: the higher stands"
        )
    return tuple(notes)


def _ahead(samples: Samples, book: SeriesBook, received_us: int, limits: Limits) -> list[str]:
    """One note for each host whose samples lie after their receipt."""
    after = np.flatnonzero(samples.at_us > received_us + limits.ahead_noted_s * 1_000_000)
    if not len(after):
        return []
    by_host: dict[str, tuple[int, int]] = {}
    for number in np.unique(samples.channel[after]):
        device = book.channels[int(number)].device
        seen = book.devices.get(device)
        host = (seen.host if seen else "") or device
        at = samples.at_us[after][samples.channel[after] == number]
        count, newest = by_host.get(host, (0, 0))
        by_host[host] = (count + len(at), max(newest, int(at.max())))
    said = [
        f"{host}: {count} samples up to {(newest - received_us) / 1e6:.1f} s after their receipt, kept as they are; "
        "its clock is ahead"
        for host, (count, newest) in sorted(by_host.items())
    ]
    return said if len(said) <= _MOST_HOSTS else [*said[:_MOST_HOSTS], _and_more(said)]


_MOST_HOSTS: Final = 5


def _and_more(said: list[str]) -> str:
    return f"and {len(said) - _MOST_HOSTS} more hosts whose clocks are ahead"


def _describe(place: int, samples: Samples, book: SeriesBook) -> str:
    channel = book.channels[int(samples.channel[place])]
    value = float(samples.value[place])
    return f"{channel.device} {channel.field} at {_moment(int(samples.at_us[place]))}: {value!r}"


def _moment(at_us: int) -> str:
    try:
        return str(Instant(at_us))
    except InvalidInput:
        return f"{at_us} us"
