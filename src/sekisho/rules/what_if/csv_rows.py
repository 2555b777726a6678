"""Changed and refused rows as CSV text that a spreadsheet opens without calculating anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sekisho.rules.what_if.tally import Judged, Refused

__all__ = ["CSV_HEAD", "csv_line", "csv_row"]

_COLUMNS: Final = (
    "line",
    "id",
    "change",
    "decision_a",
    "decision_b",
    "kind",
    "country",
    "owner",
    "chip",
    "rules_a",
    "rules_b",
    "error",
)
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
_QUOTED: Final = frozenset(',"\r\n;')


def csv_line(cells: Sequence[str]) -> str:
    """One record (RFC 4180). A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    return ",".join(_cell(cell) for cell in cells) + "\r\n"


def csv_row(row: Judged | Refused) -> str:
    """One request, or a refused row with its error; rules are separated by spaces."""
    if isinstance(row, Refused):
        return csv_line([str(row.line), "", "refused", *[""] * 8, row.error])
    subject = row.subject
    names = (subject.kind, subject.country, subject.owner, subject.chip)
    rules = (" ".join(row.rules_a), " ".join(row.rules_b))
    return csv_line([str(row.line), row.id, row.change or "same", row.a, row.b, *names, *rules, ""])


def _cell(cell: str) -> str:
    if cell.lstrip(" ").startswith(_FORMULA):
        cell = f"'{cell}"
    if not _QUOTED.isdisjoint(cell):
        doubled = cell.replace('"', '""')
        return f'"{doubled}"'
    return cell


CSV_HEAD: Final = "\ufeff" + csv_line(_COLUMNS)
"""A byte-order mark, so that spreadsheets read UTF-8, and the names of the columns."""
