"""`sekisho observe`: what this machine shows an observer, before one is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def observe() -> None:
    """Look at what an observer of halts would see here."""


@app.command()
def check(
    context: typer.Context,
    *,
    home: Annotated[
        Path, typer.Option("--home", help="The observer's folder; observer.json in it is read.")
    ],
    as_json: AsJson = False,
) -> None:
    """Try every means once, and say what can be seen on this machine; nothing is stated to anybody."""
    import os

    from sekisho.model.wire import to_plain
    from sekisho.observer.main import look_around

    if not home.is_dir():
        raise InvalidInput("is no folder", path=str(home), remedy="name the observer's folder")
    language = language_of(context)
    found = look_around(home)
    width = max(len(one.means) for one in found)
    lines = [
        f"{one.means:<{width}}  {say(f'audit.verdict.{one.verdict}', language):<12}  {one.detail}"
        for one in found
    ]
    lines.append(say("observe.user", language, uid=os.geteuid()))
    deliver(
        Answer(
            document=[to_plain(one) for one in found],
            text="\n".join(lines),
            exit_code=worst_code(verdict_code(one.verdict) for one in found),
        ),
        as_json=as_json,
    )
