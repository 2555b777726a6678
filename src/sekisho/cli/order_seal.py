"""`sekisho order draft --seal`: an order that the log holds by its digest, and hosts in scope are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.durations import parse_length
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.cli.words import View
    from sekisho.model.statements import OrderIssued, OrderSealed

__all__ = ["OpensIn", "Seal", "check_flags", "deliver_order"]

Seal = Annotated[
    bool,
    typer.Option("--seal", help="Show it to hosts in scope only, until it opens; with --where."),
]
OpensIn = Annotated[
    str, typer.Option("--opens-in", help="When everybody is shown it: at most 90d, or its expiry.")
]


def check_flags(*, seal: bool, opens_in: str) -> None:
    """Raise InvalidInput where one flag asks for the other."""
    if opens_in and not seal:
        raise InvalidInput("says when a sealed order opens", path="--opens-in", remedy="add --seal")


def deliver_order(
    view: View, order: OrderIssued, out: Path, opens_in: str | None, *, as_json: bool
) -> None:
    """Write the draft and show what its signers will see; ends the command.

    Sealed unless `opens_in` is None: then what it conceals is written beside it. Empty, it opens as late as it may.
    """
    from sekisho.cli.drafting import deliver_draft

    if opens_in is None:
        deliver_draft(view, order, out, as_json=as_json)
    else:
        sealed, texts = _sealed(view, order, opens_in)
        deliver_draft(view, sealed, out, as_json=as_json, disclosures=texts)


def _sealed(view: View, order: OrderIssued, opens_in: str) -> tuple[OrderSealed, tuple[str, ...]]:
    from sekisho.ceremony import OPEN_LIMIT_S, draw_salts, seal_order

    state = view.footing.state
    if state is None:
        raise InvalidInput("is drafted from the log", path="--seal", remedy="read one: --log")
    opens = min(order.expires, order.effective.plus(OPEN_LIMIT_S))
    if opens_in:
        opens = order.effective.plus(parse_length(opens_in, path="--opens-in"))
    return seal_order(state, order, draw_salts(), opens=opens)
