"""Push beside the long poll: each address is told what its host was not, silent ones are tried again, all is shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sekisho.adapters.transport.control_client import parse_feed
from sekisho.app import order_push
from sekisho.app.order_push import MAX_ITEMS, OrderPush, load_push_file
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.operations.feed import Feed
from sekisho.ports.control import Feed as Page
from sekisho.web.feed_metrics import feed_families
from tests.desks import TestDesk
from tests.operations.test_desk import issue, pause_plan
from tests.operations.test_feed import feed_of


class Door:
    """Where pushes arrive, or do not."""

    def __init__(self) -> None:
        self.pages: list[tuple[str, Page]] = []
        self.silent: set[str] = set()
        self.tries = 0
        self._lock = threading.Lock()

    def send(self, url: str, body: bytes) -> None:
        with self._lock:
            self.tries += 1
            if url in self.silent:
                raise Unavailable(f"{url} does not answer")
            self.pages.append((url, parse_feed(body, path="push")))

    def told(self, url: str) -> list[bytes]:
        with self._lock:
            return [i.envelope for to, page in self.pages for i in page.items if to == url]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


@pytest.fixture
def feed(desk: TestDesk) -> Feed:
    made = feed_of(desk)
    made.take_published(desk.cosigned())
    return made


def wait_for(found: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not found():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_an_order_reaches_every_address_with_everything_before_it(
    desk: TestDesk, feed: Feed
) -> None:
    """Each host is sent what the poll would tell it, in order, in pieces that it takes."""
    door = Door()
    push = OrderPush(feed, {"host-1": "u1", "host-2": "u2"}, door.send)
    push.start()
    try:
        issue(desk, pause_plan())
        order = desk.desk.recorded()[-1].verified.envelope.raw
        wait_for(lambda: order in door.told("u1") and order in door.told("u2"))
        assert door.told("u1") == [i.envelope for i in feed.read("host-1", 0).items]
        assert all(len(page.items) <= MAX_ITEMS for _, page in door.pages)
        wait_for(lambda: {s.standing for s in push.states()} == {"reached"})
        assert push.problem == ""
    finally:
        push.stop()


def test_a_silent_address_is_tried_again_and_misses_nothing(
    desk: TestDesk, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was away is sent everything once he is back, and until then he is shown as silent."""
    monkeypatch.setattr(order_push, "FIRST_PAUSE_S", 0.01)
    door = Door()
    door.silent.add("u1")
    push = OrderPush(feed, {"host-1": "u1"}, door.send)
    push.start()
    try:
        wait_for(lambda: push.states()[0].failed_in_a_row >= 2)
        assert "u1 does not answer" in push.problem
        families = {f.name: f for f in feed_families(3, push, names=True)}
        samples = {
            s.labels["standing"]: s.value for s in families["sekisho_push_addresses"].samples
        }
        assert samples == {"untried": 0, "reached": 0, "silent": 1}
        assert families["sekisho_push_failures"].samples[0].labels == {"host": "host-1"}
        issue(desk, pause_plan())
        door.silent.clear()
        wait_for(lambda: desk.desk.recorded()[-1].verified.envelope.raw in door.told("u1"))
        wait_for(lambda: push.problem == "")
    finally:
        push.stop()


def test_silent_addresses_do_not_keep_the_others_waiting(desk: TestDesk, feed: Feed) -> None:
    """Many silent addresses rest between their tries; one that answers is told meanwhile."""
    door = Door()
    addresses = {f"host-{n}": f"u{n}" for n in range(1, 101)}
    door.silent.update(url for host, url in addresses.items() if host != "host-1")
    push = OrderPush(feed, addresses, door.send)
    push.start()
    try:
        wait_for(lambda: sum(s.standing == "silent" for s in push.states()) == 99)
        issue(desk, pause_plan())
        wait_for(lambda: desk.desk.recorded()[-1].verified.envelope.raw in door.told("u1"))
    finally:
        push.stop()


def test_without_names_no_metric_bears_a_host(feed: Feed) -> None:
    """A scraper is told how many, and who only where it asks for names."""
    push = OrderPush(feed, {"host-1": "u1"}, Door().send)
    names = [family.name for family in feed_families(0, push, names=False)]
    assert names == ["sekisho_feed_waiting", "sekisho_push_addresses"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"host-1": "http://elsewhere.example/push"}', "host-1"),
        ('{"host 1": "https://a.example/push"}', "push.json"),
        ("[]", "push.json"),
    ],
)
def test_a_bad_file_is_named_with_its_host(tmp_path: Path, text: str, where: str) -> None:
    """An address that is neither https nor of this machine, a name that is none, another document."""
    file = tmp_path / "push.json"
    file.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        load_push_file(file)
    assert where in str(caught.value)


def test_a_good_file_names_its_addresses(tmp_path: Path) -> None:
    """Loopback and https are taken as they are."""
    file = tmp_path / "push.json"
    file.write_text('{"host-1": "http://127.0.0.1:9100/push", "host-2": "https://a.example/p"}')
    assert load_push_file(file)["host-2"] == "https://a.example/p"
