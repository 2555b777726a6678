"""`sekisho registry export`: an evidence bundle for an auditor, with every event of the register in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.progress import bar
from sekisho.cli.registry_door import HomeOfRegister, home_of
from sekisho.cli.surroundings import language_of

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.command()(export)


def export(
    context: typer.Context,
    *,
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    home: HomeOfRegister = "",
    as_json: AsJson = False,
) -> None:
    """Write an evidence bundle for `sekisho audit`: it discloses every event, document and holder of the register.

    Beside a running server or without one, as of the newest witnessed checkpoint; OUT.tar carries the same.
    """
    from sekisho.app import export_home_bundle

    language = language_of(context)
    with bar(say("registry.export.bar", language)) as heard:
        made = export_home_bundle(home_of(context, home), folder, heard)
    document = {
        "bundle": str(folder),
        "tar": f"{folder}.tar",
        "size": made.size,
        "events": made.events,
        "captured": made.captured,
    }
    lines = [say("registry.export.done", language, **document)]
    if made.events < made.captured:
        lines.append(say("registry.export.behind", language, count=made.captured - made.events))
    deliver(Answer(document=document, text="\n".join(lines)), as_json=as_json)
