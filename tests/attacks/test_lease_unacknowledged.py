"""One test per quantum that the issuer keeps and must not acknowledge; the chain goes on after each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.licensing import ReceiptFork
from sekisho.operations.licence_drafts import (
    AmendedTerms,
    draft_licence_amendment,
    draft_suspension,
)
from sekisho.ports.control import Unacknowledged
from sekisho.rules import load_pack
from tests import factory as f
from tests.desks import TestDesk
from tests.holders import PEAK, QUANTUM, books_of, leased

BUDGET = 10 * PEAK * 62


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path / "desk") as opened:
        yield opened


def suspend(desk: TestDesk) -> None:
    fact = draft_suspension(desk.desk.state, "LIC-1", "looked into", now=desk.clock.now())
    desk.desk.admit(f.signed(fact, *f.AUTHORITY[:2]).raw)


def refuse(desk: TestDesk, raw: bytes) -> None:
    """Not acknowledged, neither now nor when it comes again; and kept, so that a restart knows it too."""
    for _ in range(2):
        with pytest.raises(Unacknowledged):
            desk.leases.take_receipt(raw)


def test_quantum_after_the_final_receipt(desk: TestDesk) -> None:
    """A lease that was given back lets nobody work, not even within what it consumed."""
    holder, lease = leased(desk, budget_flop=BUDGET)
    desk.leases.take_receipt(holder.receipt(lease))
    desk.leases.take_receipt(holder.receipt(lease, stage="final"))
    refuse(desk, holder.receipt(lease))

    assert desk.leases.chain("host-1").sequence == 3
    assert books_of(desk.desk)[""][2] == QUANTUM


@pytest.mark.parametrize("reserved", [0, 1, QUANTUM - 1])
def test_quantum_that_reserves_too_little(desk: TestDesk, reserved: int) -> None:
    """Each quantum reserves peak x (quantum + grace): what reserves less would be work that nobody counts."""
    holder, lease = leased(desk, budget_flop=BUDGET)
    refuse(desk, holder.receipt(lease, reserved=reserved))

    assert desk.leases.take_receipt(holder.receipt(lease))


def test_quantum_backdated_into_a_lease_forfeited_long_ago(desk: TestDesk) -> None:
    """The receipt's own date is the host's word; by the issuer's clock the lease is over, and it pays all the same."""
    holder, lease = leased(desk, budget_flop=BUDGET)
    desk.leases.take_receipt(holder.receipt(lease))
    desk.clock.move(30 * 86_400)
    assert desk.leases.close_overdue() == 1
    refuse(desk, holder.receipt(lease, reserved=2 * QUANTUM))

    assert desk.leases.chain("host-1").sequence == 2


def test_quantum_of_a_suspended_licence(desk: TestDesk) -> None:
    """While it is suspended nothing is acknowledged; its final receipt is taken, and the chain stands."""
    holder, lease = leased(desk, budget_flop=BUDGET)
    desk.leases.take_receipt(holder.receipt(lease))
    suspend(desk)
    refuse(desk, holder.receipt(lease))

    assert desk.leases.take_receipt(holder.receipt(lease, stage="final"))
    assert desk.leases.chain("host-1").sequence == 3


def test_quantum_of_a_suspension_that_was_lifted(desk: TestDesk) -> None:
    """One that comes again is judged again: after the suspension it is acknowledged."""
    holder, lease = leased(desk, budget_flop=BUDGET)
    suspend(desk)
    raw = holder.receipt(lease)
    refuse(desk, raw)
    suspension = desk.desk.state.licences.by_number("LIC-1").suspension  # type: ignore[union-attr]  # it is there
    lifting = draft_licence_amendment(
        desk.desk.state,
        "LIC-1",
        AmendedTerms(reason="found in order", lifts=suspension is not None),
        load_pack(),
        now=desk.clock.now(),
    )
    desk.desk.admit(f.signed(lifting, *f.AUTHORITY[:2]).raw)

    assert desk.leases.take_receipt(raw)


def test_forked_quantum_sent_again(desk: TestDesk) -> None:
    """After a fork the chain goes on and no quantum is acknowledged, however often it comes."""
    holder, lease = leased(desk, budget_flop=BUDGET)
    clone = holder.receipt(lease, reserved=2 * QUANTUM, keep=False)
    desk.leases.take_receipt(holder.receipt(lease))
    with pytest.raises(ReceiptFork):
        desk.leases.take_receipt(clone)
    after = holder.receipt(lease, reserved=2 * QUANTUM)
    for _ in range(2):
        with pytest.raises(ReceiptFork):
            desk.leases.take_receipt(after)
