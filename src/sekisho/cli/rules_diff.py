"""`sekisho rules diff`: who is newly caught or freed between two packs."""

from __future__ import annotations

import typer

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Put the command into the group."""
