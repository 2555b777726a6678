from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.statements import OrdersInForce, RegisterHead, Scope
from sekisho.orders import (
    EMPTY_HEAD,
    HeadsConflict,
    KnownOrder,
    OrderBook,
    RegisterGap,
    TwoDigests,
    WrongRegister,
    in_force_root,
)
from tests.factory import NOW, charter, order_issued
from tests.orders.books import OPEN, book_of, known, pauses, resume_of

FIVE = pauses(5)
OTHER = pauses(5, first="Another act")
LATE = NOW.plus(3_600)


def head(order: KnownOrder) -> RegisterHead:
    """The head that a register has after an order."""
    return RegisterHead(
        register=order.order.register, number=order.order.number, digest=order.digest
    )


def deliver(book: OrderBook, message: KnownOrder | RegisterHead) -> OrderBook:
    """The book after an order, or after hearing of a head."""
    return book.heard([message]) if isinstance(message, RegisterHead) else book.after(message)


@given(st.permutations([*FIVE, *map(head, FIVE[2:]), FIVE[0], FIVE[4]]))
def test_orders_and_heads_converge_in_any_sequence(
    messages: Sequence[KnownOrder | RegisterHead],
) -> None:
    """Whatever comes first, comes twice or comes only by name: the book at the end is the same."""
    book = OPEN
    for message in messages:
        book = deliver(book, message)
    assert book == book_of(*FIVE)
    assert book.outstanding() == ()


@given(st.permutations(FIVE), st.integers(0, 5))
def test_what_is_not_delivered_is_outstanding(shuffled: Sequence[KnownOrder], count: int) -> None:
    """Every number below the head that the book lacks is named."""
    book = book_of(*shuffled[:count])
    numbers = {item.order.number for item in shuffled[:count]}
    expected = set(range(1, max(numbers, default=0) + 1)) - numbers
    assert set(book.outstanding()) == {("pause/JP", number) for number in expected}


def test_a_later_order_delivered_first_leaves_the_earlier_outstanding() -> None:
    """Suppressing pause 1 by showing pause 2 does not hide that there is a pause 1."""
    book = OPEN.after(FIVE[1])
    assert book.heads["pause/JP"].number == 2
    assert book.outstanding() == (("pause/JP", 1),)
    assert book.after(FIVE[0]).outstanding() == ()


def test_a_head_heard_of_makes_its_orders_outstanding() -> None:
    """New work stops before the order itself comes; an older head changes nothing."""
    book = OPEN.heard([head(FIVE[1])])
    assert book.outstanding() == (("pause/JP", 1), ("pause/JP", 2))
    assert book.heard([head(FIVE[0])]).heads == book.heads
    assert book.heard([RegisterHead(register="pause/JP", number=0, digest=EMPTY_HEAD)]) == book


def test_an_endless_head_keeps_nobody_busy() -> None:
    """A head number of 2^53 is one signer's word; what is outstanding is named up to a bound."""
    book = OPEN.heard([RegisterHead(register="pause/JP", number=2**53, digest="a" * 64)])
    assert len(book.outstanding()) == 1_000
    assert book.outstanding(2) == (("pause/JP", 1), ("pause/JP", 2))


@pytest.mark.parametrize("sequence", list(permutations(range(4))))
def test_two_digests_at_one_number_are_caught_in_every_arrival_order(
    sequence: tuple[int, ...],
) -> None:
    """Orders, their successors and their heads: a second digest at number 2 is caught whatever comes first."""
    messages: list[KnownOrder | RegisterHead] = [FIVE[2], head(FIVE[1]), FIVE[4], OTHER[1]]
    arriving = [messages[place] for place in sequence]
    with pytest.raises(TwoDigests):
        reduce(deliver, arriving, OPEN)


@pytest.mark.parametrize(
    "pair",
    [
        (FIVE[0], OTHER[0]),
        (FIVE[1], OTHER[1]),
        (FIVE[1], head(OTHER[1])),
        (head(FIVE[1]), head(OTHER[1])),
        (FIVE[2], OTHER[1]),
        (FIVE[2], head(OTHER[1])),
    ],
    ids=["first", "second", "order, head", "two heads", "by successor", "successor, head"],
)
@pytest.mark.parametrize("between", [None, FIVE[4], head(FIVE[3])], ids=["-", "order", "head"])
def test_two_digests_are_caught_both_ways_round(
    pair: tuple[KnownOrder | RegisterHead, KnownOrder | RegisterHead],
    between: KnownOrder | RegisterHead | None,
) -> None:
    """Also where a newer order or head came between, which must not make the older one forgotten."""
    for first, second in (pair, pair[::-1]):
        book = deliver(OPEN, first)
        if between is not None:
            book = deliver(book, between)
        with pytest.raises(TwoDigests):
            deliver(book, second)


def test_the_first_order_of_a_register_follows_nothing() -> None:
    """Order 1 that names a predecessor stands in another register's history."""
    with pytest.raises(TwoDigests, match="names an order before it"):
        OPEN.after(known(order_issued(previous="a" * 64)))


def test_the_log_takes_orders_strictly_one_after_the_other() -> None:
    """A gap, a repetition, another predecessor: refused where the register is kept."""
    OPEN.require_sequence(FIVE[0])
    book = book_of(*FIVE[:2])
    book.require_sequence(FIVE[2])
    for order in (FIVE[3], FIVE[1], FIVE[0]):
        with pytest.raises(RegisterGap):
            book.require_sequence(order)
    with pytest.raises(RegisterGap, match="another predecessor"):
        book.require_sequence(OTHER[2])
    with pytest.raises(TwoDigests):
        book.require_sequence(OTHER[1])
    elsewhere = known(order_issued(register="pause/GB"))
    OPEN.require_sequence(elsewhere)


def test_a_register_takes_its_own_kind_only() -> None:
    """A resume in the pause register, or an unknown register, is refused."""
    registers = charter().registers
    OPEN.check_register(FIVE[0].order, registers)
    for order in (
        order_issued(kind="resume", effect="lift", register="pause/JP"),
        order_issued(register="pause/GB"),
        order_issued(kind="hold", register="pause/JP"),
    ):
        with pytest.raises(WrongRegister):
            OPEN.check_register(order, registers)


def test_a_lapsing_order_ends_with_its_expiry() -> None:
    """At its expiry by the clock that ends, not before; and not before its beginning."""
    (order,) = pauses(1, on_expiry="lapse", not_before=NOW.plus(10))
    book = book_of(order)
    assert book.in_force(NOW.plus(9)) == ()
    assert book.in_force(NOW.plus(10)) == (order,)
    assert book.in_force(LATE) == ()
    assert book.in_force(LATE, expiry_at=LATE.plus(-1)) == (order,)


def test_an_order_that_refuses_until_resume_outlives_its_expiry() -> None:
    """Only a resume ends it."""
    (order,) = pauses(1)
    book = book_of(order)
    assert book.in_force(LATE.plus(10**8)) == (order,)
    assert book.after(resume_of(order)).in_force(LATE.plus(10**8)) == ()


def test_a_resume_lifts_what_it_names_and_only_that() -> None:
    """Pause 2 stays while pause 1 is lifted; a resume that names another digest lifts nothing."""
    first, second = FIVE[:2]
    assert book_of(first, second, resume_of(first)).in_force(NOW) == (second,)
    assert book_of(first, second, resume_of(first, second)).in_force(NOW) == ()
    assert book_of(first, resume_of(OTHER[0])).in_force(NOW) == (first,)


@given(st.permutations([*FIVE[:2], resume_of(FIVE[0])]))
def test_a_resume_that_comes_before_its_order_lifts_it_all_the_same(
    shuffled: Sequence[KnownOrder],
) -> None:
    """What is in force does not depend on the sequence of delivery."""
    assert book_of(*shuffled).in_force(NOW) == (FIVE[1],)


def test_a_resume_begins_by_the_clock_that_ends() -> None:
    """Setting the system clock ahead does not bring a release forward."""
    (order,) = pauses(1)
    book = book_of(order, resume_of(order, not_before=NOW.plus(600)))
    assert book.in_force(NOW.plus(599)) == (order,)
    assert book.in_force(NOW.plus(600)) == ()
    assert book.in_force(NOW.plus(10_000), expiry_at=NOW.plus(599)) == (order,)


def test_an_unwitnessed_resume_lifts_nothing() -> None:
    """Until it was seen in a witnessed checkpoint; once witnessed, a copy without proof changes nothing."""
    (order,) = pauses(1)
    unseen, seen = resume_of(order, witnessed=False), resume_of(order)
    assert book_of(order, unseen).in_force(NOW) == (order,)
    assert book_of(order, unseen, seen).in_force(NOW) == ()
    assert book_of(order, seen, unseen).in_force(NOW) == ()


def test_a_resume_with_another_scope_than_its_order_lifts_nothing() -> None:
    """Who signed for one host did not release the site; who signed for everywhere did."""
    (order,) = pauses(1)
    narrow = resume_of(order, scope=Scope(hosts=("host-1",)))
    assert book_of(order, narrow).in_force(NOW) == (order,)
    everywhere = resume_of(order, scope=Scope(everywhere=True))
    assert book_of(order, everywhere).in_force(NOW) == ()


def test_the_oldest_order_comes_first() -> None:
    """What is in force is listed by its beginning, whatever its register."""
    early = known(order_issued(kind="hold", not_before=NOW.plus(-60)))
    assert book_of(*FIVE[:2], early).in_force(NOW) == (early, *FIVE[:2])


def test_an_order_is_found_by_its_whole_reference() -> None:
    """Number and register with another digest are another order."""
    book = book_of(*FIVE)
    assert book.find(FIVE[2].reference) == FIVE[2]
    assert book.find(OTHER[2].reference) is None
    assert book.find(msgspec.structs.replace(FIVE[2].reference, number=9)) is None


def heartbeat(book: OrderBook) -> OrdersInForce:
    """The statement that a register keeper would make."""
    listed = tuple(item.reference for item in book.in_force(NOW))
    return OrdersInForce(
        effective=NOW,
        heads=tuple(book.heads[name] for name in sorted(book.heads)),
        in_force=listed,
        root=in_force_root(listed),
    )


def test_a_true_heartbeat_is_accepted_and_every_lie_is_caught() -> None:
    """A head left out or set back, an order hidden, invented or reordered, a wrong root."""
    book = book_of(*FIVE[:3])
    said = heartbeat(book)
    book.verify_heads(said, NOW)
    listed = said.in_force
    empty = RegisterHead(register="pause/JP", number=0, digest=EMPTY_HEAD)
    others = tuple(item for item in said.heads if item.register != "pause/JP")
    for change in (
        {"heads": said.heads[1:]},
        {"heads": (*others, empty)},
        {"in_force": listed[1:], "root": in_force_root(listed[1:])},
        {"in_force": listed[::-1], "root": in_force_root(listed[::-1])},
        {"in_force": (*listed, OTHER[4].reference)},
        {"root": "0" * 64},
    ):
        with pytest.raises(HeadsConflict):
            book.verify_heads(msgspec.structs.replace(said, **change), NOW)
