"""What the page of metering draws: bars of device time, and devices with how fresh they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.app.running_telemetry import DeviceState, FleetPicture, SiteDay, judge_device
from sekisho.model.instants import Instant

__all__ = ["SHOWN_DEVICES", "DayBar", "DeviceTable", "Stretch", "draw_bars", "list_devices"]

WIDTH: Final = 1000
SHOWN_DEVICES: Final = 500
SHOWN_DAYS: Final = 100
Kind: TypeAlias = Literal["measured", "gap", "unattributed"]
# A state -> the shape of _parts.html, whose colour it shares. Silence is never green.
DEVICE_SHAPES: Final = {"reporting": "running", "stale": "silent", "never": "unverifiable"}
_WORST_FIRST: Final = {"never": 0, "stale": 1, "reporting": 2}


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """One kind's part of a bar, in thousandths of the longest bar."""

    kind: Kind
    x: int
    width: int


class DayBar(msgspec.Struct, frozen=True, kw_only=True):
    """One site's day, drawn; figures in device hours, in tenths rounded down."""

    row: SiteDay
    stretches: tuple[Stretch, ...]

    @property
    def hours(self) -> dict[Kind, str]:
        row = self.row
        figures: dict[Kind, int] = {
            "measured": row.measured_ms,
            "gap": row.gap_ms,
            "unattributed": row.unattributed_ms,
        }
        return {kind: _hours(ms) for kind, ms in figures.items()}


class DeviceTable(msgspec.Struct, frozen=True, kw_only=True):
    """Devices, those that nobody hears first; `hidden` are not listed, and the counts count all."""

    rows: tuple[DeviceState, ...]
    hidden: int
    reporting: int
    stale: int
    never: int


def draw_bars(days: Sequence[SiteDay]) -> tuple[DayBar, ...]:
    """All bars to one scale; what is not nought is at least visible."""
    shown = days[:SHOWN_DAYS]
    longest = max((day.total_ms for day in shown), default=0)
    return tuple(DayBar(row=day, stretches=_stretches(day, longest)) for day in shown)


def list_devices(picture: FleetPicture, now: Instant) -> DeviceTable:
    """The devices as of now, whenever the picture was drawn."""
    states = [judge_device(device, now) for device in picture.devices]
    states.sort(key=_order)
    return DeviceTable(
        rows=tuple(states[:SHOWN_DEVICES]),
        hidden=max(0, len(states) - SHOWN_DEVICES),
        reporting=_count(states, "reporting"),
        stale=_count(states, "stale"),
        never=_count(states, "never"),
    )


def _order(state: DeviceState) -> tuple[int, str, str]:
    return _WORST_FIRST[state.state], state.device.site, state.device.device


def _count(states: Iterable[DeviceState], word: str) -> int:
    return sum(state.state == word for state in states)


def _stretches(day: SiteDay, longest: int) -> tuple[Stretch, ...]:
    parts: tuple[tuple[Kind, int], ...] = (
        ("measured", day.measured_ms),
        ("gap", day.gap_ms),
        ("unattributed", day.unattributed_ms),
    )
    found, start = [], 0
    for kind, ms in parts:
        if ms > 0:
            x = start * WIDTH // longest
            end = (start + ms) * WIDTH // longest
            found.append(Stretch(kind=kind, x=min(x, WIDTH - 1), width=max(1, end - x)))
        start += ms
    return tuple(found)


def _hours(ms: int) -> str:
    tenths = ms // 360_000
    return f"{tenths // 10:,}.{tenths % 10}"
