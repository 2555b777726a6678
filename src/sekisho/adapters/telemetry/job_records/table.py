"""Job records as a plain CSV table, for schedulers that none of the other readers knows.

Columns, in any order: `job`, `start`, `chips`, and optional `end`, `chip`, `devices`, `hosts`, `customer`, `run`,
`parents`, `format`, `site`, `exempt`. Several devices, hosts or parents of one job stand in one cell, parted by
spaces or semicolons; hosts may be a node list (`gpu[01-03]`). Times as in sample tables: with a zone, or as numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sekisho.adapters.telemetry.csv_lines import BOM, Crooked, decode, first_names, lines_of
from sekisho.adapters.telemetry.job_records.node_lists import expand_node_list
from sekisho.adapters.telemetry.job_records.records import MAX_HOSTS, Gathered, JobRecords
from sekisho.adapters.telemetry.table_columns import parse_time
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, Reason

__all__ = ["COLUMNS", "parse_allocations_csv"]

COLUMNS: Final = tuple(
    "job start end chips chip devices hosts customer run parents format site exempt".split()
)
MAX_BODY: Final = 1 << 30
_NEEDED: Final = ("job", "start", "chips")
_COUNT: Final = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_PARTED: Final = re.compile(r"[\s;]+")
_TRUTH: Final = {
    **dict.fromkeys(("1", "true", "yes"), True),
    **dict.fromkeys(("", "0", "false", "no"), False),
}
_TIME_REMEDY: Final = "write 2026-01-31T09:00:00Z, or seconds since the epoch"


class _Wrong(Exception):
    """One row that cannot be taken."""

    def __init__(self, reason: Reason, why: str, remedy: str) -> None:
        super().__init__(why)
        self.reason, self.why, self.remedy = reason, why, remedy


def parse_allocations_csv(body: bytes, *, site: str, path: str = "") -> JobRecords:
    """The allocations of a table; a wrong row is refused with its line and remedy, the rest is taken.

    Raises InvalidInput for no UTF-8, a missing column that is needed, one that stands twice, and one that is not known.
    """
    if len(body) > MAX_BODY:
        raise InvalidInput(f"more than {MAX_BODY} bytes", path=path, remedy="split the table")
    body = body.removeprefix(BOM)
    names = first_names(body, path=path)
    _check(names, f"{path}: line 1".lstrip(": "))
    gathered = Gathered()
    for line in lines_of(decode(body, path=path), len(names)):
        if isinstance(line, Crooked):
            gathered.refuse(line.number, "malformed", line.why)
            continue
        row = dict(zip(names, (cell.strip() for cell in line.cells), strict=True))
        try:
            gathered.keep(_allocation(row, line.number, site))
        except _Wrong as wrong:
            gathered.refuse(line.number, wrong.reason, wrong.why, wrong.remedy, job=row["job"])
    return gathered.records()


def _check(names: list[str], path: str) -> None:
    missing = [name for name in _NEEDED if name not in names]
    strange = [name for name in names if name not in COLUMNS]
    if missing or strange or len(set(names)) != len(names):
        said = (
            f"no column {', '.join(missing)}"
            if missing
            else f"the column {strange[0][:60]!r} is not known"
            if strange
            else "a column stands twice"
        )
        raise InvalidInput(said, path=path, remedy=f"the columns are {','.join(COLUMNS)}")


def _allocation(row: Mapping[str, str], line: int, site: str) -> Allocation:
    start = _instant(row["start"], "start")
    if start is None:
        raise _Wrong("no start", "its start is empty", _TIME_REMEDY)
    if not _COUNT.fullmatch(row["chips"]):
        raise _Wrong("malformed", f"chips: {row['chips'][:30]!r}", "write a whole number")
    exempt = _TRUTH.get(row.get("exempt", "").lower())
    if exempt is None:
        raise _Wrong("malformed", f"exempt: {row['exempt'][:30]!r}", "write yes or no")
    return Allocation(
        chip=row.get("chip", ""),
        customer=row.get("customer", ""),
        run=row.get("run", ""),
        format=row.get("format", ""),
        job=row["job"],
        start=start,
        end=_instant(row.get("end", ""), "end"),
        devices=_several(row, "devices"),
        parents=_several(row, "parents"),
        chips=int(row["chips"]),
        hosts=_hosts(row),
        site=row.get("site", "") or site,
        exempt=exempt,
        source="table",
        line=line,
    )


def _instant(text: str, name: str) -> Instant | None:
    if not text:
        return None
    found = parse_time(text)
    if isinstance(found, str):
        reason: Reason = "no start" if name == "start" else "malformed"
        raise _Wrong(reason, f"{name}: {text[:40]!r} {found}", _TIME_REMEDY)
    return Instant(found)


def _several(row: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part for part in _PARTED.split(row.get(name, "")) if part)


def _hosts(row: Mapping[str, str]) -> tuple[str, ...]:
    try:
        found = [
            host
            for part in _several(row, "hosts")
            for host in expand_node_list(part, limit=MAX_HOSTS)
        ]
    except InvalidInput as error:
        raise _Wrong(
            "malformed", error.message, "write hosts as gpu[01-03] or one by one"
        ) from None
    if len(found) > MAX_HOSTS:
        raise _Wrong("malformed", f"more than {MAX_HOSTS} hosts", "split the job")
    return tuple(found)
