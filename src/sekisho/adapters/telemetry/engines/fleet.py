"""The devices of one site as rows of numbers, and the book of what sums are about.

Times are milliseconds: whatever comes finer is cut to its millisecond, so that the pieces of a stretch add up to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from sekisho.model.telemetry import Allocation, DeviceSeen
from sekisho.model.telemetry.usage import UNATTRIBUTED

__all__ = ["FAR", "Claim", "ClaimBook", "Fleet", "Ints", "Line", "Make", "Window", "seat_fleet"]

Ints = npt.NDArray[np.int64]
FAR = 2**52
"""Milliseconds: later than any instant that RFC 3339 can write."""


class Window(msgspec.Struct, frozen=True):
    """[start, end) in milliseconds, of a query that ends at `asked`."""

    start: int
    end: int
    asked: int = FAR


class Make(msgspec.Struct, frozen=True):
    """A type of chip and the share of a whole device: a MIG slice is `slices` of `slices_of`."""

    chip: str
    slices: int
    slices_of: int


class Claim(msgspec.Struct, frozen=True):
    """What one row of sums is about. The job is "" for device time that nobody claims.

    `behind`: the record has no end, and the device's last reading is before this. It counts as the same otherwise.
    """

    job: str
    site: str
    make: Make
    exempt: bool
    behind: bool = False


class Line(msgspec.Struct, frozen=True, order=True):
    """What a person sees one row for: claims that differ in their share alone are one."""

    job: str
    site: str
    chip: str
    exempt: bool


class ClaimBook:
    """Numbers claims and their lines in the order in which they are met, and chips that no record names.

    A stand-in is such a chip: it counts as one, and no reading is to its name.
    """

    def __init__(self) -> None:
        self.claims: list[Claim] = []
        self.lines: list[Line] = []
        self.line_of: list[int] = []  # by claim
        self.plain_of: list[int] = []  # by claim: itself, or the same one not `behind`
        self._numbers: dict[Claim, int] = {}
        self._line_numbers: dict[Line, int] = {}
        self._stand_ins: dict[tuple[str, str, str, int], int] = {}

    def number(self, claim: Claim) -> int:
        plain = self.number(msgspec.structs.replace(claim, behind=False)) if claim.behind else None
        found = self._numbers.setdefault(claim, len(self.claims))
        if found == len(self.claims):
            self.claims.append(claim)
            self.plain_of.append(found if plain is None else plain)
            line = Line(claim.job, claim.site, claim.make.chip, claim.exempt)
            self.line_of.append(self._line_numbers.setdefault(line, len(self.lines)))
            if self.line_of[-1] == len(self.lines):
                self.lines.append(line)
        return found

    def stand_in(self, site: str, job: str, host: str, chip: int) -> int:
        """A number below zero, the same again for the same chip of the same job on the same host."""
        return self._stand_ins.setdefault((site, job, host, chip), -1 - len(self._stand_ins))


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """The devices of one site in the order of their names; a seat is a place in it.

    `makes[make[seat]]` is what a seat is. It was there from `first` to `last`, milliseconds; one that only a
    scheduler names never. `whole` is the seat of the whole device: its own, or its parent's. `cut` holds the seats
    of slices by the seat of their parent; `hosts` the whole devices of a host.
    """

    site: str
    names: npt.NDArray[np.str_]
    seats: Mapping[str, int]
    makes: Sequence[Make]
    make: Ints
    first: Ints
    last: Ints
    whole: Ints
    cut: Mapping[int, Sequence[int]]
    hosts: Mapping[str, Sequence[int]]

    def nobody(self, seat: int) -> Claim:
        """The claim of a device that nobody claims."""
        return Claim(UNATTRIBUTED, self.site, self.makes[self.make[seat]], exempt=False)


def seat_fleet(
    site: str, devices: Sequence[DeviceSeen], allocations: Sequence[Allocation]
) -> Fleet:
    """Give each device of a site its seat, those included that only a scheduler names."""
    seen = {device.device: device for device in devices if device.site == site}
    named = {name for record in allocations if record.site == site for name in record.devices}
    names = sorted(seen.keys() | named)
    seats = {name: seat for seat, name in enumerate(names)}
    found = [seen.get(name) or DeviceSeen(device=name, site=site) for name in names]
    makes: dict[Make, int] = {}
    make = [makes.setdefault(_make_of(device), len(makes)) for device in found]
    cut: dict[int, list[int]] = {}
    hosts: dict[str, list[int]] = {}
    for seat, device in enumerate(found):
        if device.parent in seats:
            cut.setdefault(seats[device.parent], []).append(seat)
        elif device.host and not device.parent:
            hosts.setdefault(device.host, []).append(seat)
    return Fleet(
        site=site,
        names=np.array(names, dtype=np.str_),
        seats=seats,
        makes=tuple(makes),
        make=np.array(make, dtype=np.int64),
        first=_ints(_first_ms(device) if device.device in seen else FAR for device in found),
        last=_ints(_last_ms(device) if device.device in seen else 0 for device in found),
        whole=_ints(seats.get(device.parent, seat) for seat, device in enumerate(found)),
        cut=cut,
        hosts=hosts,
    )


def _ints(values: object) -> Ints:
    return np.fromiter(values, dtype=np.int64)  # type: ignore[call-overload, no-any-return]


def _make_of(device: DeviceSeen) -> Make:
    return Make(device.chip, device.slices, device.slices_of)


def _first_ms(device: DeviceSeen) -> int:
    return device.first.us // 1000 if device.first else 0


def _last_ms(device: DeviceSeen) -> int:
    """The last reading stands for one usual period."""
    return (device.last.us + device.period_us) // 1000 if device.last else FAR
