"""`sekisho meter`: bound and estimate the FLOP of runs from a table, and say how wrong the estimate is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from sekisho.cli import (
    meter_account,
    meter_accuracy,
    meter_export,
    meter_ingest,
    meter_record,
    meter_report,
    meter_store,
    meter_token,
    meter_whole,
)
from sekisho.cli.answer import Answer, AsJson, deliver, worst_code
from sekisho.cli.reading import read_input
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.metering import RowError, RunFigure, RunRecord

_PARTS: Sequence[Callable[[typer.Typer], None]] = (
    meter_account.add_to,
    meter_accuracy.add_to,
    meter_export.add_to,
    meter_ingest.add_to,
    meter_record.add_to,
    meter_report.add_to,
    meter_store.add_to,
    meter_token.add_to,
    meter_whole.add_to,
)
"""What further parts of the group add: one module each, `cli/meter_<part>.py`, with an `add_to`."""

__all__ = ["app"]

app = typer.Typer(
    help="Telemetry in, FLOP out: bounds, estimates, accounts, reports.", no_args_is_help=True
)
T = TypeVar("T")
_LONG = 50_000  # rows; more take longer than two seconds


@app.command()
def runs(
    file: Annotated[str, typer.Argument(help="A CSV table of runs; - for standard input.")],
    as_json: AsJson = False,
) -> None:
    """For each run: a bound that is sound against its operator, an estimate, and the method of both."""
    from sekisho.metering import parse_run_table
    from sekisho.metering.run_table import MAX_BYTES

    table = parse_run_table(read_input(file, limit=MAX_BYTES), file)
    rows = [_row(row) for row in _watched(table.rows)]
    document = [document for document, _, _ in rows]
    text = "\n".join(line for _, line, _ in rows)
    code = worst_code(code for _, _, code in rows)
    deliver(Answer(document=document, text=text, exit_code=code), as_json=as_json)


def _row(row: RunRecord | RowError) -> tuple[object, str, int]:
    """One row's document, its line for a person, and its exit code."""
    from sekisho.metering import RowError, meter_run

    if isinstance(row, RowError):
        return {"line": row.line, "error": row.error}, f"line {row.line}: {row.error}", 2
    try:
        figure = meter_run(row)
    except InvalidInput as error:
        return {"line": row.line, "error": str(error)}, f"line {row.line}: {error}", 2
    return figure.to_row(), _figure_text(figure), _code(figure)


def _code(figure: RunFigure) -> int:
    if not figure.is_measured:
        return 3
    return 1 if figure.is_finding else 0


def _figure_text(figure: RunFigure) -> str:
    from sekisho.model.amounts import format_flop_short

    if figure.bound is None:
        return f"{figure.run_id}: {figure.method}"
    parts = [f"at most {format_flop_short(figure.bound.high)}"]
    if figure.estimate is not None:
        low, best, high = (
            format_flop_short(x)
            for x in (figure.estimate.low, figure.estimate.best, figure.estimate.high)
        )
        parts.append(f"about {best} ({low} to {high})")
    if figure.declared is not None:
        check = figure.declared_check or "not checked"
        parts.append(f"declared {format_flop_short(figure.declared)} ({check})")
    return f"{figure.run_id}: {', '.join(parts)}\n  tier {figure.tier}; {figure.method}"


def _watched(rows: Sequence[T]) -> Iterable[T]:
    """The rows, with a bar on the terminal where they take long."""
    if len(rows) < _LONG or not sys.stderr.isatty():
        return rows
    from rich.console import Console
    from rich.progress import track

    return track(rows, description="metering", console=Console(stderr=True), transient=True)


for _add_to in _PARTS:
    _add_to(app)
