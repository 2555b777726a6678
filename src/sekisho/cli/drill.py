"""`sekisho drill`: the whole loop on a real local canary workload, narrated."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.up import up
from sekisho.settings import Settings

__all__ = ["app"]

app = typer.Typer()


@app.command()
def drill(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option("--home", help="Folder for the rehearsed regime; new or empty.")
    ] = None,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Serve the drilled home afterwards, as `sekisho up` does."),
    ] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="With --serve.")] = 8480,
    as_json: AsJson = False,
) -> None:
    """License, meter, pause, prove, resume, black out, audit: on this machine, with every key in one hand."""
    from sekisho.app import Home
    from sekisho.model.errors import StateConflict
    from sekisho.model.wire import to_plain
    from sekisho.rehearsal.script import play
    from sekisho.rehearsal.serving import trust_home

    settings: Settings = context.obj
    place = Home.open(home or _fresh_home(settings.home))
    if place.is_founded:
        raise StateConflict(
            f"{place.path} holds a regime already", remedy="name a new folder with --home"
        )
    narrator = _Narrator(settings.language, quiet=as_json)
    result = play(place, narrator)
    if any(step.name == "found" and step.ok for step in result.steps):
        trust_home(settings.trust_file, place)
    answer = Answer(
        document=to_plain(result),
        text=narrator.closing(result.verdict, result.bundle, place.path),
        exit_code=0 if result.verdict == "holds" else 1,
    )
    if serve and result.verdict == "holds":
        narrator.say(answer.text)
        context.invoke(up, context=context, home=place.path, port=port, empty=False, once=False)
    deliver(answer, as_json=as_json)


def _fresh_home(home: Path) -> Path:
    """The user's home folder where it is new; a dated one beside it where a drill was played before."""
    if not (home / "trust.json").exists():
        return home
    return home.with_name(f"{home.name}-drill-{time.strftime('%Y%m%dT%H%M%S')}")


class _Narrator:
    """Tells the drill to a person with rich, or keeps silent for --json (progress then goes nowhere)."""

    def __init__(self, language: Language, *, quiet: bool) -> None:
        from rich.console import Console

        self._language = language
        self._console = Console(quiet=quiet, highlight=False, soft_wrap=True)
        self._status = self._console.status("")

    def begin(self, name: str, number: int, count: int) -> None:
        title = say(f"drill.{name}", self._language)
        self._console.print(f"[bold]{number}/{count} {title}[/bold]")
        self._status = self._console.status(title)
        self._status.start()

    def say(self, line: str) -> None:
        self._console.print(f"    {line}", markup=False)

    def end(self, result: object) -> None:
        self._status.stop()
        ok, seconds = getattr(result, "ok", False), getattr(result, "seconds", 0.0)
        if ok:
            self._console.print(f"    [green]✔[/green] {seconds:.1f} s")
        else:
            self._console.print(
                f"    ✘ {getattr(result, 'problem', '')}", style="red", markup=False
            )

    def closing(self, verdict: str, bundle: str | None, home: Path) -> str:
        key = "drill.holds" if verdict == "holds" else "drill.fails"
        return say(key, self._language, bundle=bundle or "-", home=str(home))
