"""`sekisho licence close`: a licence's books are closed, with the FLOP measured and the checkpoints named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.surroundings import HomeFolder, language_of, settings_of

if TYPE_CHECKING:
    from sekisho.app.licences import ClosingPlan

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add this part's command to the group."""
    app.command()(close)


def close(
    context: typer.Context,
    *,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="A licence's number.")],
    yes: Annotated[bool, typer.Option("--yes", help="State it; without it, it is shown.")] = False,
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """Close a licence's books in the home's log; shown first, stated with --yes.

    No lease may live under it. What was measured comes from the licensee's usage reports; without any it is *not
    measured*. The control plane of the home must not be running.
    """
    from sekisho.app import Home
    from sekisho.app.licences import close_home_licence, plan_home_closing

    language = language_of(context)
    place = Home(path=Path(home).expanduser() if home else settings_of(context).home)
    if not yes:
        plan = plan_home_closing(place, number)
        text = say(
            "licence.close.shown",
            language,
            number=number,
            usage=len(plan.usage),
            checkpoints=len(plan.checkpoints),
        )
        deliver(_answer(plan, text, language, stated=False), as_json=as_json)
    plan, admitted = close_home_licence(place, number, confirm=lambda _: None)
    text = say("licence.close.stated", language, number=number, index=admitted.index)
    placed = {"index": admitted.index, "leaf": admitted.leaf, "digest": admitted.digest}
    deliver(_answer(plan, text, language, stated=True, **placed), as_json=as_json)


def _answer(
    plan: ClosingPlan, head: str, language: Language, *, stated: bool, **placed: object
) -> Answer:
    lines = [
        say("licence.close.measured", language, name=name, value=value)
        for name, value in plan.measured.items()
    ]
    document = {
        "number": plan.number,
        "stated": stated,
        "measured": plan.measured,
        "usage": list(plan.usage),
        "checkpoints": list(plan.checkpoints),
        **placed,
    }
    return Answer(document=document, text="\n".join([head, *lines]))
