"""Which store of telemetry a command means: the one named, the home's, or ./telemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.surroundings import settings_of

if TYPE_CHECKING:
    from sekisho.app.telemetry import ParquetTelemetry

__all__ = ["AnySite", "OwnSite", "StorePlace", "find_place", "open_place"]

StorePlace = Annotated[
    str,
    typer.Option(
        "--store",
        help="A folder, or s3://BUCKET/PREFIX; the home's telemetry, else ./telemetry, if left out.",
    ),
]
OwnSite = Annotated[str, typer.Option("--site", help="Whose devices they are.")]
AnySite = Annotated[str, typer.Option("--site", help="Only this site.")]


def find_place(context: typer.Context, store: str) -> str:
    """Where the telemetry lies: a home that is founded has its own."""
    if store:
        return store
    home = settings_of(context).home
    return str(home / "telemetry") if (home / "trust.json").exists() else "telemetry"


def open_place(context: typer.Context, store: str, *, engine: str = "duckdb") -> ParquetTelemetry:
    """The telemetry that the flags name. Raises InvalidInput."""
    from sekisho.app.telemetry import open_telemetry

    return open_telemetry(find_place(context, store), engine=engine)
