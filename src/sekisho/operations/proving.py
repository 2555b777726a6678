"""Each host's own proof that an order whose scope was resolved is for it, or is not; made as it is asked for.

Of a sealed order with what a host may see of it: all where it is in scope, the salt of the tree where it is not.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from sekisho.model.membership import Membership
from sekisho.model.statements import OrderIssued, OrderReference, OrderSealed
from sekisho.operations.sealing import show_host
from sekisho.orders import OrderBook
from sekisho.orders.membership import HostTree, host_leaf
from sekisho.orders.sealed import open_sealed, seal_tree
from sekisho.signing import Recorded

__all__ = ["Memberships"]

MOST_TREES = 32
"""A tree over 10,000 hosts takes some 2 MB, and 20 ms to build anew."""


class Memberships:
    """The trees over the hosts of resolved orders, the ones asked for last. Safe for many threads."""

    def __init__(
        self,
        orders: Callable[[], OrderBook],
        disclosures: Callable[[str], tuple[str, ...]] = lambda _: (),
    ) -> None:
        """`disclosures` are those kept of a statement, by its payload digest."""
        self._orders = orders
        self._disclosures = disclosures
        self._trees: OrderedDict[str, HostTree] = OrderedDict()
        self._lock = threading.Lock()

    def prove(self, recorded: Recorded, host: str) -> Membership | None:
        """Whether `host` is in an order's scope; None where that needs no proof, or nobody knows its hosts here."""
        fact = recorded.verified.predicate
        if not isinstance(fact, OrderIssued) or fact.resolved is None or fact.kind == "resume":
            return None
        tree = self._tree(recorded.verified.digest, fact)
        return None if tree is None else tree.prove(host_leaf(host))

    def show(self, recorded: Recorded, host: str) -> tuple[Membership | None, tuple[str, ...]]:
        """What `host` is shown of an order: its proof, and of a sealed one the disclosures that are for it."""
        fact, digest = recorded.verified.predicate, recorded.verified.digest
        if not isinstance(fact, OrderSealed):
            return self.prove(recorded, host), ()
        texts = self._disclosures(digest)
        salt = open_sealed(fact, texts).salt
        tree = None if salt is None else self._sealed_tree(digest, fact, salt)
        if salt is None or tree is None:
            return None, ()
        return show_host(tree, salt, texts, host)

    def _sealed_tree(self, digest: str, sealed: OrderSealed, salt: bytes) -> HostTree | None:
        with self._lock:
            tree = self._trees.get(digest)
            if tree is None:
                named = self._named(digest, sealed)
                if named is None:
                    return None
                tree = seal_tree(salt, named, sealed.leaves)
            return self._keep(digest, tree)

    def _keep(self, digest: str, tree: HostTree) -> HostTree:
        """The tree, as the one asked for last; the one asked for longest ago goes."""
        self._trees[digest] = tree
        self._trees.move_to_end(digest)
        if len(self._trees) > MOST_TREES:
            self._trees.popitem(last=False)
        return tree

    def _tree(self, digest: str, order: OrderIssued) -> HostTree | None:
        with self._lock:
            tree = self._trees.get(digest)
            if tree is None:
                named = self._named(digest, order)
                if named is None:
                    return None
                tree = HostTree(host_leaf(each) for each in named)
            return self._keep(digest, tree)

    def _named(self, digest: str, order: OrderIssued | OrderSealed) -> frozenset[str] | None:
        """The hosts of this very order, where the log's own fold knows them."""
        reference = OrderReference(register=order.register, number=order.number, digest=digest)
        held = self._orders().find(reference)
        return None if held is None else held.named
