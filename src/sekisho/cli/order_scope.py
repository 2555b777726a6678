"""`sekisho order draft --where`: hosts by a predicate, resolved in the tree that the drafter reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ceremony import State
    from sekisho.cli.words import View
    from sekisho.model.statements import OrderReference, ResolvedScope

__all__ = ["Where", "resolved_scope"]

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        help="Hosts by a predicate: \"chip is 'H100 SXM5' and devices at-least 8\"; any --where will do.",
    ),
]


def resolved_scope(
    view: View, state: State, where: list[str], lifted: tuple[OrderReference, ...], *, scoped: bool
) -> ResolvedScope | None:
    """The predicate with its hosts in the tree that was read; None where none was typed and none is lifted.

    A resume takes the scope of what it lifts, tree and all: nobody is released whom its signers did not read of.
    """
    if not where:
        return None if scoped else _lifted_scope(state, lifted)
    if scoped:
        raise InvalidInput("goes without --scope: a scope is given in one way", path="--where")
    if lifted:
        raise InvalidInput(
            "a resume takes the scope of what it lifts", path="--where", remedy="leave it out"
        )
    from sekisho.ceremony import resolve_predicate
    from sekisho.orders.where import parse_where

    predicate = parse_where(where)
    checkpoint = view.cosigned.checkpoint if view.cosigned is not None else None
    if checkpoint is None or checkpoint.size != state.size:
        raise InvalidInput("needs the public log, read under a witnessed checkpoint", path="--log")
    return resolve_predicate(
        state.rosters, predicate, size=checkpoint.size, tree=checkpoint.root.hex()
    )


def _lifted_scope(state: State, lifted: tuple[OrderReference, ...]) -> ResolvedScope | None:
    found = [known.order.resolved for o in lifted if (known := state.orders.find(o)) is not None]
    if any(resolved != found[0] for resolved in found):
        raise InvalidInput(
            "what it lifts has different scopes", path="--scope", remedy="draft one resume each"
        )
    return found[0] if found else None
