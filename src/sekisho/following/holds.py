"""The holds that one host has taken, and those that it ignores because they are stacked on an earlier one. Pure.

A hold acts on sight, before any desk has looked at it, so a host keeps to the limits by itself. It remembers what
lapsed unwitnessed as well: else whoever holds few keys could show it one hold after the other and log none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.membership import Membership
from sekisho.orders import KnownOrder, OrderBook
from sekisho.orders.holding import REMEDY, Hold, HoldBook, hold_of, is_counted
from sekisho.orders.membership import decide_membership, host_leaf
from sekisho.signing import Charter

__all__ = ["HostHolds"]


class HostHolds(msgspec.Struct, frozen=True, kw_only=True):
    """The holds taken by this host in their sequence, and the payload digests of those that it ignores.

    `unseen` are those that no witness has shown yet. They act and number nothing: few keys must not move the heads of
    a register, occupy a number of it, or make this host miss orders that nobody ever issued.
    """

    book: HoldBook = HoldBook()
    stacked: frozenset[str] = frozenset()
    unseen: Mapping[str, KnownOrder] = {}

    def taking(
        self,
        known: KnownOrder,
        charter: Charter,
        signers: frozenset[str],
        covers: Callable[[KnownOrder], bool],
    ) -> HostHolds:
        """With one more order of whatever kind; `covers` says whether an order covers this host, unknown counts as yes.

        A hold that is ignored counts as soon as it comes again with the signatures of the pause quorum.
        """
        order, digest = known.order, known.digest
        if order.kind == "resume":
            return self._with(self.book.lifting(order)) if known.witnessed else self
        if not is_counted(order):
            return self.seeing(known) if order.kind == "hold" else self
        if self.book.find(digest) is not None:
            spared = self if covers(known) else self._with(self.book.sparing(digest))
            return spared.seeing(known)
        mine = {"": 1} if covers(known) else {}
        new = hold_of(order, digest, charter, signers, mine)
        if mine and self._stacked_on(new, charter.terms.hold_again_s, covers) is not None:
            return msgspec.structs.replace(self, stacked=self.stacked | {digest})
        taken = HostHolds(
            book=self.book.after(new), stacked=self.stacked - {digest}, unseen=self.unseen
        )
        return taken.seeing(known)

    def seeing(self, known: KnownOrder) -> HostHolds:
        """With a hold among the unseen, or no more so once a witness showed it."""
        rest = {digest: each for digest, each in self.unseen.items() if digest != known.digest}
        unseen = rest if known.witnessed else {**rest, known.digest: known}
        return msgspec.structs.replace(self, unseen=unseen)

    def shown(self, digest: str, host: str, proof: Membership | None) -> HostHolds:
        """Once a proof came whether an unseen resolved hold is for this host. Raises ForgedMembership and its kin."""
        known = self.unseen.get(digest)
        if known is None or known.order.resolved is None or proof is None:
            return self
        resolved = known.order.resolved
        told = decide_membership(proof, host_leaf(host), root=resolved.root, size=resolved.count)
        if told == "unknown" or known.membership in (told, "in"):
            return self
        book = self.book.sparing(digest) if told == "out" else self.book
        proven = msgspec.structs.replace(known, membership=told)
        return msgspec.structs.replace(self, book=book, unseen={**self.unseen, digest: proven})

    def without(self, lapsed: Collection[str]) -> HostHolds:
        """After these lapsed unseen; that they were taken is not forgotten."""
        unseen = {digest: each for digest, each in self.unseen.items() if digest not in lapsed}
        return msgspec.structs.replace(self, unseen=unseen)

    def in_force(self, orders: OrderBook, latest: Instant, earliest: Instant) -> list[KnownOrder]:
        """The unseen holds that act: begun by the latest clock, neither ended nor lifted by the earliest."""
        found = []
        for known in self.unseen.values():
            doubted = orders.doubted.get(known.digest)
            is_past = known.order.expires <= earliest or (
                doubted is not None and doubted <= earliest
            )
            if (
                known.order.not_before <= latest
                and not is_past
                and not orders.lifts(known, earliest)
            ):
                found.append(known)
        return found

    def fault(
        self,
        known: KnownOrder,
        charter: Charter,
        signers: frozenset[str],
        covers: Callable[[KnownOrder], bool],
    ) -> str | None:
        """Why an order is ignored, in words; None where it is not."""
        if known.digest not in self.stacked:
            return None
        again_s = charter.terms.hold_again_s
        new = hold_of(known.order, known.digest, charter, signers, {"": 1})
        old = self._stacked_on(new, again_s, covers)
        if old is None:
            return None
        return (
            f"hold {known.order.register} {known.order.number} is ignored: {', '.join(sorted(old.by & new.by))} held "
            f"this host by {old.reference.register} {old.reference.number} until {old.end}, and may not again before "
            f"{_until(old, again_s)}; {REMEDY}"
        )

    def _stacked_on(
        self, new: Hold, again_s: int, covers: Callable[[KnownOrder], bool]
    ) -> Hold | None:
        return self.book.stacked_on(
            new, again_s, lambda old: bool(old.devices) or _covers_now(old, covers)
        )

    def _with(self, book: HoldBook) -> HostHolds:
        return msgspec.structs.replace(self, book=book)


def _covers_now(hold: Hold, covers: Callable[[KnownOrder], bool]) -> bool:
    """Whether a plain scope has come to match; whom a resolved one names does not change."""
    known = KnownOrder(order=hold.order, digest=hold.reference.digest)
    return hold.order.resolved is None and covers(known)


def _until(hold: Hold, again_s: int) -> Instant:
    return hold.end.plus(again_s)
