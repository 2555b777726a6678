"""`sekisho rules classify`: the class of a chip, with TPP and performance density."""

from __future__ import annotations

import typer

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Put the command into the group."""
