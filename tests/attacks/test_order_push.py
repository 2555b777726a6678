"""A jammed or silenced host: a push reaches it when its polls are cut; a flood of garbage pushes changes nothing."""

from __future__ import annotations

import http.client
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sekisho.adapters.transport.control_client import parse_feed
from sekisho.agent import listening
from sekisho.agent.listening import Listener
from sekisho.app.order_push import OrderPush
from sekisho.following import Follower
from sekisho.model.statements import OrderReference
from sekisho.ports.control import Feed, FeedItem
from tests import factory as f
from tests.agent.test_listening import page
from tests.desks import TestDesk
from tests.operations.test_desk import issue, pause_plan
from tests.operations.test_feed import feed_of


class Host:
    """A host that hears pushes and nothing else: its regime is known, its polls are cut."""

    def __init__(self, desk: TestDesk) -> None:
        self.follower = Follower("host-1", desk.root)
        self.findings: list[str] = []
        self.listener = Listener(
            ("127.0.0.1", 0),
            parse=lambda body: parse_feed(body, path="push"),
            verify=self._verify,
            tell=self._take,
        )
        self.listener.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.port}/push"

    def knows_orders(self) -> int:
        return sum(len(book) for book in self.follower.book.orders.values())

    def push(self, body: bytes) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.listener.port, timeout=60)
        try:
            connection.request("POST", "/push", body=body)
            return connection.getresponse().status
        finally:
            connection.close()

    def _verify(self, raw: bytes) -> object:
        return self.follower.regime.verify(raw)

    def _take(self, feed: Feed) -> None:
        _, findings = self.follower.take(feed, 0.0)
        self.findings += [finding.code for finding in findings]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


@pytest.fixture
def host(desk: TestDesk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr(listening, "BAD_PAUSE_S", 0.01)
    made = Host(desk)
    cosigned = desk.cosigned()
    for recorded in desk.desk.recorded():
        proof = desk.reader.prove(recorded.index, cosigned).to_text()
        item = FeedItem(envelope=recorded.verified.envelope.raw, proof=proof)
        assert made.follower.take_item(item)[1] is None
    yield made
    made.listener.end()


def wait_for(found: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not found():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_host_whose_polls_are_cut_halts_by_a_push(desk: TestDesk, host: Host) -> None:
    """Whoever owns the network keeps the polls away: the pause arrives by the other way, and covers the host."""
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    push = OrderPush(feed, {"host-1": host.url})
    push.start()
    try:
        issue(desk, pause_plan())
        wait_for(lambda: host.knows_orders() == 1)
    finally:
        push.stop()
    _, halting = host.follower.demand(f.NOW, host.follower.facts(None))
    assert [known.order.kind for known in halting] == ["pause"]


def test_a_push_grants_nothing(desk: TestDesk, host: Host) -> None:
    """A pause acts by a push; the resume that lifts it, without its proof, lifts nothing."""
    order = issue(desk, pause_plan())
    recorded = desk.desk.find(order.digest)
    assert recorded is not None
    assert host.push(page(recorded.verified.envelope.raw)) == 200
    wait_for(lambda: host.knows_orders() == 1)
    charter = desk.desk.state.regime.in_force()
    resume = f.order_issued(
        kind="resume",
        effect="lift",
        lifts=[OrderReference(register="pause/JP", number=1, digest=order.digest)],
        charter_digest=charter.digest,
    )
    host.push(page(f.signed(resume, *f.AUTHORITY, *f.VERIFIER).raw))
    wait_for(lambda: "unwitnessed-release" in host.findings)
    assert host.follower.demand(f.NOW, host.follower.facts(None))[1]


def test_a_flood_of_garbage_changes_nothing_and_costs_one_body(desk: TestDesk, host: Host) -> None:
    """Forged orders, noise and long bodies: no finding, no order, no memory, and the next real push is heard."""
    forged = f.signed(f.order_issued(), *(f.signer(f"nobody-{n}") for n in range(4))).raw
    floods = [page(*[forged] * 8), b"\x00" * 500_000, b'{"next":1,"items":' + b"[" * 5_000]
    for body in floods:
        host.push(body)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(30):
            assert host.push(floods[number % 3]) in (400, 422)
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < 2 * listening.MAX_BODY
    assert (host.findings, host.knows_orders()) == ([], 0)
    order = desk.desk.find(issue(desk, pause_plan()).digest)
    assert order is not None
    assert host.push(page(order.verified.envelope.raw)) == 200
    wait_for(lambda: host.knows_orders() == 1)
