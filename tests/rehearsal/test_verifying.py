"""The verifier that judges halts while a rehearsed home is served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.rehearsal.verifying import judge_new_halts
from tests.factory import VERIFIER, signed
from tests.regime import LiveRegime, live_regime


@pytest.fixture
def regime(tmp_path: Path) -> Iterator[LiveRegime]:
    with live_regime(tmp_path) as live:
        yield live


def test_an_observed_halt_is_judged_once(regime: LiveRegime) -> None:
    """A claim waits for the observer; then one verdict is given, and no second one for the same halt."""
    order = regime.issue(regime.order("hold"))
    receipt = regime.take("halted", order=order, state="frozen")
    desk = regime.control.desk
    assert judge_new_halts(desk.state, set(), now=desk.clock.now()) == []
    regime.observe(order, "host-1", receipt)
    (verdict,) = judge_new_halts(desk.state, set(), now=desk.clock.now())
    assert (verdict.host, verdict.degree) == ("host-1", "corroborated")
    desk.admit(signed(verdict, VERIFIER[0]).raw)
    assert judge_new_halts(desk.state, set(), now=desk.clock.now()) == []


def test_no_observation_is_judged_twice(regime: LiveRegime) -> None:
    """One that was looked at before is passed over, whatever the log says of it."""
    order = regime.issue(regime.order("hold"))
    receipt = regime.take("halted", order=order, state="frozen")
    seen = {regime.observe(order, "host-1", receipt)}
    assert judge_new_halts(regime.control.desk.state, seen, now=regime.control.clock.now()) == []
