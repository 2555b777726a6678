"""Receipts made, linked and read back."""

from __future__ import annotations

import pytest

from sekisho.agent.receipts import GivenReceipt, Notes, Standing, give_receipt, read_chain
from sekisho.licensing import BrokenChain, HostState
from sekisho.model.statements import OrderReference
from tests.factory import HOST, NOW

ORDER = OrderReference(register="pause/JP", number=1, digest="ab" * 32)


def chain(*notes: Notes) -> list[GivenReceipt]:
    """Receipts one after the other, as a host gives them."""
    state, given = HostState(), []
    for note in notes:
        receipt = give_receipt(
            note, state, host="host-1", run="run-1", tier="C0", heads=(), now=NOW, signer=HOST
        )
        state = state.receipted(receipt.link.digest)
        given.append(receipt)
    return given


THREE = chain(
    Notes(stage="received", order=ORDER),
    Notes(stage="halted", order=ORDER, state="frozen"),
    Notes(stage="quantum", state="running"),
)


def test_receipts_name_the_one_before() -> None:
    """Sequence starts at 1 and each previous is the payload digest of the receipt before."""
    assert [given.sequence for given in THREE] == [1, 2, 3]
    assert THREE[0].link.receipt.previous is None
    assert THREE[2].link.receipt.previous == THREE[1].link.digest


def test_a_chain_read_back_knows_its_head_and_what_it_said_of_orders() -> None:
    """What was not delivered yet comes back whole, to be sent again."""
    tail = read_chain("host-1", [given.raw for given in THREE], delivered=2)

    assert (tail.sequence, tail.head, tail.previous) == (
        3,
        THREE[2].link.digest,
        THREE[1].link.digest,
    )
    assert tail.standing.halted == {ORDER.digest: ORDER}
    assert [given.raw for given in tail.pending] == [THREE[2].raw]


@pytest.mark.parametrize(
    "lines",
    [
        [THREE[1].raw],
        [THREE[0].raw, THREE[2].raw],
        [THREE[0].raw, THREE[0].raw],
        [b"{}"],
        [b"not json"],
    ],
    ids=["begins late", "gap", "twice", "no envelope", "no json"],
)
def test_a_chain_with_another_line_in_it_is_broken(lines: list[bytes]) -> None:
    """A missing, doubled or foreign line is never taken for the host's own chain."""
    with pytest.raises(BrokenChain):
        read_chain("host-1", lines, delivered=0)


def test_a_resumed_receipt_ends_what_a_halted_one_began() -> None:
    """Standing is what the receipts say: received, halted, resumed."""
    standing = Standing()
    for given in chain(
        Notes(stage="received", order=ORDER),
        Notes(stage="halted", order=ORDER),
        Notes(stage="resumed", order=ORDER),
    ):
        standing = standing.after(given.link.receipt)

    assert standing == Standing()
