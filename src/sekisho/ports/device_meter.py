"""The counters of a host's accelerators, as their driver shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from sekisho.model.telemetry import DeviceSeen

__all__ = ["DeviceMeter", "DeviceReading"]


class DeviceReading(msgspec.Struct, frozen=True, kw_only=True):
    """What one device showed: stored numbers by field of `FIELDS`; a field that was not readable is absent.

    `lost` says why the device as a whole did not answer, "" where it did.
    """

    device: str
    values: Mapping[str, int]
    lost: str = ""


class DeviceMeter(Protocol):
    """Reads all devices of this host at once. Raises Unavailable where there is no driver or library."""

    def devices(self) -> tuple[DeviceSeen, ...]: ...

    def unreadable(self) -> Mapping[str, str]:
        """Fields that no device of this host shows, and why: not supported, or no permission."""
        ...

    def read(self) -> tuple[DeviceReading, ...]:
        """One reading for each device. Activities are averages since the reading before; the first has none."""
        ...

    def close(self) -> None: ...
