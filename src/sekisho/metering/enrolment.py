"""Devices that a register holds: each is accounted from its enrolment on, whether it ever reported or not.

Without a register a device exists from its first reading on, so one that never reported, or only ever under another
name, is in no account. With one it is *not seen*, and the other name is a device that nobody enrolled.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from sekisho.metering.allotment import Allotment
from sekisho.metering.device_findings import AllotmentFinding, FindingKind, merge_findings
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, Period, parse_date_or_instant
from sekisho.model.telemetry import DeviceSeen

__all__ = ["MAX_REGISTER", "EnrolledDevice", "enrol", "hold_against", "parse_register"]

MAX_REGISTER: Final = 256 * 1024 * 1024
_COLUMNS: Final = ("device", "site", "chip", "host", "from")
_NEEDED: Final = _COLUMNS[:2]
_LONGEST: Final = 256


class EnrolledDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A whole device that must be accounted: from `start`, or all of any period where the register says no time."""

    device: str
    site: str
    chip: str = ""
    host: str = ""
    start: Instant | None = None
    line: int = 0


def enrol(devices: Sequence[DeviceSeen], register: Iterable[EnrolledDevice]) -> list[DeviceSeen]:
    """What telemetry saw, and beside it each enrolled device as one that nothing showed yet.

    Where telemetry knows it, under the place and chip that telemetry gives: what differs, `hold_against` says. Raises
    InvalidInput for a MIG slice: its whole is what must be accounted.
    """
    known = _wholes(devices)
    parents = {device.device: device.parent for device in devices if device.parent}
    enrolled = []
    for row in register:
        if row.device in parents:
            raise InvalidInput(
                f"{row.device} is a slice of {parents[row.device]}",
                path=f"register:{row.line}",
                remedy="enrol the whole device",
            )
        seen = known.get(row.device)
        enrolled.append(
            DeviceSeen(
                device=row.device,
                site=seen.site if seen else row.site,
                chip=(seen.chip if seen else "") or row.chip,
                host=seen.host if seen else row.host,
                first=row.start,
            )
        )
    return [*devices, *enrolled]


def hold_against(
    found: Allotment,
    period: Period,
    devices: Sequence[DeviceSeen],
    register: Iterable[EnrolledDevice],
) -> Allotment:
    """The account with what telemetry and the register say differently."""
    findings = [*found.findings, *_differences(period, _wholes(devices), register)]
    return msgspec.structs.replace(found, findings=tuple(merge_findings(findings)))


def _differences(
    period: Period, known: Mapping[str, DeviceSeen], register: Iterable[EnrolledDevice]
) -> Iterator[AllotmentFinding]:
    rows = {row.device: row for row in register}
    for name, seen in known.items():
        row = rows.get(name)
        if row is None:
            why = "it reports, and the register does not hold it: enrol it, or find whose name it took"
            if _is_within(period, seen):
                yield _say("not enrolled", period, seen, why)
            continue
        here = {"site": seen.site, "host": seen.host, "chip": seen.chip}
        there = {"site": row.site, "host": row.host, "chip": row.chip}
        for what, enrolled in there.items():
            if enrolled and here[what] and enrolled != here[what]:
                why = f"{what}: the register says {enrolled}, telemetry says {here[what]}"
                yield _say("not as enrolled", period, seen, why)


def _say(kind: FindingKind, period: Period, seen: DeviceSeen, why: str) -> AllotmentFinding:
    start = max(period.start, seen.first or period.start)
    return AllotmentFinding(
        kind=kind,
        verdict="fails" if kind == "not as enrolled" else "unverifiable",
        device=seen.device,
        start=min(start, period.end),
        end=period.end,
        why=why,
    )


def _is_within(period: Period, seen: DeviceSeen) -> bool:
    return seen.first is None or seen.first < period.end


def _wholes(devices: Iterable[DeviceSeen]) -> dict[str, DeviceSeen]:
    """Whole devices by name, as they were seen first; a slice whose parent nobody saw stands for it."""
    found: dict[str, DeviceSeen] = {}
    ordered = sorted(devices, key=lambda d: (bool(d.parent), d.first.us if d.first else -1))
    for device in ordered:
        name = device.parent or device.device
        found.setdefault(name, msgspec.structs.replace(device, device=name, parent=""))
    return found


# --- the register as a table ----------------------------------------------------------------------


def parse_register(data: bytes, file: str) -> tuple[EnrolledDevice, ...]:
    """The CSV `device,site` and `chip`, `host`, `from`, in any order.

    Raises InvalidInput, naming file and line, for the first row that cannot be read or a device that stands twice.
    """
    if len(data) > MAX_REGISTER:
        raise InvalidInput(f"longer than {MAX_REGISTER} bytes", path=file, remedy="split the table")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("not UTF-8", path=file, remedy="save it as UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: dict[str, EnrolledDevice] = {}
    try:
        names = _header(next(reader, []), file)
        for cells in reader:
            if cells:
                _keep(rows, _row(cells, names, file, reader.line_num), file)
    except csv.Error as error:
        raise InvalidInput(f"not CSV: {error}", path=f"{file}:{reader.line_num}") from None
    if not rows:
        raise InvalidInput("holds no device", path=file, remedy="write one row for each device")
    return tuple(rows.values())


def _header(cells: list[str], file: str) -> list[str]:
    names = [cell.strip().casefold() for cell in cells]
    missing = [name for name in _NEEDED if name not in names]
    strange = [name for name in names if name not in _COLUMNS or names.count(name) > 1]
    if missing or strange:
        said = (
            f"the column {missing[0]!r} is missing"
            if missing
            else f"the column {strange[0][:60]!r} is not known, or stands twice"
        )
        raise InvalidInput(
            said, path=f"{file}:1", remedy="the header is device,site and any of chip,host,from"
        )
    return names


def _row(cells: list[str], names: list[str], file: str, line: int) -> EnrolledDevice:
    where = f"{file}:{line}"
    if len(cells) != len(names):
        raise InvalidInput(f"{len(cells)} fields, the header has {len(names)}", path=where)
    row = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    for name in _COLUMNS[:4]:
        text = row.get(name, "")
        if len(text) > _LONGEST or not text.isprintable() or (name in _NEEDED and not text):
            raise InvalidInput(
                "is blank, too long or not printable",
                path=f"{where}, {name}",
                remedy="write it as telemetry does: sekisho meter devices lists them",
            )
    since = row.get("from", "")
    return EnrolledDevice(
        device=row["device"],
        site=row["site"],
        chip=row.get("chip", ""),
        host=row.get("host", ""),
        start=parse_date_or_instant(since, path=f"{where}, from") if since else None,
        line=line,
    )


def _keep(rows: dict[str, EnrolledDevice], row: EnrolledDevice, file: str) -> None:
    if row.device in rows:
        raise InvalidInput(
            f"{row.device} stands twice, first on line {rows[row.device].line}",
            path=f"{file}:{row.line}",
            remedy="write each device once",
        )
    rows[row.device] = row
