"""Attacks on roll-ups: said to be open under a suspension, said twice, by another host, of a period that is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.model.errors import InvalidInput, StateConflict, VerificationError
from sekisho.model.statements import AccessDecided, AccessTerms, OrderReference, Predicate, Span
from tests import factory as f
from tests.desks import TestDesk
from tests.factory_bundle import (
    QUORUM,
    T0,
    Item,
    LogSoFar,
    Story,
    audit,
    charter_digest,
    check_of,
    heartbeat,
    honest_story,
    item,
    seal,
)

START = T0.plus(-(T0.us % 60_000_000) / 1_000_000).plus(600)


def suspension(**changes: object) -> Item:
    def order(log: LogSoFar) -> Predicate:
        fields: dict[str, object] = {"access": AccessTerms(nationalities=("XA",)), **changes}
        return f.order_issued(
            kind="suspend-access",
            effect="suspend-access",
            charter_digest=charter_digest(log),
            now=T0.plus(130),
            **fields,  # type: ignore[arg-type]  # a test's own fields
        )

    return item(order, *QUORUM)


def roll_up(**changes: object) -> Item:
    def stated(log: LogSoFar) -> Predicate:
        named = (
            OrderReference(
                register="suspend-access/JP", number=1, digest=log.digest("suspend-access-1")
            ),
        )
        fields: dict[str, object] = {"orders": named, **changes}
        return AccessDecided(
            effective=START.plus(61),
            host="host-1",
            model="model-1",
            period=Span(start=START, end=START.plus(60)),
            **{"state": "restricted", "served": 3, "refused": 2, **fields},  # type: ignore[arg-type]  # as above
        )

    return item(stated, "host-1")


def story(order: Item, stated: Item) -> Story:
    told = honest_story()
    told.add(130, ("suspend-access-1", order))
    told.add(140, ("heartbeat-later", heartbeat(140, orders=("pause-1", "resume-1"))))
    told.add(START.since(T0) + 62, ("roll-up", stated))
    return told


def verdict(order: Item, stated: Item) -> tuple[str, str]:
    found = check_of(audit(seal(story(order, stated))), "access")
    return found.verdict, found.detail


def test_an_honest_roll_up_under_a_suspension_holds() -> None:
    """Restricted, with its order."""
    assert verdict(suspension(), roll_up())[0] == "holds"


def test_a_roll_up_said_to_be_open_under_a_suspension_fails() -> None:
    """By the host that had minutes to hear of it."""
    told = verdict(suspension(), roll_up(state="open", orders=()))
    assert told[0] == "fails"
    assert "said to be open while order suspend-access/JP 1 was in force" in told[1]


def test_a_closed_model_that_served_fails() -> None:
    """Said to be closed for the whole period, and three were served; or said to be restricted only."""
    closed = suspension(access=AccessTerms())
    assert verdict(closed, roll_up(state="closed", served=0))[0] == "holds"
    served = verdict(closed, roll_up(state="closed"))
    assert served[0] == "fails"
    assert "3 requests served" in served[1]
    assert verdict(closed, roll_up())[0] == "fails"


@pytest.mark.parametrize("silence", [{"workers": 0}, {"workers": 4, "silent": 1}])
def test_a_closed_model_whose_workers_kept_silent_is_unverifiable(silence: dict[str, int]) -> None:
    """That nobody was served is the word of those who spoke: silence proves no zero."""
    closed = suspension(access=AccessTerms())
    told = verdict(closed, roll_up(state="closed", served=0, refused=0, **silence))
    assert told[0] == "unverifiable"
    assert "not all workers told" in told[1]
    spoken = roll_up(state="closed", served=0, workers=4)
    assert verdict(closed, spoken)[0] == "holds"


def test_a_suspension_of_another_model_or_site_asks_nothing_of_this_roll_up() -> None:
    """Open is right where no order is over it."""
    other = suspension(access=AccessTerms(models=("model-9",)))
    assert verdict(other, roll_up(state="open", orders=()))[0] == "holds"


def test_a_roll_up_that_names_an_order_over_another_model_fails() -> None:
    """What it names must be over it."""
    other = suspension(access=AccessTerms(models=("model-9",)))
    assert verdict(other, roll_up())[0] == "fails"


# --- at the desk -----------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        made.clock.move(7_200)
        yield made


def stated(desk: TestDesk, **changes: object) -> AccessDecided:
    now = desk.clock.now()
    start = now.plus(-(now.us % 60_000_000) / 1_000_000 - 60)
    fact = AccessDecided(
        effective=now,
        host="host-1",
        model="model-1",
        period=Span(start=start, end=start.plus(60)),
        served=3,
        refused=0,
    )
    return msgspec.structs.replace(fact, **changes)


def test_a_period_is_stated_once(desk: TestDesk) -> None:
    """A second roll-up of the same host, model and period is refused, whatever it says."""
    desk.desk.admit(f.signed(stated(desk), f.HOST).raw)
    with pytest.raises(StateConflict):
        desk.desk.admit(f.signed(stated(desk, served=1), f.HOST).raw)
    desk.desk.admit(f.signed(stated(desk, model="model-2"), f.HOST).raw)


def test_another_host_states_nothing_for_this_one(desk: TestDesk) -> None:
    """Each host's own key."""
    with pytest.raises(VerificationError):
        desk.desk.admit(f.signed(stated(desk), f.signer("host-2")).raw)


@pytest.mark.parametrize(("start_s", "length_s"), [(1, 60), (0, 61), (0, 120), (60, 60), (600, 60)])
def test_a_period_that_is_none_or_not_over_is_refused(
    desk: TestDesk, start_s: int, length_s: int
) -> None:
    """Whole periods counted from 1970, so that none overlaps another, and none before its end (but for slack)."""
    fact = stated(desk)
    start = fact.period.start.plus(start_s)
    other = stated(desk, period=Span(start=start, end=start.plus(length_s)))
    if (start_s, length_s) == (60, 60):
        desk.desk.admit(f.signed(other, f.HOST).raw)  # it ends within the clocks' slack
        return
    with pytest.raises(InvalidInput):
        desk.desk.admit(f.signed(other, f.HOST).raw)


def test_a_state_without_its_orders_is_refused(desk: TestDesk) -> None:
    """Restricted by nothing, or open under something."""
    named = (OrderReference(register="suspend-access/JP", number=1, digest="0" * 64),)
    with pytest.raises(InvalidInput):
        desk.desk.admit(f.signed(stated(desk, state="restricted"), f.HOST).raw)
    with pytest.raises(StateConflict):
        desk.desk.admit(f.signed(stated(desk, orders=named), f.HOST).raw)


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"workers": 2, "silent": 3}, "silent"),
        ({"silent": 1}, "silent"),
        ({"workers": 0, "served": 1}, "workers"),
        ({"workers": 0, "refused": 1}, "workers"),
    ],
)
def test_counts_that_nobody_told_are_refused(
    desk: TestDesk, told: dict[str, int], named: str
) -> None:
    """No figure without a worker that stands for it."""
    fact = msgspec.structs.replace(stated(desk), **{"served": 0, "refused": 0, **told})
    with pytest.raises(InvalidInput) as refused:
        desk.desk.admit(f.signed(fact, f.HOST).raw)
    assert refused.value.path == named
