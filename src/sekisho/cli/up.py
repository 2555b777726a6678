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
_Home = Annotated[Path | None, typer.Option("--home", help="Folder of the regime.")]
_Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free port.")]
_Empty = Annotated[bool, typer.Option("--empty", help="No rehearsed sites: the regime alone.")]
_Once = Annotated[bool, typer.Option("--once", help="End once the first page has answered.")]
_Standby = Annotated[
    bool, typer.Option("--standby", help="Wait until the one that serves this home is gone.")
]
_TakeOverAfter = Annotated[
    float | None,
    typer.Option(
        "--take-over-after",
        min=1.0,
        metavar="SECONDS",
        help="With --standby: end the other one's process when it has not answered for so long.",
    ),
]
_Push = Annotated[
    Path | None,
    typer.Option("--push", help="File of hosts' addresses, to which orders are sent as well."),
]
_Witnesses = Annotated[
    Path | None,
    typer.Option(
        "--witnesses",
        help="File of the addresses of witnesses that somebody else runs; none is started then.",
    ),
]
_Shared = Annotated[
    bool,
    typer.Option(
        "--shared",
        help="For a standby with a home of its own: keep what the log conceals in the database, too.",
    ),
]


@app.command()
def up(
    context: typer.Context,
    home: _Home = None,
    port: _Port = DEFAULT_PORT,
    empty: _Empty = False,
    once: _Once = False,
    *,
    standby: _Standby = False,
    take_over_after: _TakeOverAfter = None,
    push: _Push = None,
    witnesses: _Witnesses = None,
    shared: _Shared = False,
    as_json: AsJson = False,
) -> None:
    """Serve a home until Ctrl-C; a new home is founded with every key in this one hand, and says so."""
    from sekisho.app import Elsewhere, Home, load_push_file
    from sekisho.rehearsal.serving import Standby, load_witness_file, serve_home, trust_home

    settings: Settings = context.obj
    if push is not None:
        load_push_file(push)  # before a new home is founded for nothing
    elsewhere = Elsewhere(database=settings.database, copy=settings.copy, shared=shared)
    place = Home.open(home or settings.home, elsewhere)
    voice = _Voice(settings, place.path, as_json=as_json)

    def ready(address: str) -> None:
        voice.tell_serving(address, is_trusted_now=trust_home(settings.trust_file, place))

    code = serve_home(
        place,
        port=port,
        language=settings.language,
        on_ready=ready,
        once=once or settings.run_once,
        sites=not empty,
        standby=Standby(take_over_after_s=take_over_after, on_waiting=voice.tell_waiting)
        if standby
        else None,
        push=push,
        witnesses=load_witness_file(witnesses) if witnesses is not None else None,
    )
    raise typer.Exit(code)


class _Voice:
    """What is told while a home is served: to people, or one JSON line to a program and the rest beside it."""

    def __init__(self, settings: Settings, home: Path, *, as_json: bool) -> None:
        self._settings = settings
        self._home = str(home)
        self._as_json = as_json

    def tell_serving(self, address: str, *, is_trusted_now: bool) -> None:
        language, trust = self._settings.language, str(self._settings.trust_file)
        if is_trusted_now:
            self._tell(say("up.trusted", language, file=trust))
        if self._as_json:
            write_json({"address": address, "home": self._home})
        else:
            self._tell(say("up.serving", language, address=address, home=self._home))

    def tell_waiting(self) -> None:
        self._tell(say("up.waiting", self._settings.language, home=self._home))

    def _tell(self, line: str) -> None:
        stream = sys.stderr if self._as_json else sys.stdout
        stream.write(f"{line}\n")
        stream.flush()
