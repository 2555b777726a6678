"""`sekisho rules`: what dated packs say, and why. Each part of the group stands in a module of its own."""

from __future__ import annotations

import importlib
from typing import Final

import typer

__all__ = ["app"]

_PARTS: Final = (
    "rules_decide",
    "rules_timeline",
    "rules_classify",
    "rules_packs",
    "rules_diff",
    "rules_impact",
    "rules_publish",
)

app = typer.Typer(help="Decide under dated rule packs, with every reason.", no_args_is_help=True)
for _part in _PARTS:
    importlib.import_module(f"sekisho.cli.{_part}").add_to(app)
