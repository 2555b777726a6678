from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.licensing import (
    BrokenChain,
    Chain,
    Link,
    ReceiptFork,
    fold_chain,
    reserved_in_branches,
)
from sekisho.model.statements import ReceiptGiven, Reference, Spend, make_payload
from sekisho.model.wire import sha256_hex, to_plain
from tests.factory import ORIGIN, receipt_given


def link(receipt: ReceiptGiven) -> Link:
    """A receipt as a link of its chain."""
    return Link(digest=sha256_hex(make_payload(receipt)), receipt=receipt)


def links(count: int) -> list[Link]:
    """A sound chain of `count` receipts."""
    made: list[Link] = []
    for sequence in range(1, count + 1):
        previous = made[-1].digest if made else None
        made.append(link(receipt_given(sequence, previous=previous)))
    return made


@given(st.permutations(links(6)))
def test_a_chain_is_the_same_in_whatever_sequence_it_is_read(shuffled: Sequence[Link]) -> None:
    """Folding sorts by sequence, and takes the same receipt twice."""
    chain = fold_chain("host-1", [*shuffled, shuffled[0]])
    assert (chain.sequence, chain.head) == (6, links(6)[-1].digest)
    assert chain.last == links(6)[-1].receipt


def test_a_receipt_sent_again_is_harmless() -> None:
    """The head, come again, changes nothing."""
    chain = fold_chain("host-1", links(4))
    assert chain.is_head(links(4)[-1])
    assert chain.after(links(4)[-1]) is chain
    assert not chain.is_head(links(4)[0])
    assert Chain(host="host-1").head is None


def test_a_chain_holds_no_more_for_a_thousand_receipts_than_for_one() -> None:
    """What is folded once for each quantum must not grow with them."""
    sizes = {len(str(to_plain(fold_chain("host-1", links(n))))) for n in (100, 999)}
    assert len(sizes) == 1


def test_two_receipts_of_one_number_are_a_fork() -> None:
    """At the head, in the middle and at the start."""
    chain = fold_chain("host-1", links(4))
    for sequence in (1, 2, 4):
        previous = links(4)[sequence - 2].digest if sequence > 1 else None
        other = link(receipt_given(sequence, previous=previous, state="ended"))
        assert not chain.is_head(other)
        with pytest.raises(ReceiptFork, match=f"two receipts number {sequence}"):
            chain.after(other)
    with pytest.raises(ReceiptFork):
        fold_chain("host-1", [*links(4), link(receipt_given(1, state="ended"))])


@pytest.mark.parametrize(
    "receipt",
    [
        receipt_given(4, previous=links(2)[-1].digest),
        receipt_given(3, previous="0" * 64),
        receipt_given(3, previous=None),
        receipt_given(3, previous=links(2)[0].digest),
        receipt_given(0, previous=None),
        receipt_given(3, previous=links(2)[-1].digest, host="host-2"),
        receipt_given(3, previous=links(2)[-1].digest, quantum=1),
    ],
    ids=["gap", "foreign", "none", "older", "number 0", "other host", "counter back"],
)
def test_a_receipt_that_does_not_follow_breaks_the_chain(receipt: ReceiptGiven) -> None:
    """A gap, another predecessor, another host, or a quantum counter that goes backwards."""
    with pytest.raises(BrokenChain):
        fold_chain("host-1", links(2)).after(link(receipt))


def test_the_first_receipt_names_no_predecessor() -> None:
    """A chain that begins in the middle is none."""
    with pytest.raises(BrokenChain):
        Chain(host="host-1").after(link(receipt_given(1, previous="0" * 64)))
    with pytest.raises(BrokenChain):
        Chain(host="host-1").after(links(2)[1])


def spending(sequence: int, reserved: int, previous: str | None, lease: str = "1" * 64) -> Link:
    """A receipt that spends a lease."""
    spend = Spend(
        lease=Reference(log=ORIGIN, leaf=lease),
        lease_number=1,
        reserved_flop=str(reserved),
        bound_flop="0",
    )
    return link(receipt_given(sequence, previous=previous, spend=spend))


def test_branches_that_contradict_a_chain_are_added() -> None:
    """Receipts that follow one another are one branch and count with the highest; others stand beside it."""
    first = spending(3, 10, "a" * 64)
    second = spending(4, 25, first.digest)
    other = spending(3, 7, "b" * 64)
    assert reserved_in_branches([second, other, first]) == {"1" * 64: 32}
    assert reserved_in_branches([first, spending(5, 4, "c" * 64, "2" * 64)]) == {
        "1" * 64: 10,
        "2" * 64: 4,
    }
    assert reserved_in_branches([link(receipt_given(1))]) == {}
