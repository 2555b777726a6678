"""Subscriptions: each event once and in order, at least once each delivery, whatever fails in between."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.adapters.storage.subscriptions_sqlite import SubscriptionsSqlite
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.operations.register import delivering, subscribing
from sekisho.operations.register.delivering import Deliverer, sign_delivery, wait_before
from sekisho.operations.register.subscribing import Subscriptions
from sekisho.ports.subscriptions import Subscription
from tests.capturing import World, chip, commissioned, observed, shipped
from tests.receiving import FakeWebhooks


class Desk:
    """A register with subscriptions over it, driven by hand."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.webhooks = FakeWebhooks()
        self.store = SubscriptionsSqlite(folder / "subscriptions.sqlite")
        self.subscriptions = Subscriptions(
            world.register, self.store, self.webhooks, secrets.token_bytes
        )
        self.deliverer = Deliverer(world.register, self.store, self.webhooks, max_attempts=3)

    def deliver(self) -> None:
        while self.deliverer.deliver_due(self.world.clock.now()):
            if any(s.retry_at for s in self.store.load_subscriptions()):
                break

    def delivered(self) -> list[list[int]]:
        """The numbers of the events of each delivery that was taken."""
        return [[row["number"] for row in body(d)["skh:register"]] for d in self.webhooks.came]

    def subscription(self, made: Subscription) -> Subscription:
        found = self.store.find_subscription(made.subscription)
        assert found is not None
        return found


def body(delivery: Any) -> Any:
    return json.loads(delivery.body)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with World(tmp_path) as world:
        made = Desk(world, tmp_path)
        made.subscriptions.name_query("made", [("EQ_bizStep", "commissioning")])
        yield made
        made.store.close()


def test_a_subscriber_is_told_of_what_its_query_asks_for(desk: Desk) -> None:
    """From then on, in the order of capture, and of nothing else."""
    desk.world.send([commissioned(chip(1))], "maker")
    made = desk.subscriptions.subscribe("made", "https://firm.example/hook")
    desk.world.send([commissioned(chip(2))], "maker")
    desk.world.send([shipped("maker", "dist", chip(2))], "maker")
    desk.world.send([commissioned(chip(3)), commissioned(chip(4))], "maker")
    desk.deliver()
    assert desk.delivered() == [[2, 4, 5]]
    (delivery,) = desk.webhooks.came
    results = body(delivery)["epcisBody"]["queryResults"]
    assert (results["queryName"], results["subscriptionID"]) == ("made", made.subscription)
    assert delivery.url == "https://firm.example/hook"
    desk.deliver()
    assert len(desk.webhooks.came) == 1


def test_a_subscriber_may_be_told_of_what_was_captured_before(desk: Desk) -> None:
    """From an instant on."""
    desk.world.send([commissioned(chip(1))], "maker")
    desk.world.clock.move(10)
    since = desk.world.clock.now()
    desk.world.send([commissioned(chip(2))], "maker")
    desk.subscriptions.subscribe("made", "https://firm.example/hook", since=since)
    desk.deliver()
    assert desk.delivered() == [[2]]


def test_a_delivery_is_signed_under_the_subscriptions_secret(desk: Desk) -> None:
    """HMAC-SHA-256 over the POSIX seconds, a full stop and the body."""
    made = desk.subscriptions.subscribe("made", "https://firm.example/hook")
    desk.world.send([commissioned(chip(1))], "maker")
    desk.deliver()
    (delivery,) = desk.webhooks.came
    stamp, mac = delivery.headers["sekisho-signature"].split(",")
    assert stamp == f"t={desk.world.clock.now().us // 1_000_000}"
    signed = stamp.removeprefix("t=").encode() + b"." + delivery.body
    assert mac == "v1=" + hmac.new(made.secret, signed, hashlib.sha256).hexdigest()


def test_a_failed_delivery_is_tried_later_and_stays_the_same(desk: Desk) -> None:
    """The same events under the same id, although more came meanwhile; those follow behind it."""
    made = desk.subscriptions.subscribe("made", "https://firm.example/hook")
    desk.world.send([commissioned(chip(1))], "maker")
    desk.webhooks.refuse()
    desk.deliver()
    first = desk.subscription(made)
    assert (first.attempts, first.problem) == (1, "answered 503")
    desk.world.send([commissioned(chip(2))], "maker")
    desk.webhooks.accept()
    desk.deliver()
    assert desk.delivered() == []
    desk.world.clock.move(wait_before(1))
    desk.deliver()
    assert desk.delivered() == [[1], [2]]
    assert [d.headers["sekisho-delivery"].split("-")[1:] for d in desk.webhooks.came] == [
        ["0", "1"],
        ["1", "2"],
    ]
    assert desk.subscription(made).problem == ""


def test_what_fails_too_often_is_listed_and_the_next_goes_on(desk: Desk) -> None:
    """Three tries here; then a dead letter, and what follows is delivered."""
    made = desk.subscriptions.subscribe("made", "https://firm.example/hook")
    desk.world.send([commissioned(chip(1))], "maker")
    desk.webhooks.refuse()
    for attempt in (1, 2, 3):
        desk.deliver()
        desk.world.clock.move(wait_before(attempt))
    (letter,) = desk.subscriptions.letters(made.subscription)
    assert (letter.after, letter.until, letter.attempts, letter.problem) == (
        0,
        1,
        3,
        "answered 503",
    )
    desk.webhooks.accept()
    desk.world.send([commissioned(chip(2))], "maker")
    desk.deliver()
    assert desk.delivered() == [[2]]


def test_a_dead_letter_can_be_delivered_after_all(desk: Desk) -> None:
    """It stays listed until it was taken."""
    made = desk.subscriptions.subscribe("made", "https://firm.example/hook")
    desk.world.send([commissioned(chip(1))], "maker")
    desk.webhooks.refuse()
    for attempt in (1, 2, 3):
        desk.deliver()
        desk.world.clock.move(wait_before(attempt))
    with pytest.raises(Unavailable):
        desk.deliverer.redeliver(desk.subscription(made), 0)
    assert len(desk.subscriptions.letters(made.subscription)) == 1
    desk.webhooks.accept()
    desk.deliverer.redeliver(desk.subscription(made), 0)
    assert desk.delivered() == [[1]]
    assert desk.subscriptions.letters(made.subscription) == ()
    with pytest.raises(StateConflict):
        desk.deliverer.redeliver(desk.subscription(made), 0)


def test_deliveries_go_on_after_a_restart(desk: Desk, tmp_path: Path) -> None:
    """What was not taken before is delivered under the id that it had."""
    desk.subscriptions.subscribe("made", "https://firm.example/hook")
    desk.world.send([commissioned(chip(1))], "maker")
    desk.webhooks.refuse()
    desk.deliver()
    (before,) = desk.store.load_subscriptions()
    again = Desk(desk.world, tmp_path)
    assert again.store.load_subscriptions() == (before,)
    desk.world.clock.move(wait_before(1))
    again.deliver()
    assert again.delivered() == [[1]]
    again.store.close()


def test_a_crash_between_taking_and_noting_delivers_twice_under_one_id(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once: the receiver knows by the id that it has it."""
    desk.subscriptions.subscribe("made", "https://firm.example/hook")
    desk.world.send([commissioned(chip(1))], "maker")
    genuine = desk.store.update_subscription

    def crash(subscription: Subscription) -> None:
        if desk.webhooks.came:
            raise Unavailable("the power is gone")
        genuine(subscription)

    with monkeypatch.context() as crashing:
        crashing.setattr(desk.store, "update_subscription", crash)
        with pytest.raises(Unavailable):
            desk.deliver()
    desk.deliver()
    assert desk.delivered() == [[1], [1]]
    assert len({d.headers["sekisho-delivery"] for d in desk.webhooks.came}) == 1
    assert desk.webhooks.came[0].body == desk.webhooks.came[1].body


def test_long_backlogs_come_in_pieces(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many events a delivery, one delivery after the other."""
    monkeypatch.setattr(delivering, "PER_DELIVERY", 3)
    desk.subscriptions.subscribe("made", "https://firm.example/hook")
    desk.world.send([commissioned(chip(n)) for n in range(7)], "maker")
    desk.deliver()
    assert desk.delivered() == [[1, 2, 3], [4, 5, 6], [7]]


def test_what_nobody_asked_for_is_passed_over_once(desk: Desk) -> None:
    """A subscriber whose query matches nothing does not have the whole register searched each time."""
    made = desk.subscriptions.subscribe("made", "https://firm.example/hook")
    desk.world.send([observed("maker", chip(1))], "maker")
    desk.deliver()
    assert desk.subscription(made).after == 1


def test_the_thread_delivers_by_itself(desk: Desk) -> None:
    """Soon after a capture, and ends when it is told to."""
    desk.subscriptions.subscribe("made", "https://firm.example/hook")
    desk.deliverer.start()
    try:
        desk.world.send([commissioned(chip(1))], "maker")
        ends = time.monotonic() + 30
        while not desk.webhooks.came and time.monotonic() < ends:
            time.sleep(0.01)
    finally:
        desk.deliverer.stop()
    assert desk.delivered() == [[1]]


def test_waits_grow_to_an_hour() -> None:
    """Two seconds, eight, half a minute, and never longer than an hour."""
    assert [wait_before(n) for n in (1, 2, 3, 4, 20)] == [2, 8, 32, 128, 3_600]


def test_a_name_stands_for_one_query(desk: Desk) -> None:
    """It cannot be given twice, nor be taken away from subscribers."""
    with pytest.raises(StateConflict):
        desk.subscriptions.name_query("made", [("eventType", "ObjectEvent")])
    made = desk.subscriptions.subscribe("made", "https://firm.example/hook")
    with pytest.raises(StateConflict):
        desk.store.remove_query("made")
    assert desk.store.remove_subscription(made.subscription)
    assert desk.store.remove_query("made")
    assert not desk.store.remove_query("made")
    assert desk.subscriptions.query_of("made") is None


def test_a_query_is_checked_when_it_is_named(desk: Desk) -> None:
    """Not when it is first asked: a typing error is told to who made it."""
    for name, params in (
        ("x", [("EQ_bizStepp", "shipping")]),
        ("x", [("perPage", "3")]),
        ("-x", [("eventType", "ObjectEvent")]),
        ("x", [("eventType", "ObjectEvent")] * 65),
    ):
        with pytest.raises(InvalidInput):
            desk.subscriptions.name_query(name, params)
    with pytest.raises(InvalidInput, match="settled"):
        desk.subscriptions.query_of("made", [("EQ_bizStep", "shipping")])


def test_queries_and_subscriptions_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many and no more."""
    monkeypatch.setattr(subscribing, "MAX_QUERIES", 1)
    monkeypatch.setattr(subscribing, "MAX_SUBSCRIPTIONS", 1)
    with pytest.raises(StateConflict):
        desk.subscriptions.name_query("more", [("eventType", "ObjectEvent")])
    desk.subscriptions.subscribe("made", "https://firm.example/hook")
    with pytest.raises(StateConflict):
        desk.subscriptions.subscribe("made", "https://firm.example/hook")
    with pytest.raises(StateConflict):
        desk.subscriptions.subscribe("nothing", "https://firm.example/hook")


def test_a_removed_subscription_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    """Neither its dead letters nor, in the file, its secret."""
    made = desk.subscriptions.subscribe("made", "https://firm.example/hook")
    desk.world.send([commissioned(chip(1))], "maker")
    desk.webhooks.refuse()
    for attempt in (1, 2, 3):
        desk.deliver()
        desk.world.clock.move(wait_before(attempt))
    desk.store.remove_subscription(made.subscription)
    assert desk.subscriptions.letters(made.subscription) == ()
    desk.store.update_subscription(msgspec.structs.replace(made, after=9))
    assert desk.store.find_subscription(made.subscription) is None
    desk.store.close()
    assert made.secret not in (tmp_path / "subscriptions.sqlite").read_bytes()


def test_the_signature_changes_with_every_part(desk: Desk) -> None:
    """Another secret, another body, another second."""
    now = desk.world.clock.now()
    signed = sign_delivery(b"a" * 32, b"body", now)
    assert signed != sign_delivery(b"b" * 32, b"body", now)
    assert signed != sign_delivery(b"a" * 32, b"bodY", now)
    assert signed != sign_delivery(b"a" * 32, b"body", now.plus(1))
