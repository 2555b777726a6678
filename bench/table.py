"""The table as text: one line a row, the machine above it."""

from __future__ import annotations

from collections.abc import Sequence

from machine import Machine
from row import Row

__all__ = ["render"]

HEAD = ("what", "unit", "median", "p99", "n", "target", "ratio", "")
NUMBERS = range(2, 5)


def render(machine: Machine, rows: Sequence[Row]) -> str:
    """`ratio` is measured over target (of a rate: target over measured): below 1 is met."""
    cells = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    lines = [
        "  ".join(
            cell.rjust(width) if column in NUMBERS else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    rule = "  ".join("-" * width for width in widths[:-1])
    return "\n".join([machine.to_text(), "", lines[0], rule, *lines[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        row.unit,
        _number(row.median),
        _number(row.p99),
        str(row.n) if row.n else "-",
        _target(row),
        "-" if row.ratio is None else f"{row.ratio:.2f}",
        f"{row.verdict}{': ' if row.note else ''}{row.note}",
    )


def _target(row: Row) -> str:
    bounds = ((row.target.median, ""), (row.target.p99, "p99 "))
    told = [f"{name}< {bound:g}" for bound, name in bounds if bound is not None]
    if row.target.least is not None:
        told.append(f">= {row.target.least:g}")
    return ", ".join(told) or "-"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
