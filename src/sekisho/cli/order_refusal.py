"""`sekisho order stragglers` and `refusal`: who is late under an order, and the next step against a host."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.choices import parse_choice
from sekisho.cli.drafting import DraftOut, deliver_draft
from sekisho.cli.durations import length_in_words, parse_length, when_in_words
from sekisho.cli.order_naming import find_order
from sekisho.cli.plain_text import tame
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)

if TYPE_CHECKING:
    from sekisho.ceremony import LateHost
    from sekisho.cli.words import View
    from sekisho.model.statements import RefusalStep

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add this part's commands to the group."""
    app.command()(stragglers)
    app.command()(refusal)


def stragglers(
    context: typer.Context,
    *,
    order: Annotated[
        str, typer.Option("--order", help="REGISTER/NUMBER; every order in force if left out.")
    ] = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Hosts that neither halted nor were believed to have halted in time: the next step against each, and when.

    Exit 1 where there are any.
    """
    from sekisho.ceremony import late_hosts, late_under

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    if order:
        known = find_order(state, order, path="--order")
        in_force = {each.digest for each in state.orders.in_force(view.now)}
        found = late_under(state, known, view.now) if known.digest in in_force else ()
    else:
        found = late_hosts(state, view.now)
    text = "\n".join(_late_text(row, view) for row in found)
    deliver(
        Answer(
            document=[_late_row(row, view) for row in found],
            text=text or say("order.late.none", view.language),
            exit_code=1 if found else 0,
        ),
        as_json=as_json,
    )


def refusal(
    context: typer.Context,
    *,
    host: Annotated[str, typer.Argument(metavar="HOST", help="The host that does not follow.")],
    order: Annotated[str, typer.Option("--order", help="REGISTER/NUMBER, as pause/JP/1.")],
    out: DraftOut,
    step: Annotated[
        str,
        typer.Option(
            "--step",
            help="notice, leases-ended, refusal, inspection or supply-measure; the next one if left out.",
        ),
    ] = "",
    reason: Annotated[
        list[str] | None, typer.Option("--reason", help="Why; it is public. Repeat.")
    ] = None,
    measure: Annotated[
        str, typer.Option("--measure", help="What an inspection or a supply measure is, in words.")
    ] = "",
    answer_within: Annotated[
        str,
        typer.Option(
            "--answer-within",
            help="How long the host has to answer; the charter's time and an hour if left out.",
        ),
    ] = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the next step of the ladder against a host that is late; the judges sign it."""
    from sekisho.ceremony import RefusalPlan, draft_refusal

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    known = find_order(state, order, path="--order")
    within = parse_length(answer_within, path="--answer-within") if answer_within else None
    plan = RefusalPlan(
        host=host,
        order=known.reference,
        step=_step(step),
        answer_within_s=within,
        reasons=tuple(reason or ()),
        measure=measure or None,
    )
    fact = draft_refusal(state, plan, now=view.now)
    deliver_draft(view, fact, Path(out), as_json=as_json)


def _step(word: str) -> RefusalStep | None:
    from sekisho.model.statements import RefusalStep

    steps: tuple[RefusalStep, ...] = get_args(RefusalStep)
    return parse_choice(word, steps, path="--step", noun="step") if word else None


def _late_row(row: LateHost, view: View) -> dict[str, object]:
    late, order = row.late, row.late.order
    return {
        "host": late.host,
        "site": row.site,
        "organisation": row.organisation,
        "devices": row.devices,
        "register": order.register,
        "number": order.number,
        "due": str(late.due),
        "late_s": round(late.late_s(view.now)),
        "why": late.why,
        "stage": late.stage,
        "steps": [
            {
                "step": made.fact.step,
                "at": str(made.at),
                "answer_by": str(made.fact.answer_by),
                "digest": made.digest,
            }
            for made in row.steps
        ],
        "next": list(row.upcoming.steps),
        "next_from": str(row.upcoming.from_) if row.upcoming.steps else None,
        "next_due_by": str(row.upcoming.overdue) if row.upcoming.steps else None,
        "is_due": row.is_due(view.now),
        "is_overdue": row.is_overdue(view.now),
    }


def _late_text(row: LateHost, view: View) -> str:
    language, late = view.language, row.late
    lines = [
        say(
            "order.late",
            language,
            host=tame(late.host),
            site=tame(row.site),
            order=f"{late.order.register}/{late.order.number}",
            length=length_in_words(late.late_s(view.now), language),
            why=say(f"order.late.why.{late.why}", language),
        )
    ]
    lines += [
        say(
            "order.late.made",
            language,
            step=say(f"order.step.{made.fact.step}", language),
            at=made.at,
            answer_by=when_in_words(made.fact.answer_by, view.now, language),
        )
        for made in row.steps
    ]
    lines.append(_next_text(row, view))
    return "\n".join(lines)


def _next_text(row: LateHost, view: View) -> str:
    language, upcoming = view.language, row.upcoming
    if not upcoming.steps:
        return say("order.late.end", language)
    key = "overdue" if row.is_overdue(view.now) else "due" if row.is_due(view.now) else "wait"
    return say(
        f"order.late.next.{key}",
        language,
        steps=" / ".join(say(f"order.step.{step}", language) for step in upcoming.steps),
        at=when_in_words(upcoming.from_, view.now, language),
        by=when_in_words(upcoming.overdue, view.now, language),
    )
