"""`sekisho order prove`: an order with one host's own proof, as a file for a host that hears no feed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.countersign import SignedFile, show_statement
from sekisho.cli.plain_text import tame
from sekisho.cli.sealed_file import require_sealed
from sekisho.cli.surroundings import HomeFolder, LogPlace, PolicyFile, Sources, require_state
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ceremony import State
    from sekisho.model.membership import Membership
    from sekisho.model.statements import OrderIssued

__all__ = ["add_to"]

_KINDS = ("order-issued", "order-sealed")


def add_to(app: typer.Typer) -> None:
    """Put this part's command into the group."""
    app.command()(prove)


def prove(
    context: typer.Context,
    *,
    file: SignedFile,
    host: Annotated[str, typer.Option("--host", help="The host that the file is for.")],
    out: Annotated[str, typer.Option("--out", help="Where it goes; never over a file.")],
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Write a signed order with the proof that a host is in its scope, or is not, to be carried to it by hand."""
    from sekisho.ceremony import create_file, shown_to
    from sekisho.licensing.carrying import write_feed_file
    from sekisho.model.statements import OrderIssued, OrderSealed
    from sekisho.ports.control import FeedItem

    document, statement, view, _ = show_statement(
        context, file, _KINDS, Sources(home=home, log=log, policy=policy)
    )
    state, order = require_state(view, as_json=as_json), statement.predicate
    if document.envelope is None:
        raise InvalidInput("is not signed yet", path=file, remedy="have it signed first")
    texts: tuple[str, ...] = ()
    if isinstance(order, OrderSealed):
        proof, texts = shown_to(state, order, require_sealed(document, file), host)
    elif isinstance(order, OrderIssued):
        proof = _proof(state, order, host, file)
    else:
        raise InvalidInput("is no order", path=file)
    item = FeedItem(envelope=document.envelope.raw, membership=proof, disclosures=texts)
    create_file(Path(out), write_feed_file((item,)), mode=0o600 if texts else 0o644)
    text = say(f"order.proved.{proof.says}", view.language, file=out, host=tame(host))
    deliver(
        Answer(document={"file": out, "host": host, "says": proof.says}, text=text), as_json=as_json
    )


def _proof(state: State, order: OrderIssued, host: str, file: str) -> Membership:
    from sekisho.ceremony import name_at, verify_scope
    from sekisho.orders.membership import HostTree, host_leaf

    if order.resolved is None:
        raise InvalidInput(
            "gives its scope by attributes, which a host matches by itself",
            path=file,
            remedy="carry the order alone",
        )
    verify_scope(state.rosters, order.resolved, log_size=state.size)
    found = name_at(state.rosters, order.resolved.predicate, order.resolved.size)
    return HostTree(host_leaf(one.host) for one in found).prove(host_leaf(host))
