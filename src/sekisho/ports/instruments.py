"""Instruments beside the process table: what shows on a device or a meter whether something works there."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from sekisho.model.instants import Instant

__all__ = ["Instrument", "InstrumentKind", "Quantity", "Shown"]

InstrumentKind = Literal["nvml", "dcgm", "bmc", "facility-power"]
Quantity = Literal["gpu-util", "sm-active", "tensor-active", "power"]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: power in watts, everything else in percent.

    `device` is None where the instrument measures the whole host; `measured` is the instrument's own time, None where
    it speaks of the moment at which it was asked. `holders` are the processes that hold the device, where it knows.
    """

    quantity: Quantity
    value: Decimal
    device: str | None = None
    measured: Instant | None = None
    holders: tuple[int, ...] = ()


class Instrument(Protocol):
    """One instrument, read within seconds and a bounded size. It states figures and judges nothing."""

    def read(self, since: Instant) -> tuple[Shown, ...]:
        """What it shows now; one that keeps a history, everything since an instant, the oldest first.

        Raises Unavailable where it does not answer, and InvalidInput where its answer cannot be read: neither is
        ever the same as showing nothing.
        """
        ...

    def close(self) -> None: ...
