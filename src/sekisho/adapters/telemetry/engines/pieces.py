"""A window cut into pieces: which stretch of which device is whose. Every device that was there is accounted whole.

Most devices have one job after the other, and are cut by whole columns at once. Those that have not (jobs that
overlap, MIG slices, hosts of which nobody says who had which device) are swept, see `sweeping`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.engines.claims import Claims, Nameless, Spans
from sekisho.adapters.telemetry.engines.fleet import ClaimBook, Fleet, Ints, Window
from sekisho.adapters.telemetry.engines.sweeping import (
    Knot,
    Row,
    sweep_host,
    sweep_seat,
    sweep_slices,
)

__all__ = ["Pieces", "cut_pieces"]

Flags = npt.NDArray[np.bool_]


class Pieces(msgspec.Struct, frozen=True):
    """Columns of one length, sorted by seat and start. `seat` is -1 where no reading can be told to be its.

    `device` numbers what counts as one device: the seat of the whole device, or a stand-in. A stretch that two jobs
    claim at once stands once for each, `overlapped`.
    """

    seat: Ints
    device: Ints
    start: Ints
    end: Ints
    claim: Ints
    overlapped: Flags

    def of_seats(self, seats: Ints) -> Pieces:
        """The pieces of some seats, each seat's in their order."""
        begins = np.searchsorted(self.seat, seats)
        counts = np.searchsorted(self.seat, seats, side="right") - begins
        rows = np.repeat(begins - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        return Pieces(
            self.seat[rows],
            self.device[rows],
            self.start[rows],
            self.end[rows],
            self.claim[rows],
            self.overlapped[rows],
        )


def cut_pieces(fleet: Fleet, claims: Claims, window: Window, book: ClaimBook) -> Pieces:
    """Every stretch of every device that was there or claimed in the window."""
    named = _in_order(claims.named)
    contested = _contested(fleet, claims)
    knotted = np.zeros(len(fleet.names), dtype=np.bool_)
    for parent, slices in fleet.cut.items():
        knotted[[parent, *slices]] = True
    for seats in contested.values():
        knotted[list(seats)] = True
    crowded = [seat for seat in _crowded(named) if not knotted[seat]]
    knotted[crowded] = True
    knot = Knot(fleet, window, book, _by_seat(named, knotted))
    swept = [row for seat in crowded for row in sweep_seat(knot, seat)]
    for parent in fleet.cut:
        swept += sweep_slices(knot, parent)
    by_host: dict[str, list[Nameless]] = {}
    for one in claims.nameless:
        by_host.setdefault(one.host, []).append(one)
    for host, jobs in by_host.items():
        swept += sweep_host(knot, host, contested.get(host, ()), jobs)
    return _joined(_plain(fleet, named, knotted, window, book), swept)


def _in_order(spans: Spans) -> Spans:
    order = np.lexsort((spans.end, spans.start, spans.seat))
    return Spans(spans.seat[order], spans.start[order], spans.end[order], spans.claim[order])


def _contested(fleet: Fleet, claims: Claims) -> dict[str, list[int]]:
    """Hosts of which jobs have chips that nobody names, and their devices; those in slices keep to themselves."""
    hosts = {one.host for one in claims.nameless}
    return {
        host: [seat for seat in fleet.hosts[host] if seat not in fleet.cut]
        for host in hosts
        if host in fleet.hosts
    }


def _crowded(named: Spans) -> list[int]:
    """Seats on which a span begins before another has ended."""
    if named.seat.size < 2:
        return []
    # Ends on one rising line for all seats, so that one running maximum serves them all.
    base = int(named.start.min())
    step = int(named.end.max()) - base + 1
    ends = np.maximum.accumulate(named.seat * step + (named.end - base))
    begins = named.seat * step + (named.start - base)
    return [int(seat) for seat in np.unique(named.seat[1:][begins[1:] < ends[:-1]])]


def _by_seat(named: Spans, wanted: Flags) -> dict[int, list[tuple[int, int, int]]]:
    found: dict[int, list[tuple[int, int, int]]] = {}
    chosen = wanted[named.seat]
    columns = (named.seat, named.start, named.end, named.claim)
    rows = zip(*(column[chosen].tolist() for column in columns), strict=True)
    for seat, start, end, claim in rows:
        found.setdefault(seat, []).append((start, end, claim))
    return found


def _plain(fleet: Fleet, named: Spans, knotted: Flags, window: Window, book: ClaimBook) -> Pieces:
    """Devices whose spans follow each other: the spans, and between them what nobody claims."""
    mine = ~knotted[named.seat]
    spans = Spans(named.seat[mine], named.start[mine], named.end[mine], named.claim[mine])
    first = np.maximum(fleet.first, window.start)
    last = np.minimum(fleet.last, window.end)
    free = np.flatnonzero(~knotted & (first < last))
    gaps = _gaps(spans, free, first, last)
    nobody = [
        book.number(fleet.nobody(int(seat))) for seat in np.unique(fleet.make, return_index=True)[1]
    ]
    claim = np.array(nobody, dtype=np.int64)[fleet.make[gaps.seat]] if nobody else gaps.claim
    seat = np.concatenate([spans.seat, gaps.seat])
    return Pieces(
        seat,
        fleet.whole[seat],
        np.concatenate([spans.start, gaps.start]),
        np.concatenate([spans.end, gaps.end]),
        np.concatenate([spans.claim, claim]),
        np.zeros(seat.size, dtype=np.bool_),
    )


def _gaps(spans: Spans, free: Ints, first: Ints, last: Ints) -> Spans:
    """What lies between the spans of each free seat, from its first moment to its last."""
    # One mark at each seat's last moment: a gap then ends at every row, and begins where the row before it ended.
    seat = np.concatenate([spans.seat, free])
    start = np.concatenate([spans.start, last[free]])
    end = np.concatenate([spans.end, last[free]])
    order = np.lexsort((end, start, seat))
    seat, start, end = seat[order], start[order], end[order]
    before = np.concatenate([end[:0], np.roll(end, 1)])
    opens = np.ones(seat.size, dtype=np.bool_)
    opens[1:] = seat[1:] != seat[:-1]
    begin = np.maximum(np.where(opens, first[seat], before), first[seat])
    until = np.minimum(start, last[seat])
    kept = begin < until
    return Spans(seat[kept], begin[kept], until[kept], np.zeros(int(kept.sum()), dtype=np.int64))


def _joined(plain: Pieces, swept: Sequence[Row]) -> Pieces:
    rows = np.array(swept, dtype=np.int64).reshape(-1, 6)
    seat = np.concatenate([plain.seat, rows[:, 0]])
    start = np.concatenate([plain.start, rows[:, 2]])
    order = np.lexsort((start, seat))
    return Pieces(
        seat[order],
        np.concatenate([plain.device, rows[:, 1]])[order],
        start[order],
        np.concatenate([plain.end, rows[:, 3]])[order],
        np.concatenate([plain.claim, rows[:, 4]])[order],
        np.concatenate([plain.overlapped, rows[:, 5].astype(np.bool_)])[order],
    )
