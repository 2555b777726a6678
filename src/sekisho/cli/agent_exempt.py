"""`sekisho agent exempt`: devices that need no lease, as records for the whole-device account."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated, Final

import typer

from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.model.instants import parse_date_or_instant

__all__ = ["add_to"]

COLUMNS: Final = ("job", "start", "end", "chips", "devices", "hosts", "site", "exempt")


def add_to(app: typer.Typer) -> None:
    """Put the command under `sekisho agent`."""
    app.command("exempt")(exempt)


def exempt(
    home: Annotated[Path, typer.Option(help="Folder with agent.json.")],
    site: Annotated[str, typer.Option(help="The host's site, as it was enrolled.")],
    since: Annotated[str, typer.Option("--from", help="A day or an instant in UTC.")],
    until: Annotated[str, typer.Option("--to", help="Not included; open unless given.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """A CSV of allocations, one for each exempt device of a host, for `meter ingest` and `meter whole`."""
    from sekisho.agent.main import load_settings

    settings = load_settings(home)
    start = str(parse_date_or_instant(since, path="--from"))
    end = str(parse_date_or_instant(until, path="--to")) if until else ""
    devices = settings.devices.exempt if settings.devices is not None else ()
    rows = [
        dict(
            zip(
                COLUMNS,
                (f"exempt: {one.reason}", start, end, "1", one.device, settings.host, site, "yes"),
                strict=True,
            )
        )
        for one in devices
    ]
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    deliver(Answer(document=rows, text=table.getvalue().rstrip("\n")), as_json=as_json)
