"""Whom an order is for, as typed: attributes, everywhere, or a predicate, resolved in the log that was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ceremony import State
    from sekisho.cli.words import View
    from sekisho.model.statements import OrderReference, ResolvedScope, Scope

__all__ = ["Attributes", "Where", "read_scope"]

Attributes = Annotated[
    list[str] | None,
    typer.Option("--scope", help="site=S, run=R, licensee=, licence=, host=...; or everywhere."),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        help="Hosts by a predicate: \"chip is 'H100 SXM5' and devices at-least 8\"; any --where will do.",
    ),
]
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


def read_scope(
    view: View,
    state: State,
    attributes: list[str],
    where: list[str],
    lifted: tuple[OrderReference, ...],
) -> tuple[Scope, ResolvedScope | None]:
    """The scope that an order gets: by attributes, or empty beside the hosts of a predicate. Raises InvalidInput.

    A resume that gives none takes the scope of what it lifts, tree and all: nobody is released whom its signers did
    not read of.
    """
    from sekisho.model.statements import Scope

    if where:
        if attributes:
            raise InvalidInput("goes without --scope: a scope is given in one way", path="--where")
        if lifted:
            raise InvalidInput(
                "a resume takes the scope of what it lifts", path="--where", remedy="leave it out"
            )
        return Scope(), _resolved(view, state, where)
    if lifted and not attributes:
        return _scope_lifted(state, lifted)
    return _parse_scope(attributes), None


def _resolved(view: View, state: State, where: list[str]) -> ResolvedScope:
    from sekisho.ceremony import resolve_predicate
    from sekisho.orders.where import parse_where

    predicate = parse_where(where)
    checkpoint = view.cosigned.checkpoint if view.cosigned is not None else None
    if checkpoint is None or checkpoint.size != state.size:
        raise InvalidInput("needs the public log, read under a witnessed checkpoint", path="--log")
    return resolve_predicate(
        state.rosters, predicate, size=checkpoint.size, tree=checkpoint.root.hex()
    )


def _scope_lifted(
    state: State, lifted: tuple[OrderReference, ...]
) -> tuple[Scope, ResolvedScope | None]:
    found = [
        (known.order.scope, known.order.resolved)
        for reference in lifted
        if (known := state.orders.find(reference)) is not None
    ]
    if any(scope != found[0] for scope in found):
        raise InvalidInput(
            "what it lifts has different scopes", path="--scope", remedy="draft one resume each"
        )
    return found[0]


def _parse_scope(texts: list[str]) -> Scope:
    from sekisho.model.statements import Scope
    from sekisho.model.wire import from_json

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
        raise InvalidInput(
            "must give attributes or say everywhere, and not both",
            path="--scope",
            remedy="--scope site=S, --scope everywhere, or a predicate with --where",
        )
    wide = {"everywhere": True} if "everywhere" in texts else {}
    return from_json(Scope, {**fields, **wide}, path="--scope")  # type: ignore[dict-item]  # JSON
