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
    *,
    standby: Annotated[
        bool, typer.Option("--standby", help="Wait until the one that serves this home is gone.")
    ] = False,
    take_over_after: Annotated[
        float | None,
        typer.Option(
            "--take-over-after",
            min=1.0,
            metavar="SECONDS",
            help="With --standby: end the other one's process when it has not answered for so long.",
        ),
    ] = None,
    push: Annotated[
        Path | None,
        typer.Option("--push", help="File of hosts' addresses, to which orders are sent as well."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve a home until Ctrl-C; a new home is founded with every key in this one hand, and says so."""
    from sekisho.app import Elsewhere, Home
    from sekisho.rehearsal.serving import Standby, serve_home, trust_home

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

    def waiting() -> None:
        _tell(say("up.waiting", settings.language, home=str(place.path)), as_json=as_json)

    code = serve_home(
        place,
        port=port,
        language=settings.language,
        on_ready=ready,
        once=once or settings.run_once,
        sites=not empty,
        standby=Standby(take_over_after_s=take_over_after, on_waiting=waiting) if standby else None,
        push=push,
    )
    raise typer.Exit(code)


def _tell(line: str, *, as_json: bool) -> None:
    stream = sys.stderr if as_json else sys.stdout
    stream.write(f"{line}\n")
    stream.flush()
