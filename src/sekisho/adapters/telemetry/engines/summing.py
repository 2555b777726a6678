"""Exact sums of usage from files of readings or minutes, on any engine.

The query is taken a day at a time (less where many buckets meet many devices), so that memory holds what one day needs
and a bucket is handed on when it is over. Of each: the claims become pieces, whose length is the device time; the files
are joined to the pieces; whatever belongs to one bucket, job, chip type and site is added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from sekisho.adapters.telemetry.engines.asking import Asked, Cut, ask_files, look_at_files
from sekisho.adapters.telemetry.engines.buckets import Buckets
from sekisho.adapters.telemetry.engines.claims import claims_of
from sekisho.adapters.telemetry.engines.engine import Engine, SourceKind
from sekisho.adapters.telemetry.engines.fleet import ClaimBook, Fleet, Window, seat_fleet
from sekisho.adapters.telemetry.engines.pieces import cut_pieces
from sekisho.adapters.telemetry.engines.source_file import SourceFile, evidence_of
from sekisho.adapters.telemetry.engines.tally import Tally
from sekisho.model.errors import InvalidInput
from sekisho.model.telemetry import Allocation, DeviceSeen, Usage
from sekisho.ports.telemetry import UsageQuery

__all__ = ["sum_usage"]

_DAY_MS: Final = 86_400_000
_SHORTEST_S: Final = 60
_PIECES_AT_ONCE = 8_000_000
"""About a hundred bytes each while they are cut."""


class _Site(msgspec.Struct, frozen=True):
    fleet: Fleet
    records: Sequence[Allocation]
    files: Sequence[Asked]


def sum_usage(
    engine: Engine,
    files: Iterable[SourceFile],
    allocations: Sequence[Allocation],
    devices: Sequence[DeviceSeen],
    query: UsageQuery,
    *,
    source: SourceKind = "minutes",
) -> Iterator[Usage]:
    """Sums by bucket, job, site and chip type, in this order; device time that nobody claims under job "".

    `files` are those of the query's days and, of readings, of the day before (a reading may stand past midnight). All
    that has the same bucket, job, site, chip and exemption is one row; sums of MIG slices count by their share, cut
    down to whole numbers once for each share. Raises InvalidInput for a query that ends before it starts, Corrupt for
    a file that is none, Unavailable where the engine gives up.
    """
    if query.end <= query.start:
        raise InvalidInput("this query covers no time", path="end", remedy="end it after its start")
    if query.bucket_s and query.bucket_s < _SHORTEST_S:
        raise InvalidInput(
            f"buckets of {query.bucket_s} s are shorter than the readings behind them",
            path="bucket_s",
            remedy=f"at least {_SHORTEST_S} s, or 0 for one bucket over all",
        )
    chosen = sorted(files, key=lambda file: (file.site, file.name, file.path))
    chosen = [file for file in chosen if query.site in ("", file.site)]
    sites = _sites_of(chosen, allocations, devices, query)
    tally = Tally(Buckets.of(query), ClaimBook(), evidence_of(chosen))
    seats = sum(len(site.fleet.names) for site in sites)
    for window in _windows(query, seats):
        for site in sites:
            _add_window(engine, site, window, tally, source)
        yield from tally.finish(window.end)


def _sites_of(
    files: Sequence[SourceFile],
    allocations: Sequence[Allocation],
    devices: Sequence[DeviceSeen],
    query: UsageQuery,
) -> list[_Site]:
    by_site: dict[str, list[Allocation]] = {}
    for record in allocations:
        if record.start < query.end and (record.end is None or record.end > query.start):
            by_site.setdefault(record.site, []).append(record)
    names = {*by_site, *(device.site for device in devices), *(file.site for file in files)}
    return [
        _Site(
            seat_fleet(site, devices, by_site.get(site, ())),
            by_site.get(site, ()),
            look_at_files([file for file in files if file.site == site]),
        )
        for site in sorted(names)
        if query.site in ("", site)
    ]


def _windows(query: UsageQuery, seats: int) -> Iterator[Window]:
    """Days, as UTC has them; or as many buckets as give so many pieces, and then they end where buckets do."""
    start, end = query.start.us // 1000, query.end.us // 1000
    step, bucket = _DAY_MS, query.bucket_s * 1000
    if bucket and seats * (_DAY_MS // bucket) > _PIECES_AT_ONCE:
        step = max(1, _PIECES_AT_ONCE // seats) * bucket
    while start < end:
        until = min(end, (start // step + 1) * step)
        yield Window(start, until, query.end.us // 1000)
        start = until


def _add_window(
    engine: Engine, site: _Site, window: Window, tally: Tally, source: SourceKind
) -> None:
    begin, end = window.start * 1000, window.end * 1000
    records = [
        record
        for record in site.records
        if record.start.us < end and (record.end is None or record.end.us > begin)
    ]
    claims = claims_of(site.fleet, records, window, tally.book)
    pieces = cut_pieces(site.fleet, claims, window, tally.book)
    tally.add_pieces(pieces)
    cut = Cut(site.fleet, window, pieces, tally.group)
    for answer in ask_files(engine, site.files, cut, source):
        tally.add_sums(answer.rows, answer.lookup)
