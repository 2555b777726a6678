"""Each host's own proof that an order whose scope was resolved is for it, or is not; made as it is asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from sekisho.model.membership import Membership
from sekisho.model.statements import OrderIssued
from sekisho.orders import OrderBook
from sekisho.orders.membership import HostTree, host_leaf
from sekisho.signing import Recorded

__all__ = ["Memberships"]

MOST_TREES = 32
"""A tree over 10,000 hosts takes some 2 MB, and 20 ms to build anew."""


class Memberships:
    """The trees over the hosts of resolved orders, the ones asked for last. Safe for many threads."""

    def __init__(self, orders: Callable[[], OrderBook]) -> None:
        self._orders = orders
        self._trees: OrderedDict[str, HostTree] = OrderedDict()
        self._lock = threading.Lock()

    def prove(self, recorded: Recorded, host: str) -> Membership | None:
        """Whether `host` is in an order's scope; None where that needs no proof, or nobody knows its hosts here."""
        fact = recorded.verified.predicate
        if not isinstance(fact, OrderIssued) or fact.resolved is None or fact.kind == "resume":
            return None
        tree = self._tree(recorded.verified.digest, fact)
        return None if tree is None else tree.prove(host_leaf(host))

    def _tree(self, digest: str, order: OrderIssued) -> HostTree | None:
        with self._lock:
            known = self._trees.get(digest)
            if known is not None:
                self._trees.move_to_end(digest)
                return known
            register = self._orders().orders.get(order.register)
            held = None if register is None else register.get(order.number)
            if held is None or held.named is None or held.digest != digest:
                return None
            tree = self._trees[digest] = HostTree(host_leaf(each) for each in held.named)
            if len(self._trees) > MOST_TREES:
                self._trees.popitem(last=False)
            return tree
