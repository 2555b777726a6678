"""`sekisho rules impact`: what the rules mean for a company."""

from __future__ import annotations

import typer

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Put the command into the group."""
