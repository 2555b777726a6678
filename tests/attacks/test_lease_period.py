"""Leases that somebody stretches past their licence, and quanta that reserve less than any terms of their licence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.model.statements import LeaseTerms, LicenceAmended, OutageDeclared, Span
from sekisho.operations.leasing import SpentLease
from sekisho.operations.licence_drafts import AmendedTerms, draft_licence_amendment
from sekisho.ports.control import Unacknowledged
from sekisho.rules import load_pack
from tests import factory as f
from tests.attacks.test_lease_audit import Regime
from tests.desks import TestDesk
from tests.fakes import Rig
from tests.holders import PEAK, QUANTUM, TERMS, Holder, leaf_of, leased, license_hosts
from tests.outages import outage

DAY_S = 86_400


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path / "desk") as opened:
        yield opened


def declare_outage(desk: TestDesk, lasts_s: float) -> None:
    now = desk.clock.now()
    fact = OutageDeclared(
        effective=now,
        outage="OUT-1",
        period=Span(start=now, end=now.plus(lasts_s)),
        reason="the issuer's building has no power",
    )
    desk.desk.admit(f.signed(fact, *f.AUTHORITY[:2], f.OPERATOR).raw)


def at_the_end(desk: TestDesk) -> tuple[Holder, str]:
    """A lease half a minute before its licence ends, and an outage of ten minutes."""
    licence = license_hosts(desk.desk, 1)
    desk.clock.move(DAY_S - 30)
    holder = Holder(1, licence.leaf)
    lease = leaf_of(desk.leases.grant(holder.request(desk.clock.now())))
    holder.took()
    declare_outage(desk, 600)
    return holder, lease


def test_outage_that_outlives_the_licence_acknowledges_nothing_after_its_end(
    desk: TestDesk,
) -> None:
    """Up to the period's end quanta begin; after it none does, honestly dated or dated back."""
    holder, lease = at_the_end(desk)
    desk.clock.move(29)
    desk.leases.take_receipt(holder.receipt(lease, now=desk.clock.now()))
    desk.clock.move(60)
    with pytest.raises(SpentLease):
        desk.leases.take_receipt(holder.receipt(lease, now=desk.clock.now(), keep=False))
    with pytest.raises(Unacknowledged, match="had ended"):
        desk.leases.take_receipt(holder.receipt(lease, now=desk.clock.now().plus(-70)))


def test_outage_that_outlives_the_licence_holds_up_no_forfeiture(
    desk: TestDesk, tmp_path: Path
) -> None:
    """The lease is forfeited when licence, grace and clock error are over, and an auditor finds nothing wrong in it."""
    holder, lease = at_the_end(desk)
    desk.leases.take_receipt(holder.receipt(lease, now=desk.clock.now()))
    desk.clock.move(30 + 2 + 5)
    assert desk.leases.close_overdue() == 0
    desk.clock.move(0.001)
    assert desk.leases.close_overdue() == 1

    check = Regime(desk, tmp_path / "bundle").check("budgets")
    assert check.verdict == "holds", check


def test_outage_carries_no_work_past_the_end_of_its_licence() -> None:
    """The agent says the same: cut off in an outage, the work ends with the licence and its grace."""
    rig = Rig()
    end = rig.clock.now().plus(20)
    short = LeaseTerms(interval_s=600, grace_s=2, quantum_s=2)
    rig.started(lease=short, period=Span(start=rig.clock.now().plus(-60), end=end))
    rig.control.admit(outage(rig.control))
    rig.run_for(2)
    rig.control.is_silent = True
    rig.run_for(10)
    assert rig.doing() == "running"
    rig.run_for(20)
    assert rig.doing() == "none"


def drafted(desk: TestDesk, **terms: int) -> LicenceAmended:
    asked = AmendedTerms(reason="as decided", terms=msgspec.structs.replace(TERMS, **terms))
    return draft_licence_amendment(
        desk.desk.state, "LIC-1", asked, load_pack(), now=desk.clock.now()
    )


def amend(desk: TestDesk, fact: LicenceAmended) -> None:
    desk.desk.admit(f.signed(fact, *f.AUTHORITY[:2]).raw)


@pytest.mark.parametrize("reserved", [1, 3 * PEAK - 1])
def test_quantum_of_an_older_lease_that_reserves_next_to_nothing(
    desk: TestDesk, reserved: int
) -> None:
    """An amendment is no cover for work that nobody counts: the shortest quantum of any terms since is the least."""
    holder, lease = leased(desk)
    amend(desk, drafted(desk, quantum_s=1))
    with pytest.raises(Unacknowledged, match=f"reserves {3 * PEAK} FLOP at least"):
        desk.leases.take_receipt(holder.receipt(lease, reserved=reserved))

    assert desk.leases.take_receipt(holder.receipt(lease, reserved=3 * PEAK))


def test_quantum_by_the_terms_before_an_amendment_that_was_dated_back(desk: TestDesk) -> None:
    """Signatures take hours: what counts is which version stood in the log when the lease was granted."""
    license_hosts(desk.desk, 1)
    (held,) = desk.desk.state.licences.licences.values()
    fact = drafted(desk, quantum_s=3)
    desk.clock.move(3_600)
    holder = Holder(1, held.leaf)
    now = desk.clock.now()
    lease = leaf_of(desk.leases.grant(holder.request(now)))
    holder.took()
    amend(desk, fact)

    assert desk.leases.take_receipt(holder.receipt(lease, reserved=QUANTUM, now=now))
    desk.leases.take_receipt(holder.receipt(lease, stage="final", now=now))
    after = leaf_of(desk.leases.grant(holder.request(now)))
    holder.took()
    with pytest.raises(Unacknowledged, match=f"reserves {5 * PEAK} FLOP at least"):
        desk.leases.take_receipt(holder.receipt(after, reserved=QUANTUM, now=now))
