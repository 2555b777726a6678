"""Floods that a few hundred kilobytes make: what one document costs grows with its length and with nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sekisho.registry.custody import folding
from sekisho.registry.custody.case import MOST_BEFORE_LATE
from sekisho.registry.custody.taking import MOST_NAMED_WAITING, MOST_WAITING
from tests.capturing import World, chip, commissioned, happened, observed
from tests.registry.custody.events import Register, codes, commission, event
from tests.registry.custody.events import chip as gpu

BOX = "urn:x:box"
MANY = 300


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as running:
        running.send([commissioned(chip(1), chip(2))], "maker")
        running.send([happened("maker", chip(1), disposition="active", hours=200)], "maker")
        yield running


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many steps were taken through chips' pasts."""
    counted = 0
    advance = vars(folding)["advance"]

    def counting(*given: Any) -> Any:
        nonlocal counted
        counted += 1
        return advance(*given)

    monkeypatch.setattr(folding, "advance", counting)
    return lambda: counted


def test_unsigned_observations_of_the_past_do_not_pile_up(
    world: World, steps: Callable[[], int]
) -> None:
    """They change nothing, so none is gone through for the next; 2,000 of them took 80 seconds."""
    flood = [observed("maker", chip(1), hours=1 + place / 1000) for place in range(MANY)]
    assert world.send(flood).taken == MANY
    assert steps() <= 6 * MANY
    assert len(world.store.load_history([chip(1)])[chip(1)]) == 2


def test_after_a_flood_of_observations_an_honest_late_event_costs_what_it_did(
    world: World, steps: Callable[[], int]
) -> None:
    """Also in another group, where the chip's past is read from the store again."""
    world.send([observed("maker", chip(1), hours=1 + place / 1000) for place in range(MANY)])
    before = steps()
    late = happened("maker", chip(1), disposition="active", hours=150)
    assert world.send([late], "maker").taken == 1
    assert steps() - before <= 20


def test_unsigned_sightings_of_a_container_do_not_go_through_it(world: World) -> None:
    """A stranger's 300 bytes would cost a row for each chip in a hall; a signed one reaches inside."""
    pack: dict[str, Any] = {**observed("maker", hours=201), "action": "ADD"}
    del pack["epcList"]
    pack |= {"type": "AggregationEvent", "parentID": BOX, "childEPCs": [chip(1), chip(2)]}
    assert world.send([pack], "maker").taken == 1
    seen = world.send([observed("maker", BOX, hours=202)])
    told = world.send([observed("maker", BOX, hours=203)], "maker")
    touching = [row.capture for row, _ in world.store.load_timeline(chip(2))]
    assert seen.capture not in touching
    assert told.capture in touching


def test_events_parked_on_a_chip_are_bounded_for_each_signer() -> None:
    """Each is judged again whenever the chip changes; 50,000 of them would take half a minute each time."""
    register = Register()
    register.take(commission(gpu(1)), "maker")
    parked = [
        register.take(event(gpu(1), 1 + place / 1000, disposition="active"), "mallory")
        for place in range(MOST_WAITING + 3)
    ]
    assert [taking.outcome for taking in parked].count("waiting") == MOST_WAITING
    assert codes(parked[-1]) == ["other-holder"]
    # Nobody else's places are taken.
    honest = register.take(event(gpu(1), 2, disposition="active"), "cloud")
    assert honest.outcome == "waiting"


def test_parked_events_that_name_very_many_chips_are_bounded() -> None:
    """One may name as many as a document holds; the next by the same signer must fit with it."""
    register = Register()
    register.take(commission(gpu(1)), "maker")
    names = [gpu(number) for number in range(1, MOST_NAMED_WAITING + 1)]
    first = register.take(event(names, 1, disposition="active"), "mallory")
    second = register.take(event(gpu(1), 2, disposition="active"), "mallory")
    assert (first.outcome, second.outcome) == ("waiting", "refused")


def test_one_signers_late_events_on_a_chip_are_bounded() -> None:
    """Each goes through the whole path; what is of today is still taken, and so is anybody else's word of the past."""
    register = Register()
    register.take(commission(gpu(1)), "maker")
    for place in range(MOST_BEFORE_LATE):
        register.take(event(gpu(1), 10 + place, biz_step="storing", site="fab"), "maker")
    late = event(gpu(1), 5, biz_step="storing", site="fab")
    refused = register.take(late, "maker")
    assert (refused.outcome, codes(refused)) == ("refused", ["illegal-transition"])
    assert register.take(late, "cloud").outcome == "taken"
    today = event(gpu(1), 10 + MOST_BEFORE_LATE, disposition="active")
    assert register.take(today, "maker").outcome == "taken"
