"""What a host is told: restrictions at once, everything with its proof once witnessed, nothing of other hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.ledger import Policy, TlogProof
from sekisho.model.statements import Predicate, parse_payload
from sekisho.operations.feed import Feed, FeedPage
from sekisho.operations.registers import keep_registers
from sekisho.signing import parse_envelope
from tests import factory as f
from tests.desks import TestDesk
from tests.operations.test_desk import issue, pause_plan


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
