"""What is sealed and might come out all the same: by steps and verdicts that name a host, in exports and notices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.cli.log_event_forms import to_cef, to_json, to_syslog
from sekisho.model.errors import StateConflict
from sekisho.model.statements import HaltJudged, OrderReference, RefusalRecorded, Span
from sekisho.operations.log_events import event_of
from sekisho.operations.opening import open_due
from sekisho.operations.telling import notices_of, occasions
from tests import factory as f
from tests.ladders import HALT_DUE_S, STEP_S, LadderDesk
from tests.scoped import ScopedDesk
from tests.sealed import DAY_S, drafted, seal, sealed_of

SECRETS = ("a secret law", "host-2")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LadderDesk]:
    with ScopedDesk(tmp_path) as desk:
        yield LadderDesk(desk.founded())


def sealed_pause(room: LadderDesk) -> OrderReference:
    """A sealed pause of host-2, whose time to halt is over."""
    desk = room.desk
    envelope, texts = seal(desk, drafted(desk, legal_basis="a secret law", grace_s=0))
    desk.desk.admit(envelope.raw, disclosures=texts)
    sealed = sealed_of(envelope)
    room.move(HALT_DUE_S + 60)
    return OrderReference(register=sealed.register, number=sealed.number, digest=envelope.digest)


def notice(room: LadderDesk, order: OrderReference) -> RefusalRecorded:
    return RefusalRecorded(
        effective=room.now,
        host="host-2",
        order=order,
        step="notice",
        answer_by=room.now.plus(STEP_S + 60),
    )


def silent(room: LadderDesk, order: OrderReference) -> HaltJudged:
    return HaltJudged(
        effective=room.now,
        host="host-2",
        order=order,
        degree="non-responsive",
        interval=Span(start=room.now, end=room.now),
        lapses=room.now.plus(60),
        evidence=(),
    )


def test_a_step_against_a_host_names_nobody_under_a_sealed_order(room: LadderDesk) -> None:
    """The judge alone would tell everybody whom the pause quorum sealed it for; once it is open the step is taken."""
    order = sealed_pause(room)
    with pytest.raises(StateConflict, match="is sealed still"):
        room.step(order, "host-2")
    with pytest.raises(StateConflict, match="is sealed still"):
        room.admit(notice(room, order), f.VERIFIER[0])
    room.move(2 * DAY_S)
    open_due(room.desk.desk)
    room.step(order, "host-2")


def test_a_verdict_on_a_silent_host_names_nobody_either(room: LadderDesk) -> None:
    """Nothing was heard of the host, so nothing of it is public yet."""
    order = sealed_pause(room)
    with pytest.raises(StateConflict, match="is sealed still"):
        room.admit(silent(room, order), f.VERIFIER[0])
    room.move(2 * DAY_S)
    open_due(room.desk.desk)
    room.admit(silent(room, order), f.VERIFIER[0])


def test_a_host_that_named_itself_climbs_the_ladder(room: LadderDesk) -> None:
    """Its own receipt under the order is in the log: nobody learns of it by the step."""
    order = sealed_pause(room)
    room.receipt(order, "received", "host-2")
    room.step(order, "host-2")


def test_an_export_for_a_siem_says_that_it_is_sealed_and_no_more(room: LadderDesk) -> None:
    """In each form, entry by entry, although this desk knows all of it; once it is open the opening says so."""
    order, desk = sealed_pause(room), room.desk.desk
    for is_open in (False, True):
        if is_open:
            room.move(2 * DAY_S)
            open_due(desk)
        events = [event_of(each, desk.state, desk.origin) for each in desk.recorded()]
        mine = [each for each in events if each.kind in ("order-sealed", "order-opened")]
        assert [each.severity for each in mine][:1] == ["alert"]
        assert len(mine) == 1 + is_open
        for event in mine:
            assert event.ids == {"order": f"{order.register} {order.number}"}
            for form in (to_json, to_cef, to_syslog):
                told = form(event).decode()
                assert not any(secret in told for secret in SECRETS), told


def test_people_on_call_are_not_told_whom_it_is_for(room: LadderDesk) -> None:
    """One notice that a sealed order was issued; none that host-2 is late under it, nor what comes next against it."""
    sealed_pause(room)
    told = [notice for notice, _ in notices_of(occasions(room.state, room.now), room.now)]
    assert [notice.event for notice in told] == ["order-issued"]
    assert "sealed" in told[0].text
    assert not any(secret in str(told) for secret in SECRETS)
