"""Releases that say less than they do: called an exercise, with exemptions, of another resume."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sekisho.auditor import Report
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.statements import OrderReference, Scope
from sekisho.orders import OrderFault
from sekisho.ports.control import FeedItem
from tests.approved import amend, declare, issue
from tests.desks import TestDesk
from tests.factory_bundle import audit, check_of, honest_story, resume, seal
from tests.fakes import FakeControl, Rig
from tests.ladders import LadderDesk
from tests.scoped import ScopedDesk
from tests.sealed import seal as seal_order


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LadderDesk]:
    """Run-1 licensed for a part of what it declared."""
    with TestDesk(tmp_path) as desk:
        declare(desk, "run-1")
        issue(desk, budget_flop=10**11)
        yield LadderDesk(desk)


def lift(room: LadderDesk, order: OrderReference, **changes: Any) -> OrderReference:
    return room.pause(kind="resume", effect="lift", lifts=(order,), **changes)


# --- at the desk ---------------------------------------------------------------------------------


def test_a_drill_of_a_resume_lifts_no_real_pause(room: LadderDesk) -> None:
    """Its signers read that it is an exercise."""
    order = room.pause()
    with pytest.raises(StateConflict, match="an exercise lifts exercises only"):
        lift(room, order, drill=True)
    assert [known.digest for known in room.state.orders.in_force(room.now)] == [order.digest]


def test_a_drill_of_a_resume_lifts_a_drill(room: LadderDesk) -> None:
    """Where it is what it says it is nothing is in its way; and a resume in earnest ends a drill as well."""
    for number in (1, 2):
        order = room.pause(drill=True)
        lift(room, order, drill=number == 1)
        assert room.state.orders.in_force(room.now.plus(1)) == ()


def test_a_drill_of_a_resume_lifts_no_sealed_pause(tmp_path: Path) -> None:
    """Nobody outside can read whether that is a drill, so nothing that calls itself one lifts it."""
    with ScopedDesk(tmp_path) as desk:
        room = LadderDesk(desk.founded())
        envelope, texts = seal_order(desk)
        desk.desk.admit(envelope.raw, disclosures=texts)
        order = OrderReference(register="pause/JP", number=1, digest=envelope.digest)
        with pytest.raises(StateConflict, match="an exercise lifts exercises only"):
            lift(room, order, drill=True, scope=Scope(everywhere=True))


def test_a_resume_with_exemptions_is_none(room: LadderDesk) -> None:
    """An order is lifted whole: who signs that run-1 is exempt from the release would release it all the same."""
    order = room.pause()
    with pytest.raises(InvalidInput, match="can exempt nobody"):
        lift(room, order, exemptions=("run-1",))


def test_a_resume_of_a_resume_brings_nothing_back(room: LadderDesk) -> None:
    """What was lifted is held again by a new order under its own quorum, not by lifting the release."""
    first = lift(room, room.pause())
    with pytest.raises(StateConflict, match="a resume itself"):
        lift(room, first)


def test_a_halted_run_is_given_no_more(room: LadderDesk) -> None:
    """Neither a second licence nor a greater budget carries on elsewhere what stands halted here."""
    order = room.pause(effect="checkpoint-then-stop", grace_s=5)
    room.receipt(order, "halted", run="run-1", state="ended")
    with pytest.raises(StateConflict, match="run run-1 stands halted under order pause/JP 1"):
        issue(room.desk, "LIC-2", budget_flop=10**11)
    with pytest.raises(StateConflict, match="run run-1 stands halted under order pause/JP 1"):
        amend(room.desk, budget_flop=2 * 10**11)
    lift(room, order)
    amend(room.desk, budget_flop=2 * 10**11)


# --- at a host -----------------------------------------------------------------------------------


def test_a_host_is_not_released_by_an_exercise() -> None:
    """Witnessed, by the whole quorum, in the log of a desk that let it in: the host goes on resting."""
    rig = Rig(FakeControl()).started()
    control = rig.control
    order = control.order()
    control.issue(order)
    rig.run_for(1)
    assert rig.doing() == "frozen"
    paused = OrderReference(register="pause/JP", number=1, digest=order.digest)
    drill = control.order(kind="resume", effect="lift", lifts=[paused], drill=True)
    index = control.log.append(drill.raw)
    item = FeedItem(envelope=drill.raw, proof=control.log.prove(index, control.now()))
    _, finding = rig.follower.take_item(item)
    assert finding is not None
    assert finding.code == OrderFault.code
    rig.run_for(1)
    assert rig.doing() == "frozen"


# --- in a bundle ---------------------------------------------------------------------------------


def audited(**changes: Any) -> Report:
    story = honest_story()
    story.replace("resume-1", resume(**changes))
    return audit(seal(story))


@pytest.mark.parametrize(
    ("changes", "why", "effects"),
    [
        ({"drill": True}, "an exercise lifts exercises only", "no resume lifts"),
        ({"exemptions": ("run-1",)}, "can exempt nobody", "before it held"),
        (
            {"scope": Scope(sites=("site-2",))},
            "its scope is not that of order pause/JP 1",
            "no resume lifts",
        ),
    ],
    ids=["drill", "exempting", "other-scope"],
)
def test_a_release_that_says_less_than_it_does_fails_the_audit(
    changes: dict[str, Any], why: str, effects: str
) -> None:
    """The registers say what is wrong with it; and the work that went on after it had no release."""
    report = audited(**changes)
    found = check_of(report, "registers")
    assert (report.verdict, found.verdict) == ("fails", "fails")
    assert why in found.detail
    assert effects in check_of(report, "effects").detail
