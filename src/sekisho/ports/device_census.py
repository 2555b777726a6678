"""Which accelerators are really in this host, by the names that their driver gives, and which of them are at work."""

from __future__ import annotations

from typing import Protocol

import msgspec

__all__ = ["DeviceCensus", "SeenDevice", "SeenProcess"]


class SeenProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process that computes on a device, with its ancestors, nearest first, as far as they could be read."""

    pid: int
    ancestors: tuple[int, ...] = ()


class SeenDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One whole device: its UUID, model and slot as the driver names them, "" and None where it does not say.

    Utilisation in millionths, power in milliwatts, `lost` why it does not answer though it is listed.
    """

    device: str
    chip: str = ""
    slot: str = ""
    util_ppm: int | None = None
    power_mw: int | None = None
    power_limit_mw: int | None = None
    memory_bytes: int | None = None
    processes: tuple[SeenProcess, ...] | None = None
    lost: str = ""


class DeviceCensus(Protocol):
    """Counts the devices afresh each time: one that was plugged in or taken out since is noticed."""

    def seen(self) -> tuple[SeenDevice, ...]:
        """Every whole device; empty where the driver shows none. Raises Unavailable where nobody can tell."""
        ...
