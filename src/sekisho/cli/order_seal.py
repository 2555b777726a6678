"""`sekisho order draft --seal`: an order that the log holds by its digest, and hosts in scope are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.durations import parse_length
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.cli.words import View
    from sekisho.model.statements import OrderIssued

__all__ = ["OpensIn", "Seal", "check_flags", "deliver_sealed"]

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


def deliver_sealed(  # what is sealed, when it opens, and where both files go
    view: View, order: OrderIssued, opens_in: str, out: Path, *, as_json: bool
) -> None:
    """Write the sealed draft and beside it what it conceals, and show what its signers will see; ends the command."""
    from sekisho.ceremony import OPEN_LIMIT_S, draw_salts, seal_order
    from sekisho.cli.drafting import deliver_draft

    state = view.footing.state
    if state is None:
        raise InvalidInput("is drafted from the log", path="--seal", remedy="read one: --log")
    opens = min(order.expires, order.effective.plus(OPEN_LIMIT_S))
    if opens_in:
        opens = order.effective.plus(parse_length(opens_in, path="--opens-in"))
    sealed, texts = seal_order(state, order, draw_salts(), opens=opens)
    deliver_draft(view, sealed, out, as_json=as_json, disclosures=texts)
