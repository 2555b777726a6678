"""`sekisho order`: draft, preview, sign, issue and follow holds, pauses and resumes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.countersign import (
    add_issue,
    add_sign,
    show_statement,
)
from sekisho.cli.drafting import DraftOut, add_withdraw, deliver_draft
from sekisho.cli.order_appeal import add_to as add_appeals
from sekisho.cli.order_delivery import AskedControl, delivery_text
from sekisho.cli.order_draft import add_to as add_draft
from sekisho.cli.order_drill import add_to as add_drills
from sekisho.cli.order_holds import add_to as add_holds
from sekisho.cli.order_naming import find_order
from sekisho.cli.order_notices import add_to as add_notices
from sekisho.cli.order_prove import add_to as add_prove
from sekisho.cli.order_refusal import add_to as add_refusals
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
from sekisho.model.wire import to_plain

if TYPE_CHECKING:
    from sekisho.ceremony import State
    from sekisho.cli.words import View
    from sekisho.orders import KnownOrder

__all__ = ["app"]

app = typer.Typer(help="Draft, sign, issue and follow orders.", no_args_is_help=True)
_KINDS = ("order-issued", "order-sealed")
_LADDER = ("refusal-recorded", "appeal-filed", "appeal-decided")
_SIGNED = (*_KINDS, "order-confirmed", "signature-withdrawn", *_LADDER)
add_draft(app)
add_sign(app, _SIGNED, "Show the order, have its digest phrase typed back, and add your signature.")
add_issue(app, _SIGNED, "Hand a signed order in; agents get it at once.")
add_withdraw(app, _KINDS, "Take your signature on an order back, before it is issued.")
add_refusals(app)
add_appeals(app)
add_prove(app)
add_drills(app)
add_notices(app)
add_holds(app)
_File = Annotated[str, typer.Argument(metavar="F", help="The order: a draft or an envelope.")]


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
    known = find_order(state, order, path="REGISTER/NUMBER")
    fact = draft_confirmation(state, known.reference, now=view.now)
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
    control: AskedControl = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """How far each host has come under an order, how sure that is, and until when it may be said."""
    from sekisho.ceremony import fetch_delivery
    from sekisho.cli.words.lives import status_row, status_text

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    chosen = _chosen(state, view, register, number)
    rows = [status_row(state, known, view, site) for known in chosen]
    text = "\n".join(status_text(state, known, view, site) for known in chosen)
    text = text or say("order.none-in-force", view.language)
    if not control:
        deliver(Answer(document=rows, text=text), as_json=as_json)
    told = fetch_delivery(control)
    deliver(
        Answer(
            document={"orders": rows, "delivery": to_plain(told)},
            text=f"{text}\n{delivery_text(told, view.language)}",
        ),
        as_json=as_json,
    )


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
