"""When an observer looks: new halts at once, those due again after its own delay, lifted orders never."""

from __future__ import annotations

from sekisho.model.statements import LogPosition
from sekisho.observer.observe import HaltClaim
from sekisho.observer.planning import LookPlan
from sekisho.orders import due_again, longest_delay_s
from sekisho.ports.control import OpenHalt
from tests.factory import NOW, ORDER
from tests.orders.test_halts import observation

TREE = LogPosition(size=21, root="b" * 64)
HALT = OpenHalt(host="host-1", order=ORDER, receipt="8" * 64, receipt_index=20, after=TREE)
CLAIM = HaltClaim(host="host-1", run="run-1", order=ORDER, receipt="8" * 64, after=TREE, given=NOW)
VERDICT_S = 1_600


def may_look(plan: LookPlan, at: float) -> bool:
    now = NOW.plus(at)
    return HALT in plan.due([HALT], now) and plan.may_look(HALT, CLAIM, VERDICT_S, now, lambda: 0.5)


def test_a_halt_due_again_waits_for_a_delay_that_only_the_observer_knows() -> None:
    """Half of a sixteenth of the verdict's time here; what was handed in a moment ago is left alone."""
    plan = LookPlan()
    assert may_look(plan, 1)
    plan.observed(CLAIM, NOW.plus(6), 0)
    assert not may_look(plan, 7)
    assert not may_look(plan, 700)  # due on the board: now the delay is drawn
    assert not may_look(plan, 749)
    assert may_look(plan, 750)


def test_jitter_and_delay_together_stay_below_half_of_the_verdicts_time() -> None:
    """The first from the nonce, the second secret: no verdict lapses while the observer waits."""
    for digit in "0f":
        made = observation(nonce=digit * 64)
        wait = due_again(made, VERDICT_S).since(made.readings[-1].at)
        assert wait >= VERDICT_S * 3 / 8
        assert wait + longest_delay_s(VERDICT_S) <= VERDICT_S / 2


def test_slow_instruments_are_asked_once_more_when_they_speak_of_the_halt() -> None:
    """Though the board lists the halt no more; once the order is lifted, it is forgotten."""
    plan = LookPlan()
    assert may_look(plan, 1)
    plan.observed(CLAIM, NOW.plus(6), 120)
    assert plan.due([], NOW.plus(100)) == []
    assert plan.due([], NOW.plus(131)) == [HALT]
    assert plan.is_own(HALT)
    plan.forget(HALT)
    assert plan.due([], NOW.plus(131)) == []
