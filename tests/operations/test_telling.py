"""What people on call are told of, each occasion under a key that never changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.operations.appealing import AppealPlan, draft_appeal
from sekisho.operations.telling import LEAD_S, notices_of, occasions
from tests import factory as f
from tests.desks import TestDesk
from tests.ladders import HALT_DUE_S, STEP_S, LadderDesk


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LadderDesk]:
    with TestDesk(tmp_path) as desk:
        desk.licensed()
        yield LadderDesk(desk)


def events(room: LadderDesk) -> Counter[str]:
    return Counter(each.event for each in occasions(room.state, room.now))


def keys(room: LadderDesk) -> set[str]:
    return {each.key for each in occasions(room.state, room.now)}


def test_each_occasion_comes_at_its_time(room: LadderDesk) -> None:
    """Issue, lateness, a step due, a step overdue, and the verdict that it lied."""
    assert events(room) == {}
    order = room.pause()
    assert events(room) == {"order-issued": 1}
    room.move(HALT_DUE_S)
    assert events(room) == {"order-issued": 1, "straggler": 1, "step-due": 1}
    room.move(STEP_S)
    assert events(room) == {"order-issued": 1, "straggler": 1, "step-overdue": 1}
    room.step(order)
    assert events(room) == {"order-issued": 1, "straggler": 1}
    room.judge(order, room.receipt(order, "halted"), "contradicted")
    assert events(room)["contradicted"] == 1


def test_a_lapse_and_a_holds_end_are_told_ahead(room: LadderDesk) -> None:
    """So long before as the lead, and not after."""
    order = room.pause(kind="hold", lasts_s=3_600)
    room.judge(order, room.receipt(order, "halted"), "corroborated", lapses_s=3_600)
    room.move(3_600 - LEAD_S - 1)
    assert set(events(room)) == {"order-issued"}
    room.move(1)
    assert events(room) == {"order-issued": 1, "verdict-lapsing": 1, "hold-ending": 1}


def test_an_appeal_is_told_until_it_is_decided(room: LadderDesk) -> None:
    """Filed is an occasion of its own."""
    plan = AppealPlan(appeal="APPEAL-1", order=room.pause(), party="party-1", asks="lift it")
    room.admit(draft_appeal(room.state, plan, now=room.now), f.PARTY)
    assert events(room)["appeal-filed"] == 1


def test_the_past_is_not_told_to_who_starts_anew(room: LadderDesk) -> None:
    """An order that is over and older than a day is no news."""
    room.pause(kind="hold", lasts_s=60)
    room.move(86_401)
    assert keys(room) == set()


def test_a_silent_hall_is_one_notice(room: LadderDesk) -> None:
    """Fifty hosts of one site under one order are told of together, the first twenty by name."""
    for n in range(2, 51):
        room.enrol(f"host-{n}")
    room.pause()
    room.move(HALT_DUE_S)
    made = notices_of(list(occasions(room.state, room.now)), room.now)
    late = [(notice, told) for notice, told in made if notice.event == "straggler"]
    ((notice, told),) = late
    assert (notice.count, len(notice.hosts), len(told)) == (50, 20, 50)
    assert "50 hosts at site-1 are late under order pause/JP/1" in notice.text


def test_a_notice_has_the_same_name_however_often_it_is_made(room: LadderDesk) -> None:
    """A receiver knows it again, at whatever instant it is told."""
    room.pause()
    found = list(occasions(room.state, room.now))
    first = [notice.notice for notice, _ in notices_of(found, room.now)]
    room.move(30)
    again = [notice.notice for notice, _ in notices_of(occasions(room.state, room.now), room.now)]
    assert first == again
