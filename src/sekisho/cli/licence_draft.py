"""`sekisho licence draft`: the licence that the rules allow a declared run, for the issuing quorum to sign."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sekisho.cli.answer import AsJson
from sekisho.cli.drafting import DraftOut, deliver_draft
from sekisho.cli.durations import parse_length
from sekisho.cli.licence_flags import (
    PackName,
    load_named_pack,
    parse_lease_terms,
    parse_mode,
    parse_name,
    parse_shares,
)
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.model.amounts import parse_quantity

__all__ = ["add_to"]

_Run = Annotated[str, typer.Argument(metavar="RUN", help="A run that is declared in the log.")]
_Number = Annotated[str, typer.Option("--number", help="The licence's number.")]
_Budget = Annotated[
    str,
    typer.Option("--budget", help="FLOP, as 1e21; what was applied for or declared if left out."),
]
_Lasts = Annotated[
    str, typer.Option("--lasts", help="How long: 14d; to the end applied for, or 24h.")
]
_Interval = Annotated[str, typer.Option("--interval", help="A lease's length.")]
_Grace = Annotated[str, typer.Option("--grace", help="From a lease's end to the effect.")]
_Quantum = Annotated[str, typer.Option("--quantum", help="What is reserved at a time.")]
_Mode = Annotated[
    str,
    typer.Option(
        "--mode", help="advise, block-new, drain, freeze or kill; as applied for, or drain."
    ),
]
_Granting = Annotated[
    str,
    typer.Option(
        "--application",
        help="The application that it grants, with its approvals; its terms where none are given.",
    ),
]
_Shares = Annotated[
    list[str] | None,
    typer.Option(
        "--share", help="NAME=FLOP[@SITE,SITE][/ISSUER-KEY-ID]; repeat: a part of the budget."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add this part's command to the group."""
    app.command()(draft)


def draft(
    context: typer.Context,
    *,
    run: _Run,
    number: _Number,
    out: DraftOut,
    budget: _Budget = "",
    lasts: _Lasts = "",
    interval: _Interval = "1h",
    grace: _Grace = "60s",
    quantum: _Quantum = "60s",
    mode: _Mode = "",
    application: _Granting = "",
    share: _Shares = None,
    pack: PackName = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Write the licence that the rules allow a declared run, and show it."""
    from sekisho.ceremony import LicencePlan, draft_licence

    parse_name(number, path="--number")
    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    plan = LicencePlan(
        number=number,
        budget_flop=parse_quantity(budget, path="--budget") if budget else None,
        lasts_s=parse_length(lasts, path="--lasts") if lasts else None,
        terms=parse_lease_terms(
            {"interval_s": interval, "grace_s": grace, "quantum_s": quantum}, None
        ),
        mode=parse_mode(mode) if mode else None,
        shares=parse_shares(share or []),
        application=application,
    )
    fact = draft_licence(state, run, load_named_pack(pack), plan, now=view.now)
    deliver_draft(view, fact, Path(out), as_json=as_json)
