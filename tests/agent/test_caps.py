"""A cap ordered: told to the driver once, named in the receipt, lifted with the order; a finding where nobody can.

And whether it was kept, by the host's own meter: holds, fails, not measured.
"""

from __future__ import annotations

import pytest

from sekisho.orders import UnwitnessedRelease
from tests.fakes import Rig

WHOLE = 1_000_000


def capped(percent: int, *, can: bool = True) -> Rig:
    """A host at work under a cap that leaves so many percent."""
    rig = Rig()
    rig.driver.caps = [] if can else None
    rig.started()
    cap(rig, percent)
    rig.run_for(2.0)
    return rig


def cap(rig: Rig, percent: int) -> None:
    order = rig.control.order(kind="cap", effect="cap", cap_percent=percent, on_expiry="lapse")
    rig.control.issue(order)


def notes(rig: Rig, stage: str = "capped") -> list[str | None]:
    return [receipt.cap for receipt in rig.control.receipts if receipt.stage == stage]


def test_a_cap_is_kept_by_the_driver_and_named_in_the_receipt() -> None:
    """The work goes on at its share; the receipt says by which means, and there is no finding."""
    rig = capped(25)
    assert rig.driver.caps == [WHOLE, 250_000]
    assert rig.doing() == "running"
    assert notes(rig) == ["duty-cycle, 25 % left"]
    assert notes(rig, "received") == [None]
    assert rig.control.codes() == []


def test_the_strictest_of_two_caps_holds() -> None:
    """A second cap that leaves more changes nothing; one that leaves less does."""
    rig = capped(25)
    cap(rig, 60)
    rig.run_for(1.0)
    cap(rig, 5)
    rig.run_for(1.0)
    assert rig.driver.caps == [WHOLE, 250_000, 50_000]


def test_a_lifted_cap_is_lifted() -> None:
    """With the order gone the whole is left again."""
    rig = capped(25)
    newest = max(rig.control.book.orders["cap/JP"].values(), key=lambda k: k.order.number)
    rig.control.issue(
        rig.control.order(kind="resume", effect="lift", lifts=[newest.reference], on_expiry="lapse")
    )
    rig.run_for(2.0)
    assert rig.driver.caps == [WHOLE, 250_000, WHOLE]


def test_a_cap_that_the_driver_cannot_keep_is_a_finding() -> None:
    """It is asked again every second, the work goes on, and nobody is told that it was slowed."""
    rig = capped(25, can=False)
    assert rig.doing() == "running"
    assert set(rig.control.codes()) == {"cap-not-enforced"}
    assert notes(rig, "received") == [None]
    assert notes(rig) == []


def test_a_new_agent_and_a_new_watchdog_are_told_again() -> None:
    """An agent that starts anew knows the order from its memory and tells the driver; so it does a new watchdog."""
    rig = capped(25)
    rig.wake()
    rig.run_for(1.0)
    assert rig.driver.caps is not None
    assert rig.driver.caps[-1] == 250_000
    told = len(rig.driver.caps)
    rig.driver.is_dead = True
    rig.run_for(3.0)
    rig.driver.is_dead = False
    rig.run_for(6.0)
    assert len(rig.driver.caps) > told
    assert rig.driver.caps[-1] == 250_000


def lift(rig: Rig, number: int = 0) -> None:
    book = rig.control.book.orders["cap/JP"]
    known = book[number or max(book)]
    rig.control.issue(
        rig.control.order(kind="resume", effect="lift", lifts=[known.reference], on_expiry="lapse")
    )
    rig.run_for(2.0)


def stages(rig: Rig, number: int) -> list[str]:
    """What the host said about one cap, in its sequence."""
    return [r.stage for r in rig.control.receipts if r.order and r.order.number == number]


def test_a_cap_passes_its_stages_and_is_lifted_by_a_witnessed_resume() -> None:
    """Received, capped with its means, resumed: each once."""
    rig = capped(25)
    assert stages(rig, 1) == ["received", "capped"]
    lift(rig)
    assert stages(rig, 1) == ["received", "capped", "resumed"]
    assert notes(rig) == ["duty-cycle, 25 % left"]


def test_a_cap_does_not_act_on_sight_nor_is_it_lifted_on_sight() -> None:
    """What slows work for long waits for witnesses as what lets it go does."""
    rig = Rig()
    rig.driver.caps = []
    rig.started()
    rig.control.show(rig.control.order(kind="cap", effect="cap", cap_percent=40))
    rig.run_for(2.0)
    assert rig.driver.caps == [WHOLE]
    assert UnwitnessedRelease.code in rig.control.codes()
    cap(rig, 40)
    rig.run_for(2.0)
    book = rig.control.book.orders["cap/JP"]
    rig.control.show(rig.control.order(kind="resume", effect="lift", lifts=[book[1].reference]))
    rig.run_for(2.0)
    assert rig.driver.caps == [WHOLE, 400_000]


def test_a_resume_of_one_cap_leaves_the_other() -> None:
    """With the strictest lifted the next one counts, and only the lifted one's receipt says resumed."""
    rig = capped(25)
    cap(rig, 60)
    rig.run_for(2.0)
    lift(rig, 1)
    assert rig.driver.caps is not None
    assert rig.driver.caps[-1] == 600_000
    assert stages(rig, 1)[-1] == "resumed"
    assert stages(rig, 2) == ["received", "capped"]


def test_a_restarted_agent_says_nothing_twice_about_a_cap() -> None:
    """Its own receipts tell it what it said."""
    rig = capped(25)
    rig.wake()
    rig.run_for(2.0)
    assert stages(rig, 1) == ["received", "capped"]
    lift(rig)
    assert stages(rig, 1) == ["received", "capped", "resumed"]


@pytest.mark.parametrize(
    ("rate", "verdict"), [(0.25, "holds"), (0.5, "fails"), (0.41, "holds")], ids=str
)
def test_the_meter_says_whether_a_cap_is_kept(rate: float, verdict: str) -> None:
    """Work that uses a quarter of the core keeps a cap of 40 %, work that uses half of it does not: `cap-not-kept`."""
    rig = capped(40)
    rig.driver.rate = rate
    rig.run_for(75.0)
    judged = rig.duty.slowing.judged
    assert judged is not None
    assert judged.verdict == verdict
    assert ("cap-not-kept" in rig.control.codes()) is (verdict == "fails")


def test_a_cap_over_work_that_rests_is_not_measured() -> None:
    """A window is of running work only: a frozen minute says nothing for a busy one."""
    rig = capped(40)
    rig.driver.rate = 1.0
    rig.run_for(10.0)
    rig.control.issue(rig.control.order())
    rig.run_for(60.0)
    assert rig.doing() == "frozen"
    assert rig.duty.slowing.judged is None


def test_what_was_used_before_the_cap_is_not_held_against_it() -> None:
    """The window begins when the driver has been told."""
    rig = Rig()
    rig.driver.caps = []
    rig.driver.rate = 1.0
    rig.started()
    rig.run_for(20.0)
    cap(rig, 40)
    rig.run_for(0.5)
    rig.driver.rate = 0.3
    rig.run_for(75.0)
    assert "cap-not-kept" not in rig.control.codes()
    assert rig.duty.slowing.judged is not None
    assert rig.duty.slowing.judged.verdict == "holds"
