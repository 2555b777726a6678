"""A report for people: a table in colour where the terminal has it, in their language."""

from __future__ import annotations

import io
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sekisho.auditor.verdicts import Report, Verdict
from sekisho.catalogue import Language, say

__all__ = ["render_report"]

_COLOURS: Mapping[Verdict, str] = {"holds": "green", "fails": "bold red", "unverifiable": "yellow"}


def render_report(
    report: Report, language: Language, *, colour: bool = False, width: int = 100
) -> str:
    """The checks with verdict and reason, the limits, and the verdict over all, last since it is read first."""
    written = io.StringIO()
    console = Console(
        file=written,
        force_terminal=colour,
        no_color=not colour,
        width=max(width, 60),
        highlight=False,
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in report.checks:
        question = say(f"audit.check.{check.name}", language)
        detail = Text(f"{question}\n  ") + Text(
            _printable(check.detail), style="dim" if colour else ""
        )
        table.add_row(Text(check.name), _verdict(check.verdict, language), detail)
    console.print(table)
    console.print(Text(say("audit.limits", language)))
    for limit in report.limits:
        console.print(Text(f"- {_printable(limit)}"))
    console.print(Text(say("audit.verdict", language)), _verdict(report.verdict, language))
    return written.getvalue().rstrip("\n")


def _verdict(verdict: Verdict, language: Language) -> Text:
    return Text(say(f"audit.verdict.{verdict}", language), style=_COLOURS[verdict])


def _printable(text: str) -> str:
    """What evidence says may hold control characters that a terminal would obey."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
