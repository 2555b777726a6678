"""Devices whose claims do not simply follow each other, swept moment by moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from sekisho.adapters.telemetry.engines.claims import Nameless
from sekisho.adapters.telemetry.engines.fleet import Claim, ClaimBook, Fleet, Make, Window
from sekisho.model.telemetry.usage import UNATTRIBUTED

__all__ = ["NO_SEAT", "Knot", "Row", "sweep_host", "sweep_seat", "sweep_slices"]

NO_SEAT: Final = -1
Row: TypeAlias = tuple[int, int, int, int, int, bool]
"""The seat whose readings count, the whole device or stand-in, start, end, claim, whether another claims it, too."""
Held: TypeAlias = Mapping[int, frozenset[int]]
"""The claims in force, by seat."""


class Knot(msgspec.Struct, frozen=True):
    """What a sweep knows: `spans` are (start, end, claim) by seat."""

    fleet: Fleet
    window: Window
    book: ClaimBook
    spans: Mapping[int, Sequence[tuple[int, int, int]]]

    def presence(self, seat: int) -> tuple[int, int]:
        """From when to when a device was there, in the window; empty where the second is not above the first."""
        first = max(int(self.fleet.first[seat]), self.window.start)
        return first, min(int(self.fleet.last[seat]), self.window.end)


def sweep_seat(knot: Knot, seat: int) -> Iterator[Row]:
    """One device that several jobs claim at once: each has the stretch to its name."""
    device = int(knot.fleet.whole[seat])
    for start, end, held, there in _moments(knot, [seat]):
        if seat in held:
            yield from _claimed(seat, device, (start, end), held[seat], others=False)
        elif seat in there:
            yield (seat, device, start, end, knot.book.number(knot.fleet.nobody(seat)), False)


def sweep_slices(knot: Knot, parent: int) -> Iterator[Row]:
    """A device and its MIG slices. While it is cut, its time is that of its slices, and never more than its own.

    A job that has the whole device has its slices. What no slice is made of cannot compute and counts as unclaimed,
    with no reading to its name.
    """
    slices = knot.fleet.cut[parent]
    for start, end, held, there in _moments(knot, [parent, *slices]):
        cut = [seat for seat in slices if seat in held or seat in there]
        for seat in held.keys() & {parent, *slices}:
            others = len(held) > 1 and (seat == parent or parent in held)
            yield from _claimed(seat, parent, (start, end), held[seat], others=others)
        if parent in held:
            continue
        if not cut:
            yield (parent, parent, start, end, knot.book.number(knot.fleet.nobody(parent)), False)
            continue
        yield from _rest_of(knot, parent, (start, end), cut, held)


def sweep_host(
    knot: Knot, host: str, seats: Sequence[int], jobs: Sequence[Nameless]
) -> Iterator[Row]:
    """A host on which jobs have so many chips, and nobody says which.

    Their chips count by number. What the host has more of is unclaimed; whose readings are whose nobody can tell.
    """
    edges = [edge for job in jobs for edge in (job.start, job.end)]
    for start, end, held, there in _moments(knot, seats, edges):
        for seat in held:
            yield from _claimed(seat, seat, (start, end), held[seat], others=False)
        free = [seat for seat in seats if seat in there and seat not in held]
        now = [job for job in jobs if job.start < end and job.end > start]
        asked = sum(job.chips for job in now)
        over = bool(seats) and len(now) > 1 and asked > len(free)
        for job in now:
            for chip in range(job.chips):
                device = knot.book.stand_in(knot.fleet.site, job.job, host, chip)
                yield (NO_SEAT, device, start, end, job.claim, over)
        for seat in free[asked:] if asked else free:
            claim = knot.book.number(knot.fleet.nobody(seat))
            yield (NO_SEAT if asked else seat, seat, start, end, claim, False)


def _claimed(
    seat: int, device: int, span: tuple[int, int], claims: frozenset[int], *, others: bool
) -> Iterator[Row]:
    for claim in sorted(claims):
        yield (seat, device, *span, claim, others or len(claims) > 1)


def _rest_of(
    knot: Knot, parent: int, span: tuple[int, int], cut: Sequence[int], held: Held
) -> Iterator[Row]:
    """Slices that nobody claims, as far as the device reaches, then what is in no slice."""
    fleet, book = knot.fleet, knot.book
    whole = max(fleet.makes[fleet.make[seat]].slices_of for seat in cut)
    left = whole - sum(fleet.makes[fleet.make[seat]].slices for seat in cut if seat in held)
    for seat in cut:
        make = fleet.makes[fleet.make[seat]]
        if seat not in held and make.slices <= left:
            left -= make.slices
            yield (seat, parent, *span, book.number(fleet.nobody(seat)), False)
    if left > 0:
        chip = fleet.makes[fleet.make[parent]].chip
        rest = Claim(UNATTRIBUTED, fleet.site, Make(chip, left, whole), exempt=False)
        yield (NO_SEAT, parent, *span, book.number(rest), False)


def _moments(
    knot: Knot, seats: Iterable[int], edges: Iterable[int] = ()
) -> Iterator[tuple[int, int, Held, set[int]]]:
    """Stretches in which nothing changes: start, end, the claims in force by seat, the seats that were there."""
    events: list[tuple[int, int, int, int]] = [(edge, 0, NO_SEAT, NO_SEAT) for edge in edges]
    for seat in seats:
        for start, end, claim in knot.spans.get(seat, ()):
            events += [(start, 1, seat, claim), (end, -1, seat, claim)]
        first, last = knot.presence(seat)
        if first < last:
            events += [(first, 1, seat, NO_SEAT), (last, -1, seat, NO_SEAT)]
    events.sort()
    counts: dict[tuple[int, int], int] = {}
    before = knot.window.start
    for at, step, seat, claim in events:
        if at > before and (counts or edges):
            yield (before, at, *_state(counts, knot.book))
        before = max(before, at)
        if step:
            counts[seat, claim] = counts.get((seat, claim), 0) + step
            if not counts[seat, claim]:
                del counts[seat, claim]


def _state(counts: Mapping[tuple[int, int], int], book: ClaimBook) -> tuple[Held, set[int]]:
    held: dict[int, set[int]] = {}
    there: set[int] = set()
    for seat, claim in counts:
        if claim == NO_SEAT:
            there.add(seat)
        else:
            held.setdefault(seat, set()).add(claim)
    return {seat: _once(claims, book) for seat, claims in held.items()}, there


def _once(claims: set[int], book: ClaimBook) -> frozenset[int]:
    """One of a claim that is in force by an open record and by another of the same job: the other."""
    plain = book.plain_of
    return frozenset(one for one in claims if plain[one] == one or plain[one] not in claims)
