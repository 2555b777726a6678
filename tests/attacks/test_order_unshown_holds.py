"""Holds of which nobody shows whom they are for: few keys sign them, so they freeze work for a day and never end it."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.statements import OrderIssued, Scope
from sekisho.orders import UnwitnessedSeal
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
    return control.order(kind="hold", effect="freeze", scope=Scope(), resolved=scope, signers=FEW)


def wait(rig: Rig) -> None:
    """Beyond the fetch delay, and beyond a lease of 60 s and its grace."""
    rig.run_for(rig.follower.regime.in_force().terms.order_fetch_delay_s + 2)
    rig.run_for(70, step=1)


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


def sealed_hold(control: FakeControl, **changes: object) -> Envelope:
    """A sealed hold of two other hosts, shown to nobody."""
    fact = control.regime.verify(hold_of_others(control).raw).predicate
    assert isinstance(fact, OrderIssued)
    order = msgspec.structs.replace(fact, **changes)
    sealed, _ = make_sealed(order, OTHERS, SALTS, opens=order.effective.plus(3_600))
    return signed(sealed, *FEW)


def test_a_sealed_hold_of_a_made_up_number_numbers_nothing(rig: Rig) -> None:
    """Two keys, number 1000, in no log: no order is missed for it, no lease refused, no true hold kept out."""
    rig.control.show(sealed_hold(rig.control, number=1_000, previous="e" * 64))
    wait(rig)
    assert rig.doing() == "running"
    assert rig.follower.book.outstanding() == ()
    rig.control.issue(rig.control.order(kind="hold", signers=FEW))
    rig.run_for(1)
    assert rig.doing() == "frozen"


def test_sealed_holds_shown_one_after_the_other_hold_nobody(rig: Rig) -> None:
    """No limit of holds could count what nobody is shown: until a witness has seen one it asks nothing."""
    for day in range(3):
        rig.control.show(sealed_hold(rig.control, legal_basis=f"day {day}"))
        rig.run_for(rig.follower.regime.in_force().terms.order_fetch_delay_s + 2, step=1)
        assert rig.doing() == "running"
    assert set(rig.control.codes()) == {UnwitnessedSeal.code}


def test_a_sealed_hold_in_the_log_freezes_until_it_is_shown_and_ends_nothing(rig: Rig) -> None:
    """Witnessed, and withheld by whoever keeps what it conceals: as strict as a hold can be, and no stricter."""
    rig.control.show_sealed = lambda *_: (None, ())
    rig.control.issue(sealed_hold(rig.control))
    wait(rig)
    assert rig.doing() == "frozen"
