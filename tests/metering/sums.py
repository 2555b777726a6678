"""Sums of telemetry, built from readings one by one as an engine would, in whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.telemetry import Usage

START_US = 1_767_225_600_000_000
H100_KHZ = 1_830_000


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of one device over `ms`; None is not measured."""

    tensor: int | None = None
    util: int | None = None
    clock: int = H100_KHZ
    power_mw: int | None = None
    pipe: int | None = None
    ms: int = 1000


def summed(moments: Sequence[Moment], **changes: Any) -> Usage:
    """The sums of these readings on one H100."""

    def total(name: str) -> tuple[int, int]:
        seen = [(getattr(m, name), m) for m in moments if getattr(m, name) is not None]
        return sum(m.ms for _, m in seen), sum(x * m.clock * m.ms for x, m in seen)

    (tensor_ms, tensor), (util_ms, util), (pipe_ms, pipe) = map(total, ("tensor", "util", "pipe"))
    chip_ms = sum(m.ms for m in moments)
    fields: dict[str, Any] = {
        "job": "j",
        "site": "s",
        "chip": "NVIDIA H100 80GB HBM3 SXM5",
        "start": Instant(START_US),
        "end": Instant(START_US + chip_ms * 1000),
        "devices": 1,
        "chip_ms": chip_ms,
        "readings": len(moments),
        "tensor_ms": tensor_ms,
        "tensor_work": tensor,
        "util_ms": util_ms,
        "util_work": util,
        "pipe_ms": pipe_ms,
        "pipe_work": pipe,
        "clock_ms": chip_ms,
        "clock_work": sum(m.clock * m.ms for m in moments),
        "clock_max_khz": max((m.clock for m in moments), default=0),
        "power_ms": sum(m.ms for m in moments if m.power_mw is not None),
        "energy_mj": sum(m.power_mw * m.ms // 1000 for m in moments if m.power_mw is not None),
    }
    return Usage(**{**fields, **changes})


def steady(share: int = 400_000, *, seconds: int = 3600, **changes: Any) -> Usage:
    """An hour of one H100 at the table's clock, tensor activity in parts per million, 500 W."""
    moment = Moment(tensor=share, util=1_000_000, pipe=50_000, power_mw=500_000, ms=seconds * 10)
    return summed([moment] * 100, **changes)
