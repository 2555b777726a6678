"""Appeals at the desk: who may file one, under which key, and that nothing is lifted by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.model.errors import BadSignature, NotAuthorised, StateConflict
from sekisho.model.statements import AppealFiled, Scope
from sekisho.operations.appealing import (
    AppealPlan,
    DecisionPlan,
    appeal_standing,
    draft_appeal,
    draft_decision,
    party_under,
)
from tests import factory as f
from tests.desks import TestDesk
from tests.ladders import LadderDesk


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LadderDesk]:
    with TestDesk(tmp_path) as desk:
        desk.licensed()
        yield LadderDesk(desk)


def drafted(room: LadderDesk, **changes: object) -> AppealFiled:
    """An appeal of party-1 against a pause over site-1, unless a test names another order."""
    order = changes.pop("order", None) or room.pause()
    fields: dict[str, object] = {"appeal": "APPEAL-1", "party": "party-1", "asks": "lift it"}
    plan = AppealPlan(**{**fields, **changes, "order": order})  # type: ignore[arg-type]  # the test's own
    return draft_appeal(room.state, plan, now=room.now)


def test_a_licensee_under_the_order_appeals_and_the_order_stands(room: LadderDesk) -> None:
    """Its licence is named; filed and upheld, the order is in force all the same, and overdue after its day."""
    appeal = drafted(room)
    under = party_under(room.state, room.known(appeal.order), "party-1")
    assert (under.licences, under.hosts) == (("LIC-1",), ())
    room.admit(appeal, f.PARTY)
    decision = draft_decision(
        room.state,
        DecisionPlan(appeal="APPEAL-1", outcome="upheld", reasons="heard", resume_within_s=3_600),
        now=room.now,
    )
    room.admit(decision, *f.AUTHORITY[:3])
    (found,) = room.state.appeals.against(appeal.order)
    assert appeal_standing(room.state, found, room.now) == "resume-due"
    room.move(3_600)
    assert appeal_standing(room.state, found, room.now) == "resume-overdue"
    assert [k.reference for k in room.state.orders.in_force(room.now)] == [appeal.order]


def test_an_operator_of_a_covered_host_appeals(room: LadderDesk) -> None:
    """Its party bears the organisation that the host is enrolled under."""
    operator = msgspec.structs.replace(
        f.party_enrolled(),
        party="operator-1",
        organisation="Operator",
        public=f.signer("operator-party").public.to_text(),
    )
    room.admit(operator, f.AUTHORITY[0])
    under = party_under(room.state, room.known(room.pause()), "operator-1")
    assert (under.licences, under.hosts) == ((), ("host-1",))


def test_a_party_that_the_order_does_not_touch_files_nothing(room: LadderDesk) -> None:
    """An order elsewhere is none of its business, at the draft and at the desk."""
    room.enrol("host-2", site="site-2")
    elsewhere = room.pause(scope=Scope(hosts=("host-2",)))
    with pytest.raises(StateConflict, match="holds no licence under this order"):
        drafted(room, order=elsewhere)


def test_an_appeal_takes_its_partys_key_and_a_decision_the_adjudicators(room: LadderDesk) -> None:
    """A host's key files nothing, and two authority keys decide nothing."""
    appeal = drafted(room)
    with pytest.raises(BadSignature):
        room.admit(appeal, f.HOST)
    room.admit(appeal, f.PARTY)
    decision = draft_decision(
        room.state, DecisionPlan(appeal="APPEAL-1", outcome="dismissed", reasons="no"), now=room.now
    )
    with pytest.raises(NotAuthorised):
        room.admit(decision, *f.AUTHORITY[:2])


def test_a_name_is_used_once(room: LadderDesk) -> None:
    """A second appeal of that name is refused."""
    room.admit(drafted(room), f.PARTY)
    with pytest.raises(StateConflict, match="filed already"):
        drafted(room)


def test_what_is_not_filed_cannot_be_decided(room: LadderDesk) -> None:
    """Nor can an appeal be upheld without an instant."""
    with pytest.raises(StateConflict, match="is not filed"):
        draft_decision(
            room.state,
            DecisionPlan(appeal="APPEAL-9", outcome="dismissed", reasons="-"),
            now=room.now,
        )
    room.admit(drafted(room), f.PARTY)
    with pytest.raises(StateConflict, match="by when the resume is due"):
        draft_decision(
            room.state, DecisionPlan(appeal="APPEAL-1", outcome="upheld", reasons="-"), now=room.now
        )


def test_an_upheld_appeal_against_an_order_that_has_not_begun_is_not_resumed_yet(
    room: LadderDesk,
) -> None:
    """Nothing lifted it: before it begins its resume is due, and once that is late, overdue."""
    appeal = drafted(room, order=room.pause(starts_in_s=7_200))
    room.admit(appeal, f.PARTY)
    plan = DecisionPlan(appeal="APPEAL-1", outcome="upheld", reasons="heard", resume_within_s=3_600)
    room.admit(draft_decision(room.state, plan, now=room.now), *f.AUTHORITY[:3])
    (found,) = room.state.appeals.against(appeal.order)
    assert appeal_standing(room.state, found, room.now) == "resume-due"
    room.move(3_600)
    assert appeal_standing(room.state, found, room.now) == "resume-overdue"
    room.pause(kind="resume", effect="lift", lifts=(appeal.order,))
    assert appeal_standing(room.state, found, room.now) == "resumed"
