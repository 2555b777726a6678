"""Registers: numbered books of orders without gaps, and what is in force of them at an instant. A pure fold.

An agent may learn of orders in any sequence and over any channel, so it keeps `OrderBook` as a set with heads:
a missing lower number is outstanding and fetched, only another digest at a known number is an attack. The log
(`require_sequence`) takes them strictly one after the other. Source: protocol section 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterRegister,
    OrderIssued,
    OrderReference,
    OrdersInForce,
    RegisterHead,
)
from sekisho.model.wire import canonical, sha256_hex

__all__ = [
    "EMPTY_HEAD",
    "HeadsConflict",
    "KnownOrder",
    "OrderBook",
    "RegisterGap",
    "TwoDigests",
    "WrongRegister",
    "in_force_root",
]

EMPTY_HEAD = sha256_hex(b"")


class TwoDigests(VerificationError):
    """Two orders at one number of one register: the only case that a number alone proves an attack."""

    code = "two-digests-at-one-number"


class RegisterGap(VerificationError):
    """An order that does not follow its register's head."""

    code = "register-gap"


class WrongRegister(VerificationError):
    """An order in a register that the charter does not have, or has for another power."""

    code = "wrong-register"


class HeadsConflict(VerificationError):
    """An orders-in-force statement that disagrees with the registers."""

    code = "heads-conflict"


class KnownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its payload digest, and whether it was seen in a witnessed checkpoint."""

    order: OrderIssued
    digest: str
    witnessed: bool = False

    @property
    def reference(self) -> OrderReference:
        return OrderReference(register=self.order.register, number=self.order.number, digest=self.digest)


class OrderBook(msgspec.Struct, frozen=True, kw_only=True):
    """All orders known, by register and number, and the newest heads heard of (which may be ahead of the orders)."""

    orders: Mapping[str, Mapping[int, KnownOrder]] = {}
    heads: Mapping[str, RegisterHead] = {}

    @classmethod
    def open(cls, registers: Iterable[CharterRegister]) -> OrderBook:
        """Empty registers as the charter names them."""
        names = [register.name for register in registers]
        return cls(
            orders={name: {} for name in names},
            heads={name: RegisterHead(register=name, number=0, digest=EMPTY_HEAD) for name in names},
        )

    def check_register(self, order: OrderIssued, registers: Iterable[CharterRegister]) -> None:
        """Raise WrongRegister where the charter has no such register for this kind of order."""
        row = next((r for r in registers if r.name == order.register), None)
        if row is None or row.power != order.kind:
            raise WrongRegister(f"register {order.register} does not take orders of kind {order.kind}")

    def require_sequence(self, known: KnownOrder) -> None:
        """Raise RegisterGap or TwoDigests unless the order is exactly its register's next one."""
        order = known.order
        self._check_digest(known)
        head = self.heads.get(order.register)
        number, digest = (head.number, head.digest) if head else (0, EMPTY_HEAD)
        if order.number != number + 1:
            raise RegisterGap(f"order {order.number} does not follow order {number} of {order.register}")
        if order.previous != digest:
            raise RegisterGap(f"order {order.number} of {order.register} names another predecessor")

    def after(self, known: KnownOrder) -> OrderBook:
        """The book with one more order, in whatever sequence it comes. Raises TwoDigests."""
        self._check_digest(known)
        order = known.order
        mine = dict(self.orders.get(order.register, {}))
        before = mine.get(order.number)
        if before is not None and before.witnessed:
            known = msgspec.structs.replace(known, witnessed=True)
        self._check_links(known, mine)
        mine[order.number] = known
        heads = dict(self.heads)
        head = heads.get(order.register)
        if head is None or head.number < order.number:
            heads[order.register] = RegisterHead(
                register=order.register, number=order.number, digest=known.digest
            )
        return OrderBook(orders={**self.orders, order.register: mine}, heads=heads)

    def heard(self, heads: Iterable[RegisterHead]) -> OrderBook:
        """The book after hearing of newer heads: what they number and we lack is outstanding. Raises TwoDigests."""
        newer = dict(self.heads)
        for head in heads:
            known = self.orders.get(head.register, {}).get(head.number)
            if known is not None and known.digest != head.digest:
                raise TwoDigests(f"register {head.register} has two digests at number {head.number}")
            mine = newer.get(head.register)
            if mine is not None and mine.number == head.number and mine.digest != head.digest:
                raise TwoDigests(f"register {head.register} has two heads at number {head.number}")
            if mine is None or head.number > mine.number:
                newer[head.register] = head
        return msgspec.structs.replace(self, heads=newer)

    def outstanding(self) -> tuple[tuple[str, int], ...]:
        """The (register, number) of every order that must exist and that we do not know."""
        return tuple(
            (name, number)
            for name, head in sorted(self.heads.items())
            for number in range(1, head.number + 1)
            if number not in self.orders.get(name, {})
        )

    def in_force(self, at: Instant, *, expiry_at: Instant | None = None) -> tuple[KnownOrder, ...]:
        """The restricting orders in force at `at`, oldest first; `expiry_at` is the clock that ends them.

        A resume lifts what it names once its not-before is reached. An order past its expiry lapses, or stays as
        `refuse-until-resume` where it says so.
        """
        lifted = self._lifted(at)
        ending = expiry_at or at
        return tuple(
            known
            for known in self._all()
            if known.order.kind != "resume"
            and known.order.not_before <= at
            and known.digest not in lifted
            and (known.order.expires > ending or known.order.on_expiry == "refuse-until-resume")
        )

    def find(self, reference: OrderReference) -> KnownOrder | None:
        known = self.orders.get(reference.register, {}).get(reference.number)
        return known if known is not None and known.digest == reference.digest else None

    def verify_heads(self, fact: OrdersInForce, at: Instant) -> None:
        """Raise HeadsConflict unless an orders-in-force statement says exactly what these registers hold."""
        if {h.register: h for h in fact.heads} != dict(self.heads):
            raise HeadsConflict("the heads named are not the heads of the registers")
        expected = tuple(known.reference for known in self.in_force(at))
        if tuple(fact.in_force) != expected or fact.root != in_force_root(expected):
            raise HeadsConflict("the orders named in force are not those in force")

    def _all(self) -> list[KnownOrder]:
        known = [order for book in self.orders.values() for order in book.values()]
        return sorted(known, key=lambda k: (k.order.not_before, k.order.register, k.order.number))

    def _lifted(self, at: Instant) -> frozenset[str]:
        return frozenset(
            lifted.digest
            for known in self._all()
            if known.order.kind == "resume" and known.order.not_before <= at
            for lifted in known.order.lifts
            if self.find(lifted) is not None
        )

    def _check_digest(self, known: KnownOrder) -> None:
        order = known.order
        before = self.orders.get(order.register, {}).get(order.number)
        head = self.heads.get(order.register)
        at_head = head is not None and head.number == order.number and head.digest != known.digest
        if (before is not None and before.digest != known.digest) or at_head:
            raise TwoDigests(f"register {order.register} has two orders number {order.number}")

    @staticmethod
    def _check_links(known: KnownOrder, mine: Mapping[int, KnownOrder]) -> None:
        """The neighbours already known must name each other: a digest is an attack wherever it shows."""
        order = known.order
        below, above = mine.get(order.number - 1), mine.get(order.number + 1)
        expected = EMPTY_HEAD if order.number == 1 else (below.digest if below else None)
        if expected is not None and order.previous != expected:
            raise TwoDigests(f"order {order.number} of {order.register} names another predecessor than the one known")
        if above is not None and above.order.previous != known.digest:
            raise TwoDigests(f"order {order.number} of {order.register} is not the one that its successor names")


def in_force_root(orders: tuple[OrderReference, ...]) -> str:
    """SHA-256 of the canonical list of what is in force."""
    return sha256_hex(canonical(list(orders)))

