"""An access point follows its regime: what acts, what waits for witnesses, what is forgotten by nobody."""

from __future__ import annotations

import pytest

from sekisho.access.picture import UserClass
from sekisho.access.tally import CountRow, WorkerCounts, start_of
from sekisho.model.statements import AccessTerms, RegisterHead
from tests.access.points import MODEL, XA, XB, PointRig, licensed, revoked, unproven


def test_a_suspension_in_the_log_refuses_its_class_and_serves_the_rest() -> None:
    """From the next look on the named class is refused, everybody else served."""
    rig = PointRig()
    rig.beat()
    assert (rig.code(XA), rig.code(XB)) == ("served", "served")
    rig.suspend()
    rig.beat()
    assert (rig.code(XA), rig.code(XB)) == ("access-suspended", "served")
    assert rig.code(UserClass()) == "access-suspended"


def test_a_resume_lifts_it_with_its_witnesses() -> None:
    """A resume that the log's witnesses have seen opens the model again."""
    rig = PointRig()
    order = rig.suspend()
    rig.beat()
    assert rig.code(XA) == "access-suspended"
    rig.control.clock.advance(1)
    rig.resume(order)
    rig.beat(1)
    assert rig.code(XA) == "served"


def test_a_suspension_ends_by_the_earliest_clock() -> None:
    """A system clock set ahead ends no order; the witnesses' time does."""
    rig = PointRig(silence_s=86_400)
    rig.suspend()
    rig.beat()
    rig.control.clock.system = rig.control.clock.system.plus(7_200)
    assert rig.point.draw().models[0].state == "restricted"
    rig.control.clock.system = rig.control.clock.system.plus(-7_200)
    rig.beat(3_601)
    assert rig.code(XA) == "served"


def test_after_a_restart_the_orders_are_known_before_anybody_is_asked() -> None:
    """What was accepted lies on the disk: a control plane that keeps it back changes nothing."""
    rig = PointRig()
    rig.suspend()
    rig.beat()
    rig.control.is_silent = True
    rig.start()
    assert rig.code(XA) == "access-suspended"
    assert rig.code(XB) == "served"


def test_before_anything_is_known_everybody_is_refused() -> None:
    """No charter, no enrolment, no word of the registers: the picture runs out as it is drawn."""
    assert PointRig().code(XB) == "picture-stale"


def test_registers_that_are_silent_for_too_long_close_the_gate() -> None:
    """A control plane that sends checkpoints and keeps the registers' word back gains a lease's length at most."""
    rig = PointRig(silence_s=600)
    rig.beat()
    rig.control.clock.advance(599)
    assert rig.code(XB) == "served"
    rig.control.clock.advance(2)
    rig.catch_up()
    assert rig.code(XB) == "picture-stale"


def test_silence_is_never_longer_than_the_charters_longest_lease() -> None:
    """Settings may be stricter than the charter, never milder."""
    rig = PointRig(silence_s=30 * 86_400)
    rig.beat()
    rig.control.clock.advance(86_401)
    assert rig.code(XB) == "picture-stale"


def test_an_outstanding_suspension_refuses_new_sessions_after_the_fetch_delay() -> None:
    """A head whose order nobody shows: served for the charter's fetch delay, then refused."""
    rig = PointRig()
    rig.beat()
    head = RegisterHead(register="suspend-access/JP", number=1, digest="d" * 64)
    rig.point.follower.hear_heads((head,))
    assert rig.code(XB) == "served"
    assert rig.point.lacking() == (("suspend-access/JP", 1),)
    rig.control.clock.advance(60)
    assert rig.code(XB) == "order-outstanding"


def test_an_outstanding_pause_is_the_agents_matter() -> None:
    """Only registers of suspensions close the gate."""
    rig = PointRig()
    rig.beat()
    head = RegisterHead(register="pause/JP", number=1, digest="d" * 64)
    rig.point.follower.hear_heads((head,))
    rig.control.clock.advance(61)
    assert rig.code(XB) == "served"


def test_an_order_that_was_fetched_is_outstanding_no_more() -> None:
    """Asked for by its number it is taken with its proof, and acts."""
    rig = PointRig()
    rig.beat()
    order = rig.suspend()
    index = rig.control.indexes[order.digest]
    rig.control.feed = [row for row in rig.control.feed if row[0] != index]
    rig.catch_up()
    assert rig.point.lacking()
    rig.point.hear_order(rig.control.fetch_order("suspend-access/JP", 1))
    assert not rig.point.lacking()
    assert rig.code(XA) == "access-suspended"


def test_a_model_under_a_licence_closes_with_it() -> None:
    """Revoked, or never issued: nobody is served."""
    rig = PointRig(licence="LIC-1")
    rig.beat()
    assert rig.code(XB) == "licence-not-in-force"
    licence = licensed(rig)
    rig.beat()
    assert rig.code(XB) == "served"
    revoked(rig, licence)
    rig.beat()
    assert rig.code(XB) == "licence-not-in-force"
    assert rig.code(XB, "model-2") == "served"


def test_a_licence_that_is_over_serves_nobody() -> None:
    """The end of its period counts by the latest clock."""
    rig = PointRig(licence="LIC-1")
    licensed(rig)
    rig.beat(86_401)
    assert rig.code(XB) == "licence-not-in-force"


def test_an_unproven_suspension_waits_for_its_witnesses() -> None:
    """Hold and pause act on sight; this kind does not, and says so."""
    rig = PointRig()
    rig.beat()
    order = rig.control.order(
        kind="suspend-access", effect="suspend-access", access=AccessTerms(nationalities=("XA",))
    )
    unproven(rig, order)
    assert rig.codes == ["unwitnessed-release"]
    assert rig.code(XA) == "served"


@pytest.mark.parametrize("restart", [False, True])
def test_a_period_is_stated_with_the_strictest_state_it_had(*, restart: bool) -> None:
    """A suspension that lasted a minute stands in that hour's roll-up, with its order; every model is stated."""
    rig = PointRig(period_s=60)
    start = start_of(rig.control.now(), 60)
    order = rig.suspend()
    rig.beat()
    rig.control.clock.advance(1)
    rig.resume(order)
    rig.beat(1)
    if restart:
        rig.start()
    rig.beat(120)
    row = CountRow(model=MODEL, start=start, served=3, refused=2)
    told = WorkerCounts(since=start, written=rig.control.now(), rows=(row,))
    stated = rig.point.roll_ups([told], settled_s=30)
    first = [each for each in stated if each.period.start == start]
    assert [(e.model, e.state, e.served, e.refused, e.workers) for e in first] == [
        (MODEL, "restricted", 3, 2, 1),
        ("model-2", "restricted", 0, 0, 1),
    ]
    assert [one.digest for one in first[0].orders] == [order.digest]
    rig.point.close(stated)
    assert rig.point.roll_ups([], settled_s=30) == ()


def test_a_period_is_stated_only_when_it_is_settled() -> None:
    """Workers have time to bring their counts."""
    rig = PointRig(period_s=60)
    rig.beat()
    rig.control.clock.advance(61)
    assert rig.point.roll_ups([], settled_s=30) == ()
    rig.control.clock.advance(60)
    assert rig.point.roll_ups([], settled_s=30) != ()
