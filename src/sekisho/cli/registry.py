"""`sekisho registry`: chips in custody. Each part of the group stands in a module of its own."""

from __future__ import annotations

import importlib
from typing import Final

import typer

__all__ = ["app"]

_PARTS: Final = (
    "registry_epcis",
    "registry_capture",
    "registry_events",
    "registry_alerts",
    "registry_export",
    "registry_inventory",
    "registry_fleet",
    "registry_holdings",
    "registry_passport",
    "registry_balance",
    "registry_production",
    "registry_drill",
)

app = typer.Typer(no_args_is_help=True)
for _part in _PARTS:
    importlib.import_module(f"sekisho.cli.{_part}").add_to(app)
