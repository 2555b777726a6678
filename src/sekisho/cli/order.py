"""`sekisho order`: draft, preview, sign, issue and follow holds, pauses and resumes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.countersign import (
    add_issue,
    add_sign,
    show_statement,
)
from sekisho.cli.drafting import DraftOut, add_withdraw, deliver_draft
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
from sekisho.cli.order_appeal import add_to as add_appeals
from sekisho.cli.order_drill import add_to as add_drills
from sekisho.cli.order_holds import add_to as add_holds
from sekisho.cli.order_notices import add_to as add_notices
from sekisho.cli.order_prove import add_to as add_prove
from sekisho.cli.order_refusal import add_to as add_refusals
from sekisho.cli.order_scope import Where, resolved_scope
from sekisho.cli.order_seal import OpensIn, Seal, check_flags, deliver_sealed
from sekisho.cli.order_work import WorkPlace, see_work
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.model.errors import InvalidInput, StateConflict

if TYPE_CHECKING:
    from sekisho.ceremony import State
    from sekisho.cli.words import View
    from sekisho.model.statements import Effect, OrderKind, OrderReference, Scope
    from sekisho.orders import KnownOrder

__all__ = ["app"]

app = typer.Typer(help="Draft, sign, issue and follow orders.", no_args_is_help=True)
_KINDS = ("order-issued", "order-sealed")
_LADDER = ("refusal-recorded", "appeal-filed", "appeal-decided")
_SIGNED = (*_KINDS, "order-confirmed", "signature-withdrawn", *_LADDER)
add_sign(app, _SIGNED, "Show the order, have its digest phrase typed back, and add your signature.")
add_issue(app, _SIGNED, "Hand a signed order in; agents get it at once.")
add_withdraw(app, _KINDS, "Take your signature on an order back, before it is issued.")
add_refusals(app)
add_appeals(app)
add_prove(app)
add_drills(app)
add_notices(app)
add_holds(app)
_DRAFTED = ("pause", "hold", "cap", "suspend-access", "resume")
_EFFECTS = {
    "pause": "checkpoint-then-stop",
    "hold": "freeze",
    "cap": "cap",
    "suspend-access": "suspend-access",
    "resume": "lift",
}
_GRACED = ("pause", "hold")  # what users are served ends at once
_ATTRIBUTES = {
    "site": "sites",
    "licensee": "licensees",
    "licence": "licences",
    "run": "runs",
    "lineage": "lineages",
    "chip": "chips",
    "jurisdiction": "jurisdictions",
    "host": "hosts",
}
_File = Annotated[str, typer.Argument(metavar="F", help="The order: a draft or an envelope.")]
_Out = Annotated[str, typer.Option("--out", help="Where the draft goes; never over a file.")]
_Kind = Annotated[str, typer.Option("--kind", help="pause, hold, cap, suspend-access or resume.")]
_LegalBasis = Annotated[str, typer.Option("--legal-basis", help="On what law it rests.")]
_Appeal = Annotated[str, typer.Option("--appeal", help="How to appeal, and by when.")]
_Scope = Annotated[
    list[str] | None,
    typer.Option("--scope", help="site=S, run=R, licensee=, licence=, host=...; or everywhere."),
]
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
_Control = Annotated[str, typer.Option("--control", help="The control plane's address.")]


@app.command()
def draft(
    context: typer.Context,
    *,
    out: _Out,
    kind: _Kind,
    legal_basis: _LegalBasis,
    appeal: _Appeal,
    scope: _Scope = None,
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
    from sekisho.model.statements import Scope

    check_flags(seal=seal, opens_in=opens_in)
    view = see_work(look(context, Sources(home=home, log=log, policy=policy)), work)
    state = require_state(view, as_json=as_json)
    lifted = tuple(_reference(state, text, "--lifts") for text in lifts or ())
    flags = AccessFlags(
        models=tuple(model or ()),
        nationalities=tuple(nationality or ()),
        jurisdictions=tuple(user_jurisdiction or ()),
        everybody=everybody,
        unknown=unknown,
    )
    resolved = resolved_scope(view, state, where or [], lifted, scoped=bool(scope))
    plan = OrderPlan(
        kind=_kind(kind),
        scope=Scope() if resolved is not None else _scope(scope or [], state, lifted),
        effect=_effect(effect or _EFFECTS[kind]),
        lasts_s=parse_length(lasts, path="--lasts"),
        legal_basis=legal_basis,
        appeal=appeal,
        grace_s=parse_length(grace, path="--grace") if kind in _GRACED else 0,
        starts_in_s=parse_length(starts_in, path="--starts-in"),
        issue_within_s=parse_length(issue_within, path="--issue-within"),
        lifts=lifted,
        exemptions=tuple(exempt or ()),
        drill=drill,
        access=access_terms(kind, flags),
        cap_percent=_percent(kind, percent),
        resolved=resolved,
    )
    order = draft_order(state, plan, now=view.now)
    if seal:
        deliver_sealed(view, order, opens_in, Path(out), as_json=as_json)
    deliver_draft(view, order, Path(out), as_json=as_json)


@app.command()
def preview(
    context: typer.Context,
    *,
    file: _File,
    work: WorkPlace = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Whom an order would touch as the log stands: work, exemptions, checkpoints, and what would be lost."""
    sources = Sources(home=home, log=log, policy=policy)
    document, _, view, page = show_statement(context, file, _KINDS, sources)
    require_state(view, as_json=as_json)
    if work:
        from sekisho.cli.words import describe

        page = describe(document, see_work(view, work))
    deliver(Answer(document=page.to_document(), text=page.to_text()), as_json=as_json)


@app.command()
def confirm(
    context: typer.Context,
    *,
    order: Annotated[
        str, typer.Argument(metavar="REGISTER/NUMBER", help="As pause/JP/1, in doubt.")
    ],
    out: DraftOut,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the confirmation of an order that a reported key left in doubt; its full quorum signs it."""
    from sekisho.ceremony import draft_confirmation

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    reference = _reference(state, order, "REGISTER/NUMBER")
    fact = draft_confirmation(state, reference, now=view.now)
    deliver_draft(view, fact, Path(out), as_json=as_json)


@app.command("list")
def list_orders(
    context: typer.Context,
    *,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Every order of every register, in force or not."""
    from sekisho.cli.words.lives import order_row, order_text

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    orders = [k for book in state.orders.orders.values() for k in book.values()]
    orders.sort(key=lambda k: (k.order.register, k.order.number))
    rows = [order_row(state, known, view) for known in orders]
    text = "\n".join(order_text(known, row, view) for known, row in zip(orders, rows, strict=True))
    deliver(Answer(document=rows, text=text or say("order.none", view.language)), as_json=as_json)


@app.command()
def status(
    context: typer.Context,
    *,
    register: Annotated[str, typer.Argument(metavar="[REGISTER", help="As pause/JP.")] = "",
    number: Annotated[int, typer.Argument(metavar="NUMBER]", help="Its number.", min=0)] = 0,
    site: Annotated[str, typer.Option("--site", help="One site alone.")] = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """How far each host has come under an order, how sure that is, and until when it may be said."""
    from sekisho.cli.words.lives import status_row, status_text

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    chosen = _chosen(state, view, register, number)
    rows = [status_row(state, known, view, site) for known in chosen]
    text = "\n".join(status_text(state, known, view, site) for known in chosen)
    deliver(
        Answer(document=rows, text=text or say("order.none-in-force", view.language)),
        as_json=as_json,
    )


def _kind(word: str) -> OrderKind:
    if word not in _DRAFTED:
        raise InvalidInput(
            f"{word[:40]!r} is not drafted here", path="--kind", remedy=f"use {', '.join(_DRAFTED)}"
        )
    return word  # type: ignore[return-value]  # checked just above


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


def _effect(word: str) -> Effect:
    from sekisho.model.statements import Effect

    if word not in get_args(Effect):
        raise InvalidInput(
            f"{word[:40]!r} is no effect",
            path="--effect",
            remedy=f"use {', '.join(get_args(Effect))}",
        )
    return word  # type: ignore[return-value]  # checked just above


def _scope(texts: list[str], state: State, lifted: tuple[OrderReference, ...]) -> Scope:
    """The scope as typed; a resume that gives none takes the scope that all it lifts have in common."""
    from sekisho.model.statements import Scope
    from sekisho.model.wire import from_json

    if not texts and lifted:
        scopes = [found.order.scope for o in lifted if (found := state.orders.find(o))]
        if any(scope != scopes[0] for scope in scopes):
            raise InvalidInput(
                "what it lifts has different scopes", path="--scope", remedy="draft one resume each"
            )
        return scopes[0]
    fields: dict[str, list[str]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if text != "everywhere" and not (equals and value and name in _ATTRIBUTES):
            raise InvalidInput(
                f"{text[:60]!r} is no scope",
                path="--scope",
                remedy=f"use everywhere, or {'=, '.join(_ATTRIBUTES)}=",
            )
        if equals:
            fields.setdefault(_ATTRIBUTES[name], []).append(value)
    if not texts or ("everywhere" in texts and fields):
        raise InvalidInput("must give attributes or say everywhere, and not both", path="--scope")
    wide = {"everywhere": True} if "everywhere" in texts else {}
    return from_json(Scope, {**fields, **wide}, path="--scope")  # type: ignore[dict-item]  # JSON


def _reference(state: State, text: str, flag: str) -> OrderReference:
    register, _, number = text.rpartition("/")
    book = state.orders.orders.get(register)
    known = book.get(int(number) if number.isdecimal() else -1) if book is not None else None
    if known is None:
        raise InvalidInput(
            f"{text[:80]!r} is no order of this log",
            path=flag,
            remedy="write REGISTER/NUMBER, as pause/JP/1; see sekisho order list",
        )
    return known.reference


def _chosen(state: State, view: View, register: str, number: int) -> list[KnownOrder]:
    """The order asked for, all of a register, or all that are in force."""
    if not register:
        return list(state.orders.in_force(view.now))
    book = state.orders.orders.get(register)
    if book is None:
        known = ", ".join(sorted(state.orders.heads))
        raise InvalidInput(
            f"{register[:60]!r} is no register", path="REGISTER", remedy=f"use one of {known}"
        )
    if number and number not in book:
        raise StateConflict(f"register {register} has no order {number}")
    return [book[n] for n in sorted(book) if not number or n == number]
