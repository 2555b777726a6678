"""`sekisho order holds`: what each constituency may not hold again, until when, and its chip-hours of this quarter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)

if TYPE_CHECKING:
    from sekisho.catalogue import Language
    from sekisho.cli.words import View
    from sekisho.orders.holding import BudgetRow, HoldWindow

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Give the group of orders its command `holds`."""

    @app.command("holds")
    def holds(
        context: typer.Context,
        *,
        home: HomeFolder = "",
        log: LogPlace = "",
        policy: PolicyFile = "",
        as_json: AsJson = False,
    ) -> None:
        """What each constituency may not hold again, until when, and its budget of chip-hours."""
        from sekisho.ceremony import standing_of_holds

        view = look(context, Sources(home=home, log=log, policy=policy))
        state = require_state(view, as_json=as_json)
        standing = standing_of_holds(state, view.now)
        lines = [_window_text(row, view) for row in standing.windows]
        lines = lines or [say("order.holds.free", view.language)]
        lines += [_budget_text(row, view.language) for row in standing.budgets]
        document = {
            "windows": [_window_row(row) for row in standing.windows],
            "budgets": [_budget_row(row) for row in standing.budgets],
        }
        deliver(Answer(document=document, text="\n".join(lines)), as_json=as_json)


def _window_text(row: HoldWindow, view: View) -> str:
    from sekisho.cli.durations import when_in_words
    from sekisho.cli.words.order import scope_in_words
    from sekisho.cli.words.page import Page

    hold = row.hold
    return say(
        "order.holds.window",
        view.language,
        constituency=row.constituency,
        until=when_in_words(row.until, view.now, view.language),
        register=hold.reference.register,
        number=hold.reference.number,
        scope=scope_in_words(Page(view), hold.order),
        end=hold.end,
    )


def _budget_text(row: BudgetRow, language: Language) -> str:
    key = "order.holds.unbounded" if row.limit is None else "order.holds.budget"
    return say(
        key,
        language,
        constituency=row.constituency,
        used=row.used,
        limit=row.limit,
        left=row.left,
        since=row.quarter.start,
        until=row.quarter.end,
    )


def _window_row(row: HoldWindow) -> dict[str, object]:
    return {
        "constituency": row.constituency,
        "until": str(row.until),
        "register": row.hold.reference.register,
        "number": row.hold.reference.number,
        "digest": row.hold.reference.digest,
        "end": str(row.hold.end),
        "by_pause": row.hold.by_pause,
    }


def _budget_row(row: BudgetRow) -> dict[str, object]:
    return {
        "constituency": row.constituency,
        "since": str(row.quarter.start),
        "until": str(row.quarter.end),
        "chip_hours": row.used,
        "limit": row.limit,
        "left": row.left,
    }
