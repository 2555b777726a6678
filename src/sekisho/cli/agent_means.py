"""`sekisho agent means`: which stop and which evidence exist for whom, by the way accelerators are rented."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.surroundings import language_of

if TYPE_CHECKING:
    from sekisho.agent.renting import Means

__all__ = ["add_to", "markdown_table"]

COLUMNS = ("way", "actor", "stops", "counter", "measured", "tried", "why")


def add_to(app: typer.Typer) -> None:
    """Put the command under `sekisho agent`."""
    app.command("means")(means)


def means(
    context: typer.Context,
    *,
    home: Annotated[
        list[Path] | None,
        typer.Option(
            help="An agent's home, to say which charters its host stands under; again for each further charter."
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a table for a page.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print who can stop what, by which means, and on which evidence: "none" included."""
    from sekisho.agent.renting import MEANS

    language = language_of(context)
    text = markdown_table(language) if markdown else _paragraphs(language)
    rows = [{**msgspec.to_builtins(row), "why": say(row.why, language)} for row in MEANS]
    if not home:
        deliver(Answer(document=rows, text=text), as_json=as_json)
    charters = _charters(home)
    names = ", ".join(row["name"] for row in charters)
    told = say("means.charters", language, count=len(charters), names=names)
    document = {"means": rows, "charters": charters}
    deliver(Answer(document=document, text=f"{text}\n\n{told}"), as_json=as_json)


def _charters(homes: list[Path]) -> list[dict[str, str]]:
    """The charters of a host by its agent's homes, the first first."""
    from sekisho.agent.charter_homes import load_homes

    return [
        {
            "name": charter.name,
            "charter": charter.root.charter,
            "home": str(charter.home),
            "host": charter.settings.host,
            "run": charter.settings.run,
        }
        for charter in load_homes(homes)
    ]


def markdown_table(language: Language) -> str:
    """The whole table as Markdown, one row a line."""
    from sekisho.agent.renting import MEANS

    heads = [say(f"means.head.{name}", language) for name in COLUMNS]
    lines = [heads, ["---"] * len(heads), *(_cells(row, language) for row in MEANS)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _paragraphs(language: Language) -> str:
    """For a terminal: one block a way, one entry a party, since seven columns fit no terminal."""
    from sekisho.agent.renting import MEANS

    heads = {name: say(f"means.head.{name}", language) for name in COLUMNS}
    lines: list[str] = []
    way = ""
    for row in MEANS:
        cells = dict(zip(COLUMNS, _cells(row, language), strict=True))
        if row.way != way:
            lines += ["", cells["way"]] if way else [cells["way"]]
            way = row.way
        lines.append(f"  {cells['actor']}: {cells['stops']}")
        facts = ("counter", "measured", "tried")
        lines.append("    " + "; ".join(f"{heads[name]}: {cells[name]}" for name in facts))
        lines.append(f"    {cells['why']}")
    return "\n".join(lines)


def _cells(row: Means, language: Language) -> list[str]:
    none = say("means.none", language)
    return [
        say(f"means.way.{row.way}", language),
        say(f"means.actor.{row.actor}", language),
        ", ".join(say(f"means.stop.{stop}", language) for stop in row.stops) or none,
        row.counter or none,
        row.measured or none,
        say(f"means.tried.{row.tried}", language),
        say(row.why, language),
    ]
