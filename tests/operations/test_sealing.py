"""Sealed orders at the desk: taken whole or not at all, shown by key, opened by the control plane itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sekisho.model.errors import BadSignature, SekishoError, StateConflict
from sekisho.model.statements import OrderOpened, OrderReference, Scope
from sekisho.operations.feed import Feed
from sekisho.operations.opening import open_due
from sekisho.operations.registers import keep_registers
from sekisho.operations.sealing import verify_sealed
from sekisho.operations.showing import ShownOrder, show_order
from sekisho.operations.state import facts_under, fold_log, start_state
from sekisho.orders import StaleSignatures
from sekisho.orders.asking import OrderAsked, StaleRequest, sign_asked
from sekisho.orders.sealed import open_sealed, show_in_seal
from sekisho.signing import Envelope
from sekisho.signing.keys import Signer
from tests import factory as f
from tests.scoped import QUORUM, ScopedDesk
from tests.sealed import DAY_S, drafted, order_in, seal, sealed_of


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ScopedDesk]:
    with ScopedDesk(tmp_path) as desk:
        yield desk.founded()


def reference(envelope: Envelope) -> OrderReference:
    sealed = sealed_of(envelope)
    return OrderReference(register=sealed.register, number=sealed.number, digest=envelope.digest)


def issue(desk: ScopedDesk) -> tuple[Envelope, tuple[str, ...]]:
    envelope, texts = seal(desk)
    desk.desk.admit(envelope.raw, disclosures=texts)
    return envelope, texts


def shown(
    desk: ScopedDesk, host: str, signer: Signer, *, log: str = f.ORIGIN, late_s: float = 0
) -> ShownOrder:
    feed = Feed(desk.desk, desk.reader, run=1)
    asked = OrderAsked(
        log=log, host=host, register="pause/JP", number=1, at=desk.clock.now().plus(-late_s)
    )
    return show_order(desk.desk, feed.memberships, sign_asked(asked, signer))


def test_the_desk_takes_it_with_its_disclosures_and_covers_the_hosts_inside(
    desk: ScopedDesk,
) -> None:
    """It takes the number of its register under its own digest; in force is what is inside, for whom that names."""
    envelope, _ = issue(desk)
    known = desk.desk.state.orders.find(reference(envelope))

    assert known is not None
    assert known.order.legal_basis == "a law"
    assert [host.host for host in facts_under(desk.desk.state, known)] == ["host-2"]
    assert desk.desk.state.orders.heads["pause/JP"].digest == envelope.digest
    keep_registers(desk.desk)
    assert desk.desk.state.heartbeat is not None
    assert desk.desk.state.heartbeat.in_force == (reference(envelope),)


def test_without_its_disclosures_it_does_not_enter(desk: ScopedDesk) -> None:
    """Nobody could show a host what it must do."""
    envelope, texts = seal(desk)
    for held in ((), texts[:1], texts[1:]):
        with pytest.raises(StateConflict, match="disclosures"):
            desk.desk.admit(envelope.raw, disclosures=held)


def test_what_is_kept_is_there_after_a_start(desk: ScopedDesk, tmp_path: Path) -> None:
    """The private store has the disclosures, so the desk knows the order again."""
    envelope, _ = issue(desk)
    desk.__exit__(None, None, None)

    with ScopedDesk(tmp_path, desk.clock) as again:
        assert order_in(again, envelope).legal_basis == "a law"


def test_an_outsider_reads_a_digest(desk: ScopedDesk) -> None:
    """A fold of the public log knows that an order stands at this number, and not what it says or to whom."""
    envelope, _ = issue(desk)
    entries = [recorded.verified.envelope.raw for recorded in desk.desk.recorded()]
    state, _ = fold_log(start_state(desk.root), entries)
    known = state.orders.find(reference(envelope))

    assert known is not None
    assert (known.is_shown, known.order.legal_basis) == (False, "sealed")
    assert state.orders.in_force(desk.clock.now())[0].reference == reference(envelope)


def test_a_host_in_scope_is_shown_all_by_its_key_and_another_that_it_is_out(
    desk: ScopedDesk,
) -> None:
    """The one gets order, salt and its place; the other the salt and its absence."""
    envelope, texts = issue(desk)
    sealed = sealed_of(envelope)
    mine, other = (
        shown(desk, "host-2", f.signer("host-2")),
        shown(desk, "host-3", f.signer("host-3")),
    )

    assert set(mine.disclosures) == set(texts)
    inside, outside = (open_sealed(sealed, each.disclosures) for each in (mine, other))
    assert inside.order is not None
    assert (outside.order, outside.salt) == (None, inside.salt)
    assert show_in_seal(sealed, inside.salt, "host-2", mine.membership) == "in"
    assert show_in_seal(sealed, outside.salt, "host-3", other.membership) == "out"


def test_nobody_asks_in_another_s_name_or_with_an_old_request(desk: ScopedDesk) -> None:
    """A stranger's key, another log's request and one from an hour ago are refused by name."""
    issue(desk)
    with pytest.raises(BadSignature):
        shown(desk, "host-2", f.signer("host-3"))
    with pytest.raises(StaleRequest):
        shown(desk, "host-2", f.signer("host-2"), log="another.example/log")
    with pytest.raises(StaleRequest):
        shown(desk, "host-2", f.signer("host-2"), late_s=3_600)


def test_a_feed_that_anybody_may_read_says_nothing_of_it(desk: ScopedDesk) -> None:
    """The bare statement goes out, on sight as what restricts does."""
    feed = Feed(desk.desk, desk.reader, run=1)
    desk.desk.on_recorded(feed.take_recorded)
    envelope, _ = issue(desk)
    items = feed.read("host-2", 0).items

    assert [item.envelope for item in items] == [envelope.raw]
    assert items[0].membership is None


def test_it_is_opened_at_its_instant_once(desk: ScopedDesk) -> None:
    """Not before it, at it by the control plane itself, and never a second time."""
    envelope, texts = issue(desk)
    assert open_due(desk.desk) == ()
    desk.clock.move(2 * DAY_S)
    made = open_due(desk.desk)
    fact = desk.desk.find(made[0].digest)

    assert fact is not None
    assert fact.verified.predicate == OrderOpened(
        effective=desk.clock.now(), order=reference(envelope), disclosures=texts
    )
    assert open_due(desk.desk) == ()
    entries = [recorded.verified.envelope.raw for recorded in desk.desk.recorded()]
    state, _ = fold_log(start_state(desk.root), entries)
    known = state.orders.find(reference(envelope))
    assert known is not None
    assert (known.is_shown, known.is_opened, known.named) == (True, True, frozenset({"host-2"}))


def test_it_is_opened_as_soon_as_it_is_lifted(desk: ScopedDesk) -> None:
    """There is nothing left to surprise anybody with; a resume of it says everywhere, whatever was inside."""
    envelope, _ = issue(desk)
    inner = order_in(desk, envelope)
    lifts: dict[str, Any] = {
        "kind": "resume",
        "effect": "lift",
        "grace_s": 0,
        "lifts": (reference(envelope),),
    }
    with pytest.raises(SekishoError, match="everywhere"):
        desk.desk.admit(f.signed(drafted(desk, resolved=inner.resolved, **lifts), *QUORUM).raw)
    resume = drafted(desk, resolved=None, scope=Scope(everywhere=True), **lifts)
    desk.desk.admit(f.signed(resume, *QUORUM).raw)

    assert desk.desk.state.orders.in_force(desk.clock.now().plus(1)) == ()
    assert len(open_due(desk.desk, now=desk.clock.now())) == 1


def test_its_hosts_are_named_by_a_predicate(desk: ScopedDesk) -> None:
    """An order by attributes could not be counted again once it is open, so it is not sealed."""
    with pytest.raises(SekishoError, match="predicate"):
        seal(desk, drafted(desk, resolved=None, scope=Scope(sites=("site-1",))))


def test_it_opens_within_ninety_days_and_by_its_expiry(desk: ScopedDesk) -> None:
    """Later is no sealing but hiding."""
    order = drafted(desk)
    with pytest.raises(SekishoError, match="opens later"):
        seal(desk, order, opens=order.expires.plus(1))
    with pytest.raises(SekishoError, match="opens before"):
        seal(desk, order, opens=order.effective)


def test_its_disclosures_are_deposited_like_others(tmp_path: Path) -> None:
    """Where the charter names holders, more than half of them can open it against the operator's will."""
    with ScopedDesk(tmp_path, holders=3) as desk:
        envelope, _ = issue(desk.founded())
        assert envelope.digest in desk.deposits.book.deposited
        with pytest.raises(StateConflict, match="must be opened"):
            desk.deposits.erase(envelope.digest, "a law")


def test_the_order_inside_must_be_issuable_itself(desk: ScopedDesk) -> None:
    """Signatures from a drawer are no better for being sealed."""
    order = drafted(desk)
    envelope, texts = seal(desk, order)
    desk.clock.move(2 * DAY_S)
    with pytest.raises(StaleSignatures):
        desk.desk.admit(envelope.raw, disclosures=texts)
    sealed = sealed_of(envelope)
    assert verify_sealed(desk.desk.state, sealed, texts) == order
