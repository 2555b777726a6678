"""`sekisho licence burn-down`: how a budget was used over time, its marks, and when it will be spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.durations import length_in_words
from sekisho.cli.surroundings import (
    DisclosuresFile,
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.model.amounts import format_flop, format_flop_short

if TYPE_CHECKING:
    from sekisho.cli.words import View
    from sekisho.licensing import BurnDown, Forecast
    from sekisho.model.instants import Instant

__all__ = ["add_to", "burn_down_row"]

UNSURE = 3


def add_to(app: typer.Typer) -> None:
    """Add this part's command to the group."""
    app.command("burn-down")(burn_down)


def burn_down(
    context: typer.Context,
    *,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="A licence's number.")],
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    disclosures: DisclosuresFile = "",
    as_json: AsJson = False,
) -> None:
    """A licence's accounts over time, marks at 80, 95 and 100 % of what is spent, and a forecast as an interval.

    Exit 3 where an amount is undisclosed: what is left is unknown then.
    """
    from sekisho.ceremony import find_licence
    from sekisho.licensing import burn_down as burn

    view = look(
        context,
        Sources(home=home, log=log, policy=policy, disclosures=disclosures, books=True),
    )
    state = require_state(view, as_json=as_json)
    found = burn(find_licence(state, number), view.now)
    text = "\n".join(_text(each, view) for each in found)
    code = UNSURE if any(each.undisclosed for each in found) else 0
    rows = [burn_down_row(each) for each in found]
    deliver(Answer(document=rows, text=text, exit_code=code), as_json=as_json)


def burn_down_row(found: BurnDown) -> dict[str, object]:
    """A burn-down as data; amounts as decimal strings. Where amounts are undisclosed, `known` is false."""
    known = not found.undisclosed
    return {
        "number": found.number,
        "share": found.share,
        "budget_flop": format_flop(found.budget_flop),
        "spent_percent": found.spent_percent,
        "known": known,
        "undisclosed": found.undisclosed,
        "points": [
            {
                "at": str(point.at),
                "budget_flop": format_flop(point.budget_flop),
                "available_flop": format_flop(point.available_flop),
                "leased_flop": format_flop(point.leased_flop),
                "consumed_flop": format_flop(point.consumed_flop),
                "forfeited_flop": format_flop(point.forfeited_flop),
            }
            for point in found.points
        ],
        "marks": [_mark_row(mark.percent, mark.crossed, known=known) for mark in found.marks],
        "forecast": _forecast_row(found.forecast),
    }


def _mark_row(percent: int, crossed: Instant | None, *, known: bool) -> dict[str, object]:
    """What was spent at least is known: a mark that it crosses is crossed, of any other nothing can be said."""
    if crossed is None and not known:
        return {"percent": percent, "state": "unknown"}
    state = "not crossed" if crossed is None else "crossed"
    return {"percent": percent, "state": state, "crossed": str(crossed) if crossed else None}


def _forecast_row(forecast: Forecast) -> dict[str, object]:
    observed = forecast.basis == "observed"
    return {
        "basis": forecast.basis,
        "earliest": str(forecast.earliest) if forecast.earliest else None,
        "latest": str(forecast.latest) if forecast.latest else None,
        "parts": forecast.parts if observed else None,
        "part_s": forecast.part_s if observed else None,
        "low_flop_per_s": format_flop(forecast.low_flop_per_s) if observed else None,
        "high_flop_per_s": format_flop(forecast.high_flop_per_s) if observed else None,
    }


def _text(found: BurnDown, view: View) -> str:
    language = view.language
    number = found.number
    if found.share is not None:
        number = say("licence.burn.share", language, number=number, share=found.share)
    if found.undisclosed or not found.points:
        return say("licence.burn.unknown", language, number=number, count=found.undisclosed)
    last = found.points[-1]
    lines = [
        say(
            "licence.burn.head",
            language,
            number=number,
            budget=format_flop_short(found.budget_flop),
            spent=format_flop_short(last.spent_flop),
            percent="-" if found.spent_percent is None else f"{found.spent_percent} %",
            leased=format_flop_short(last.leased_flop),
            available=format_flop_short(last.available_flop),
        )
    ]
    for mark in found.marks:
        if mark.crossed is None:
            lines.append(say("licence.burn.no_mark", language, percent=mark.percent))
        else:
            lines.append(say("licence.burn.mark", language, percent=mark.percent, at=mark.crossed))
    return "\n".join([*lines, _forecast_text(found.forecast, view)])


def _forecast_text(forecast: Forecast, view: View) -> str:
    language = view.language
    if forecast.basis != "observed":
        return say(f"licence.burn.{forecast.basis}", language)
    never = say("licence.burn.never", language)
    return say(
        "licence.burn.observed",
        language,
        earliest=forecast.earliest or never,
        latest=forecast.latest or never,
        parts=forecast.parts,
        length=length_in_words(forecast.part_s, language),
        high=format_flop_short(forecast.high_flop_per_s),
        low=format_flop_short(forecast.low_flop_per_s),
    )
