"""`sekisho meter export`: metered usage as CloudEvents or CSV, for billing and metering systems elsewhere."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.meter_account import Counting, rule_of
from sekisho.cli.meter_place import AnySite, StorePlace, find_place
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.metering.accounts.cloud_events import UsageEvent

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add `export` to the group."""
    app.command()(export)


def export(
    context: typer.Context,
    *,
    since: Annotated[str, typer.Option("--from", help="A day or an instant in UTC.")],
    until: Annotated[str, typer.Option("--to", help="A day or an instant in UTC; not included.")],
    form: Annotated[str, typer.Option("--format", help="cloudevents or csv.")] = "cloudevents",
    origin: Annotated[
        str, typer.Option("--origin", help="What this deployment is called in each event's source.")
    ] = "local",
    counting: Counting = "max-over-formats",
    bucket: Annotated[str, typer.Option("--bucket", help="Length of an entry.")] = "1h",
    site: AnySite = "",
    store: StorePlace = "",
    engine: Annotated[str, typer.Option("--engine", help="duckdb or spark.")] = "duckdb",
) -> None:
    """One event for each job, chip type and hour, as JSON lines of CloudEvents 1.0 or as CSV, on standard output.

    The ids are the same each time, so a delivery that is tried again counts once wherever ids are compared.
    """
    from sekisho.app.usage import Grounds, collect_store
    from sekisho.ceremony import SystemClock
    from sekisho.cli.durations import parse_length
    from sekisho.metering.accounts.cloud_events import usage_events

    if form not in ("cloudevents", "csv"):
        raise InvalidInput(
            f"{form[:40]!r} is no format", path="--format", remedy="write cloudevents or csv"
        )
    if not origin:
        raise InvalidInput("is empty", path="--origin", remedy="name the deployment")
    start = parse_date_or_instant(since, path="--from")
    end = parse_date_or_instant(until, path="--to")
    if end > (now := SystemClock().now()):
        raise InvalidInput(
            f"is ahead of now, {now}: nothing is used yet",
            path="--to",
            remedy="export what is over",
        )
    if end <= start:
        raise InvalidInput("ends before it begins", path="--to")
    rule = rule_of(counting)
    grounds = Grounds(rule=rule, site=site, bucket_s=parse_length(bucket, path="--bucket"))
    found = collect_store(find_place(context, store), start, end, grounds, engine=engine)
    events = usage_events(found.entries, origin=origin, counting=rule.name)
    _write_json(events) if form == "cloudevents" else _write_csv(events)


def _write_json(events: Iterator[UsageEvent]) -> None:
    for event in events:
        sys.stdout.write(json.dumps(event.to_json(), separators=(",", ":")) + "\n")


def _write_csv(events: Iterator[UsageEvent]) -> None:
    from sekisho.metering.accounts.cloud_events import CSV_COLUMNS

    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(CSV_COLUMNS)
    for event in events:
        rows.writerow([_harmless(cell) for cell in event.to_row()])
        sys.stdout.write(text.getvalue())
        text.seek(0)
        text.truncate()
    sys.stdout.write(text.getvalue())


def _harmless(cell: str) -> str:
    """A spreadsheet takes a cell that begins so for a formula, and names are foreign text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
