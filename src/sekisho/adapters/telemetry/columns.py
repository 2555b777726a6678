"""Samples in columns: what every parser yields and what cleaning takes.

A parser meets the same series again and again, so the work of understanding one (its name, its labels, which device
and quantity it speaks of) is done once and remembered; after that a sample is three numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from sekisho.model.telemetry import DeviceSeen, Reason, Refusals

__all__ = [
    "MAX_DEVICES",
    "MAX_KEY_BYTES",
    "MAX_SERIES",
    "PASSED_OVER",
    "Channel",
    "Mapper",
    "Samples",
    "SeriesBook",
    "Unusable",
]

MAX_SERIES: Final = 4_000_000
MAX_KEY_BYTES: Final = 2**30
MAX_DEVICES: Final = 250_000
"""Devices and slices of one site: more than any has, and few enough that a sender's made-up names fill no memory."""
PASSED_OVER: Final = -1
"""The channel number of a series that is well-formed and not ours."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity of one device. A reported value x `factor` is in the field's base unit (share, Hz, W, J, byte)."""

    device: str
    field: str
    factor: float = 1.0
    # Where above zero the series counts how often this code was seen: a count says that code, none says nothing.
    code: int = 0


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
    number: >= 0 a channel, -1 passed over, <= -2 unusable (see `why`). When MAX_SERIES heads or MAX_KEY_BYTES of them
    are known the book forgets them all and learns anew, so memory stays bounded and no sample is lost. Channels are
    numbered for good: what would be the channel after MAX_SERIES of them is unusable.
    """

    def __init__(self, mapper: Mapper, site: str) -> None:
        self.site = site
        self.by_key: dict[object, int] = {}
        self.channels: list[Channel] = []
        self.devices: dict[str, DeviceSeen] = {}
        self.codes: dict[int, int] = {}  # channels that count a code, with the code
        self._mapper = mapper
        self._numbers: dict[Channel, int] = {}
        self._unusable: list[Unusable] = []
        self.memory: dict[
            str, Any
        ] = {}  # what a parser wants to remember from delivery to delivery
        self._key_bytes = 0
        self._symbols: dict[str, int] = {}
        self._symbol_bytes = 0
        self._next_symbol = (
            15 << 60
        )  # bytes of such a number never begin like a label block or a text line

    def learn(self, key: object, name: str, labels: Mapping[str, str]) -> int:
        """Number a series that was not met before."""
        return self._remember(key, self._number(self._mapper(name, labels)))

    def refuse(self, key: object, unusable: Unusable) -> int:
        """Number a series that its parser itself cannot use, whatever it speaks of."""
        return self._remember(key, self._number(unusable))

    def number_symbol(self, symbol: str) -> int:
        """A number for a string of a symbol table, of at least 2**60; no number ever stands for two strings."""
        number = self._symbols.get(symbol)
        if number is None:
            self._symbol_bytes += len(symbol)
            if len(self._symbols) >= MAX_SERIES or self._symbol_bytes > MAX_KEY_BYTES:
                self._symbols.clear()
                self._symbol_bytes = len(symbol)
            number = self._symbols[symbol] = self._next_symbol
            self._next_symbol += 1
        return number

    def number_symbols(self, symbols: Sequence[str]) -> list[int]:
        """The numbers of a whole table of symbols; strings of an earlier table cost next to nothing."""
        numbers = map(self._symbols.get, symbols)
        return [
            self.number_symbol(symbol) if number is None else number
            for symbol, number in zip(symbols, list(numbers), strict=True)
        ]

    def why(self, number: int) -> Unusable:
        """Why a series is unusable, by its number (<= -2)."""
        return self._unusable[-2 - number]

    def _remember(self, key: object, number: int) -> int:
        self._key_bytes += len(key) if isinstance(key, bytes) else 0
        if len(self.by_key) >= MAX_SERIES or self._key_bytes > MAX_KEY_BYTES:
            self.by_key.clear()
            self._key_bytes = 0
        self.by_key[key] = number
        return number

    def _number(self, found: tuple[Channel, DeviceSeen] | Unusable | None) -> int:
        if found is None:
            return PASSED_OVER
        if isinstance(found, Unusable):
            return self._number_unusable(found)
        channel, device = found
        if channel not in self._numbers and len(self.channels) >= MAX_SERIES:
            return self._number_unusable(_TOO_MANY)
        if device.device not in self.devices and len(self.devices) >= MAX_DEVICES:
            return self._number_unusable(_TOO_MANY_DEVICES)
        self.devices[device.device] = device
        if channel not in self._numbers:
            number = self._numbers[channel] = len(self.channels)
            self.channels.append(channel)
            if channel.code:
                self.codes[number] = channel.code
        return self._numbers[channel]

    def _number_unusable(self, found: Unusable) -> int:
        if found not in self._unusable:
            self._unusable.append(found)
        return -2 - self._unusable.index(found)


_TOO_MANY: Final = Unusable(
    reason="too many series",
    why=f"more than {MAX_SERIES:,} quantities of devices from one source since it was opened",
)
_TOO_MANY_DEVICES: Final = Unusable(
    reason="too many series",
    why=f"more than {MAX_DEVICES:,} devices of one site from one source since it was opened",
)
