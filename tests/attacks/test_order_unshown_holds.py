"""Holds of which nobody shows whom they are for: few keys sign them, so they freeze work for a day and never end it."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.statements import OrderIssued, Scope
from sekisho.orders.predicates import resolve_hosts
from sekisho.orders.sealed import make_sealed
from sekisho.orders.where import parse_where
from sekisho.signing import Envelope
from tests.factory import AUTHORITY, signed
from tests.fakes import FakeControl, Rig
from tests.sealed import SALTS

OTHERS = ("host-0", "host-2")
FEW = AUTHORITY[:2]


@pytest.fixture
def rig() -> Rig:
    """A host whose work runs under a lease."""
    return Rig().started()


def hold_of_others(control: FakeControl) -> Envelope:
    """A hold of two other hosts, by predicate: this one is free as soon as somebody proves it."""
    scope = resolve_hosts(parse_where(["site is site-1"]), OTHERS, size=3, tree="0" * 64)
    return control.order(
        kind="hold", effect="freeze", scope=Scope(), resolved=scope, signers=FEW
    )


def wait(rig: Rig) -> None:
    """Beyond the fetch delay, and beyond the lease and its grace."""
    terms, lease = rig.follower.regime.in_force().terms, rig.host.memory.state.lease
    assert lease is not None
    rig.run_for(terms.order_fetch_delay_s + 2)
    rig.run_for(max(lease.not_after.since(rig.clock.now()), 0) + terms.max_grace_s + 5)


def test_a_hold_that_is_never_proved_ends_no_work(rig: Rig) -> None:
    """Shown on sight by two keys and withheld by whoever has the proof: frozen, as a hold does, and never killed."""
    rig.control.show(hold_of_others(rig.control))
    wait(rig)
    assert rig.doing() == "frozen"


def test_until_the_fetch_delay_is_over_work_goes_on(rig: Rig) -> None:
    """A proof that comes in time costs nobody anything."""
    rig.control.show(hold_of_others(rig.control))
    rig.run_for(2)
    assert rig.doing() == "running"


def test_it_goes_on_once_the_hold_is_over(rig: Rig) -> None:
    """What was frozen for want of a proof is there afterwards: nothing was lost."""
    rig.control.show(hold_of_others(rig.control))
    rig.run_for(rig.follower.regime.in_force().terms.order_fetch_delay_s + 2)
    assert rig.doing() == "frozen"
    rig.clock.advance(3_600)
    rig.control.state_heads()
    rig.run_for(4)
    assert rig.doing() == "running"


def test_a_pause_beside_it_drains_as_ever(rig: Rig) -> None:
    """Only holds are milder: an unproved pause of many keys ends work with its lease."""
    control = rig.control
    scope = resolve_hosts(parse_where(["site is site-1"]), OTHERS, size=3, tree="0" * 64)
    control.show(hold_of_others(control))
    control.show(control.order(scope=Scope(), resolved=scope))
    wait(rig)
    assert rig.doing() == "none"


def test_a_sealed_hold_of_a_made_up_number_ends_no_work(rig: Rig) -> None:
    """Two keys, number 1000, shown to nobody: no order is drained for."""
    fact = rig.control.regime.verify(hold_of_others(rig.control).raw).predicate
    assert isinstance(fact, OrderIssued)
    far = msgspec.structs.replace(fact, number=1_000, previous="e" * 64)
    sealed, _ = make_sealed(far, OTHERS, SALTS, opens=far.effective.plus(3_600))
    rig.control.show(signed(sealed, *FEW))
    wait(rig)
    assert rig.doing() != "none"
