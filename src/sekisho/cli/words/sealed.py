"""A sealed order in words: what is public of it, and what is inside for whoever was shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.cli.durations import when_in_words
from sekisho.cli.plain_text import tame
from sekisho.cli.words.order import describe_order
from sekisho.cli.words.page import Page
from sekisho.model.errors import SekishoError
from sekisho.model.statements import OrderIssued, OrderSealed
from sekisho.model.wire import to_plain
from sekisho.orders.sealed import check_outer, open_sealed, verify_seal

if TYPE_CHECKING:
    from sekisho.cli.documents import Document

__all__ = ["describe_sealed"]


def describe_sealed(page: Page, document: Document, sealed: OrderSealed) -> None:
    """The order inside with every field where its disclosures are at hand, and a warning not to sign where not."""
    order = _inside(page, document, sealed)
    if order is not None:
        describe_order(page, order, document.digest)
        page.data["sealed_order"] = to_plain(order)
    else:
        page.data["sealed_order"] = None
        _describe_outside(page, sealed)
    page.title = page.say("show.kind.sealed", kind=page.say(f"show.kind.{sealed.kind}"))
    opens = when_in_words(sealed.opens, page.view.now, page.view.language)
    page.tell("sealed", "sealed.opens", at=opens, leaves=sealed.leaves)
    for problem in check_outer(sealed):
        page.warn("fault", why=tame(problem))


def _describe_outside(page: Page, sealed: OrderSealed) -> None:
    language, now = page.view.language, page.view.now
    page.tell(
        "number",
        "order.number",
        register=sealed.register,
        number=sealed.number,
        previous=sealed.previous[:16],
    )
    page.add("log", sealed.log)
    page.add("begins", when_in_words(sealed.not_before, now, language))
    page.add("expires", when_in_words(sealed.expires, now, language))
    page.add("issue_until", when_in_words(sealed.issue_until, now, language))
    page.warn("sealed")


def _inside(page: Page, document: Document, sealed: OrderSealed) -> OrderIssued | None:
    """The order inside, if it was shown whole and is what was sealed; what is wrong with it is a warning."""
    if not document.disclosures:
        return None
    try:
        opened = open_sealed(sealed, document.disclosures)
        state = page.view.footing.state
        if opened.order is not None and opened.salt is not None and state is not None:
            verify_seal(sealed, opened.salt, state.known(opened.order).named or ())
    except SekishoError as error:
        page.warn("seal-differs", why=tame(str(error)))
        return None
    return opened.order if opened.salt is not None else None
