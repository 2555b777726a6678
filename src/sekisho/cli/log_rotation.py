"""`sekisho log rotate`: the log's own key changes, and nobody who reads the log is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.surroundings import language_of, settings_of

__all__ = ["rotate"]


def rotate(
    context: typer.Context,
    *,
    home: Annotated[
        Path | None, typer.Option("--home", help="The regime's home; SEKISHO_HOME if left out.")
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="Drop the old key, once the charter names the new.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Draw the log's next key; both sign until the charter names the new one and `--finish` drops the old."""
    from sekisho.app import Home, begin_log_rotation, finish_log_rotation

    opened = Home(path=(home or settings_of(context).home).expanduser().absolute())
    key = finish_log_rotation(opened) if finish else begin_log_rotation(opened)
    said = "log.rotate.finished" if finish else "log.rotate.begun"
    text = say(said, language_of(context), vkey=key.to_text(), home=opened.path)
    document = {"vkey": key.to_text(), "finished": finish}
    deliver(Answer(document=document, text=text), as_json=as_json)
