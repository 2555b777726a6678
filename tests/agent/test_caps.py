"""A cap ordered: told to the driver once, named in the receipt, lifted with the order; a finding where nobody can."""

from __future__ import annotations

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
