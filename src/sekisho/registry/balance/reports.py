"""The three reports of a balance area: inventory changes (ICR), physical inventory (PIL), material balance (MBR).

Header and lines as the IAEA's forms have them (regimes.md 2). A report is never edited: a later report's line names the
report and the line that it corrects and stands for it from then on; no items means that it is withdrawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Count, Jurisdiction, Name, Span, Text
from sekisho.model.wire import JsonValue, canonical, from_json, parse_json, sha256_hex, to_plain
from sekisho.registry.balance.codes import CODES

__all__ = [
    "BALANCE_CODES",
    "Basis",
    "Correction",
    "Header",
    "Report",
    "ReportLine",
    "ReportType",
    "parse_reports",
    "salted_digest",
    "signed_items",
    "to_plain_reports",
]

ReportType: TypeAlias = Literal["ICR", "PIL", "MBR"]
Basis: TypeAlias = Literal["counted", "measured", "declared", "estimated"]
Number: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
BALANCE_CODES: Final = ("PB", "BA", "PE", "MF")
"""Lines of an MBR besides changes: opening, book at the end, physical at the end, unaccounted for (positive = loss)."""
_MAX: Final = 64 * 1024 * 1024


class Correction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which line of which earlier report of the same area and type a line stands for from now on."""

    report: Number
    entry: Number


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose report it is, of which area, over which half-open period, and its number without gaps by area and type."""

    type: ReportType
    number: Number
    country: Jurisdiction
    party: Name
    area: Name
    period: Span
    made: Instant


class ReportLine(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One entry. `items` is never negative; `direction` is for codes without a fixed sign, and for those alone."""

    entry: Number
    at: Instant
    code: Annotated[str, msgspec.Meta(max_length=8)] = ""
    items: Count
    area_from: str = ""
    area_to: str = ""
    point: str = ""
    batch: str = ""
    description: Text = ""
    basis: Basis = "counted"
    note: Text = ""
    direction: Literal["in", "out"] | None = None
    corrects: Correction | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A header and its lines."""

    header: Header
    lines: Annotated[tuple[ReportLine, ...], msgspec.Meta(max_length=1_000_000)] = ()

    def to_bytes(self) -> bytes:
        return canonical(self)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical report: what a later closing chains to. Never logged without a salt."""
        return sha256_hex(self.to_bytes())


def parse_reports(data: bytes, *, path: str = "") -> tuple[Report, ...]:
    """Read one report or a list of them from JSON. Raises InvalidInput with the path of the first field at fault.

    A sign that somebody states where the code has one is refused here: it is not theirs to state.
    """
    plain: JsonValue = parse_json(data, path=path, limit=_MAX)
    rows = plain if isinstance(plain, list) else [plain]
    where = f"{path}: " if path else ""
    found = []
    for place, row in enumerate(rows):
        report = from_json(Report, row, path=f"{where}[{place}]" if rows is plain else path)
        for number, line in enumerate(report.lines):
            _check_direction(line, report.header.type, f"{where}[{place}].lines[{number}]")
        found.append(report)
    return tuple(found)


def _check_direction(line: ReportLine, kind: ReportType, path: str) -> None:
    known = CODES.get(line.code)
    if kind == "MBR" and line.code in BALANCE_CODES:
        return
    if known is None or line.direction is None or known.sign == 0:
        return
    raise InvalidInput(
        f"states a direction, but {line.code} always counts {'in' if known.sign > 0 else 'out'}",
        path=f"{path}.direction",
        remedy="leave the direction out, or use the code of what happened",
    )


def signed_items(line: ReportLine) -> int:
    """What a line adds to the book: by its code's sign, or by its stated direction where the code has none.

    Raises InvalidInput for an unknown code, or one without a sign and direction.
    """
    known = CODES.get(line.code)
    if known is None:
        raise InvalidInput(f"no change code {line.code!r}", path=f"entry {line.entry}")
    if known.sign:
        return known.sign * line.items
    if line.direction is None:
        raise InvalidInput(f"{line.code} needs a direction", path=f"entry {line.entry}")
    return line.items if line.direction == "in" else -line.items


def salted_digest(salt: bytes, digests: Sequence[str]) -> str:
    """What stands in a statement for reports: SHA-256 over 16 bytes of salt and the canonical list of their digests.

    Whoever is shown salt and reports can compare; nobody else can test a guess. Raises InvalidInput for another salt.
    """
    if len(salt) != 16:
        raise InvalidInput(f"a salt of {len(salt)} bytes, not 16", path="salt")
    return hashlib.sha256(salt + canonical(list(digests))).hexdigest()


def to_plain_reports(reports: Iterable[Report]) -> list[JsonValue]:
    """Reports as plain JSON, for a file that `parse_reports` reads back."""
    return [to_plain(report) for report in reports]
