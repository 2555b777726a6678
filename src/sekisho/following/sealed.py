"""What a host is shown of a sealed order: the order with its place in the tree, or that it has none there. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.following.membership import find_order
from sekisho.model.membership import Membership
from sekisho.orders import OrderBook, OrderFault
from sekisho.orders.sealed import check_sealed, open_sealed, show_in_seal
from sekisho.signing import Charter

__all__ = ["show_sealed"]


def show_sealed(  # what is shown to whom, under which charter
    book: OrderBook,
    digest: str,
    host: str,
    texts: Iterable[str],
    shown: Membership | None,
    charter: Charter,
) -> OrderBook:
    """The book once disclosures came with the order of this payload digest; the very same where they tell nothing new.

    Raises ForgedSeal, ForgedDisclosure, ForgedMembership, ForeignMembership, OrderFault: then it stays outstanding.
    """
    texts = tuple(texts)
    known = find_order(book, digest) if texts else None
    if known is None or known.sealed is None:
        return book
    opened = open_sealed(known.sealed, texts)
    if opened.order is not None and not known.is_shown:
        problems = check_sealed(known.sealed, opened.order, charter)
        if problems:
            raise OrderFault("; ".join(problems))
        book = book.showing(digest, opened.order, is_opened=False)
    told = show_in_seal(known.sealed, opened.salt, host, shown)
    if told == "unknown" or known.membership in (told, "in"):
        return book
    return book.proven(digest, told)
