"""Halts that wait for an observer, for the first time and again, and observations that wait for a judge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.instants import Instant
from sekisho.operations.judging import due_halts, gather_evidence, is_to_be_judged, judge_host
from sekisho.operations.state import State
from sekisho.rehearsal.verifying import judge_new_halts
from tests.factory import VERIFIER, signed
from tests.regime import LiveRegime, live_regime


@pytest.fixture
def regime(tmp_path: Path) -> Iterator[LiveRegime]:
    with live_regime(tmp_path) as live:
        yield live


def state_of(regime: LiveRegime) -> State:
    return regime.control.desk.state


def names(state: State, at: Instant) -> list[str]:
    return [life.host for life in due_halts(state, at)]


def test_a_halt_is_due_again_before_its_verdict_lapses_and_not_after_a_resume(
    regime: LiveRegime,
) -> None:
    """New: at once. Observed: not for three eighths of the verdict's time, and before the half. Resumed: never more."""
    order = regime.issue(regime.order("hold"))
    receipt = regime.take("halted", order=order, state="frozen")
    assert names(state_of(regime), regime.now) == ["host-1"]
    assert regime.control.halts_due()

    regime.observe(order, "host-1", receipt)
    state = state_of(regime)
    life = state.lives.of(order, "host-1")
    assert life.observation is not None
    assert life.observers == (VERIFIER[1].public.key_id,)
    last = life.observation.readings[-1].at
    lasts = state.regime.in_force().terms.halt_verdict_s
    assert names(state, last.plus(lasts * 0.374)) == []
    assert names(state, last.plus(lasts * 0.44)) == ["host-1"]

    regime.take("resumed", order=order, state="running")
    assert names(state_of(regime), last.plus(lasts * 0.44)) == []


def test_a_halt_under_an_order_that_is_over_is_not_due_again(regime: LiveRegime) -> None:
    """Nothing stands any more that it could be asked about."""
    order = regime.issue(regime.order("hold"))
    receipt = regime.take("halted", order=order, state="frozen")
    regime.observe(order, "host-1", receipt)
    known = state_of(regime).orders.find(order)
    assert known is not None
    assert names(state_of(regime), known.order.expires.plus(1)) == []


def test_a_halt_observed_anew_is_judged_anew(regime: LiveRegime) -> None:
    """The second observation gives a second verdict, which lapses later; neither is judged twice."""
    order = regime.issue(regime.order("hold"))
    receipt = regime.take("halted", order=order, state="frozen")
    regime.observe(order, "host-1", receipt)
    desk, seen = regime.control.desk, set[str]()
    now = regime.now.plus(6)
    (first,) = judge_new_halts(desk.state, seen, now=now)
    desk.admit(signed(first, VERIFIER[0]).raw)
    assert judge_new_halts(desk.state, seen, now=now) == []

    regime.observe(order, "host-1", receipt)
    later = regime.now.plus(60)
    (second,) = judge_new_halts(desk.state, seen, now=later)
    assert second.lapses > first.lapses
    assert second.degree == "corroborated"


def test_an_observation_behind_a_verified_verdict_waits_until_that_lapses(
    regime: LiveRegime,
) -> None:
    """It would say less than is known; once the verdict is over it is all there is."""
    order = regime.issue(regime.order("hold"))
    receipt = regime.take("halted", order=order, state="frozen")
    regime.judge(order, "host-1", "verified", (receipt,), lapses_s=600)
    regime.observe(order, "host-1", receipt)
    state = state_of(regime)
    life = state.lives.of(order, "host-1")
    assert life.verdict is not None
    assert not is_to_be_judged(state, life, life.verdict.lapses.plus(-1))
    assert is_to_be_judged(state, life, life.verdict.lapses)


def test_a_verdict_that_lapsed_shows_as_claimed_again(regime: LiveRegime) -> None:
    """Until somebody looks again."""
    order = regime.issue(regime.order("hold"))
    receipt = regime.take("halted", order=order, state="frozen")
    regime.observe(order, "host-1", receipt)
    desk = regime.control.desk
    now = regime.now.plus(7)
    judged = judge_host(desk.state, gather_evidence(desk.state, order, "host-1", at=now), now=now)
    # Dated a few seconds ahead, as the observation is: the desk's slack takes it.
    desk.admit(signed(judged, VERIFIER[0]).raw)
    life = desk.state.lives.of(order, "host-1")
    assert life.degree(judged.lapses.plus(-1)) == "corroborated"
    assert life.degree(judged.lapses) == "claimed"
