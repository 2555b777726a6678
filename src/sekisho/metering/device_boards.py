"""Whole devices with their MIG slices, and what happens on each in time: readings begin and end, jobs come and go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias

import msgspec

from sekisho.model.instants import Instant, Period
from sekisho.model.telemetry import DeviceSeen, SeenSpan

__all__ = ["SEEN", "Board", "Claim", "Happening", "boards_of", "to_ms"]


class Claim(msgspec.Struct, frozen=True):
    """A job has a device or slice; `maybe` where its record does not say which of several."""

    job: str
    exempt: bool = False
    maybe: bool = False


SEEN = "seen"
Happening: TypeAlias = Claim | str


class Board(msgspec.Struct, kw_only=True):
    """One whole device in [start, end), milliseconds. `shares` are its slices, `host` where it was seen first.

    `events` are (instant, +1 or -1, device or slice, what begins or ends).
    """

    device: str
    site: str
    chip: str
    host: str
    start: int
    end: int
    last_seen: int | None
    shares: dict[str, Fraction]
    events: list[tuple[int, int, str, Happening]]

    def add(self, start: int, end: int, member: str, what: Happening) -> None:
        """Something holds in [start, end), as far as the device's own time goes."""
        start, end = max(start, self.start), min(end, self.end)
        if start < end:
            self.events += [(start, 1, member, what), (end, -1, member, what)]


def to_ms(at: Instant) -> int:
    """Whatever comes finer is cut to its millisecond."""
    return at.us // 1000


def boards_of(
    period: Period, devices: Sequence[DeviceSeen], seen: Sequence[SeenSpan] | None
) -> dict[str, Board]:
    """A board for each whole device, by its name; a slice whose parent nobody saw stands for it."""
    boards: dict[str, Board] = {}
    for device in sorted(devices, key=_when_first):
        root = device.parent or device.device
        if root not in boards:
            boards[root] = _new_board(period, root, device)
        board = boards[root]
        board.chip = board.chip or device.chip
        if device.parent:
            board.shares[device.device] = Fraction(device.slices, device.slices_of)
        if device.last is not None:
            end = (device.last.us + device.period_us) // 1000
            board.last_seen = max(board.last_seen or 0, end)
    owners = {name: board for board in boards.values() for name in (board.device, *board.shares)}
    for span in _seen_by_record(devices) if seen is None else seen:
        if span.device in owners:
            owners[span.device].add(to_ms(span.start), to_ms(span.end), span.device, SEEN)
    return boards


def _when_first(device: DeviceSeen) -> tuple[int, str, str, str]:
    return (device.first.us if device.first else -1, device.site, device.host, device.device)


def _new_board(period: Period, root: str, device: DeviceSeen) -> Board:
    first = to_ms(device.first) if device.first else 0
    return Board(
        device=root,
        site=device.site,
        chip=device.chip,
        host=device.host,
        start=min(max(to_ms(period.start), first), to_ms(period.end)),
        end=to_ms(period.end),
        last_seen=None,
        shares={},
        events=[],
    )


def _seen_by_record(devices: Sequence[DeviceSeen]) -> Iterable[SeenSpan]:
    """From the first reading to the end of the last, where nobody says more."""
    for device in devices:
        if device.first is not None and device.last is not None:
            end = Instant(device.last.us + device.period_us)
            yield SeenSpan(device=device.device, start=device.first, end=end)
