"""The desk: what gets into the log, once, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.ledger.sequencer import Sequencer
from sekisho.model.errors import InvalidInput, NotAuthorised, StateConflict, Unavailable
from sekisho.model.statements import OrderReference, Scope
from sekisho.operations.blast_radius import preview_order
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.registers import keep_registers
from sekisho.orders import RegisterGap, StaleSignatures, TwoDigests
from tests import factory as f
from tests.desks import TestDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def pause_plan(**changes: object) -> OrderPlan:
    fields: dict[str, object] = {
        "kind": "pause",
        "scope": Scope(sites=("site-1",)),
        "effect": "freeze",
        "lasts_s": 3_600,
        "legal_basis": "Test act",
        "appeal": "in writing",
        **changes,
    }
    return OrderPlan(**fields)  # type: ignore[arg-type]  # changes are the test's own choice


def issue(desk: TestDesk, plan: OrderPlan) -> OrderReference:
    order = draft_order(desk.desk.state, plan, now=desk.clock.now())
    admitted = desk.desk.admit(f.signed(order, *f.AUTHORITY[:3], f.VERIFIER[0]).raw)
    return OrderReference(register=order.register, number=order.number, digest=admitted.digest)


def test_a_statement_submitted_twice_stands_once(desk: TestDesk) -> None:
    """The second submission gets the first one's place, even under other signatures."""
    order = draft_order(desk.desk.state, pause_plan(), now=desk.clock.now())
    first = desk.desk.admit(f.signed(order, *f.AUTHORITY[:3], f.VERIFIER[0]).raw)
    again = desk.desk.admit(f.signed(order, *f.AUTHORITY[1:4], f.VERIFIER[1]).raw)
    assert (again.index, again.leaf, again.fresh) == (first.index, first.leaf, False)


def test_an_order_without_its_quorum_never_enters_the_log(desk: TestDesk) -> None:
    """Two of three authority keys are not enough, and the log does not grow."""
    order = draft_order(desk.desk.state, pause_plan(), now=desk.clock.now())
    size = desk.sequencer.integrate().size
    with pytest.raises(NotAuthorised, match="authority 2 of 3"):
        desk.desk.admit(f.signed(order, *f.AUTHORITY[:2], f.VERIFIER[0]).raw)
    assert desk.sequencer.integrate().size == size


def test_an_order_that_skips_a_number_is_refused(desk: TestDesk) -> None:
    """A register has no gaps."""
    order = f.order_issued(number=2, charter_digest=desk.charter_envelope.digest)
    with pytest.raises(RegisterGap):
        desk.desk.admit(f.signed(order, *f.AUTHORITY[:3], f.VERIFIER[0]).raw)


def test_two_orders_at_one_number_are_refused(desk: TestDesk) -> None:
    """The second digest at a known number is the one thing that a number alone proves."""
    issue(desk, pause_plan())
    other = f.order_issued(charter_digest=desk.charter_envelope.digest, legal_basis="Other act")
    with pytest.raises(TwoDigests):
        desk.desk.admit(f.signed(other, *f.AUTHORITY[:3], f.VERIFIER[0]).raw)


def test_an_order_that_waited_too_long_for_its_quorum_is_refused(desk: TestDesk) -> None:
    """After issue_until its signatures are worth nothing."""
    order = draft_order(desk.desk.state, pause_plan(issue_within_s=60), now=desk.clock.now())
    desk.clock.move(61)
    with pytest.raises(StaleSignatures):
        desk.desk.admit(f.signed(order, *f.AUTHORITY[:3], f.VERIFIER[0]).raw)


def test_statements_of_the_control_plane_are_refused_from_outside(desk: TestDesk) -> None:
    """Nobody can hand in a heartbeat, even under the operator's key."""
    keep_registers(desk.desk)
    heartbeat = desk.desk.recorded()[-1].verified.predicate
    desk.clock.move(1)
    again = msgspec.structs.replace(heartbeat, effective=desk.clock.now())
    with pytest.raises(InvalidInput, match="control plane itself"):
        desk.desk.admit(f.signed(again, f.OPERATOR).raw)


def test_a_statement_from_the_future_is_refused(desk: TestDesk) -> None:
    """More than five minutes ahead of the desk's clock is not believed."""
    late = msgspec.structs.replace(f.run_declared(), effective=f.NOW.plus(301))
    with pytest.raises(InvalidInput, match="effective"):
        desk.desk.admit(f.signed(late, f.PARTY).raw)


def test_a_desk_reopened_holds_the_same_state(tmp_path: Path) -> None:
    """Folding the log again gives what was folded entry by entry."""
    with TestDesk(tmp_path) as first:
        first.licensed()
        issue(first, pause_plan())
        before = first.desk.state
    with TestDesk(tmp_path) as second:
        after = second.desk.state
    assert (after.size, after.orders, after.licences) == (
        before.size,
        before.orders,
        before.licences,
    )


@pytest.mark.parametrize("when", ["before the append", "after the append"])
def test_kill_while_admitting_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """A crash around the append leaves the order in the log once, or not at all and free to be sent again."""
    real = Sequencer.append_one

    def dying(sequencer: Sequencer, submission: object) -> object:
        if when == "after the append":
            real(sequencer, submission)  # type: ignore[arg-type]
        raise Unavailable("power cut")

    with TestDesk(tmp_path) as first:
        order = draft_order(first.desk.state, pause_plan(), now=first.clock.now())
        raw = f.signed(order, *f.AUTHORITY[:3], f.VERIFIER[0]).raw
        monkeypatch.setattr(Sequencer, "append_one", dying)
        with pytest.raises(Unavailable):
            first.desk.admit(raw)
        monkeypatch.undo()
    with TestDesk(tmp_path) as second:
        second.desk.admit(raw)
        kinds = [r.verified.kind for r in second.desk.recorded()]
    assert kinds.count("order-issued") == 1


def test_a_preview_names_whom_an_order_would_touch(desk: TestDesk) -> None:
    """Hosts, sites, runs and licensees come from the log."""
    desk.licensed()
    order = draft_order(desk.desk.state, pause_plan(), now=desk.clock.now())
    touched = preview_order(desk.desk.state, order)
    assert (touched.hosts, touched.runs, touched.licensees) == (
        ("host-1",),
        ("run-1",),
        ("party-1",),
    )


def test_a_draft_that_breaks_a_rule_is_refused_with_its_rules(desk: TestDesk) -> None:
    """A hold of two days that stops work breaks two rules, and both are named."""
    with pytest.raises(InvalidInput, match=r"hold lasts at most 24 h.*effect"):
        draft_order(
            desk.desk.state,
            pause_plan(kind="hold", effect="checkpoint-then-stop", lasts_s=172_800),
            now=desk.clock.now(),
        )


def test_resume_of_an_order_that_nobody_issued_is_refused(desk: TestDesk) -> None:
    """A resume can only lift what is in a register."""
    ghost = OrderReference(register="pause/JP", number=1, digest="1" * 64)
    plan = pause_plan(kind="resume", effect="lift", lifts=(ghost,))
    order = draft_order(desk.desk.state, plan, now=desk.clock.now())
    with pytest.raises(StateConflict, match="not in its register"):
        desk.desk.admit(f.signed(order, *f.AUTHORITY[:3], f.VERIFIER[0]).raw)
