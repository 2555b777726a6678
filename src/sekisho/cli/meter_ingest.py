"""`sekisho meter ingest` and `jobs`: take telemetry and a scheduler's records into the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args

import msgspec
import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, worst_code
from sekisho.cli.choices import parse_choice
from sekisho.cli.meter_place import OwnSite, StorePlace, find_place, open_place
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import language_of
from sekisho.model.instants import Instant
from sekisho.ports.telemetry import TelemetryFormat

if TYPE_CHECKING:
    from sekisho.app.telemetry import Came
    from sekisho.model.telemetry import Intake, Refusals

__all__ = ["add_to"]

_MAX: Final = 2 << 30
_MAX_JOBS: Final = 1 << 30
_MOST_GAPS: Final = 1_000
"""Gaps that the document lists; `gaps_found` counts all."""


def add_to(app: typer.Typer) -> None:
    """Add this part's commands to the group."""
    app.command()(ingest)
    app.command()(jobs)


def ingest(
    context: typer.Context,
    *,
    file: Annotated[str, typer.Argument(metavar="F", help="Telemetry; - for standard input.")],
    kind: Annotated[
        str,
        typer.Option("--format", help="prometheus, remote-write, otlp, csv or parquet."),
    ],
    site: OwnSite = "local",
    store: StorePlace = "",
    content_type: Annotated[
        str, typer.Option("--content-type", help="As HTTP would say it, where the format has two.")
    ] = "",
    encoding: Annotated[
        str, typer.Option("--encoding", help="gzip, zstd, snappy: how the file is packed.")
    ] = "",
    exporter: Annotated[
        str, typer.Option("--exporter", help="dcgm-exporter's version: units changed in 4.9.0.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Take a file of telemetry in: rows taken, rows refused with reasons, gaps in its time.

    A file with rows that were refused ends with 2, unless the exporter itself called them not measured: then 3.
    """
    from sekisho.app.telemetry import TelemetryFile, take_file

    language = language_of(context)
    given = TelemetryFile(
        kind=parse_choice(kind, get_args(TelemetryFormat), path="--format", noun="format"),
        body=read_input(file, limit=_MAX),
        site=site,
        name="" if file == "-" else file,
        content_type=content_type,
        encoding=encoding,
        exporter=exporter,
    )
    with bar(say("meter.ingest.bar", language)) as heard:
        heard(0, 1)
        came = take_file(open_place(context, store), given, received=_now())
    document = {"store": find_place(context, store), "site": site, **_plain_file(came)}
    text = "\n".join(_told(came, language))
    deliver(Answer(document=document, text=text, exit_code=_code(came.intake)), as_json=as_json)


def jobs(
    context: typer.Context,
    *,
    file: Annotated[
        str, typer.Argument(metavar="F", help="A scheduler's records; - for standard input.")
    ],
    kind: Annotated[str, typer.Option("--format", help="sacct, sacct-json, kubernetes or csv.")],
    site: OwnSite = "local",
    zone: Annotated[
        str, typer.Option("--zone", help="Time zone of sacct's clock: Asia/Tokyo, UTC.")
    ] = "",
    store: StorePlace = "",
    as_json: AsJson = False,
) -> None:
    """Take records of who had which devices in; a newer record of one job and start replaces the older one."""
    from sekisho.app.telemetry import JobFile, JobFormat, read_jobs

    given = JobFile(
        kind=parse_choice(kind, get_args(JobFormat), path="--format", noun="format"),
        body=read_input(file, limit=_MAX_JOBS),
        site=site,
        zone=zone,
        name="" if file == "-" else file,
    )
    records = read_jobs(given)
    intake = open_place(context, store).take_allocations(records.allocations)
    intake = msgspec.structs.replace(
        intake,
        duplicates=intake.duplicates + records.duplicates,
        passed_over=records.passed_over,
        refused=records.refused,
        notes=(*intake.notes, *records.notes),
    )
    document = {"store": find_place(context, store), "site": site, **_plain(intake)}
    text = "\n".join(_lines("meter.jobs.done", intake, language_of(context)))
    deliver(Answer(document=document, text=text, exit_code=_code(intake)), as_json=as_json)


def _plain_file(came: Came) -> dict[str, Any]:
    return {
        **_plain(came.intake),
        "start": str(came.start) if came.start else None,
        "end": str(came.end) if came.end else None,
        "gaps": [
            {"device": gap.device, "start": str(gap.start), "end": str(gap.end)}
            for gap in came.gaps[:_MOST_GAPS]
        ],
        "gaps_found": len(came.gaps),
    }


def _told(came: Came, language: Language) -> Iterable[str]:
    yield from _lines("meter.ingest.done", came.intake, language)
    if not (came.intake.taken or came.intake.duplicates or came.intake.refused_count):
        yield say("meter.ingest.nothing", language)
    if came.gaps:
        told = {"count": len(came.gaps), "start": came.start, "end": came.end}
        yield say("meter.ingest.gaps", language, **told)


def _plain(intake: Intake) -> dict[str, Any]:
    return {
        "taken": intake.taken,
        "duplicates": intake.duplicates,
        "passed_over": intake.passed_over,
        "refused_count": intake.refused_count,
        "refused": [msgspec.structs.asdict(refusal) for refusal in intake.refused],
        "fields": dict(intake.fields),
        "notes": list(intake.notes),
    }


def _lines(key: str, intake: Intake, language: Language) -> Iterable[str]:
    yield say(
        key,
        language,
        taken=intake.taken,
        duplicates=intake.duplicates,
        passed_over=intake.passed_over,
        refused=intake.refused_count,
    )
    for refusal in intake.refused:
        told = {
            "reason": say(f"meter.reason.{refusal.reason}", language),
            "count": refusal.count,
            "first": tame(refusal.first),
        }
        yield say("meter.ingest.refused", language, **told)
        if refusal.remedy:
            yield say("meter.ingest.remedy", language, remedy=tame(refusal.remedy))
    yield from (f"  {tame(note)}" for note in intake.notes)


def _code(intake: Intake) -> int:
    """The first present of 2, 3, 0 over its rows; a file of which nothing was of use is not measured."""
    codes = [_refusal_code(intake.refused)]
    if not intake.taken and not intake.duplicates:
        codes.append(2 if intake.refused else 3)
    return worst_code(codes)


def _refusal_code(refused: Sequence[Refusals]) -> int:
    return worst_code(2 if refusal.is_fault else 3 for refusal in refused)


def _now() -> Instant:
    from sekisho.ceremony import SystemClock

    return SystemClock().now()
