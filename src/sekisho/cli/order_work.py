"""What runs where, for the preview of an order: from a file, or from a control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

if TYPE_CHECKING:
    from sekisho.cli.words import View

__all__ = ["WorkPlace", "see_work"]

WorkPlace = Annotated[
    str,
    typer.Option(
        "--work",
        help="What runs where: a control plane's address, or a file with its /api/v1/work.",
    ),
]


def see_work(view: View, place: str) -> View:
    """The view with what is seen of work; without a place nothing is, and figures are not measured."""
    from sekisho.ceremony import load_seen

    return msgspec.structs.replace(view, seen=load_seen(place)) if place else view
