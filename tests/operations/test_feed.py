"""What a host is told: restrictions at once, everything with its proof once witnessed, nothing of other hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from sekisho.ledger import Policy, TlogProof
from sekisho.model.statements import LicenceRevoked, Predicate, Reference, parse_payload
from sekisho.operations.feed import MAX_PAGE, MAX_WAITING_HEARTBEATS, Feed, FeedPage
from sekisho.operations.registers import keep_registers
from sekisho.signing import parse_envelope
from tests import factory as f
from tests.desks import TestDesk
from tests.operations.test_desk import issue, pause_plan
from tests.scoped import ScopedDesk
from tests.sealed import drafted, seal


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def feed_of(desk: TestDesk) -> Feed:
    feed = Feed(desk.desk, desk.reader, run=1)
    for recorded in desk.desk.recorded():
        feed.take_recorded(recorded)
    desk.desk.on_recorded(feed.take_recorded)
    return feed


def facts(page: FeedPage) -> list[tuple[str, Predicate]]:
    found = []
    for item in page.items:
        fact = parse_payload(parse_envelope(item.envelope).payload).predicate
        found.append((type(fact).__name__, fact))
    return found


def test_a_pause_goes_out_before_it_is_witnessed(desk: TestDesk) -> None:
    """What restricts acts on sight: the order is in the feed without a proof."""
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    cursor = feed.read("host-1", 0).next
    issue(desk, pause_plan())
    page = feed.read("host-1", cursor)
    assert [name for name, _ in facts(page)] == ["OrderIssued"]
    assert page.items[0].proof is None


def test_everything_comes_with_a_proof_that_verifies(desk: TestDesk) -> None:
    """Each item's proof holds under the policy of the trust root."""
    feed = feed_of(desk)
    issue(desk, pause_plan())
    feed.take_published(desk.cosigned())
    page = feed.read("host-1", 0)
    policy = Policy.from_text(desk.root.witnesses)
    assert [name for name, _ in facts(page)][:2] == ["CharterAdopted", "HostEnrolled"]
    for item in page.items:
        assert item.proof is not None
        TlogProof.from_text(item.proof).verify(item.envelope, policy)


def test_a_host_is_not_told_of_another_hosts_enrolment(desk: TestDesk) -> None:
    """Enrolments and licences go to whom they name."""
    other = f.host_enrolled("host-2", of=f.signer("host-2"))
    desk.desk.admit(f.signed(other, f.AUTHORITY[0], f.OPERATOR).raw)
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    enrolled = [fact for name, fact in facts(feed.read("host-1", 0)) if name == "HostEnrolled"]
    assert [getattr(fact, "host", "") for fact in enrolled] == ["host-1"]


def test_only_the_newest_heartbeat_goes_out(desk: TestDesk) -> None:
    """A host that was away a week is not told of every heartbeat."""
    for _ in range(3):
        desk.clock.move(1)
        keep_registers(desk.desk)
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    names = [name for name, _ in facts(feed.read("host-1", 0))]
    assert names.count("OrdersInForce") == 1


def test_a_cursor_of_another_run_is_told_everything_again(desk: TestDesk) -> None:
    """After a restart of the control plane nothing can be missed."""
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    whole = len(feed.read("host-1", 0).items)
    assert len(feed.read("host-1", 99 * 10**6 + 3).items) == whole
    assert feed.has_news(99 * 10**6 + 3)


def test_a_cursor_at_the_end_is_told_nothing(desk: TestDesk) -> None:
    """The long poll has something to wait for."""
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    page = feed.read("host-1", 0)
    assert feed.read("host-1", page.next).items == ()
    assert not feed.has_news(page.next)


def test_a_week_of_heartbeats_takes_no_more_room_than_one(desk: TestDesk) -> None:
    """Neither those that are told nor those that wait for a witness are all kept."""
    feed = feed_of(desk)
    desk.clock.move(1)
    keep_registers(desk.desk)
    beat = desk.desk.recorded()[-1]
    for n in range(MAX_WAITING_HEARTBEATS * 3):
        feed.take_recorded(structs.replace(beat, index=beat.index + n))
    assert len(feed._heartbeats) == MAX_WAITING_HEARTBEATS
    assert len(feed._waiting) < 10
    feed.take_published(desk.cosigned())
    assert sum(map(len, feed._events.values())) < 10


def test_the_newest_proven_heartbeat_goes_out_though_a_newer_one_waits(desk: TestDesk) -> None:
    """A witness that lags behind leaves a host with a heartbeat all the same, and with each one once."""
    feed = feed_of(desk)
    desk.clock.move(1)
    keep_registers(desk.desk)
    cosigned = desk.cosigned()
    desk.clock.move(1)
    keep_registers(desk.desk)
    feed.take_published(cosigned)
    page = feed.read("host-1", 0)
    beats = [fact for name, fact in facts(page) if name == "OrdersInForce"]
    assert [beat.effective for beat in beats] == [desk.clock.now().plus(-1)]
    feed.take_published(desk.cosigned())
    after = [fact for _, fact in facts(feed.read("host-1", page.next))]
    assert [beat.effective for beat in after] == [desk.clock.now()]


def test_a_cursor_stays_right_when_heartbeats_are_let_go(desk: TestDesk) -> None:
    """Whoever read before hears exactly what came since, with however many heartbeats in between."""
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    cursor = feed.read("host-1", 0).next
    for _ in range(3):
        desk.clock.move(1)
        keep_registers(desk.desk)
        feed.take_published(desk.cosigned())
    issue(desk, pause_plan())
    feed.take_published(desk.cosigned())
    assert feed.has_news(cursor)
    page = feed.read("host-1", cursor)
    assert [name for name, _ in facts(page)] == ["OrdersInForce", "OrderIssued"]
    assert all(item.proof for item in page.items)
    assert feed.read("host-1", page.next).items == ()


def test_an_order_told_on_sight_is_told_again_with_its_proof(desk: TestDesk) -> None:
    """To who heard it on sight; who comes later hears it once."""
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    before = feed.read("host-1", 0).next
    issue(desk, pause_plan())
    sighted = feed.read("host-1", before)
    assert [item.proof for item in sighted.items] == [None]
    feed.take_published(desk.cosigned())
    (again,) = feed.read("host-1", sighted.next).items
    (once,) = feed.read("host-1", before).items
    assert again.proof is not None
    assert again == once


def test_a_revocation_goes_to_the_hosts_of_its_licence_alone(desk: TestDesk) -> None:
    """As the licence itself."""
    licence = desk.licensed()
    fact = LicenceRevoked(
        effective=desk.clock.now(),
        licence=Reference(log=f.ORIGIN, leaf=licence.leaf),
        number="LIC-1",
        reason="breach",
    )
    desk.desk.admit(f.signed(fact, *f.AUTHORITY[:2]).raw)
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    mine = [name for name, _ in facts(feed.read("host-1", 0))]
    others = [name for name, _ in facts(feed.read("host-2", 0))]
    assert {"LicenceIssued", "LicenceRevoked"} <= set(mine)
    assert not {"LicenceIssued", "LicenceRevoked"} & set(others)
    assert "CharterAdopted" in others


def test_a_host_that_was_away_long_catches_up_in_bounded_pages(desk: TestDesk) -> None:
    """Ten thousand entries that it must know come in pages, each once, in order, and then the host is up to date."""
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    cursor = feed.read("host-1", 0).next
    order = issue(desk, pause_plan())
    recorded = desk.desk.find(order.digest)
    assert recorded is not None
    for _ in range(10_000):
        feed.take_recorded(recorded)
    # What other hosts are told costs this one nothing.
    seen, pages = 0, 0
    while (page := feed.read("host-1", cursor)).items:
        assert len(page.items) <= MAX_PAGE
        assert page.next > cursor
        cursor, seen, pages = page.next, seen + len(page.items), pages + 1
    assert (seen, pages) == (10_001, 10_001 // MAX_PAGE + 1)
    assert not feed.has_news(cursor)


def test_hosts_at_one_place_are_told_by_one_page(desk: TestDesk) -> None:
    """What nothing is told of alone is made once: the very same page for every host, until something is new."""
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    cursor = feed.read("host-1", 0).next
    issue(desk, pause_plan())
    first = feed.peek("host-1", cursor)
    assert first is not None
    assert feed.peek("host-2", cursor) is first
    feed.take_published(desk.cosigned())
    proven = feed.peek("host-2", cursor)
    assert proven is not None
    assert proven is not first
    assert proven.items[-1].proof is not None


def test_what_acts_on_sight_goes_out_without_a_checkpoint(desk: TestDesk) -> None:
    """An order that acts without the log comes alone: nobody has to verify a checkpoint before it halts."""
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    cursor = feed.read("host-1", 0).next
    issue(desk, pause_plan())
    page = feed.read("host-1", cursor)
    assert (len(page.items), page.checkpoint) == (1, None)


def test_a_page_that_needs_a_proof_made_is_not_peeked_at(desk: TestDesk) -> None:
    """Making a proof reads the disk: `peek` leaves that to `read`, and finds it made afterwards."""
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    assert feed.peek("host-1", 0) is None
    page = feed.read("host-1", 0)
    assert feed.peek("host-1", 0) == page


def test_a_sealed_pause_goes_out_at_once_and_a_sealed_hold_with_its_proof_alone(
    tmp_path: Path,
) -> None:
    """A hold that nobody looked into is few keys' word: hosts would not take it before a witness saw it."""
    with ScopedDesk(tmp_path) as desk:
        feed = feed_of(desk.founded())
        feed.take_published(desk.cosigned())
        for kind, effect, length in (("pause", "freeze", 7_200), ("hold", "freeze", 3_600)):
            cursor = feed.read("host-1", 0).next
            order = drafted(desk, kind=kind, effect=effect, lasts_s=length)
            envelope, texts = seal(desk, order, opens=order.effective.plus(3_600))
            desk.desk.admit(envelope.raw, disclosures=texts)
            page = feed.read("host-1", cursor)
            assert [item.envelope == envelope.raw for item in page.items] == [True] * (
                kind == "pause"
            )
            feed.take_published(desk.cosigned())
            told = feed.read("host-1", cursor).items
            assert [item.proof is None for item in told if item.envelope == envelope.raw] == [False]
