"""The way out: order of receipts, patience with a silent control plane, nothing lost."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator

import pytest

from sekisho.agent import post as post_module
from sekisho.agent.events import Delivered, Event, FeedCame, OrderFetched, ReceiptRefused, Silence
from sekisho.agent.post import Post
from sekisho.agent.receipts import GivenReceipt
from tests.agent.test_receipts import THREE
from tests.fakes import FakeControl

PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_module, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(post_module, "FEED_WAIT_S", 1)


@pytest.fixture
def control() -> FakeControl:
    return FakeControl()


@pytest.fixture
def heard() -> queue.SimpleQueue[Event]:
    return queue.SimpleQueue()


@pytest.fixture
def post(control: FakeControl, heard: queue.SimpleQueue[Event]) -> Iterator[Post]:
    """A post at work."""
    at_work = Post(control, "host-1", heard.put)
    at_work.start()
    yield at_work
    at_work.end()


def await_event(heard: queue.SimpleQueue[Event], kind: type[Event]) -> Event:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        event = heard.get(timeout=max(deadline - time.monotonic(), 0))
        if isinstance(event, kind):
            return event


def given() -> list[GivenReceipt]:
    return THREE


def test_receipts_leave_in_the_order_of_the_chain_whatever_the_weather(
    post: Post, control: FakeControl, heard: queue.SimpleQueue[Event]
) -> None:
    """While nobody answers they wait; then each arrives once, in sequence."""
    control.is_silent = True
    for receipt in given():
        post.send_receipt(receipt)
    await_event(heard, Silence)
    control.is_silent = False

    arrived = [await_event(heard, Delivered) for _ in given()]
    assert [event.sequence for event in arrived if isinstance(event, Delivered)] == [1, 2, 3]
    assert control.stages() == ["received", "halted", "quantum"]


def test_a_refused_receipt_is_told_and_does_not_hold_up_the_lane(
    post: Post, heard: queue.SimpleQueue[Event]
) -> None:
    """A receipt out of its place is refused; what comes after is sent all the same."""
    post.send_receipt(given()[1])
    post.send_receipt(given()[0])

    refused = await_event(heard, ReceiptRefused)
    assert isinstance(refused, ReceiptRefused)
    assert "broken-receipt-chain" in refused.detail
    await_event(heard, Delivered)


def test_the_feed_is_followed_and_outstanding_orders_are_fetched(
    post: Post, control: FakeControl, heard: queue.SimpleQueue[Event]
) -> None:
    """What is new comes by itself; an order asked for comes, or is told to be nowhere."""
    await_event(heard, FeedCame)
    control.issue(control.order())
    post.fetch_order("pause/JP", 1)
    post.fetch_order("pause/JP", 2)

    first, second = (await_event(heard, OrderFetched) for _ in range(2))
    assert isinstance(first, OrderFetched)
    assert first.item is not None
    assert isinstance(second, OrderFetched)
    assert second.item is None
