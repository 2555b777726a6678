"""What a host is shown about itself in an order whose scope was resolved: a proof that it is in it, or is not. Pure."""

from __future__ import annotations

from sekisho.model.membership import Membership
from sekisho.orders import KnownOrder, OrderBook
from sekisho.orders.membership import decide_membership, host_leaf

__all__ = ["show_membership"]


def show_membership(book: OrderBook, digest: str, host: str, shown: Membership | None) -> OrderBook:
    """The book once a proof came with the order of this payload digest; the very same where it tells nothing new.

    Root and count are in the order, so a proof under another one, or about another host, tells nothing. Raises
    ForgedMembership, ForeignMembership.
    """
    known = find_order(book, digest) if shown is not None else None
    if known is None or known.order.resolved is None or known.sealed is not None:
        return book
    resolved = known.order.resolved
    told = decide_membership(shown, host_leaf(host), root=resolved.root, size=resolved.count)
    if told == "unknown" or known.membership in (told, "in"):
        return book
    return book.proven(digest, told)


def find_order(book: OrderBook, digest: str) -> KnownOrder | None:
    """The order with this payload digest, whatever its register."""
    every = (known for register in book.orders.values() for known in register.values())
    return next((known for known in every if known.digest == digest), None)
