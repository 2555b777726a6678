"""Usage counted the slow way: between two neighbouring edges of anything nothing changes. No engine, no array."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

import msgspec

from sekisho.model.chips import faster_name
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, DeviceSeen, Usage
from sekisho.ports.telemetry import UsageQuery
from tests.adapters.telemetry.engines.worlds import Row, World

PIPES = ("fp16_ppm", "fp32_ppm", "fp64_ppm")
FAR = 2**60
QUIET_MS = 900_000
Unnamed = tuple[Allocation, int, str, bool]  # chips of the host or from elsewhere; whether `behind`
Key = tuple[int, str, str, str, bool]  # bucket, job, site, chip, exempt


class Held(msgspec.Struct, frozen=True):
    """One claim on one device for a moment; `device` "" where no reading can be told to be its."""

    device: str
    counted: str
    share: Fraction
    job: str
    chip: str
    exempt: bool
    overlapped: bool
    behind: bool = False  # by an open record alone, and behind the device's last reading


class Stretch(msgspec.Struct, frozen=True):
    site: str
    start: int
    end: int
    held: Held


def count_usage(
    world: World, query: UsageQuery, kind: Literal["readings", "minutes"]
) -> list[Usage]:
    step = query.bucket_s * 1000
    start, end = query.start.us // 1000, query.end.us // 1000
    stretches = [
        stretch
        for site in ("s1", "s2")
        if query.site in ("", site)
        for stretch in _stretches(world, site, (start, end, step))
    ]
    by_key: dict[Key, list[Stretch]] = defaultdict(list)
    for stretch in stretches:
        held = stretch.held
        bucket = stretch.start // step * step if step else start
        by_key[bucket, held.job, stretch.site, held.chip, held.exempt].append(stretch)
    usages = []
    for key in sorted(by_key):
        bucket, job, site, chip, exempt = key
        bare = Usage(
            job=job,
            site=site,
            chip=chip,
            exempt=exempt,
            start=Instant(max(bucket, start) * 1000),
            end=Instant(min(bucket + step if step else end, end) * 1000),
            devices=len({stretch.held.counted for stretch in by_key[key]}),
            chip_ms=0,
        )
        usages.append(msgspec.structs.replace(bare, **_sums(world, by_key[key], kind)))
    return usages


def _sums(world: World, stretches: Sequence[Stretch], kind: str) -> Mapping[str, int]:
    by_share: dict[Fraction, list[Stretch]] = defaultdict(list)
    for stretch in stretches:
        by_share[stretch.held.share].append(stretch)
    totals: dict[str, int] = defaultdict(int)
    for share, some in by_share.items():
        found = _minute_sums(world, some) if kind == "minutes" else _reading_sums(world, some)
        found["chip_ms"] = sum(one.end - one.start for one in some)
        found["overlapped_ms"] = sum(one.end - one.start for one in some if one.held.overlapped)
        found["open_ms"] = sum(one.end - one.start for one in some if one.held.behind)
        for name, amount in found.items():
            if name == "clock_max_khz":
                totals[name] = max(totals[name], amount)
            elif name == "readings":
                totals[name] += amount
            else:
                totals[name] += amount * share.numerator // share.denominator
    micro = totals.pop("energy_uj", 0)
    totals["energy_mj"] += micro // 1000
    return totals


def _reading_sums(world: World, stretches: Sequence[Stretch]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for one in stretches:
        for row in world.rows[one.site]:
            at = row["at_us"] // 1000
            ms = min(one.end, at + row["span_ms"]) - max(one.start, at)
            if row["device"] == one.held.device and ms > 0:
                sums["readings"] += one.start <= at
                _add(sums, row, ms)
    return sums


def _minute_sums(world: World, stretches: Sequence[Stretch]) -> dict[str, int]:
    covered: dict[tuple[str, str, int], int] = defaultdict(int)
    for one in stretches:
        for minute in range(one.start // 60_000, (one.end - 1) // 60_000 + 1):
            ms = min(one.end, (minute + 1) * 60_000) - max(one.start, minute * 60_000)
            covered[one.site, one.held.device, minute] += ms
    by_part: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    highest = 0
    for (site, device, minute), ms in covered.items():
        sums: dict[str, int] = defaultdict(int)
        for row in world.rows[site]:
            if row["device"] == device and row["at_us"] // 60_000_000 == minute:
                sums["readings"] += 1
                _add(sums, row, row["span_ms"])
        highest = max(highest, sums.pop("clock_max_khz", 0))
        sums["energy_mj"] = sums.pop("energy_uj", 0) // 1000
        for name, amount in sums.items():
            by_part[ms][name] += amount
    totals: dict[str, int] = defaultdict(int, clock_max_khz=highest)
    for ms, sums in by_part.items():
        for name, amount in sums.items():
            totals[name] += amount * ms // 60_000
    return totals


def _add(sums: dict[str, int], row: Row, ms: int) -> None:
    clock, doubtful = row["sm_clock_khz"], row["flags"] & 1
    pipes = [row[name] for name in PIPES]
    rates: dict[str, Any] = {"clock": clock}
    if clock is not None:
        rates["util"] = None if row["util_ppm"] is None else row["util_ppm"] * clock
        if not doubtful:
            rates["tensor"] = None if row["tensor_ppm"] is None else row["tensor_ppm"] * clock
            rates["pipe"] = None if None in pipes else sum(pipes) * clock
        sums["clock_max_khz"] = max(sums["clock_max_khz"], clock)
    for name, rate in rates.items():
        if rate is not None:
            sums[f"{name}_ms"] += ms
            sums[f"{name}_work"] += rate * ms
    if row["power_mw"] is not None:
        sums["power_ms"] += ms
        sums["energy_uj"] += row["power_mw"] * ms
    sums["doubtful_ms"] += ms if doubtful else 0


def _stretches(world: World, site: str, span: tuple[int, int, int]) -> Iterator[Stretch]:
    devices = {device.device: device for device in world.devices if device.site == site}
    records = [record for record in world.allocations if record.site == site]
    start, end, step = span
    edges = {start, end}
    for device in devices.values():
        edges |= set(_presence(device))
    for record in records:
        edges |= {record.start.us // 1000, _end_of(record)}
    if step:
        edges |= set(range(start // step * step, end, step))
    ordered = sorted(edge for edge in edges if start <= edge <= end)
    for begin, until in pairwise(ordered):
        now = [r for r in records if r.start.us // 1000 <= begin < _end_of(r)]
        there = {
            d.device: d for d in devices.values() if _presence(d)[0] <= begin < _presence(d)[1]
        }
        for held in _at_one_moment(devices, there, now, (begin, end)):
            yield Stretch(site, begin, until, held)


def _presence(device: DeviceSeen) -> tuple[int, int]:
    first = device.first.us // 1000 if device.first else 0
    return first, (device.last.us + device.period_us) // 1000 if device.last else FAR


def _end_of(record: Allocation) -> int:
    return record.end.us // 1000 if record.end else FAR


def _is_behind(
    devices: Mapping[str, DeviceSeen],
    record: Allocation,
    names: Iterable[str],
    moment: tuple[int, int],
) -> bool:
    """Whether a record is open, and all of these devices fell silent before this moment and stayed so."""
    mine = [device for device in devices.values() if {device.device, device.parent} & set(names)]
    last = max((_presence(device)[1] for device in mine), default=0)
    return record.end is None and moment[1] - last > QUIET_MS and moment[0] >= last


def _at_one_moment(
    devices: Mapping[str, DeviceSeen],
    there: Mapping[str, DeviceSeen],
    now: Sequence[Allocation],
    moment: tuple[int, int],
) -> Iterator[Held]:
    on_host = [name for name, device in devices.items() if device.host]
    claims: dict[str, set[tuple[str, str, bool]]] = defaultdict(set)
    firm: dict[str, set[tuple[str, str, bool]]] = defaultdict(set)  # of records that run
    nameless: list[Unnamed] = []
    for record in now:
        known = record.devices or (on_host if "node1" in record.hosts else ())
        behind = _is_behind(devices, record, known, moment)
        left = record.chips - len(set(known))
        some = left < 0 and not record.devices  # of a host, and nobody says which
        if some:
            nameless.append((record, record.chips, "node1", behind))
        elif left > 0:
            nameless.append((record, left, "elsewhere", behind))
        for name in () if some else known:
            chip = devices[name].chip if name in devices else ""
            claim = (record.job, faster_name(chip, record.chip), record.exempt)
            claims[name].add(claim)
            if not _is_behind(devices, record, [name], moment):
                firm[name].add(claim)
    mine = [one for one in nameless if one[2] == "node1"]
    for held in _on_devices(devices, there, claims, mine):
        if held.job and held.device:
            behind = (held.job, held.chip, held.exempt) not in firm[held.device]
            yield msgspec.structs.replace(held, behind=behind)
        else:
            yield held
    for record, chips, _, behind in (one for one in nameless if one[2] == "elsewhere"):
        for number in range(chips):
            counted = f"{record.job} elsewhere {record.hosts} {number}"
            yield _nameless(record, record.chip, counted, overlapped=False, behind=behind)


def _on_devices(
    devices: Mapping[str, DeviceSeen],
    there: Mapping[str, DeviceSeen],
    claims: Mapping[str, set[tuple[str, str, bool]]],
    nameless: Sequence[Unnamed],
) -> Iterator[Held]:
    cut = {"GPU-cut", "GPU-cut/1", "GPU-cut/2"}
    for name in claims.keys() - (cut & devices.keys()):
        for claim in claims[name]:
            yield Held(name, name, Fraction(1), *claim, len(claims[name]) > 1)
    free = [name for name in there if name not in claims and name not in cut]
    hosted = [name for name in free if devices[name].host]
    asked = sum(one[1] for one in nameless)
    over = len(nameless) > 1 and asked > len(hosted)
    for record, chips, _, behind in nameless:
        for chip in range(chips):
            counted = f"{record.job} node1 {chip}"
            yield _nameless(record, "H100", counted, overlapped=over, behind=behind)
    for name in free:
        if name not in hosted or not asked:
            yield Held(name, name, Fraction(1), "", devices[name].chip, False, False)
    for name in hosted[asked:] if asked else ():
        yield Held("", name, Fraction(1), "", devices[name].chip, False, False)
    if "GPU-cut" in devices:
        yield from _on_slices(there, claims)


def _on_slices(
    there: Mapping[str, DeviceSeen], claims: Mapping[str, set[tuple[str, str, bool]]]
) -> Iterator[Held]:
    shares = {"GPU-cut/1": 1, "GPU-cut/2": 3}
    whole = claims.get("GPU-cut", set())
    slices = [name for name in shares if name in there or name in claims]
    for one in whole:
        crowded = len(whole) > 1 or any(name in claims for name in shares)
        yield Held("GPU-cut", "GPU-cut", Fraction(1), *one, crowded)
    left = 7
    for name in slices:
        left -= shares[name]
        for claim in claims.get(name, ()):
            crowded = bool(whole) or len(claims[name]) > 1
            yield Held(name, "GPU-cut", Fraction(shares[name], 7), *claim, crowded)
        if name not in claims and not whole:
            yield Held(name, "GPU-cut", Fraction(shares[name], 7), "", "A100", False, False)
    if slices and not whole:
        yield Held("", "GPU-cut", Fraction(left, 7), "", "A100", False, False)
    if not slices and not whole and "GPU-cut" in there:
        yield Held("GPU-cut", "GPU-cut", Fraction(1), "", "A100", False, False)


def _nameless(
    record: Allocation, chip: str, counted: str, *, overlapped: bool, behind: bool
) -> Held:
    return Held("", counted, Fraction(1), record.job, chip, record.exempt, overlapped, behind)
