"""A table of jobs as schedulers export it, made into entries: `meter windows` checks such logs without a store.

CSV `job,start,end,chips` and optionally `customer,run,parents,site,chip,flop`, and for corrections `id,recorded,
replaces` (parents and replaces hold names with spaces between them). With `flop` in the header that is the work, as
declared and as the bound; with `chip` the bound is chips x time x peak of the chip's fastest format; with neither the
work is chip-seconds. Instants are RFC 3339 in UTC, `2017-09-04 10:30:41` (read as UTC), or seconds since 1970.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

import msgspec

from sekisho.metering.accounts.entries import BEFORE_ALL, Entry, Unit
from sekisho.metering.counting import CountingRule
from sekisho.metering.records import RowError
from sekisho.model.amounts import MAX_FLOP, parse_quantity
from sekisho.model.chips import ChipTable, known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.flop import FlopInterval
from sekisho.model.instants import Instant, parse_instant
from sekisho.model.telemetry import Allocation

__all__ = ["MAX_BYTES", "MAX_ROWS", "JobTable", "parse_job_table"]

MAX_BYTES: Final = 512 * 1024 * 1024
MAX_ROWS: Final = 2_000_000
_COLUMNS: Final = (
    *("job", "start", "end", "chips", "customer", "run", "parents", "site", "chip", "flop"),
    *("id", "recorded", "replaces"),
)
_REQUIRED: Final = ("job", "start", "end")
_PLAIN_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?)")
_EPOCH: Final = re.compile(r"([0-9]{1,11})(?:\.([0-9]{1,6}))?")
_LONGEST: Final = 200


class JobTable(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of a table in order, the records that they came from, rows that could not be read, and the unit."""

    entries: tuple[Entry, ...]
    allocations: tuple[Allocation, ...]
    errors: tuple[RowError, ...]
    unit: Unit


def parse_job_table(
    data: bytes, file: str, *, rule: CountingRule | None = None, chips: ChipTable | None = None
) -> JobTable:
    """Read a CSV job table. Raises InvalidInput where it is wrong as a whole; a wrong row is an error of its own."""
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"longer than {MAX_BYTES} bytes", path=file, remedy="split the table")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput("not UTF-8", path=f"{file}:{line}", remedy="save it as UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = _header(next(reader, []), file)
        table = _Table(names, rule or CountingRule(), chips or known_chips())
        for line, cells in _rows(reader):
            if table.count == MAX_ROWS:
                raise InvalidInput(f"more than {MAX_ROWS} rows", path=file, remedy="split it")
            table.take(cells, line)
    except csv.Error as error:
        raise InvalidInput(f"not CSV: {error}", path=f"{file}:{reader.line_num}") from None
    if not table.count:
        raise InvalidInput("holds no rows", path=file, remedy="write one row for each job")
    return table.made()


def _header(cells: list[str], file: str) -> list[str]:
    names = [cell.strip().casefold() for cell in cells]
    required = _REQUIRED if "flop" in names else (*_REQUIRED, "chips")
    for name in required:
        if name not in names:
            raise InvalidInput(
                f"the column {name!r} is missing",
                path=f"{file}:1",
                remedy=f"the header needs {', '.join(required)}",
            )
    doubled = [name for name in _COLUMNS if names.count(name) > 1]
    if doubled:
        raise InvalidInput(
            f"the column {doubled[0]!r} stands twice", path=f"{file}:1", remedy="keep one of them"
        )
    return names


def _rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    begins = reader.line_num + 1
    for cells in reader:
        if cells:
            yield begins, cells
        begins = reader.line_num + 1


class _Table:
    """The rows read so far."""

    def __init__(self, names: list[str], rule: CountingRule, chips: ChipTable) -> None:
        self._names = names
        self._rule = rule
        self._chips = chips
        self._peaks: dict[str, Fraction | None] = {}
        self._entries: list[Entry] = []
        self._records: list[Allocation] = []
        self._errors: list[RowError] = []
        is_flop = "flop" in names or "chip" in names
        self._unit: Unit = "FLOP" if is_flop else "chip-second"
        self.count = 0

    def take(self, cells: list[str], line: int) -> None:
        """Read one row."""
        self.count += 1
        try:
            if len(cells) != len(self._names):
                raise InvalidInput(f"{len(cells)} fields, but the header has {len(self._names)}")
            row = {n: c.strip() for n, c in zip(self._names, cells, strict=True) if n in _COLUMNS}
            record = _record(row, line)
            self._entries.append(self._entry(record, row, line))
            self._records.append(record)
        except InvalidInput as error:
            self._errors.append(RowError(line=line, error=str(error)))

    def made(self) -> JobTable:
        return JobTable(
            entries=tuple(self._entries),
            allocations=tuple(self._records),
            errors=tuple(self._errors),
            unit=self._unit,
        )

    def _entry(self, record: Allocation, row: Mapping[str, str], line: int) -> Entry:
        end = record.end or record.start
        time_us = end.us - record.start.us
        work, tier = self._work(record, row, time_us)
        declared = parse_quantity(row["flop"], path="flop") if row.get("flop") else None
        if work is not None and work > MAX_FLOP:
            raise InvalidInput("its work has more than 38 digits", path="chips")
        recorded = _instant(row["recorded"], "recorded") if row.get("recorded") else BEFORE_ALL
        return Entry(
            id=row.get("id") or f"line {line}",
            recorded=recorded,
            replaces=tuple(row.get("replaces", "").split()),
            job=record.job,
            site=record.site,
            run=record.run,
            customer=record.customer,
            start=record.start,
            end=end,
            chip_ms=record.chips * time_us // 1000,
            bound=None if work is None else FlopInterval(0, work),
            declared=declared,
            tier=tier,
        )

    def _work(
        self, record: Allocation, row: Mapping[str, str], time_us: int
    ) -> tuple[int | None, str]:
        """The bound's high end: as written, by allocation x peak, or chip time; None where it cannot be told."""
        if self._unit == "chip-second":
            return record.chips * time_us, "0"
        if row.get("flop"):
            return parse_quantity(row["flop"], path="flop"), "D"
        peak = self._peak(record.chip)
        if peak is None or not record.chips:
            return None, ""
        return math.ceil(record.chips * peak * time_us / 1_000_000), "0"

    def _peak(self, name: str) -> Fraction | None:
        if name not in self._peaks:
            chip = self._chips.find(name) if name else None
            self._peaks[name] = None if chip is None else self._rule.peak(chip)
        return self._peaks[name]


def _record(row: Mapping[str, str], line: int) -> Allocation:
    for name in ("job", "customer", "run", "site", "chip", "id"):
        if len(row.get(name, "")) > _LONGEST:
            raise InvalidInput(f"longer than {_LONGEST} characters", path=name)
    if not row["job"]:
        raise InvalidInput("is blank", path="job", remedy="name the job")
    start, end = _instant(row["start"], "start"), _instant(row["end"], "end")
    if end < start:
        raise InvalidInput("ends before it starts", path="end")
    chips = parse_quantity(row["chips"], path="chips") if row.get("chips") else 0
    if chips > 10**9:
        raise InvalidInput("is more than 1e9 chips", path="chips")
    return Allocation(
        job=row["job"],
        site=row.get("site", ""),
        start=start,
        end=end,
        chips=chips,
        chip=row.get("chip", ""),
        customer=row.get("customer", ""),
        run=row.get("run", ""),
        parents=tuple(row.get("parents", "").split()),
        source="job table",
        line=line,
    )


def _instant(text: str, path: str) -> Instant:
    plain = _PLAIN_TIME.fullmatch(text)
    if plain:
        return parse_instant(f"{plain[1]}T{plain[2]}Z", path=path)
    seconds = _EPOCH.fullmatch(text)
    if seconds:
        return Instant(int(seconds[1]) * 1_000_000 + int((seconds[2] or "").ljust(6, "0")))
    return parse_instant(text, path=path)
