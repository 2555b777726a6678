"""Samples in columns: what every parser yields and what cleaning takes.

A parser meets the same series again and again, so the work of understanding one (its name, its labels, which device
and quantity it speaks of) is done once and remembered; after that a sample is three numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from sekisho.model.telemetry import DeviceSeen, Reason, Refusals

__all__ = ["MAX_SERIES", "PASSED_OVER", "Channel", "Samples", "SeriesBook", "Unusable"]

MAX_SERIES: Final = 4_000_000
PASSED_OVER: Final = -1
"""The channel number of a series that is well-formed and not ours."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity of one device. A reported value x `factor` is in the field's base unit (share, Hz, W, J, byte)."""

    device: str
    field: str
    factor: float = 1.0


class Unusable(msgspec.Struct, frozen=True, kw_only=True):
    """A series of ours that cannot be used, and why: no device named, a unit that nobody stated."""

    reason: Reason
    why: str


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """Samples in the order in which they came, as three arrays of one length.

    `channel` indexes the book's channels (or is negative), `at_us` counts microseconds since the epoch, `value` is as
    reported. `refused` is what the parser itself could not read.
    """

    channel: Ints
    at_us: Ints
    value: Floats
    refused: tuple[Refusals, ...] = ()
    notes: tuple[str, ...] = ()


Mapper = Callable[[str, Mapping[str, str]], "tuple[Channel, DeviceSeen] | Unusable | None"]
"""From a metric's name and labels to what it speaks of; None for a quantity that is not ours."""


class SeriesBook:
    """Remembers which channel a series is. One for each site and source; not safe for several threads at once.

    `by_key` is for the parser: any hashable form of a series (a text line's head, a label block's bytes) to a channel
    number: >= 0 a channel, -1 passed over, <= -2 unusable (see `why`). When MAX_SERIES heads are known the book
    forgets them all and learns anew, so memory stays bounded and no sample is lost.
    """

    def __init__(self, mapper: Mapper, site: str) -> None:
        self.site = site
        self.by_key: dict[object, int] = {}
        self.channels: list[Channel] = []
        self.devices: dict[str, DeviceSeen] = {}
        self._mapper = mapper
        self._numbers: dict[Channel, int] = {}
        self._unusable: list[Unusable] = []

    def learn(self, key: object, name: str, labels: Mapping[str, str]) -> int:
        """Number a series that was not met before."""
        if len(self.by_key) >= MAX_SERIES:
            self.by_key.clear()
        number = self._number(self._mapper(name, labels))
        self.by_key[key] = number
        return number

    def why(self, number: int) -> Unusable:
        """Why a series is unusable, by its number (<= -2)."""
        return self._unusable[-2 - number]

    def _number(self, found: tuple[Channel, DeviceSeen] | Unusable | None) -> int:
        if found is None:
            return PASSED_OVER
        if isinstance(found, Unusable):
            if found not in self._unusable:
                self._unusable.append(found)
            return -2 - self._unusable.index(found)
        channel, device = found
        self.devices[device.device] = device
        if channel not in self._numbers:
            self._numbers[channel] = len(self.channels)
            self.channels.append(channel)
        return self._numbers[channel]
