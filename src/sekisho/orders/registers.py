"""Registers: numbered books of orders without gaps, and what is in force of them at an instant. A pure fold.

An agent may learn of orders in any sequence and over any channel, so it keeps `OrderBook` as a set with heads:
a missing lower number is outstanding and fetched, only another digest at a known number is an attack. The log
(`require_sequence`) takes them strictly one after the other. Source: protocol section 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, Literal

import msgspec

from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.model.membership import MembershipShown
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import (
    CharterRegister,
    OrderIssued,
    OrderReference,
    OrderSealed,
    OrdersInForce,
    RegisterHead,
    Scope,
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
    "lifts_order",
    "names_scope_of",
]

EMPTY_HEAD = sha256_hex(b"")
MAX_OUTSTANDING = 1_000
_NO_DIGESTS: Final = PersistentMap({0: EMPTY_HEAD})


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
    """An order with its payload digest, and whether it was seen in a witnessed checkpoint.

    `doubtful`: it stands, but on a word that was put in doubt, so it must not end work. `by` are the constituencies
    that its power asks and whose keys signed it, as far as that is known. Of an order whose scope was resolved,
    `membership` is what one host was shown about itself, and `named` all its hosts, where the reader could resolve it.
    Of a `sealed` one `order` is what is inside where it `is_shown`, else a stand-in for everybody (orders.sealed), and
    `is_opened` says that the log shows it to all; `digest` is the sealed order's own.
    """

    order: OrderIssued
    digest: str
    witnessed: bool = False
    doubtful: bool = False
    by: frozenset[str] = frozenset()
    membership: MembershipShown = "unknown"
    named: frozenset[str] | None = None
    sealed: OrderSealed | None = None
    is_shown: bool = True
    is_opened: bool = False

    @property
    def is_unproven(self) -> bool:
        """Whether nobody has shown yet whether this order is for the host that keeps the book, or what it asks."""
        if not self.is_shown:
            return self.membership != "out"
        is_told = self.membership != "unknown" or self.named is not None
        return self.order.resolved is not None and self.order.kind != "resume" and not is_told

    @property
    def reference(self) -> OrderReference:
        return OrderReference(
            register=self.order.register, number=self.order.number, digest=self.digest
        )


class OrderBook(msgspec.Struct, frozen=True, kw_only=True):
    """All orders known, by register and number, and the newest heads heard of (which may be ahead of the orders).

    `doubted` are the orders, by payload digest, that lack their quorum without a key reported lost, each with the
    instant at which it is then as if expired (None: not known to be at any).
    """

    orders: Mapping[str, PersistentMap[int, KnownOrder]] = {}
    heads: Mapping[str, RegisterHead] = {}
    digests: Mapping[str, PersistentMap[int, str]] = {}
    doubted: Mapping[str, Instant | None] = {}

    @classmethod
    def open(cls, registers: Iterable[CharterRegister]) -> OrderBook:
        """Empty registers as the charter names them."""
        names = [register.name for register in registers]
        return cls(
            orders={name: PersistentMap() for name in names},
            heads={
                name: RegisterHead(register=name, number=0, digest=EMPTY_HEAD) for name in names
            },
        )

    def opened(self, registers: Iterable[CharterRegister]) -> OrderBook:
        """The book with the registers that a charter adds; what stands in others stays."""
        fresh = OrderBook.open(registers)
        return msgspec.structs.replace(
            self,
            orders={**fresh.orders, **self.orders},
            heads={**fresh.heads, **self.heads},
        )

    def doubting(self, doubted: Mapping[str, Instant | None]) -> OrderBook:
        """The book in which just these orders are in doubt."""
        return msgspec.structs.replace(self, doubted=doubted)

    def check_register(self, order: OrderIssued, registers: Iterable[CharterRegister]) -> None:
        """Raise WrongRegister where the charter has no such register for this kind of order."""
        row = next((r for r in registers if r.name == order.register), None)
        if row is None or row.power != order.kind:
            raise WrongRegister(
                f"register {order.register} does not take orders of kind {order.kind}"
            )

    def require_sequence(self, known: KnownOrder) -> None:
        """Raise RegisterGap or TwoDigests unless the order is exactly its register's next one."""
        order = known.order
        self._check_digest(known)
        head = self.heads.get(order.register)
        number, digest = (head.number, head.digest) if head else (0, EMPTY_HEAD)
        if order.number != number + 1:
            raise RegisterGap(
                f"order {order.number} does not follow order {number} of {order.register}"
            )
        if order.previous != digest:
            raise RegisterGap(f"order {order.number} of {order.register} names another predecessor")

    def verify_number(self, known: KnownOrder) -> None:
        """Raise TwoDigests where another order is known at its number."""
        self._check_digest(known)

    def is_named(self, known: KnownOrder) -> bool:
        """Whether a head or a successor names this very order at its number, in the book or not."""
        named = self.digests.get(known.order.register, _NO_DIGESTS).get(known.order.number)
        return named == known.digest

    def lifts(self, known: KnownOrder, ending: Instant) -> bool:
        """Whether a witnessed resume lifts an order, in this book or beside it, by the clock that ends."""
        return any(
            other.order.kind == "resume"
            and other.witnessed
            and other.order.not_before <= ending
            and any(name.digest == known.digest for name in other.order.lifts)
            and names_scope_of(other.order, known.order)
            for other in self._all()
        )

    def after(self, known: KnownOrder) -> OrderBook:
        """The book with one more order, in whatever sequence it comes. Raises TwoDigests."""
        order = known.order
        if order.number == 1 and order.previous != EMPTY_HEAD:
            raise TwoDigests(f"order 1 of {order.register} names an order before it")
        claims = [(order.number, known.digest)]
        if order.number > 1:
            claims.append((order.number - 1, order.previous))
        digests = self._claimed(order.register, claims)
        mine = PersistentMap.of(self.orders.get(order.register, _NO_ORDERS))
        before = mine.get(order.number)
        if before is not None:
            known = _with_what_was_known(known, before)
        head = RegisterHead(register=order.register, number=order.number, digest=known.digest)
        return msgspec.structs.replace(
            self,
            orders={**self.orders, order.register: mine.plus(order.number, known)},
            heads=_newest(self.heads, head),
            digests=digests,
        )

    def naming(self, digest: str, hosts: frozenset[str]) -> OrderBook:
        """The book once the hosts are known that the order with this payload digest was resolved to."""
        return self._changed(digest, lambda known: msgspec.structs.replace(known, named=hosts))

    def proven(self, digest: str, membership: Literal["in", "out"]) -> OrderBook:
        """The book once its host was shown whether it is in an order's scope; who is in it stays in it."""
        return self._changed(
            digest,
            lambda known: (
                known
                if known.membership == "in"
                else msgspec.structs.replace(known, membership=membership)
            ),
        )

    def showing(self, digest: str, order: OrderIssued, *, is_opened: bool) -> OrderBook:
        """The book once it is known what the sealed order with this payload digest is; `is_opened`: to everybody."""
        return self._changed(
            digest,
            lambda known: msgspec.structs.replace(
                known, order=order, is_shown=True, is_opened=is_opened or known.is_opened
            ),
        )

    def heard(self, heads: Iterable[RegisterHead]) -> OrderBook:
        """The book after hearing of heads: what they number and we lack is outstanding. Raises TwoDigests."""
        book = self
        for head in heads:
            digests = book._claimed(head.register, [(head.number, head.digest)])
            newest = _newest(book.heads, head)
            book = msgspec.structs.replace(book, heads=newest, digests=digests)
        return book

    def outstanding(self, limit: int = MAX_OUTSTANDING) -> tuple[tuple[str, int], ...]:
        """The (register, number) of orders that must exist and that we do not know, at most `limit` of them.

        Bounded, since a head is one signer's word: a head number of 2^53 must not keep an agent busy.
        """
        missing = (
            (name, number)
            for name, head in sorted(self.heads.items())
            for number in range(1, head.number + 1)
            if number not in self.orders.get(name, _NO_ORDERS)
        )
        return tuple(islice(missing, limit))

    def in_force(self, at: Instant, *, expiry_at: Instant | None = None) -> tuple[KnownOrder, ...]:
        """The restricting orders in force at `at`, oldest first; `expiry_at` is the clock that ends them.

        A resume lifts what it names once its not-before is reached, by the clock that ends: running ahead of time
        must not release anybody. An order past its expiry lapses, or stays as `refuse-until-resume` where it says so;
        one in doubt is past it when its grace ends. A resume whose grace ends, by the clock that begins, lifts no more:
        what it had lifted stands again, as doubtful as the word that it now hangs on.
        """
        ending = expiry_at or at
        lifted, restored = self._lifted(at, ending)
        found = [
            self._as_it_stands(known, restored)
            for known in self._all()
            if known.order.kind != "resume"
            and known.order.not_before <= at
            and known.digest not in lifted
            and (not self._is_past(known, ending) or known.order.on_expiry == "refuse-until-resume")
        ]
        found.sort(key=lambda k: (k.order.not_before.us, k.order.register, k.order.number))
        return tuple(found)

    def lifted(self, at: Instant) -> frozenset[str]:
        """The payload digests of all orders that a resume has lifted by `at`."""
        return self._lifted(at, at)[0]

    def find(self, reference: OrderReference) -> KnownOrder | None:
        known = self.orders.get(reference.register, _NO_ORDERS).get(reference.number)
        return known if known is not None and known.digest == reference.digest else None

    def verify_heads(self, fact: OrdersInForce, at: Instant) -> None:
        """Raise HeadsConflict unless an orders-in-force statement says exactly what these registers hold."""
        if {h.register: h for h in fact.heads} != dict(self.heads):
            raise HeadsConflict("the heads named are not the heads of the registers")
        expected = tuple(known.reference for known in self.in_force(at))
        if tuple(fact.in_force) != expected or fact.root != in_force_root(expected):
            raise HeadsConflict("the orders named in force are not those in force")

    def _all(self) -> Iterator[KnownOrder]:
        # An empty register is the rule, and looking into one costs more than asking it.
        return (order for book in self.orders.values() if book for order in book.values())

    def _lifted(self, at: Instant, ending: Instant) -> tuple[frozenset[str], frozenset[str]]:
        """The orders that a resume lifts, and those that only a resume lifts whose own grace has ended."""
        lifted: set[str] = set()
        fallen: set[str] = set()
        for known in self._all():
            if (
                known.order.kind == "resume"
                and known.witnessed
                and known.order.not_before <= ending
            ):
                end = self.doubted.get(known.digest)
                names = (
                    name.digest
                    for name in known.order.lifts
                    if (found := self.find(name)) is not None and lifts_order(known.order, found)
                )
                (fallen if end is not None and end <= at else lifted).update(names)
        return frozenset(lifted), frozenset(fallen - lifted)

    def _is_past(self, known: KnownOrder, ending: Instant) -> bool:
        doubted = self.doubted.get(known.digest)
        return known.order.expires <= ending or (doubted is not None and doubted <= ending)

    def _as_it_stands(self, known: KnownOrder, restored: frozenset[str]) -> KnownOrder:
        if known.digest not in self.doubted and known.digest not in restored:
            return known
        return msgspec.structs.replace(known, doubtful=True)

    def _check_digest(self, known: KnownOrder) -> None:
        self._claimed(known.order.register, [(known.order.number, known.digest)])

    def _changed(self, digest: str, change: Callable[[KnownOrder], KnownOrder]) -> OrderBook:
        known = next((each for each in self._all() if each.digest == digest), None)
        if known is None:
            return self
        name, number = known.order.register, known.order.number
        mine = PersistentMap.of(self.orders[name]).plus(number, change(known))
        return msgspec.structs.replace(self, orders={**self.orders, name: mine})

    def _claimed(
        self, register: str, claims: Iterable[tuple[int, str]]
    ) -> Mapping[str, PersistentMap[int, str]]:
        """All digests ever heard for a register's numbers, from orders, their predecessors' names and heads.

        None is forgotten, so that two digests at one number are caught in whatever sequence they come.
        """
        mine = PersistentMap.of(self.digests.get(register, _NO_DIGESTS))
        for number, digest in claims:
            before = mine.get(number)
            if before is None:
                mine = mine.plus(number, digest)
            elif before != digest:
                raise TwoDigests(f"register {register} has two orders number {number}")
        return {**self.digests, register: mine}


_NO_ORDERS: Final[PersistentMap[int, KnownOrder]] = PersistentMap()


def _newest(heads: Mapping[str, RegisterHead], head: RegisterHead) -> Mapping[str, RegisterHead]:
    mine = heads.get(head.register)
    return {**heads, head.register: head} if mine is None or head.number > mine.number else heads


def _with_what_was_known(known: KnownOrder, before: KnownOrder) -> KnownOrder:
    """An order that is told again: what was shown of it stays shown."""
    if before.is_shown and not known.is_shown:
        known = msgspec.structs.replace(known, order=before.order, is_shown=True)
    return msgspec.structs.replace(
        known,
        is_opened=known.is_opened or before.is_opened,
        witnessed=known.witnessed or before.witnessed,
        membership=before.membership if before.membership != "unknown" else known.membership,
        named=known.named if known.named is not None else before.named,
        by=known.by or before.by,
    )


def lifts_order(release: OrderIssued, lifted: KnownOrder) -> bool:
    """Whether a resume that names an order lifts it: a sealed one it lifts everywhere, opened or not.

    Else whoever has not seen its scope could not tell what is in force; nor, of an exercise, whether it is one.
    """
    if lifted.sealed is not None:
        return release.scope == Scope(everywhere=True) and not release.drill
    return names_scope_of(release, lifted.order)


def names_scope_of(release: OrderIssued, lifted: OrderIssued) -> bool:
    """Whether a resume names all that an order was for: the same scope, resolved alike, or everywhere.

    Whoever signs a resume reads its scope, so it must not release hosts that this scope leaves out. Nor does one that
    calls itself a drill release anything but a drill: its signers read that it is an exercise.
    """
    if release.drill and not lifted.drill:
        return False
    if release.scope == Scope(everywhere=True):
        return True
    return (release.scope, release.resolved) == (lifted.scope, lifted.resolved)


def in_force_root(orders: tuple[OrderReference, ...]) -> str:
    """SHA-256 of the canonical list of what is in force."""
    return sha256_hex(canonical(list(orders)))
