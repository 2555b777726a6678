"""`sekisho meter compact`, `devices`, `gaps`, `retain`, `check`: the store of telemetry and its upkeep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.meter_place import AnySite, StorePlace, open_place
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant

if TYPE_CHECKING:
    from sekisho.app.telemetry import ParquetTelemetry

__all__ = ["add_to"]

_SHOWN: Final = 200
"""Rows that a person is shown; the document has all."""


def add_to(app: typer.Typer) -> None:
    """Add this part's commands to the group."""
    for command in (compact, devices, gaps, retain, check):
        app.command()(command)


def compact(
    context: typer.Context,
    *,
    site: AnySite = "",
    day: Annotated[list[str] | None, typer.Option("--day", help="Only this day, in UTC.")] = None,
    store: StorePlace = "",
    as_json: AsJson = False,
) -> None:
    """Settle what came in: sort, join, span, sum by minutes; the days that are over are closed."""
    language = language_of(context)
    telemetry = open_place(context, store)
    with bar(say("meter.compact.bar", language)) as heard:
        done = telemetry.compact(site, day, only_due=False, tell=heard)
    rows = [
        {
            "site": one.site,
            "day": each.manifest.day,
            "rows": each.rows,
            "rows_in": each.rows_in,
            "late": each.late,
            "too_late": each.too_late,
            "closed": each.manifest.closed,
        }
        for one in done
        for each in one.days
    ]
    lines = [line for row in rows for line in _day_lines(row, language)]
    document = {"days": rows, "segments_removed": sum(one.removed for one in done)}
    text = "\n".join(lines) or say("meter.compact.none", language)
    deliver(Answer(document=document, text=text), as_json=as_json)


def devices(
    context: typer.Context, *, site: AnySite = "", store: StorePlace = "", as_json: AsJson = False
) -> None:
    """The devices that telemetry named: chip, host, and from when to when they were seen."""
    language = language_of(context)
    known = [d for d in open_place(context, store).load_devices() if site in ("", d.site)]
    lines = [
        say(
            "meter.devices.row",
            language,
            device=tame(device.device),
            site=tame(device.site),
            chip=tame(device.chip) or "-",
            host=tame(device.host) or "-",
            first=device.first or "-",
            last=device.last or "-",
        )
        for device in known
    ]
    document = {"devices": [_plain(device) for device in known]}
    text = "\n".join(lines) or say("meter.devices.none", language)
    deliver(Answer(document=document, text=text), as_json=as_json)


def gaps(
    context: typer.Context,
    *,
    start: Annotated[str, typer.Option("--from", help="A date or an instant.")],
    until: Annotated[str, typer.Option("--to", "--until", help="As --from; now if left out.")] = "",
    site: AnySite = "",
    store: StorePlace = "",
    as_json: AsJson = False,
) -> None:
    """Where devices were not measured: no reading for longer than three of their usual periods. Any ends with 3."""
    language = language_of(context)
    begin = parse_date_or_instant(start, path="--from")
    end = parse_date_or_instant(until, path="--to") if until else _now()
    if end <= begin:
        raise InvalidInput("ends before it begins", path="--to")
    found = list(open_place(context, store).find_gaps(begin, end, site))
    lines = [
        say(
            "meter.gaps.row",
            language,
            device=tame(gap.device),
            site=tame(gap.site),
            start=gap.start,
            end=gap.end,
            seconds=round(gap.end.since(gap.start)),
        )
        for gap in found[:_SHOWN]
    ]
    if len(found) > _SHOWN:
        lines.append(say("meter.gaps.more", language, count=len(found) - _SHOWN))
    document = {"gaps": [_plain(gap) for gap in found]}
    text = "\n".join(lines) or say("meter.gaps.none", language)
    deliver(Answer(document=document, text=text, exit_code=3 if found else 0), as_json=as_json)


def retain(
    context: typer.Context,
    *,
    before: Annotated[
        str, typer.Option("--before", help="Drop the raw rows of the days before this date.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    even_held: Annotated[
        bool, typer.Option("--even-held", help="Also what sums in the log rest on.")
    ] = False,
    undo: Annotated[str, typer.Option("--undo", help="Bring back what went under this name.")] = "",
    empty: Annotated[
        str, typer.Option("--empty", help="Take what went under this name for good.")
    ] = "",
    site: AnySite = "",
    store: StorePlace = "",
    as_json: AsJson = False,
) -> None:
    """Drop raw rows of old days into the trash and keep their minute sums; without a date, list the trash.

    What sums in the log rest on is kept, and the command then ends with 1.
    """
    if sum(map(bool, (before, undo, empty))) > 1:
        raise InvalidInput("go one at a time", path="--before, --undo, --empty")
    language, telemetry = language_of(context), open_place(context, store)
    if undo:
        answer = _undo(telemetry, undo, language)
    elif empty:
        count = telemetry.store.empty(empty, now=_now())
        text = say("meter.retain.emptied", language, count=count)
        answer = Answer(document={"emptied": empty, "files": count}, text=text)
    elif before:
        day = str(parse_date_or_instant(before, path="--before"))[:10]
        planned = telemetry.store.plan_drops(day, site)
        if dry_run:
            answer = _drop_answer(planned, "", language, is_dry=True, even_held=even_held)
        else:
            trash = telemetry.store.drop(planned, now=_now(), even_held=even_held)
            answer = _drop_answer(planned, trash, language, is_dry=False, even_held=even_held)
    else:
        trash_names = telemetry.store.trash()
        lines = [say("meter.retain.trash", language, trash=name) for name in trash_names]
        text = "\n".join(lines) or say("meter.retain.trash-empty", language)
        answer = Answer(document={"trash": list(trash_names)}, text=text)
    deliver(answer, as_json=as_json)


def check(context: typer.Context, *, store: StorePlace = "", as_json: AsJson = False) -> None:
    """Every file against what names it, by its SHA-256: what is missing, changed, or named by nothing."""
    language = language_of(context)
    telemetry = open_place(context, store)
    with bar(say("meter.check.bar", language)) as heard:
        found = telemetry.store.check(heard)
    lines = [
        say(
            "meter.check.done",
            language,
            verdict=say(f"audit.verdict.{found.verdict}", language),
            files=found.files,
            size=found.size,
            faults=len(found.faults),
            left=len(found.left),
        )
    ]
    for fault in found.faults:
        told = {"kind": fault.kind, "path": tame(fault.path), "why": tame(fault.why)}
        lines.append(say("meter.check.fault", language, **told))
    answer = Answer(
        document=_plain(found), text="\n".join(lines), exit_code=verdict_code(found.verdict)
    )
    deliver(answer, as_json=as_json)


def _day_lines(row: dict[str, Any], language: Language) -> Iterator[str]:
    told = {key: row[key] for key in ("site", "day", "rows", "rows_in", "late")}
    yield say("meter.compact.day", language, **told)
    if row["too_late"]:
        yield say("meter.compact.too-late", language, count=row["too_late"])


def _drop_answer(
    planned: Any, trash: str, language: Language, *, is_dry: bool, even_held: bool
) -> Answer:
    lines, is_kept = [], False
    for day in planned:
        told = {"site": day.site, "day": day.day}
        if day.held_by and not even_held:
            is_kept = True
            lines.append(say("meter.retain.held", language, count=len(day.held_by), **told))
        elif is_dry:
            size = {"rows": day.rows, "files": day.files, "size": day.size}
            lines.append(say("meter.retain.would", language, **told, **size))
        else:
            lines.append(say("meter.retain.gone", language, rows=day.rows, **told))
    if trash:
        lines.append(say("meter.retain.trash", language, trash=trash))
    document = {
        "dry_run": is_dry,
        "trash": trash,
        "days": [_plain(day) for day in planned if even_held or not day.held_by],
        "held": [_plain(day) for day in planned if day.held_by and not even_held],
    }
    text = "\n".join(lines) or say("meter.retain.none", language)
    return Answer(document=document, text=text, exit_code=1 if is_kept else 0)


def _undo(telemetry: ParquetTelemetry, trash: str, language: Language) -> Answer:
    back = telemetry.store.undo_drop(trash, now=_now())
    lines = [say("meter.retain.back", language, site=site, day=day) for site, day in back]
    document = {"undone": trash, "days": [{"site": site, "day": day} for site, day in back]}
    return Answer(document=document, text="\n".join(lines) or say("meter.retain.none", language))


def _plain(value: msgspec.Struct) -> Any:
    from sekisho.model.wire import to_plain

    return to_plain(value)


def _now() -> Instant:
    from sekisho.ceremony import SystemClock

    return SystemClock().now()
