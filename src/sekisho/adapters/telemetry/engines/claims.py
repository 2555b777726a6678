"""Records of a scheduler in one window, as spans on devices and as chips without a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from sekisho.adapters.telemetry.engines.fleet import (
    FAR,
    Claim,
    ClaimBook,
    Fleet,
    Ints,
    Make,
    Window,
)
from sekisho.model.chips import faster_name
from sekisho.model.errors import InvalidInput
from sekisho.model.telemetry import Allocation

__all__ = ["MOST_CHIPS", "Claims", "Nameless", "Spans", "claims_of"]

MOST_CHIPS: Final = 1_000_000
"""Of one record: more than any fleet has, and few enough to count one by one."""


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
    """
    rows = _Rows()
    for record in records:
        _check_chips(record)
        start = max(window.start, record.start.us // 1000)
        end = min(window.end, _end_ms(fleet, record))
        if start >= end:
            continue
        if record.devices:
            seats: Sequence[int] = [fleet.seats[name] for name in record.devices]
            _claim_seats(rows, fleet, record, seats, (start, end), book)
            _claim_rest(rows, fleet, record, len(set(seats)), (start, end), book)
        else:
            _claim_hosts(rows, fleet, record, (start, end), book)
    table = np.array(rows.rows, dtype=np.int64).reshape(-1, 4)
    return Claims(Spans(*(np.ascontiguousarray(table[:, i]) for i in range(4))), rows.nameless)


def _check_chips(record: Allocation) -> None:
    if record.chips > MOST_CHIPS:
        raise InvalidInput(
            f"job {record.job[:80]!r} claims {record.chips} chips",
            path=f"{record.source}:{record.line}" if record.source else "allocations",
            remedy=f"a record names at most {MOST_CHIPS}; correct it, or leave it out",
        )


def _end_ms(fleet: Fleet, record: Allocation) -> int:
    """Where nobody wrote an end, the job has its devices as long as they report, or still."""
    if record.end is not None:
        return record.end.us // 1000
    lasts = [int(fleet.last[fleet.seats[name]]) for name in record.devices]
    for host in record.hosts if not record.devices else ():
        lasts += [int(fleet.last[seat]) for seat in fleet.hosts.get(host, ())]
    return max(lasts, default=0) or FAR


def _claim_seats(
    rows: _Rows,
    fleet: Fleet,
    record: Allocation,
    seats: Sequence[int],
    span: tuple[int, int],
    book: ClaimBook,
) -> None:
    claims: dict[int, int] = {}
    makes = fleet.make
    for seat in seats:
        make = int(makes[seat])
        if make not in claims:
            claims[make] = book.number(_claim(fleet, record, fleet.makes[make]))
        rows.rows.append((seat, *span, claims[make]))


def _claim_hosts(
    rows: _Rows, fleet: Fleet, record: Allocation, span: tuple[int, int], book: ClaimBook
) -> None:
    hosts = list(dict.fromkeys(record.hosts))
    there = [seat for host in hosts for seat in fleet.hosts.get(host, ())]
    if there and record.chips >= len(there):
        _claim_seats(rows, fleet, record, there, span, book)
    elif there:
        for host, chips in _shares(fleet, hosts, record.chips):
            make = fleet.makes[fleet.make[fleet.hosts[host][0]]]
            claim = book.number(_claim(fleet, record, make))
            rows.nameless.append(Nameless(record.job, host, chips, *span, claim))
    _claim_rest(rows, fleet, record, len(there), span, book)


def _claim_rest(
    rows: _Rows,
    fleet: Fleet,
    record: Allocation,
    found: int,
    span: tuple[int, int],
    book: ClaimBook,
) -> None:
    """The chips of a record beyond the devices that were found of it."""
    left = max(0, record.chips - found)
    if left:
        claim = book.number(_claim(fleet, record, Make("", 1, 1)))
        # A host that no telemetry has, by a name that no host can have: of each record's own.
        nowhere = "\0".join(("", record.job, *dict.fromkeys(record.hosts)))
        rows.nameless.append(Nameless(record.job, nowhere, left, *span, claim))


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


def _claim(fleet: Fleet, record: Allocation, make: Make) -> Claim:
    """The chip's name as its telemetry has it; the record's where telemetry names none, or a slower one."""
    known = Make(faster_name(make.chip, record.chip), make.slices, make.slices_of)
    return Claim(record.job, fleet.site, known, record.exempt)
