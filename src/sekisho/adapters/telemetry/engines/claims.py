"""Records of a scheduler in one window, as spans on devices and as chips without a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from sekisho.adapters.telemetry.engines.fleet import (
    Claim,
    ClaimBook,
    Fleet,
    Ints,
    Make,
    Window,
)
from sekisho.adapters.telemetry.limits import LIMITS
from sekisho.model.chips import faster_name
from sekisho.model.errors import InvalidInput
from sekisho.model.telemetry import Allocation

__all__ = ["MOST_CHIPS", "Claims", "Nameless", "Spans", "claims_of"]

MOST_CHIPS: Final = 1_000_000
"""Of one record: more than any fleet has, and few enough to count one by one."""
_QUIET_MS: Final = LIMITS.span_periods * LIMITS.longest_period_s * 1000
"""No reading stands for longer: a device that was silent for more at the end of a query no longer reports."""


class Spans(msgspec.Struct, frozen=True):
    """Columns of one length: a seat was claimed in [start, end), milliseconds, by the claim of that number."""

    seat: Ints
    start: Ints
    end: Ints
    claim: Ints


class Nameless(msgspec.Struct, frozen=True):
    """So many chips of a host in [start, end), milliseconds; nobody says which."""

    job: str
    host: str
    chips: int
    start: int
    end: int
    claim: int


class Claims(msgspec.Struct, frozen=True):
    """All of a window: on devices by name, and without."""

    named: Spans
    nameless: Sequence[Nameless]


class _Rows:
    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, int]] = []
        self.nameless: list[Nameless] = []


def claims_of(
    fleet: Fleet, records: Sequence[Allocation], window: Window, book: ClaimBook
) -> Claims:
    """The spans of a site's records in a window.

    A record that names hosts takes all devices of its hosts where its number of chips says so. Where it has fewer,
    nobody knows which devices they were: its chips count by number. Chips that telemetry knows nothing of count, too.

    A record without an end runs on, whatever telemetry says: who withholds readings lowers nothing. What of it lies
    behind the last reading of its devices is claimed as `behind`.
    """
    rows = _Rows()
    for record in records:
        _check_chips(record)
        start = max(window.start, record.start.us // 1000)
        end = window.end if record.end is None else min(window.end, record.end.us // 1000)
        if start >= end:
            continue
        if record.devices:
            seats: Sequence[int] = [fleet.seats[name] for name in record.devices]
            claiming = _Claiming(rows, fleet, record, (start, end, window.asked), book)
            claiming.claim_seats(seats)
            claiming.claim_rest(seats)
        else:
            _Claiming(rows, fleet, record, (start, end, window.asked), book).claim_hosts()
    table = np.array(rows.rows, dtype=np.int64).reshape(-1, 4)
    return Claims(Spans(*(np.ascontiguousarray(table[:, i]) for i in range(4))), rows.nameless)


def _check_chips(record: Allocation) -> None:
    if record.chips > MOST_CHIPS:
        raise InvalidInput(
            f"job {record.job[:80]!r} claims {record.chips} chips",
            path=f"{record.source}:{record.line}" if record.source else "allocations",
            remedy=f"a record names at most {MOST_CHIPS}; correct it, or leave it out",
        )


class _Claiming(msgspec.Struct, frozen=True):
    """One record that is laid on devices and hosts: `span` is its start and end in the window, and the query's end."""

    rows: _Rows
    fleet: Fleet
    record: Allocation
    span: tuple[int, int, int]
    book: ClaimBook

    def claim_seats(self, seats: Sequence[int]) -> None:
        claims: dict[tuple[int, bool], int] = {}
        makes = self.fleet.make
        whole = list(self._parts(())) if self.record.end is not None else None
        for seat in seats:
            make = int(makes[seat])
            for start, end, behind in whole or self._parts((seat,)):
                if (make, behind) not in claims:
                    claims[make, behind] = self._number(self.fleet.makes[make], behind=behind)
                self.rows.rows.append((seat, start, end, claims[make, behind]))

    def claim_hosts(self) -> None:
        fleet, record = self.fleet, self.record
        hosts = list(dict.fromkeys(record.hosts))
        there = [seat for host in hosts for seat in fleet.hosts.get(host, ())]
        if there and record.chips >= len(there):
            self.claim_seats(there)
        elif there:
            for host, chips in _shares(fleet, hosts, record.chips):
                make = fleet.makes[fleet.make[fleet.hosts[host][0]]]
                self._claim_nameless(host, chips, make, there)
        self.claim_rest(there)

    def claim_rest(self, found: Sequence[int]) -> None:
        """The chips of a record beyond the devices that were found of it."""
        left = max(0, self.record.chips - len(set(found)))
        if left:
            # A host that no telemetry has, by a name that no host can have: of each record's own.
            nowhere = "\0".join(("", self.record.job, *dict.fromkeys(self.record.hosts)))
            self._claim_nameless(nowhere, left, Make("", 1, 1), found)

    def _claim_nameless(self, host: str, chips: int, make: Make, seats: Sequence[int]) -> None:
        for start, end, behind in self._parts(seats):
            claim = self._number(make, behind=behind)
            self.rows.nameless.append(Nameless(self.record.job, host, chips, start, end, claim))

    def _parts(self, seats: Sequence[int]) -> Iterator[tuple[int, int, bool]]:
        """The span up to the last reading of these devices, and behind it; whole where the record has an end."""
        start, end, asked = self.span
        last = end
        if self.record.end is None:
            last = _last_ms(self.fleet, seats)
            last = end if asked - last <= _QUIET_MS else min(max(last, start), end)
        if start < last:
            yield start, last, False
        if last < end:
            yield last, end, True

    def _number(self, make: Make, *, behind: bool) -> int:
        """The chip's name as its telemetry has it; the record's where telemetry names none, or a slower one."""
        record = self.record
        known = Make(faster_name(make.chip, record.chip), make.slices, make.slices_of)
        claim = Claim(record.job, self.fleet.site, known, record.exempt, behind)
        return self.book.number(claim)


def _last_ms(fleet: Fleet, seats: Sequence[int]) -> int:
    """The end of the last reading of any of these devices, slices of theirs included; 0 where there is none."""
    lasts = (fleet.last[one] for seat in seats for one in (seat, *fleet.cut.get(seat, ())))
    return max(map(int, lasts), default=0)


def _shares(fleet: Fleet, hosts: Sequence[str], chips: int) -> list[tuple[str, int]]:
    """Chips over hosts by the number of their devices; the first hosts take what does not divide."""
    sizes = [(host, len(fleet.hosts[host])) for host in hosts if host in fleet.hosts]
    total = sum(size for _, size in sizes)
    shares = [(host, chips * size // total, size) for host, size in sizes]
    left = chips - sum(share for _, share, _ in shares)
    given = []
    for host, share, size in shares:
        more = min(left, size - share)
        left -= more
        given.append((host, share + more))
    return [(host, share) for host, share in given if share]
