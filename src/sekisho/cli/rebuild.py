"""`sekisho rebuild`: make a home's tables again from its log and private store, or compare them with these."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.surroundings import HomeFolder, language_of, settings_of

if TYPE_CHECKING:
    from sekisho.app import Check, Mismatch, Rebuilt
    from sekisho.ports.projection_store import Row

__all__ = ["rebuild"]


def rebuild(
    context: typer.Context,
    *,
    home: HomeFolder = "",
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing: compare what is there with what is due."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a home's projections again from its log and private store alone; with --check only compare them."""
    from sekisho.app import Home, check_home_projections, rebuild_projections

    language = language_of(context)
    place = Home(path=Path(home).expanduser() if home else settings_of(context).home)
    with bar(say("rebuild.bar", language)) as heard:
        if check:
            answer = _checked(check_home_projections(place, heard), language)
        else:
            answer = _rebuilt(rebuild_projections(place, heard), language)
    deliver(answer, as_json=as_json)


def _rebuilt(made: Rebuilt, language: Language) -> Answer:
    document = {"size": made.size, "tables": made.tables, "unverifiable": made.hidden}
    lines = [say("rebuild.done", language, size=made.size), *_tables(made.tables)]
    return Answer(document=document, text="\n".join(lines + _hidden(made.hidden, language)))


def _checked(found: Check, language: Language) -> Answer:
    first = found.first
    document = {
        "verdict": found.verdict,
        "why": found.why,
        "size": found.size,
        "behind": found.behind,
        "tables": found.tables,
        "unverifiable": found.hidden,
        "differences": found.differences,
        "first": None if first is None else _document(first),
    }
    verdict = "nothing" if found.verdict == "unverifiable" else found.verdict
    lines = [say(f"rebuild.{verdict}", language, size=found.size, count=found.differences)]
    if found.why:
        lines.append(f"  {found.why}")
    if first is not None:
        lines.append(say("rebuild.first", language, table=tame(first.table), row=tame(first.key)))
        for name, row in (("kept", first.kept), ("made", first.made)):
            shown = say("rebuild.none", language) if row is None else _text_of(row)
            lines.append(f"  {say(f'rebuild.{name}', language)}: {shown}")
    lines += _tables(found.tables)
    if found.behind:
        lines.append(say("rebuild.behind", language, count=found.behind))
    return Answer(
        document=document,
        text="\n".join(lines + _hidden(found.hidden, language)),
        exit_code=verdict_code(found.verdict),
    )


def _tables(tables: dict[str, int]) -> list[str]:
    return [f"  {name}: {count}" for name, count in sorted(tables.items())]


def _hidden(count: int, language: Language) -> list[str]:
    return [say("rebuild.unverifiable", language, count=count)] if count else []


def _text_of(row: Row) -> str:
    """A row as a person may look at it, whatever somebody wrote into it."""
    return tame(f"#{row.index} {row.document.decode('utf-8', 'backslashreplace')}")


def _document(first: Mismatch) -> dict[str, object]:
    shown = {
        name: None
        if row is None
        else {"entry": row.index, "document": row.document.decode("utf-8", "backslashreplace")}
        for name, row in (("kept", first.kept), ("made", first.made))
    }
    return {"table": first.table, "key": first.key, **shown}
