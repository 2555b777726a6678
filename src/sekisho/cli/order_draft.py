"""`sekisho order draft`: the order that would be next in its register, as typed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from sekisho.cli.answer import AsJson
from sekisho.cli.choices import parse_choice
from sekisho.cli.drafting import DraftOut
from sekisho.cli.durations import parse_length
from sekisho.cli.order_access import (
    AccessFlags,
    Everybody,
    Models,
    Nationalities,
    Unknown,
    UserJurisdictions,
    access_terms,
)
from sekisho.cli.order_naming import find_order
from sekisho.cli.order_scope import Attributes, Where, read_scope
from sekisho.cli.order_seal import OpensIn, Seal, check_flags, deliver_order
from sekisho.cli.order_work import WorkPlace, see_work
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.model.statements import Effect, OrderKind

__all__ = ["add_to"]

_EFFECTS: dict[OrderKind, Effect] = {
    "pause": "checkpoint-then-stop",
    "hold": "freeze",
    "cap": "cap",
    "suspend-access": "suspend-access",
    "resume": "lift",
}
_GRACED = ("pause", "hold")  # what users are served ends at once
_Kind = Annotated[str, typer.Option("--kind", help="pause, hold, cap, suspend-access or resume.")]
_LegalBasis = Annotated[str, typer.Option("--legal-basis", help="On what law it rests.")]
_Appeal = Annotated[str, typer.Option("--appeal", help="How to appeal, and by when.")]
_Effect = Annotated[
    str, typer.Option("--effect", help="checkpoint-then-stop, freeze or lift; fits the kind.")
]
_Lasts = Annotated[str, typer.Option("--lasts", help="How long: 90s, 30m, 24h, 14d.")]
_Grace = Annotated[str, typer.Option("--grace", help="From receipt to the effect.")]
_StartsIn = Annotated[str, typer.Option("--starts-in", help="From now to its begin.")]
_IssueWithin = Annotated[
    str, typer.Option("--issue-within", help="How long signatures are good for issue.")
]
_Lifts = Annotated[
    list[str] | None, typer.Option("--lifts", help="REGISTER/NUMBER that a resume lifts.")
]
_Exempt = Annotated[list[str] | None, typer.Option("--exempt", help="A run that goes on.")]
_Percent = Annotated[
    int, typer.Option("--percent", help="Of a cap: how many percent are left, 1 to 99.")
]
_Drill = Annotated[bool, typer.Option("--drill", help="Act on each site's canary only.")]


def add_to(app: typer.Typer) -> None:
    """Add this part's command to the group."""
    app.command()(draft)


def draft(
    context: typer.Context,
    *,
    out: DraftOut,
    kind: _Kind,
    legal_basis: _LegalBasis,
    appeal: _Appeal,
    scope: Attributes = None,
    where: Where = None,
    effect: _Effect = "",
    lasts: _Lasts = "24h",
    grace: _Grace = "30s",
    starts_in: _StartsIn = "0s",
    issue_within: _IssueWithin = "24h",
    lifts: _Lifts = None,
    exempt: _Exempt = None,
    percent: _Percent = 0,
    drill: _Drill = False,
    model: Models = None,
    nationality: Nationalities = None,
    user_jurisdiction: UserJurisdictions = None,
    everybody: Everybody = False,
    unknown: Unknown = "",
    seal: Seal = False,
    opens_in: OpensIn = "",
    work: WorkPlace = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Write the order that would be next in its register, and show what it would do."""
    from sekisho.ceremony import OrderPlan, draft_order

    check_flags(seal=seal, opens_in=opens_in)
    view = see_work(look(context, Sources(home=home, log=log, policy=policy)), work)
    state = require_state(view, as_json=as_json)
    lifted = tuple(find_order(state, text, path="--lifts").reference for text in lifts or ())
    named, resolved = read_scope(view, state, scope or [], where or [], lifted)
    access = AccessFlags.typed(model, nationality, user_jurisdiction, unknown, everybody=everybody)
    plan = OrderPlan(
        kind=_kind(kind),
        scope=named,
        effect=_effect(kind, effect),
        lasts_s=parse_length(lasts, path="--lasts"),
        legal_basis=legal_basis,
        appeal=appeal,
        grace_s=parse_length(grace, path="--grace") if kind in _GRACED else 0,
        starts_in_s=parse_length(starts_in, path="--starts-in"),
        issue_within_s=parse_length(issue_within, path="--issue-within"),
        lifts=lifted,
        exemptions=tuple(exempt or ()),
        drill=drill,
        access=access_terms(kind, access),
        cap_percent=_percent(kind, percent),
        resolved=resolved,
    )
    order = draft_order(state, plan, now=view.now)
    deliver_order(view, order, Path(out), opens_in if seal else None, as_json=as_json)


def _kind(word: str) -> OrderKind:
    return parse_choice(word, tuple(_EFFECTS), path="--kind", noun="order that is drafted here")


def _effect(kind: str, word: str) -> Effect:
    """What was typed, else what orders of this kind do."""
    from sekisho.model.statements import Effect

    if not word:
        return _EFFECTS[_kind(kind)]
    return parse_choice(word, get_args(Effect), path="--effect", noun="effect")


def _percent(kind: str, percent: int) -> int | None:
    if kind != "cap" and not percent:
        return None
    if kind != "cap" or not 1 <= percent <= 99:
        raise InvalidInput(
            "a cap leaves 1 to 99 percent, and nothing else does",
            path="--percent",
            remedy="sekisho order draft --kind cap --percent 40",
        )
    return percent
