"""Attacks on a regime's keys at the desk that admits statements, one test each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.model.errors import InvalidInput, SekishoError, StateConflict
from sekisho.model.statements import (
    KeyCompromised,
    OrderConfirmed,
    OrderReference,
    Predicate,
    RecoveryVetoed,
    Reference,
    Scope,
    TimeMarked,
)
from sekisho.operations.desk import Admitted
from sekisho.operations.feed import Feed
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.orders import decide_demand
from sekisho.signing import parse_envelope
from sekisho.signing.keys import Signer
from tests import factory as f
from tests.desks import TestDesk
from tests.signing.logs import AMENDERS, DAY_S, REPORTERS, announced

YEAR_S = 365 * DAY_S


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def admit(desk: TestDesk, fact: Predicate, *signers: Signer) -> Admitted:
    return desk.desk.admit(f.signed(fact, *signers).raw)


def pass_time(desk: TestDesk, seconds: float) -> None:
    """Let time pass, have the log witnessed, and let it quote that."""
    desk.clock.move(seconds)
    desk.sequencer.take_cosigned(desk.cosigned().note.to_bytes())
    desk.desk.mark_time()


def order(desk: TestDesk, kind: str, effect: str, *lifts: OrderReference) -> OrderReference:
    plan = OrderPlan(
        kind=kind,  # type: ignore[arg-type]  # a kind of order
        scope=Scope(sites=("site-1",)),
        effect=effect,  # type: ignore[arg-type]  # its effect
        lasts_s=3_600,
        legal_basis="Test act",
        appeal="in writing",
        lifts=lifts,
    )
    drafted = draft_order(desk.desk.state, plan, now=desk.clock.now())
    admitted = admit(desk, drafted, *AMENDERS)
    return OrderReference(register=drafted.register, number=drafted.number, digest=admitted.digest)


def effect_now(desk: TestDesk) -> str | None:
    state = desk.desk.state
    host = state.regime.hosts["host-1"]
    return decide_demand(
        state.orders.in_force(desk.clock.now()), state.host_facts(host, None)
    ).effect


def report(desk: TestDesk, key: Signer, since_s: float = 0) -> KeyCompromised:
    now = desk.clock.now()
    return KeyCompromised(
        effective=now, key=key.public.key_id, since=now.plus(since_s), reason="stolen"
    )


def test_charter_expired_with_a_halted_host(desk: TestDesk) -> None:
    """A host halted under a charter that ran out is resumed; nothing is licensed or amended any more."""
    pause = order(desk, "pause", "freeze")
    pass_time(desk, YEAR_S + 1)
    assert effect_now(desk) == "freeze"
    terms = msgspec.structs.replace(
        desk.charter,
        version=2,
        previous=desk.charter_envelope.digest,
        expires=desk.clock.now().plus(YEAR_S),
    )
    with pytest.raises(StateConflict, match="expired"):
        admit(desk, terms, *AMENDERS)
    with pytest.raises(SekishoError, match="expired"):
        desk.licensed()
    order(desk, "resume", "lift", pause)
    desk.clock.move(1)
    assert effect_now(desk) is None


def test_charter_report_of_nobodys_key(desk: TestDesk) -> None:
    """The book of reports is not filled with keys that never spoke; a host's and a party's are somebody's."""
    with pytest.raises(InvalidInput, match="speaks for nobody"):
        admit(desk, report(desk, f.signer("nobody")), *REPORTERS)
    with pytest.raises(InvalidInput, match="since"):
        admit(desk, report(desk, f.HOST, since_s=DAY_S), *REPORTERS)
    admit(desk, report(desk, f.PARTY), *REPORTERS)
    admit(desk, report(desk, f.HOST), *REPORTERS)
    with pytest.raises(SekishoError):
        desk.desk.admit(f.signed(f.run_declared(), f.PARTY).raw)


def test_charter_report_repeated_to_begin_a_new_grace(desk: TestDesk) -> None:
    """A report that says nothing new is refused; one that says the key was lost earlier is news."""
    admit(desk, report(desk, f.AUTHORITY[0]), *REPORTERS)
    pass_time(desk, 60)
    with pytest.raises(StateConflict, match="already"):
        admit(desk, report(desk, f.AUTHORITY[0]), *REPORTERS)
    admit(desk, report(desk, f.AUTHORITY[0], since_s=-DAY_S), *REPORTERS)


def test_charter_enrolment_with_a_reported_key(desk: TestDesk) -> None:
    """A key that was lost enrols nobody anew."""
    thief = f.signer("host-2")
    admit(desk, f.host_enrolled("host-2", of=thief), f.AUTHORITY[0], f.OPERATOR)
    admit(desk, report(desk, thief), *REPORTERS)
    with pytest.raises(SekishoError, match="speaks for another"):
        admit(desk, f.host_enrolled("host-3", of=thief), f.AUTHORITY[0], f.OPERATOR)


def test_charter_confirmation_of_nothing(desk: TestDesk) -> None:
    """An order that is not in its register, or of another kind, is confirmed by nobody."""
    pause = order(desk, "pause", "freeze")
    now = desk.clock.now()
    other = msgspec.structs.replace(pause, number=9)
    with pytest.raises(StateConflict, match="not in its register"):
        admit(desk, OrderConfirmed(effective=now, order=other, kind="pause"), *AMENDERS)
    with pytest.raises(StateConflict, match="is a pause"):
        admit(desk, OrderConfirmed(effective=now, order=pause, kind="hold"), *f.AUTHORITY[:2])


def test_charter_veto_after_the_notice_is_not_admitted(desk: TestDesk) -> None:
    """What the fold would pass over does not enter the log."""
    now = desk.clock.now()
    fact = announced(desk.desk.state.regime.in_force(), effective=now)
    leaf = admit(desk, fact, *f.RECOVERY[:2]).leaf
    pass_time(desk, 1)
    pass_time(desk, 14 * DAY_S)
    veto = RecoveryVetoed(
        effective=now,
        announcement=Reference(log=f.ORIGIN, leaf=leaf),
        constituency="verifiers",
        reason="x",
    )
    with pytest.raises(StateConflict, match="notice is over"):
        admit(desk, veto, f.VERIFIER[0])


def test_charter_marks_that_hosts_need_are_told(desk: TestDesk) -> None:
    """The mark before an order and the first that holds a report go out; a quiet log's marks do not."""
    feed = Feed(desk.desk, desk.reader, run=1)
    desk.desk.on_recorded(feed.take_recorded)
    for _ in range(3):
        pass_time(desk, 60)
    order(desk, "pause", "freeze")
    admit(desk, report(desk, f.AUTHORITY[0]), *REPORTERS)
    pass_time(desk, 60)
    pass_time(desk, 60)
    feed.take_published(desk.cosigned())
    kinds = [
        parse_envelope(item.envelope).payload.split(b"urn:sekisho:statement:")[1].split(b":")[0]
        for item in feed.read("host-1", 0).items
    ]
    assert kinds == [b"time-marked", b"order-issued", b"key-compromised", b"time-marked"]


def test_charter_mark_of_the_machine_s_own_clock(desk: TestDesk) -> None:
    """A mark dated a year ahead moves no grace and no notice: only witnesses tell the time."""
    desk.clock.move(YEAR_S)
    desk.desk.mark_time()
    assert desk.desk.state.regime.newest_mark is None
    newest = desk.desk.recorded()[-1].verified.predicate
    assert isinstance(newest, TimeMarked)
