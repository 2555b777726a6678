"""`sekisho tables`: make a home's tables again from its log and private store, or compare them with these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.surroundings import HomeFolder, home_in, language_of

if TYPE_CHECKING:
    from sekisho.app import Check, Mismatch, Rebuilt
    from sekisho.ports.projection_store import Row

__all__ = ["app"]

app = typer.Typer(help="Make a home's tables again, or check them.", no_args_is_help=True)


@app.command()
def rebuild(context: typer.Context, *, home: HomeFolder = "", as_json: AsJson = False) -> None:
    """Make all tables again from the log and the private store alone, and put them in place at once."""
    from sekisho.app import rebuild_projections

    language = language_of(context)
    with bar(say("tables.bar", language)) as heard:
        made = rebuild_projections(home_in(context, home), heard)
    deliver(_rebuilt(made, language), as_json=as_json)


@app.command()
def check(context: typer.Context, *, home: HomeFolder = "", as_json: AsJson = False) -> None:
    """Compare the tables, byte for byte, with what the log and the private store give; nothing is changed."""
    from sekisho.app import check_home_projections

    language = language_of(context)
    with bar(say("tables.bar", language)) as heard:
        found = check_home_projections(home_in(context, home), heard)
    deliver(_checked(found, language), as_json=as_json)


def _rebuilt(made: Rebuilt, language: Language) -> Answer:
    document = {"size": made.size, "tables": made.tables, "unverifiable": made.hidden}
    lines = [say("tables.done", language, size=made.size), *_tables(made.tables)]
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
    lines = [say(f"tables.{verdict}", language, size=found.size, count=found.differences)]
    if found.why:
        lines.append(f"  {found.why}")
    if first is not None:
        lines.append(say("tables.first", language, table=tame(first.table), row=tame(first.key)))
        for name, row in (("kept", first.kept), ("made", first.made)):
            shown = say("tables.none", language) if row is None else _text_of(row)
            lines.append(f"  {say(f'tables.{name}', language)}: {shown}")
    lines += _tables(found.tables)
    if found.behind:
        lines.append(say("tables.behind", language, count=found.behind))
    return Answer(
        document=document,
        text="\n".join(lines + _hidden(found.hidden, language)),
        exit_code=verdict_code(found.verdict),
    )


def _tables(tables: dict[str, int]) -> list[str]:
    return [f"  {name}: {count}" for name, count in sorted(tables.items())]


def _hidden(count: int, language: Language) -> list[str]:
    return [say("tables.unverifiable", language, count=count)] if count else []


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
