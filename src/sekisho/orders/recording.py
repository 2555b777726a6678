"""What a log entry changes in the registers: orders in sequence, new registers, orders in doubt or opened. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import CharterAdopted, OrderIssued, OrderOpened, OrderSealed
from sekisho.orders.holding import holders_of
from sekisho.orders.registers import KnownOrder, OrderBook
from sekisho.orders.sealed import open_sealed, stand_in
from sekisho.signing import Recorded, Regime, Verified
from sekisho.signing.charter import Charter
from sekisho.signing.compromise import ORDERS

__all__ = ["doubted_orders", "known_order", "record_in_book", "record_opened", "with_order"]


def record_in_book(
    book: OrderBook,
    recorded: Recorded,
    before: Regime,
    after: Regime,
    *,
    texts: Iterable[str] = (),
) -> OrderBook:
    """The book once an entry is in the log, between the regimes around it; `texts` disclose a sealed order.

    Raises WrongRegister, RegisterGap or TwoDigests where the registers do not take it.
    """
    fact = recorded.verified.predicate
    if isinstance(fact, CharterAdopted):
        book = book.opened(fact.registers)
    elif isinstance(fact, OrderIssued | OrderSealed):
        known = known_order(recorded.verified, before.in_force(), texts, witnessed=True)
        book.check_register(known.order, before.in_force().terms.registers)
        book.require_sequence(known)
        book = book.after(known)
    elif isinstance(fact, OrderOpened):
        book = record_opened(book, fact)
    if after.doubts is not before.doubts:
        book = book.doubting(doubted_orders(after))
    return book


def known_order(
    verified: Verified, charter: Charter, texts: Iterable[str] = (), *, witnessed: bool
) -> KnownOrder:
    """An order as it goes into a book: of a sealed one what these disclosures show, else a stand-in.

    Disclosures that are not the statement's show nothing here; whoever hands them on says what is wrong with them.
    """
    fact = verified.predicate
    sealed = fact if isinstance(fact, OrderSealed) else None
    if isinstance(fact, OrderSealed):
        shown = _shown(fact, texts)
        order = shown or stand_in(fact, on_expiry=charter.terms.pause_on_expiry)
    elif isinstance(fact, OrderIssued):
        shown = order = fact
    else:
        raise InvalidInput(f"a {verified.kind} is no order")
    return KnownOrder(
        order=order,
        digest=verified.digest,
        witnessed=witnessed,
        by=holders_of(order, charter, verified.signers),
        sealed=sealed,
        is_shown=shown is not None,
    )


def record_opened(book: OrderBook, fact: OrderOpened) -> OrderBook:
    """The book once an order is open to everybody; unchanged where what is shown is not what was sealed."""
    known = book.find(fact.order)
    if known is None or known.sealed is None or known.is_opened:
        return book
    order = _shown(known.sealed, fact.disclosures)
    return book if order is None else book.showing(known.digest, order, is_opened=True)


def with_order(recorded: Recorded, order: OrderIssued) -> Recorded:
    """A sealed order's entry as that of the order inside: for what counts orders, whatever they came in."""
    verified = msgspec.structs.replace(recorded.verified, predicate=order)
    return msgspec.structs.replace(recorded, verified=verified)


def _shown(sealed: OrderSealed, texts: Iterable[str]) -> OrderIssued | None:
    try:
        opened = open_sealed(sealed, texts)
    except SekishoError:
        return None
    return opened.order


def doubted_orders(regime: Regime) -> dict[str, Instant | None]:
    """The orders that a lost key leaves in doubt, each with the end of its grace."""
    return {row.digest: row.lapses for row in regime.doubts if row.kind in ORDERS}
