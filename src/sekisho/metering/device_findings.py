"""What does not fit together about devices and who had them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Literal, TypeAlias

import msgspec

from sekisho.metering.device_boards import to_ms
from sekisho.model.instants import Instant, Period
from sekisho.model.telemetry import DeviceSeen

__all__ = ["AllotmentFinding", "FindingKind", "find_in_devices", "merge_findings"]

FindingKind: TypeAlias = Literal[
    "overlap",
    "open allocation",
    "unknown device",
    "unknown host",
    "no devices",
    "which devices",
    "more chips than devices",
    "another site",
    "uuid changed",
    "two devices in one slot",
    "two places",
    "slices over whole",
    "not enrolled",
    "not as enrolled",
]


class AllotmentFinding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that does not fit, when, and what follows from it.

    *fails* where two statements contradict each other, *unverifiable* where one is missing.
    """

    kind: FindingKind
    verdict: Literal["fails", "unverifiable"]
    device: str = ""
    jobs: tuple[str, ...] = ()
    start: Instant
    end: Instant
    why: str


def find_in_devices(period: Period, devices: Sequence[DeviceSeen]) -> list[AllotmentFinding]:
    """Devices at two places at once, UUIDs that change in a slot, slices that are more than the whole."""
    named, slots, slices = (defaultdict[object, list[DeviceSeen]](list) for _ in range(3))
    for device in devices:
        named[device.device].append(device)
        if device.parent:
            slices[device.parent].append(device)
        elif device.host and device.slot:
            slots[device.site, device.host, device.slot].append(device)
    found: list[AllotmentFinding] = []
    for group in named.values():
        found += _two_places(period, group)
    for group in slots.values():
        found += _one_slot(period, group)
    for group in slices.values():
        found += _too_many_slices(period, group)
    return found


def merge_findings(findings: Iterable[AllotmentFinding]) -> list[AllotmentFinding]:
    """Findings that differ in time alone and touch, as one; ordered by start, device and kind."""
    merged: dict[tuple[object, ...], list[AllotmentFinding]] = {}
    for finding in sorted(findings, key=lambda f: (f.start, f.end)):
        group = merged.setdefault((finding.kind, finding.device, finding.jobs, finding.why), [])
        if group and finding.start <= group[-1].end:
            end = max(group[-1].end, finding.end)
            group[-1] = msgspec.structs.replace(group[-1], end=end)
        else:
            group.append(finding)
    flat = [finding for group in merged.values() for finding in group]
    return sorted(flat, key=lambda f: (f.start, f.device, f.kind, f.jobs))


def _two_places(period: Period, group: Sequence[DeviceSeen]) -> Iterable[AllotmentFinding]:
    places = {(device.site, device.host): device for device in group}
    for one, other in combinations(places.values(), 2):
        both = _together(period, [one, other])
        if both:
            yield AllotmentFinding(
                kind="two places",
                verdict="fails",
                device=one.device,
                start=both.start,
                end=both.end,
                why=f"seen at {_place(one)} and at {_place(other)} at once; it is accounted once",
            )


def _one_slot(period: Period, group: Sequence[DeviceSeen]) -> Iterable[AllotmentFinding]:
    ordered = sorted(
        {device.device: device for device in group}.values(),
        key=lambda d: (d.first.us if d.first else -1, d.device),
    )
    for before, after in pairwise(ordered):
        both = _together(period, [before, after])
        start = both.start if both else (after.first or period.start)
        yield AllotmentFinding(
            kind="two devices in one slot" if both else "uuid changed",
            verdict="fails" if both else "unverifiable",
            device=after.device,
            start=start,
            end=both.end if both else start,
            why=f"{_place(after)} slot {after.slot} was {before.device}; each is a device of its own, and the one that "
            "is gone stays in the account until a register says where it went",
        )


def _too_many_slices(period: Period, group: Sequence[DeviceSeen]) -> Iterable[AllotmentFinding]:
    """At each slice's beginning, whether those that are there make more than the whole."""
    slices = {device.device: device for device in group}.values()
    for newest in slices:
        at = _life(period, newest).start
        there = [device for device in slices if _life(period, device).holds(at)]
        share = sum((Fraction(d.slices, d.slices_of) for d in there), Fraction(0))
        if share > 1:
            yield AllotmentFinding(
                kind="slices over whole",
                verdict="fails",
                device=newest.parent,
                start=at,
                end=min(_life(period, device).end for device in there),
                why=f"{len(there)} slices claim {share} of it; together they count as one device",
            )


def _together(period: Period, devices: Sequence[DeviceSeen]) -> Period | None:
    lives = [_life(period, device) for device in devices]
    start, end = max(life.start for life in lives), min(life.end for life in lives)
    return Period(start, end) if start < end else None


def _life(period: Period, device: DeviceSeen) -> Period:
    """From the first to the end of the last reading, cut to milliseconds; all of the period where nobody says."""
    first = device.first or period.start
    last = Instant(device.last.us + device.period_us) if device.last else period.end
    return Period(Instant(to_ms(first) * 1000), Instant(to_ms(last) * 1000))


def _place(device: DeviceSeen) -> str:
    return f"{device.site}/{device.host}" if device.host else device.site
