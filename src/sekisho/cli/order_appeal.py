"""`sekisho order appeal`: file an appeal against an order, decide it, and see how each stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.choices import parse_choice
from sekisho.cli.drafting import DraftOut, deliver_draft
from sekisho.cli.durations import parse_length, when_in_words
from sekisho.cli.licence_flags import parse_name
from sekisho.cli.order_naming import find_order
from sekisho.cli.plain_text import quote, tame
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)

if TYPE_CHECKING:
    from sekisho.ceremony import State
    from sekisho.cli.words import View
    from sekisho.orders.appeals import Appeal

__all__ = ["add_to"]

_appeals = typer.Typer(
    help="Appeal against an order: file, decide, list. An appeal lifts nothing by itself.",
    no_args_is_help=True,
)
_Name = Annotated[str, typer.Argument(metavar="APPEAL", help="The appeal's name.")]
_MAX_GROUNDS = 64 * 1024 * 1024


def add_to(app: typer.Typer) -> None:
    """Add this part's commands to the group."""
    app.add_typer(_appeals, name="appeal")


@_appeals.command("file")
def file_appeal(
    context: typer.Context,
    *,
    appeal: _Name,
    order: Annotated[str, typer.Option("--order", help="REGISTER/NUMBER, as pause/JP/1.")],
    party: Annotated[str, typer.Option("--party", help="The party that appeals, as enrolled.")],
    asks: Annotated[str, typer.Option("--asks", help="What is asked; it is public.")],
    out: DraftOut,
    grounds: Annotated[
        str, typer.Option("--grounds", help="A file with the grounds; only its digest is public.")
    ] = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft an appeal against an order; the party that it touches signs it, and nothing is lifted by it."""
    from sekisho.ceremony import AppealPlan, draft_appeal
    from sekisho.model.wire import sha256_hex

    parse_name(appeal, path="APPEAL")
    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    plan = AppealPlan(
        appeal=appeal,
        order=find_order(state, order, path="--order").reference,
        party=parse_name(party, path="--party"),
        asks=asks,
        grounds=sha256_hex(read_input(grounds, limit=_MAX_GROUNDS)) if grounds else None,
    )
    deliver_draft(view, draft_appeal(state, plan, now=view.now), Path(out), as_json=as_json)


@_appeals.command("decide")
def decide_appeal(
    context: typer.Context,
    *,
    appeal: _Name,
    outcome: Annotated[
        str, typer.Option("--outcome", help="upheld, upheld-in-part, dismissed or withdrawn.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is public.")],
    out: DraftOut,
    resume_within: Annotated[
        str,
        typer.Option("--resume-within", help="Where upheld: how soon a resume is due, as 48h."),
    ] = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the decision of an appeal; the adjudicators sign it. Upheld says by when a resume is due."""
    from sekisho.ceremony import DecisionPlan, draft_decision
    from sekisho.model.statements import AppealOutcome

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    plan = DecisionPlan(
        appeal=appeal,
        outcome=parse_choice(outcome, get_args(AppealOutcome), path="--outcome", noun="outcome"),
        reasons=reason,
        resume_within_s=parse_length(resume_within, path="--resume-within")
        if resume_within
        else None,
    )
    deliver_draft(view, draft_decision(state, plan, now=view.now), Path(out), as_json=as_json)


@_appeals.command("list")
def list_appeals(
    context: typer.Context,
    *,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Every appeal: against what, by whom, how it stands, and by when a resume is due. Exit 1 where one is overdue."""
    from sekisho.ceremony import appeal_standing

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    found = list(state.appeals.appeals.values())
    standings = [appeal_standing(state, each, view.now) for each in found]
    rows = [_row(each, standing) for each, standing in zip(found, standings, strict=True)]
    text = "\n".join(_line(state, each, view) for each in found)
    deliver(
        Answer(
            document=rows,
            text=text or say("order.appeals.none", view.language),
            exit_code=1 if "resume-overdue" in standings else 0,
        ),
        as_json=as_json,
    )


def _row(appeal: Appeal, standing: str) -> dict[str, object]:
    filed, decided = appeal.filed, appeal.decided
    return {
        "appeal": filed.appeal,
        "register": filed.order.register,
        "number": filed.order.number,
        "party": filed.party,
        "asks": filed.asks,
        "filed": str(filed.effective),
        "leaf": appeal.leaf,
        "standing": standing,
        "outcome": decided.outcome if decided else None,
        "reasons": decided.reasons if decided else None,
        "resume_by": str(decided.resume_by) if decided and decided.resume_by else None,
    }


def _line(state: State, appeal: Appeal, view: View) -> str:
    from sekisho.ceremony import appeal_standing

    language, filed, decided = view.language, appeal.filed, appeal.decided
    standing = appeal_standing(state, appeal, view.now)
    lines = [
        say(
            "order.appeal",
            language,
            name=tame(filed.appeal),
            order=f"{filed.order.register}/{filed.order.number}",
            party=tame(filed.party),
            standing=say(f"show.appeal.is.{standing}", language),
        ),
        f"      {quote(filed.asks)}",
    ]
    if decided is not None and decided.resume_by is not None:
        by = when_in_words(decided.resume_by, view.now, language)
        lines.append(say("order.appeal.resume-by", language, by=by))
    return "\n".join(lines)
