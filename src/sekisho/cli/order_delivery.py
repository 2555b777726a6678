"""How orders get to hosts, beside how far they have come: a control plane's own word, asked for by its address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.plain_text import quote, tame

if TYPE_CHECKING:
    from sekisho.catalogue import Language
    from sekisho.ceremony import Delivery

__all__ = ["AskedControl", "delivery_text"]

AskedControl = Annotated[
    str,
    typer.Option("--control", help="Ask this control plane as well how orders get to hosts."),
]


def delivery_text(told: Delivery, language: Language) -> str:
    """Who waits for news, and which addresses do not answer, in lines."""
    lines = [say("order.delivery", language, n=told.waiting, at=told.at)]
    push = told.push
    if push is None:
        return "\n".join([*lines, say("order.delivery.nobody", language)])
    counts = {"reached": push.reached, "untried": push.untried, "silent": push.silent}
    lines.append(say("order.delivery.push", language, all=push.addresses, **counts))
    lines += [
        say(
            "order.delivery.silent",
            language,
            host=tame(row.host),
            n=row.failed_in_a_row,
            said=quote(row.problem),
        )
        for row in push.rows
    ]
    if push.silent > len(push.rows):
        lines.append(say("order.delivery.more", language, n=push.silent - len(push.rows)))
    return "\n".join(lines)
