"""`sekisho rules timeline`: one request judged on several dates, with the differences explained."""

from __future__ import annotations

import typer

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Put the command into the group."""
