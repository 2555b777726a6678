"""A device as its telemetry names it, and when readings show it."""

from __future__ import annotations

import msgspec

from sekisho.model.instants import Instant

__all__ = ["DeviceSeen", "SeenSpan"]


class DeviceSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One device, or one MIG slice of one, and from when to when it was seen under this name.

    `device` is the UUID as the exporter gives it (`GPU-...`), a slice `GPU-.../<instance>` with `parent` the
    whole device and `slices` of `slices_of` compute slices (1 of 7 for a 1g profile). `chip` is the model name
    as written, "" where nobody says. `slot` is where it sits in its host: its bus id, else its number. `period_us` is
    the usual distance between its readings, 0 where unknown.
    """

    device: str
    site: str
    chip: str = ""
    host: str = ""
    slot: str = ""
    parent: str = ""
    slices: int = 1
    slices_of: int = 1
    first: Instant | None = None
    last: Instant | None = None
    period_us: int = 0


class SeenSpan(msgspec.Struct, frozen=True, kw_only=True):
    """Readings show the device (or slice) in [start, end)."""

    device: str
    start: Instant
    end: Instant
