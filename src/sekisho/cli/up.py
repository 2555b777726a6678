"""`sekisho up`: API, console, log files and witnesses in one process tree, over a home folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import AsJson, write_json
from sekisho.settings import Settings

__all__ = ["app"]

app = typer.Typer()
DEFAULT_PORT = 8480


@app.command()
def up(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option("--home", help="Folder of the regime.")] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0: any free port.")
    ] = DEFAULT_PORT,
    empty: Annotated[
        bool, typer.Option("--empty", help="No rehearsed sites: the regime alone.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="End once the first page has answered.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve a home until Ctrl-C; a new home is founded with every key in this one hand, and says so."""
    from sekisho.app import Elsewhere, Home
    from sekisho.rehearsal.serving import serve_home, trust_home

    settings: Settings = context.obj
    elsewhere = Elsewhere(database=settings.database, copy=settings.copy)
    place = Home.open(home or settings.home, elsewhere)

    def ready(address: str) -> None:
        if trust_home(settings.trust_file, place):
            _tell(
                say("up.trusted", settings.language, file=str(settings.trust_file)), as_json=as_json
            )
        if as_json:
            write_json({"address": address, "home": str(place.path)})
        else:
            _tell(
                say("up.serving", settings.language, address=address, home=str(place.path)),
                as_json=False,
            )

    code = serve_home(
        place,
        port=port,
        language=settings.language,
        on_ready=ready,
        once=once or settings.run_once,
        sites=not empty,
    )
    raise typer.Exit(code)


def _tell(line: str, *, as_json: bool) -> None:
    stream = sys.stderr if as_json else sys.stdout
    stream.write(f"{line}\n")
    stream.flush()
