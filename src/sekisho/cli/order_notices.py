"""`sekisho order notify-test`: tell every place of a home's notify.json a test, before it is needed."""

from __future__ import annotations

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.plain_text import tame
from sekisho.cli.surroundings import HomeFolder, home_in, language_of

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add this part's command to the group."""
    app.command("notify-test")(notify_test)


def notify_test(context: typer.Context, *, home: HomeFolder = "", as_json: AsJson = False) -> None:
    """Tell every place of a home's notify.json a test. Exit 4 where one does not answer, 3 where none is named."""
    from sekisho.app.notices import tell_test

    language = language_of(context)
    told = tell_test(home_in(context, home).path)
    lines = [
        say("order.notice.failed", language, place=name, why=tame(problem))
        if problem
        else say("order.notice.told", language, place=name)
        for name, problem in told.items()
    ]
    code = 3 if not told else 4 if any(told.values()) else 0
    text = "\n".join(lines) or say("order.notice.none", language)
    deliver(Answer(document=told, text=text, exit_code=code), as_json=as_json)
