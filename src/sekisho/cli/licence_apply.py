"""`sekisho licence apply`, `approve`, `refuse` and `applications`: what comes before a licence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.countersign import Phrase
from sekisho.cli.drafting import (
    Dated,
    DraftOut,
    Making,
    MaybeControl,
    OwnPublic,
    SignedOut,
    deliver_draft,
    deliver_own_word,
)
from sekisho.cli.durations import parse_length
from sekisho.cli.licence_flags import parse_evidence, parse_mode, parse_name
from sekisho.cli.own_key import KeyPlace, PassphraseFile
from sekisho.cli.plain_text import tame
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.model.amounts import format_flop_short, parse_flop, parse_quantity

if TYPE_CHECKING:
    from sekisho.ceremony import State
    from sekisho.cli.words import View
    from sekisho.licensing import ApplicationState

__all__ = ["add_to"]

_Application = Annotated[
    str, typer.Argument(metavar="APPLICATION", help="The name of an application in the log.")
]
_Lasts = Annotated[
    str,
    typer.Option("--lasts", help="How long from now: 14d; 24h, or to the amended licence's end."),
]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it is public.")]


def add_to(app: typer.Typer) -> None:
    """Add this part's commands to the group."""
    app.command()(apply)
    app.command()(approve)
    app.command()(refuse)
    app.command("applications")(list_applications)


def apply(
    context: typer.Context,
    *,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run that is declared in the log.")],
    application: Annotated[str, typer.Option("--application", help="The application's name.")],
    out: DraftOut,
    amends: Annotated[
        str, typer.Option("--amends", help="The number of a licence that is to be changed.")
    ] = "",
    budget: Annotated[
        str,
        typer.Option(
            "--budget", help="FLOP, as 1e21; the amended licence's, or what was declared."
        ),
    ] = "",
    lasts: _Lasts = "",
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            help="advise, block-new, drain, freeze or kill; the amended licence's, or drain.",
        ),
    ] = "",
    hosts: Annotated[
        list[str] | None, typer.Option("--host", help="Repeat; as declared if left out.")
    ] = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option(
            "--evidence", help="TITLE=FILE of safety evidence; only its digest is public."
        ),
    ] = None,
    reason: _Reason = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the application for a declared run, or for a change of its licence; the run's party signs it."""
    from sekisho.ceremony import ApplicationPlan, draft_application

    parse_name(application, path="--application")
    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    plan = ApplicationPlan(
        application=application,
        run=run,
        lasts_s=parse_length(lasts, path="--lasts") if lasts else None,
        budget_flop=parse_quantity(budget, path="--budget") if budget else None,
        hosts=tuple(hosts or ()),
        mode=parse_mode(mode) if mode else None,
        reason=reason,
        evidence=parse_evidence(evidence or []),
        amends=amends,
    )
    deliver_draft(view, draft_application(state, plan, now=view.now), Path(out), as_json=as_json)


def approve(  # as every command that signs one's own word
    context: typer.Context,
    *,
    application: _Application,
    reason: _Reason,
    out: SignedOut,
    condition: Annotated[
        list[str] | None, typer.Option("--condition", help="On which condition; repeat.")
    ] = None,
    key: KeyPlace = "",
    public: OwnPublic = "",
    phrase: Phrase = "",
    dated: Dated = "",
    passphrase_file: PassphraseFile = "",
    control: MaybeControl = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Approve an application under your own key: shown, its phrase typed back, then signed."""
    making = Making(
        out=out,
        key=key,
        public=public,
        phrase=phrase,
        dated=dated,
        passphrase_file=passphrase_file,
        control=control,
    )
    sources = Sources(home=home, log=log, policy=policy)
    words = (reason, tuple(condition or ()), False)
    _answer(context, application, words, making, sources, as_json=as_json)


def refuse(
    context: typer.Context,
    *,
    application: _Application,
    reason: _Reason,
    out: SignedOut,
    key: KeyPlace = "",
    public: OwnPublic = "",
    phrase: Phrase = "",
    dated: Dated = "",
    passphrase_file: PassphraseFile = "",
    control: MaybeControl = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Refuse an application under your own key, with the reason that the applicant will read."""
    making = Making(
        out=out,
        key=key,
        public=public,
        phrase=phrase,
        dated=dated,
        passphrase_file=passphrase_file,
        control=control,
    )
    sources = Sources(home=home, log=log, policy=policy)
    _answer(context, application, (reason, (), True), making, sources, as_json=as_json)


def list_applications(
    context: typer.Context,
    *,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Every application: what was asked, who answered, and what is missing."""
    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    filed = list(state.applications.applications.values())
    rows = [_row(state, application) for application in filed]
    lines = [_line(view, a, row) for a, row in zip(filed, rows, strict=True)]
    text = "\n".join(lines) or say("licence.applications.none", view.language)
    deliver(Answer(document=rows, text=text), as_json=as_json)


def _answer(
    context: typer.Context,
    application: str,
    words: tuple[str, tuple[str, ...], bool],
    making: Making,
    sources: Sources,
    *,
    as_json: bool,
) -> None:
    from sekisho.ceremony import AnswerPlan, draft_approval

    making.check()
    view = look(context, sources)
    state = require_state(view, as_json=as_json)
    public, signer = making.whose(context)
    reason, conditions, refuses = words
    plan = AnswerPlan(
        application=application,
        key=public.key_id,
        refuses=refuses,
        reason=reason,
        conditions=conditions,
    )
    fact = draft_approval(state, plan, now=making.at(view.now))
    deliver_own_word(view, fact, signer, making, as_json=as_json)


def _row(state: State, application: ApplicationState) -> dict[str, object]:
    from sekisho.ceremony import standing_of_application

    filed = application.filed
    standing = standing_of_application(state, application)
    return {
        "application": filed.application,
        "party": filed.party,
        "run": filed.run,
        "budget_flop": filed.budget_flop,
        "hosts": list(filed.hosts),
        "start": str(filed.period.start),
        "end": str(filed.period.end),
        "mode": filed.mode,
        "amends": filed.amends.leaf if filed.amends is not None else None,
        "state": standing.state,
        "approvals_missing": standing.missing,
        "approvals": [
            _holder(a.organisation, a.holder, a.given.key) for a in application.approvals
        ],
        "refusals": [
            {**_holder(a.organisation, a.holder, a.given.key), "reason": a.given.reason}
            for a in application.refusals
        ],
        "conditions": list(application.conditions),
        "leaf": application.leaf,
        "decided_by": application.decided,
    }


def _holder(organisation: str, holder: str, key: str) -> dict[str, object]:
    return {"organisation": organisation, "holder": holder, "key": key}


def _line(view: View, application: ApplicationState, row: dict[str, object]) -> str:
    filed, state = application.filed, str(row["state"])
    counts = {"open": row["approvals_missing"], "refused": len(application.refusals)}
    values = {"count": counts[state]} if state in counts else {}
    return say(
        "licence.application.line",
        view.language,
        name=tame(filed.application),
        party=tame(filed.party),
        run=tame(filed.run),
        flop=format_flop_short(parse_flop(filed.budget_flop)),
        state=say(f"licence.application.{state}", view.language, **values),
    )
