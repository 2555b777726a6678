"""`sekisho registry validate` and `hash`: EPCIS 2.0 documents read, checked and hashed; nothing is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.plain_text import tame
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import language_of

if TYPE_CHECKING:
    from sekisho.registry.epcis import Document

__all__ = ["add_to"]

_DocumentFile = Annotated[
    str,
    typer.Argument(metavar="F", help="An EPCIS 2.0 JSON-LD document, event or list; - for input."),
]


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.command()(validate)
    app.command("hash")(hash_events)


def validate(context: typer.Context, *, file: _DocumentFile, as_json: AsJson = False) -> None:
    """Is this EPCIS 2.0 document sound? Every problem with its place; one bad event hides no other."""
    found = _read(file)
    verdict = "fails" if found.problems else "holds"
    document = {"verdict": verdict, "events": found.total, "problems": found.problems}
    deliver(
        Answer(
            document=document,
            text=_text(found, verdict, language_of(context)),
            exit_code=verdict_code(verdict),
        ),
        as_json=as_json,
    )


def hash_events(context: typer.Context, *, file: _DocumentFile, as_json: AsJson = False) -> None:
    """The event hash id (CBV 2.0) of each event, in order; none for an event that is not sound."""
    from sekisho.registry.epcis import hash_id

    found = _read(file)
    ids: list[str | None] = [None] * found.total
    for position, event in zip(found.positions, found.events, strict=True):
        ids[position] = hash_id(event)
    document: dict[str, object] = {"ids": ids}
    none = say("registry.hash.none", language_of(context))
    lines = [one or none for one in ids] or [_text(found, "holds", language_of(context))]
    if found.problems:
        document["problems"] = found.problems
        lines.append(_text(found, "fails", language_of(context)))
    code = verdict_code("fails" if found.problems else "holds")
    deliver(Answer(document=document, text="\n".join(lines), exit_code=code), as_json=as_json)


def _read(file: str) -> Document:
    from sekisho.model.wire import MAX_DOCUMENT
    from sekisho.registry.epcis import parse_document

    return parse_document(read_input(file, limit=MAX_DOCUMENT), path=file)


def _text(found: Document, verdict: str, language: Language) -> str:
    """The verdict, then a line for each problem: its place, padded to a column, and what to mend."""
    lines = [
        say(
            f"registry.validate.{verdict}",
            language,
            events=found.total,
            problems=len(found.problems),
        )
    ]
    whole = say("registry.validate.whole", language)
    places = [tame(one.path) or whole for one in found.problems]
    width = min(48, max(map(len, places), default=0))
    lines += [
        f"  {place:{width}}  {tame(one.problem)}"
        for place, one in zip(places, found.problems, strict=True)
    ]
    return "\n".join(lines)
