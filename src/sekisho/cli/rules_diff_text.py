"""A comparison over a population as plain text: what changed, the tables that have something in them, some examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.catalogue import Language, say
from sekisho.cli.plain_text import columns, tame, wrap

if TYPE_CHECKING:
    from sekisho.rules.what_if import Diff, Table

__all__ = ["diff_text"]

_EXAMPLES = 3
_WIDEST = 44
_LIST = ("examples", "refused", "rules")
_CHANGES = slice(1, 7)  # columns of a table by name


def diff_text(diff: Diff, language: Language) -> str:
    """The whole answer for a terminal; what does not fit is in the JSON document, the CSV file and the page."""
    from sekisho.rules.what_if import render_tables, summary_lines

    lines = [tame(line) for line in summary_lines(diff, language)]
    for table in map(_without_noughts, render_tables(diff, language)):
        if not table.rows:
            continue
        lines += ["", tame(table.title)]
        lines += _listed(table) if table.name in _LIST else _aligned(table)
        if table.note:
            lines.append("  " + wrap(table.note, 2))
    return "\n".join([*lines, "", wrap(say("what-if.limits", language), 0)])


def _without_noughts(table: Table) -> Table:
    """Without thresholds that nothing comes near, and without kinds of change that no name has."""
    from msgspec.structs import replace

    if table.name in ("margins", "splits"):
        near = slice(7, 9) if table.name == "margins" else slice(2, None)
        return replace(table, rows=tuple(row for row in table.rows if set(row[near]) != {"0"}))
    if not table.name.startswith("by-"):
        return table
    columns_used = [
        n
        for n in range(len(table.head))
        if n not in range(*_CHANGES.indices(len(table.head)))
        or any(r[n] != "0" for r in table.rows)
    ]
    return replace(
        table,
        head=tuple(table.head[n] for n in columns_used),
        rows=tuple(tuple(row[n] for n in columns_used) for row in table.rows),
    )


def _listed(table: Table) -> list[str]:
    """Wide rows: one under the other, of each change the first three."""
    shown: dict[str, int] = {}
    lines = []
    for row in table.rows:
        key = row[2] if table.name == "examples" else ""
        shown[key] = shown.get(key, 0) + 1
        if table.name != "examples" or shown[key] <= _EXAMPLES:
            lines.append("  " + wrap(tame(_told(table, row)), 4))
    return lines


def _told(table: Table, row: tuple[str, ...]) -> str:
    if table.name == "examples":
        line, request, change, words, country, owner, chip, why = row
        return f"{line}: {request}: {change} ({words}): {country}, {owner}, {chip}: {why}"
    if table.name == "rules":
        pairs = zip(table.head[3:], row[3:], strict=True)
        counts = ", ".join(f"{name} {count}" for name, count in pairs if count != "0")
        return f"{row[0]} ({row[1]}): {counts}; {row[2]}"
    return ": ".join(row)


def _aligned(table: Table) -> list[str]:
    """Words to the left, figures to the right."""
    cells = [tuple(_short(tame(cell)) for cell in row) for row in (table.head, *table.rows)]
    widths = [max(columns(row[n]) for row in cells) for n in range(len(table.head))]
    return [
        "  "
        + "  ".join(
            _padded(cell, width, left=n < table.texts)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _short(cell: str) -> str:
    return cell if columns(cell) <= _WIDEST else cell[: _WIDEST // 2 + 8] + "…"


def _padded(cell: str, width: int, *, left: bool) -> str:
    space = " " * (width - columns(cell))
    return cell + space if left else space + cell
