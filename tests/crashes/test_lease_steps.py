"""The power goes at every durable step of a grant, a receipt and a closing; asked again, the books are exact.

private store (papers and disclosures) -> log -> answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from sekisho.ledger.places import Outcome
from sekisho.licensing import ReceiptFork
from sekisho.ports.log_store import Submission
from sekisho.ports.private_store import Paper
from tests.crashes.discarding_disk import Fuse, PowerCut
from tests.desks import TestDesk
from tests.holders import PEAK, QUANTUM, Holder, books_of, leaf_of, license_hosts

WHOLE = PEAK * 62
BUDGET = 10**15
STEPS = ("private store", "log")


def fused(desk: TestDesk, fuse: Fuse) -> None:
    """From here on every durable step of this desk goes through the fuse."""
    keep, append = desk.private.save_all, desk.sequencer.append

    def save_all(disclosures: Mapping[str, Sequence[str]], papers: Sequence[Paper]) -> None:
        fuse.guard("private store", lambda: keep(disclosures, papers))

    def sequence(submissions: Sequence[Submission]) -> list[Outcome]:
        return fuse.guard("log", lambda: append(submissions))

    desk.private.save_all = save_all  # type: ignore[method-assign]  # the fuse
    desk.sequencer.append = sequence  # type: ignore[method-assign]  # the fuse


class Life:
    """One host from its request to its last receipt, with every answer that it lost asked for again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with TestDesk(folder) as desk:
            self.holder = Holder(1, license_hosts(desk.desk, 1, budget_flop=BUDGET).leaf)
            self.request = self.holder.request()

    def die(self, act: Callable[[TestDesk], object], step: int, *, after: bool) -> None:
        """The machine stops around one step of an act."""
        with TestDesk(self.folder) as desk:
            fuse = Fuse(step, after=after)
            fused(desk, fuse)
            with pytest.raises(PowerCut):
                act(desk)
            assert fuse.names == list(STEPS[: step + 1])

    def account(self) -> tuple[int, int, int, int, int]:
        with TestDesk(self.folder) as desk:
            return books_of(desk.desk)[""]


POINTS = pytest.mark.parametrize(
    ("step", "after"), [(step, after) for step in (0, 1) for after in (False, True)]
)


@POINTS
def test_power_cut_around_a_grant(tmp_path: Path, step: int, after: bool) -> None:
    """One lease whatever happened, with an amount that its disclosure opens; asked again it is the same one."""
    life = Life(tmp_path)
    life.die(lambda desk: desk.leases.grant(life.request), step, after=after)
    is_logged = step == 1 and after
    assert life.account() == (
        (BUDGET - WHOLE, WHOLE, 0, 0, 0) if is_logged else (BUDGET, 0, 0, 0, 0)
    )
    with TestDesk(tmp_path) as desk:
        lease = desk.leases.grant(life.request)
        assert lease.admitted.fresh is not is_logged
        assert lease.disclosures
        assert books_of(desk.desk)[""] == (BUDGET - WHOLE, WHOLE, 0, 0, 0)
        assert len(desk.private.load_papers("request")) == 1


@POINTS
def test_power_cut_around_a_final_receipt(tmp_path: Path, step: int, after: bool) -> None:
    """Receipt and acknowledgement are kept together; the lease is closed once, by the receipt sent again."""
    life = Life(tmp_path)
    with TestDesk(tmp_path) as desk:
        leaf = leaf_of(desk.leases.grant(life.request))
    life.holder.took()
    final = life.holder.receipt(leaf, stage="final")
    life.die(lambda desk: desk.leases.take_receipt(final), step, after=after)
    with TestDesk(tmp_path) as desk:
        kept = len(desk.private.load_papers("receipt"))
        assert kept == len(desk.private.load_papers("acknowledgement")) == int(step == 1 or after)
        first = desk.leases.take_receipt(final)
        assert desk.leases.take_receipt(final) == first
        assert books_of(desk.desk)[""] == (BUDGET - QUANTUM, 0, QUANTUM, 0, 0)


@POINTS
def test_power_cut_around_a_fork(tmp_path: Path, step: int, after: bool) -> None:
    """Evidence without its closings is made up at the next look: both branches added, one finding."""
    life = Life(tmp_path)
    with TestDesk(tmp_path) as desk:
        leaf = leaf_of(desk.leases.grant(life.request))
        life.holder.took()
        clone = life.holder.receipt(leaf, reserved=7 * PEAK, keep=False)
        desk.leases.take_receipt(life.holder.receipt(leaf))
    life.die(lambda desk: desk.leases.take_receipt(clone), step, after=after)
    with TestDesk(tmp_path) as desk:
        if not desk.private.load_papers("fork"):
            with pytest.raises(ReceiptFork):
                desk.leases.take_receipt(clone)
        desk.leases.close_overdue()
        both = QUANTUM + 7 * PEAK
        assert books_of(desk.desk)[""] == (BUDGET - WHOLE, 0, both, WHOLE - both, 0)
        assert [r.verified.kind for r in desk.desk.recorded()].count("finding-raised") == 1


@POINTS
def test_power_cut_around_a_forfeiture(tmp_path: Path, step: int, after: bool) -> None:
    """It is forfeited once, with what its receipts reserved."""
    life = Life(tmp_path)
    with TestDesk(tmp_path) as desk:
        leaf = leaf_of(desk.leases.grant(life.request))
        life.holder.took()
        desk.leases.take_receipt(life.holder.receipt(leaf))

    def forfeit(desk: TestDesk) -> int:
        desk.clock.move(60 + 2 + 5 + 1)
        return desk.leases.close_overdue()

    life.die(forfeit, step, after=after)
    with TestDesk(tmp_path) as desk:
        assert forfeit(desk) == (0 if (step, after) == (1, True) else 1)
        assert books_of(desk.desk)[""] == (BUDGET - WHOLE, 0, QUANTUM, WHOLE - QUANTUM, 0)


@POINTS
def test_power_cut_in_a_batch_of_many(tmp_path: Path, step: int, after: bool) -> None:
    """What one batch was to state is stated whole or not at all."""
    with TestDesk(tmp_path) as desk:
        licence = license_hosts(desk.desk, 8, budget_flop=BUDGET)
        holders = [Holder(n, licence.leaf) for n in range(1, 9)]
        for holder in holders:
            desk.leases.grant(holder.request())
    with TestDesk(tmp_path) as desk:
        desk.clock.move(3_600)
        fused(desk, Fuse(step, after=after))
        with pytest.raises(PowerCut):
            desk.leases.close_overdue()
    with TestDesk(tmp_path) as desk:
        is_logged = (step, after) == (1, True)
        assert books_of(desk.desk)[""][3] == (8 * WHOLE if is_logged else 0)
        desk.clock.move(3_600)
        assert desk.leases.close_overdue() == (0 if is_logged else 8)
        assert books_of(desk.desk)[""] == (BUDGET - 8 * WHOLE, 0, 0, 8 * WHOLE, 0)
