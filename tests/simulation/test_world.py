"""The real decision code in simulated time: 200 days here, 10,000 in `make soak`; SEKISHO_SEED chooses the worlds."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from sekisho.agent.quanta import Quanta
from sekisho.ports.driver import Permit
from tests.simulation.observing import Broken
from tests.simulation.running import DAYS, run_world, run_worlds
from tests.simulation.world import SimDriver

SEED = int(os.environ.get("SEKISHO_SEED", "0"))


@pytest.mark.slow
def test_no_invariant_breaks_in_two_hundred_days() -> None:
    """1, 3, 4 and 7 hold after every event, whatever befalls; what breaks one tells its seed and step."""
    pasts = run_worlds(range(SEED, SEED + 20), workers=2)

    assert sum(past.days for past in pasts) >= 200
    assert sum(past.worked_days for past in pasts) > 40
    assert sum(past.restores for past in pasts) > 3
    assert sum(past.orders for past in pasts) > 20


@pytest.mark.soak
def test_no_invariant_breaks_in_ten_thousand_days() -> None:
    """The same for long."""
    pasts = run_worlds(range(SEED, SEED + 1_000), workers=2)
    assert sum(past.days for past in pasts) >= 10_000


def test_one_seed_is_one_story() -> None:
    """The same world again, event by event; another seed is another one."""
    one, again, other = (run_world(seed, days=1.0) for seed in (SEED, SEED, SEED + 1))
    assert one == again
    assert one != other


def test_a_step_limit_ends_a_story_early() -> None:
    """Seed and step are all that it takes to stand where something broke."""
    assert run_world(SEED, days=DAYS, steps=50).events == 50


def _never_ends(self: SimDriver, permit: Permit) -> None:
    """A mutant: the watchdog holds permits that last for ever."""
    self._call("permit")
    self._permit = Permit(checkpoint_at_s=1e12, until_s=1e12, then=permit.then)


@pytest.mark.parametrize(
    ("owner", "name", "mutant", "invariant"),
    [
        (SimDriver, "permit", _never_ends, "1|4|7"),
        (Quanta, "_settled", lambda self, _: self._host.memory.state, "4"),
    ],
    ids=["watchdog", "settled"],
)
def test_a_defect_breaks_an_invariant(
    owner: type,
    name: str,
    mutant: Callable[..., object],
    invariant: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The observer is no ornament."""
    monkeypatch.setattr(owner, name, mutant)
    with pytest.raises(Broken, match=f"seed .* step .*: ({invariant}):"):
        run_some(6)


def run_some(worlds: int) -> None:
    for seed in range(worlds):
        run_world(seed)
