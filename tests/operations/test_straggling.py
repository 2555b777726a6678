"""Stragglers at the desk: who is listed, what may be taken against them and when, and what they are granted no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.model.errors import InvalidInput, NotAuthorised, StateConflict
from sekisho.model.statements import OrderReference, RefusalRecorded, Scope
from sekisho.operations.leasing import LeaseRefused
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.straggling import (
    RefusalPlan,
    barring_orders,
    draft_refusal,
    due_of,
    late_hosts,
)
from tests import factory as f
from tests.desks import TestDesk
from tests.ladders import HALT_DUE_S, STEP_S, LadderDesk

PAUSE: dict[str, Any] = {
    "kind": "pause",
    "scope": Scope(sites=("site-1",)),
    "effect": "freeze",
    "lasts_s": 30 * 86_400,
    "legal_basis": "Test act",
    "appeal": "in writing",
}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LadderDesk]:
    with TestDesk(tmp_path) as desk:
        yield LadderDesk(desk)


def test_a_host_that_says_nothing_is_listed_once_its_time_is_over(room: LadderDesk) -> None:
    """With site, order and the notice that comes next; the moment before it is not."""
    order = room.pause(grace_s=30)
    room.move(30 + HALT_DUE_S - 1)
    assert late_hosts(room.state, room.now) == ()
    room.move(1)
    (row,) = late_hosts(room.state, room.now)
    assert (row.late.host, row.site, row.late.why) == ("host-1", "site-1", "silent")
    assert row.late.due == due_of(room.state, room.known(order)) == room.now
    assert row.upcoming.steps == ("notice",)
    assert (row.is_due(room.now), row.is_overdue(room.now)) == (True, False)
    assert row.is_overdue(room.now.plus(STEP_S))


def test_a_host_that_halted_leaves_the_list_and_one_contradicted_comes_back(
    room: LadderDesk,
) -> None:
    """Its receipt ends its lateness; a verdict that it lied begins it again."""
    order = room.pause()
    room.move(HALT_DUE_S)
    receipt = room.receipt(order, "halted")
    assert late_hosts(room.state, room.now) == ()
    room.judge(order, receipt, "contradicted", lapses_s=1)
    room.move(60)
    assert [row.late.why for row in late_hosts(room.state, room.now)] == ["contradicted"]


def test_nobody_is_late_under_an_order_that_is_over_or_a_drill(room: LadderDesk) -> None:
    """A hold that lapsed, and a drill, list nobody."""
    room.pause(kind="hold", lasts_s=700)
    room.pause(drill=True)
    room.move(HALT_DUE_S)
    assert [row.known.order.kind for row in late_hosts(room.state, room.now)] == ["hold"]
    room.move(100)
    assert late_hosts(room.state, room.now) == ()


def test_the_ladder_is_drafted_signed_and_listed(room: LadderDesk) -> None:
    """Notice, end of leases, refusal, inspection: each drafted when due, with what the log holds as evidence."""
    order = room.pause()
    room.receipt(order, "received")
    room.move(HALT_DUE_S)
    said = []
    for word, plan in (
        ("notice", {}),
        ("leases-ended", {}),
        ("refusal", {"reasons": ("asked twice",)}),
        ("inspection", {"step": "inspection", "measure": "a visit on site"}),
    ):
        room.step(order, **plan)
        (row,) = late_hosts(room.state, room.now)
        said.append(row.steps[-1].fact.step)
        assert said[-1] == word
        assert len(row.steps[-1].fact.evidence) == len(said)
        with pytest.raises(StateConflict, match="at the earliest"):
            draft_refusal(
                room.state,
                RefusalPlan(host="host-1", order=order, step=row.upcoming.steps[0]),
                now=room.now,
            )
        room.move(STEP_S + 3_600)
    assert row.steps[2].fact.reasons == ("asked twice",)
    assert row.upcoming.steps == ("supply-measure",)


def test_where_two_steps_may_come_next_the_drafter_names_one(room: LadderDesk) -> None:
    """After the refusal the log does not choose between an inspection and a supply measure."""
    order = room.pause()
    room.move(HALT_DUE_S)
    for _ in range(3):
        room.step(order)
        room.move(STEP_S + 3_600)
    with pytest.raises(InvalidInput, match="more than one step"):
        room.step(order)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"step": "leases-ended"}, "not the next step"),
        ({"step": "refusal"}, "not the next step"),
        ({"answer_by": f.NOW.plus(HALT_DUE_S + STEP_S - 1)}, "to answer"),
        ({"host": "host-9"}, "not enrolled"),
        ({"measure": "seize it"}, "names no measure"),
    ],
)
def test_the_desk_refuses_a_step_out_of_the_ladder(
    room: LadderDesk, changes: dict[str, object], word: str
) -> None:
    """Whoever signs it: a skipped step, too short a time, an unknown host."""
    order = room.pause()
    room.move(HALT_DUE_S)
    draft = draft_refusal(room.state, RefusalPlan(host="host-1", order=order), now=room.now)
    fact = msgspec.structs.replace(draft, **changes)
    with pytest.raises(StateConflict, match=word):
        room.admit(fact, f.VERIFIER[0])


def test_a_step_that_comes_too_early_is_refused(room: LadderDesk) -> None:
    """A notice before the host is late, and the next one before the notice may be answered."""
    order = room.pause()
    early = RefusalRecorded(
        effective=room.now,
        host="host-1",
        order=order,
        step="notice",
        answer_by=room.now.plus(10 * STEP_S),
    )
    with pytest.raises(StateConflict, match="not late"):
        room.admit(early, f.VERIFIER[0])
    room.move(HALT_DUE_S)
    room.step(order)
    again = msgspec.structs.replace(early, effective=room.now, step="leases-ended")
    with pytest.raises(StateConflict, match="at the earliest"):
        room.admit(again, f.VERIFIER[0])


def test_a_step_takes_the_judges_key(room: LadderDesk) -> None:
    """Neither the operator nor the authority takes one."""
    order = room.pause()
    room.move(HALT_DUE_S)
    draft = draft_refusal(room.state, RefusalPlan(host="host-1", order=order), now=room.now)
    with pytest.raises(NotAuthorised):
        room.admit(draft, f.OPERATOR)


def test_a_host_out_of_the_orders_scope_has_no_ladder(room: LadderDesk) -> None:
    """It is not covered, so it is not late."""
    room.enrol("host-2", site="site-2")
    order = room.pause()
    room.move(HALT_DUE_S)
    with pytest.raises(StateConflict, match="does not cover"):
        room.step(order, "host-2")


def test_after_the_end_of_its_leases_a_host_is_granted_nothing(room: LadderDesk) -> None:
    """Not even for a licence that the order does not cover, until it halts."""
    licence = room.desk.licensed()
    room.move(1)
    order = room.pause(scope=Scope(hosts=("host-1",)), exemptions=())
    wide = room.desk.leases
    room.move(HALT_DUE_S)
    room.step(order)
    assert barring_orders(room.state, "host-1", room.now) == ()
    room.move(STEP_S + 3_600)
    room.step(order)
    assert barring_orders(room.state, "host-1", room.now) == (order,)
    with pytest.raises(LeaseRefused, match="leases of host host-1 ended on record"):
        wide.grant(room.desk.request(licence))
    room.receipt(order, "halted")
    assert barring_orders(room.state, "host-1", room.now) == ()


def test_the_end_of_an_order_ends_what_its_ladder_barred(room: LadderDesk) -> None:
    """Lifted, it bars nobody any more."""
    order = room.pause()
    room.move(HALT_DUE_S)
    room.step(order)
    room.move(STEP_S + 3_600)
    room.step(order)
    room.pause(kind="resume", effect="lift", lifts=(order,), lasts_s=3_600)
    room.move(1)
    assert barring_orders(room.state, "host-1", room.now) == ()


def test_an_order_that_dates_itself_back_makes_nobody_late_at_once(room: LadderDesk) -> None:
    """Its hosts have the charter's time from when the log can have held it: the notice waits as for any other."""
    room.desk.sequencer.take_cosigned(room.desk.cosigned().note.to_bytes())
    room.desk.desk.mark_time()
    drafted = draft_order(room.state, OrderPlan(**PAUSE), now=room.now)
    back = msgspec.structs.replace(drafted, not_before=room.now.plus(-3 * STEP_S))
    made = room.admit(back, *f.AUTHORITY[:3], *f.VERIFIER)
    order = OrderReference(register=back.register, number=back.number, digest=made.digest)
    assert late_hosts(room.state, room.now) == ()
    with pytest.raises(StateConflict, match="is not late"):
        room.step(order)
    room.move(HALT_DUE_S)
    assert [row.late.host for row in late_hosts(room.state, room.now)] == ["host-1"]
