"""What a log entry changes in the registers: orders in their sequence, new registers, and orders put in doubt. Pure."""

from __future__ import annotations

from sekisho.model.instants import Instant
from sekisho.model.statements import CharterAdopted, OrderIssued
from sekisho.orders.holding import holders_of
from sekisho.orders.registers import KnownOrder, OrderBook
from sekisho.signing import Recorded, Regime

__all__ = ["doubted_orders", "record_in_book"]


def record_in_book(book: OrderBook, recorded: Recorded, before: Regime, after: Regime) -> OrderBook:
    """The book once an entry is in the log, between the regimes around it.

    Raises WrongRegister, RegisterGap or TwoDigests where the registers do not take it.
    """
    fact = recorded.verified.predicate
    if isinstance(fact, CharterAdopted):
        book = book.opened(fact.registers)
    elif isinstance(fact, OrderIssued):
        by = holders_of(fact, before.in_force(), recorded.verified.signers)
        known = KnownOrder(order=fact, digest=recorded.verified.digest, witnessed=True, by=by)
        book.check_register(fact, before.in_force().terms.registers)
        book.require_sequence(known)
        book = book.after(known)
    if after.doubts is not before.doubts:
        book = book.doubting(doubted_orders(after))
    return book


def doubted_orders(regime: Regime) -> dict[str, Instant | None]:
    """The orders that a lost key leaves in doubt, each with the end of its grace."""
    return {row.digest: row.lapses for row in regime.doubts if row.kind == "order-issued"}
