"""Whose customer it is: the ultimate owners of an account at an instant, by a dated table.

CSV `customer,owner` and optionally `share` (of 1), `from`, `to` (days or instants, half-open). Whoever holds half or
more of a firm controls it, shares of the firms that it controls counted as its own; a row without a share is control.
Control passes on: the ultimate owners are those whom nobody else controls. Two who hold half each both control, and
each is accounted the whole: a threshold is not to be halved by holding halves. Who has no row is an owner of its own,
and it is said that nobody knows better.
"""

from __future__ import annotations

import csv
import io
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.model.names import fold_name

__all__ = ["Control", "Owned", "OwnerTable", "Ownership", "parse_owner_table"]

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_ROWS: Final = 1_000_000
CONTROLS: Final = Fraction(1, 2)
MOST_FIRMS: Final = 1_000
_ALWAYS: Final = (-(2**62), 2**62)
_COLUMNS: Final = ("customer", "owner", "share", "from", "to")
_SHARE: Final = re.compile(r"[01](?:\.[0-9]{1,12})?|0?\.[0-9]{1,12}")


class Ownership(msgspec.Struct, frozen=True, kw_only=True):
    """One row: who owns whom, which part of it (None: not stated), from when to when (epoch microseconds)."""

    customer: str
    owner: str
    share: Fraction | None = None
    start: int = _ALWAYS[0]
    end: int = _ALWAYS[1]
    line: int = 0


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    """The ultimate owners of a customer at an instant, and what a reader should know of that."""

    owners: tuple[str, ...]
    is_known: bool
    notes: tuple[str, ...] = ()


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """[start, end) in which the same owners control a customer."""

    start: int
    end: int
    owned: Owned


class OwnerTable:
    """All rows; asked for a customer and an instant. An empty table knows nobody.

    Names are compared as people read them (`fold_name`); owners are named as they were first written.
    """

    def __init__(self, rows: Iterable[Ownership] = ()) -> None:
        self._rows: dict[str, list[Ownership]] = {}
        self._spelt: dict[str, str] = {}
        for row in rows:
            customer, owner = fold_name(row.customer), fold_name(row.owner)
            self._spelt.setdefault(customer, row.customer)
            self._spelt.setdefault(owner, row.owner)
            folded = msgspec.structs.replace(row, customer=customer, owner=owner)
            self._rows.setdefault(customer, []).append(folded)
        self._times: dict[str, list[int]] = {}
        self._found: dict[tuple[str, int], Owned] = {}

    def owned_at(self, customer: str, at: int) -> Owned:
        """The owners at the ends of all chains of control. A ring of owners is one owner, named by its first name."""
        folded = fold_name(customer)
        key = (folded, bisect_right(self._changes(folded), at))
        if key not in self._found:
            self._found[key] = self._follow(folded, customer, at)
        return self._found[key]

    def controls_within(self, customer: str, start: int, end: int) -> Sequence[Control]:
        """The stretches of [start, end) in which a customer's owners stay the same, in order."""
        times = self._changes(fold_name(customer))
        edges = [start, *times[bisect_right(times, start) : bisect_right(times, end - 1)], end]
        found: list[Control] = []
        for left, right in pairwise(edges):
            owned = self.owned_at(customer, left)
            if found and found[-1].owned.owners == owned.owners:
                found[-1] = msgspec.structs.replace(found[-1], end=right)
            else:
                found.append(Control(start=left, end=right, owned=owned))
        return found

    def _changes(self, folded: str) -> list[int]:
        """When anything changes above a customer."""
        if folded not in self._times:
            rows = [row for rows in self._holdings(folded, None).values() for row in rows]
            times = {row.start for row in rows} | {row.end for row in rows}
            self._times[folded] = sorted(times - set(_ALWAYS))
        return self._times[folded]

    def _follow(self, customer: str, written: str, at: int) -> Owned:
        if not customer:
            return Owned(owners=("",), is_known=False, notes=("no customer is named",))
        held = self._holdings(customer, at)
        names = sorted({customer, *held, *(row.owner for rows in held.values() for row in rows)})
        control = {name: _controlled_by(name, held) for name in names}
        owners = {
            min(other for other in control[name] if name in control[other])  # a ring is one owner
            for name in names
            if customer in control[name]
            and all(other in control[name] for other in names if name in control[other])
        }
        return Owned(
            owners=tuple(sorted(self._spelt.get(owner, written) for owner in owners)),
            is_known=customer in held,
            notes=tuple(self._notes(written, held.get(customer, []), control, owners)),
        )

    def _notes(
        self,
        written: str,
        direct: Sequence[Ownership],
        control: Mapping[str, set[str]],
        owners: set[str],
    ) -> Iterator[str]:
        if not direct:
            yield f"nobody says who owns {written}: it is its own owner"
        if len(owners) > 1:
            yield f"{written} has {len(owners)} owners with control: each is accounted it whole"
        minor = {row.owner for row in direct if fold_name(written) not in control[row.owner]}
        if minor:
            named = ", ".join(self._spelt[owner] for owner in sorted(minor)[:5])
            yield f"{written}: {named} hold less than half and are not counted"

    def _holdings(self, customer: str, at: int | None) -> dict[str, list[Ownership]]:
        """By firm, the rows at an instant (None: ever) of all above a customer. Raises InvalidInput for 1,000 firms."""
        held: dict[str, list[Ownership]] = {}
        pending = [customer]
        while pending:
            name = pending.pop()
            rows = [
                row for row in self._rows.get(name, ()) if at is None or row.start <= at < row.end
            ]
            if name in held or not rows:
                continue
            held[name] = rows
            pending += [row.owner for row in rows]
            if len(held) > MOST_FIRMS:
                raise InvalidInput(
                    f"more than {MOST_FIRMS} firms stand above it",
                    path=f"owners of {customer}",
                    remedy="check the table of owners",
                )
        return held


def _controlled_by(owner: str, held: Mapping[str, Sequence[Ownership]]) -> set[str]:
    """An owner and all whom it controls, directly or through others that it controls."""
    controlled = {owner}
    grown = True
    while grown:
        grown = False
        for name, rows in held.items():
            if name not in controlled and _is_held(rows, controlled):
                controlled.add(name)
                grown = True
    return controlled


def _is_held(rows: Sequence[Ownership], holders: set[str]) -> bool:
    mine = [row for row in rows if row.owner in holders]
    shares = sum((row.share for row in mine if row.share is not None), Fraction(0))
    return shares >= CONTROLS or any(row.share is None for row in mine)


def parse_owner_table(data: bytes, file: str) -> OwnerTable:
    """Read the CSV. Raises InvalidInput, naming file and line, for the first row that cannot be read."""
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"longer than {MAX_BYTES} bytes", path=file, remedy="split the table")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("not UTF-8", path=file, remedy="save it as UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Ownership] = []
    try:
        names = _header(next(reader, []), file)
        for cells in reader:
            if cells:
                rows.append(_row(cells, names, file, reader.line_num))
            if len(rows) > MAX_ROWS:
                raise InvalidInput(f"more than {MAX_ROWS} rows", path=file)
    except csv.Error as error:
        raise InvalidInput(f"not CSV: {error}", path=f"{file}:{reader.line_num}") from None
    return OwnerTable(rows)


def _header(cells: list[str], file: str) -> list[str]:
    names = [cell.strip().casefold() for cell in cells]
    for name in _COLUMNS[:2]:
        if name not in names:
            raise InvalidInput(
                f"the column {name!r} is missing",
                path=f"{file}:1",
                remedy=f"the header is customer,owner and any of {', '.join(_COLUMNS[2:])}",
            )
    doubled = [name for name in _COLUMNS if names.count(name) > 1]
    if doubled:
        raise InvalidInput(f"the column {doubled[0]!r} stands twice", path=f"{file}:1")
    return names


def _row(cells: list[str], names: list[str], file: str, line: int) -> Ownership:
    where = f"{file}:{line}"
    if len(cells) != len(names):
        raise InvalidInput(f"{len(cells)} fields, the header has {len(names)}", path=where)
    row: Mapping[str, str] = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    for name in _COLUMNS[:2]:
        if not row[name]:
            raise InvalidInput("is blank", path=f"{where}, {name}")
    start, end = (_time(row.get(name, ""), f"{where}, {name}") for name in ("from", "to"))
    found = Ownership(
        customer=row["customer"],
        owner=row["owner"],
        share=_share(row.get("share", ""), where),
        start=_ALWAYS[0] if start is None else start.us,
        end=_ALWAYS[1] if end is None else end.us,
        line=line,
    )
    if found.end <= found.start:
        raise InvalidInput("ends before it begins", path=f"{where}, to")
    return found


def _time(text: str, path: str) -> Instant | None:
    return parse_date_or_instant(text, path=path) if text else None


def _share(text: str, where: str) -> Fraction | None:
    if not text:
        return None
    share = Fraction(text) if _SHARE.fullmatch(text) else Fraction(2)
    if not 0 < share <= 1:
        raise InvalidInput(
            f"{text[:40]!r} is not a share",
            path=f"{where}, share",
            remedy="write more than 0 up to 1, as 0.6",
        )
    return share
