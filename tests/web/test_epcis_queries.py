"""Named queries and subscriptions over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.capturing import PARTIES, chip, commissioned, document, enrolled
from tests.factory import AUTHORITY
from tests.receiving import Receiver, receiving
from tests.regime import LiveRegime
from tests.web.test_epcis import capture, headers, listed

Asking = TestClient[Litestar]
_numbers = iter(range(10**6))


@pytest.fixture(scope="module", autouse=True)
def parties(regime: LiveRegime) -> None:
    for party in PARTIES:
        regime.submit(enrolled(party), AUTHORITY[0])


@pytest.fixture
def named(client: Asking) -> str:
    """A named query for everything that is made."""
    name = f"made-{next(_numbers)}"
    query = {"EQ_bizStep": "commissioning", "eventType": ["ObjectEvent", "TransactionEvent"]}
    answer = client.post("/epcis/queries", json={"name": name, "query": query})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/epcis/queries/{name}"
    return name


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as taking:
        yield taking


def fresh() -> str:
    return f"{chip(next(_numbers))}-queried"


def subscribe(client: Asking, name: str, dest: str, **more: Any) -> Any:
    answer = client.post(f"/epcis/queries/{name}/subscriptions", json={"dest": dest, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def wait(until: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not until() and time.monotonic() < ends:
        time.sleep(0.02)
    assert until()


def test_a_named_query_gives_what_it_asks_for(client: Asking, named: str) -> None:
    """By its name, in pages; its parameters cannot be added to."""
    ours = [fresh(), fresh()]
    capture(client, [commissioned(one) for one in ours], "maker")
    found, address = [], f"/epcis/queries/{named}/events?perPage=1"
    while address:
        answer = client.get(address)
        found += [event["epcList"][0] for event in listed(answer)]
        link = answer.headers.get("link", "")
        address = link.split(">")[0].removeprefix("<")
    assert found[-2:] == ours
    assert client.get(f"/epcis/queries/{named}").json()["query"]["eventType"] == [
        "ObjectEvent",
        "TransactionEvent",
    ]
    more = client.get(f"/epcis/queries/{named}/events?EQ_action=ADD")
    assert (more.status_code, more.json()["path"]) == (400, "EQ_action")


def test_queries_are_listed_and_removed(client: Asking, named: str) -> None:
    """204 once, 404 afterwards; the same name twice is a conflict."""
    assert named in [query["name"] for query in client.get("/epcis/queries?perPage=100").json()]
    again = client.post("/epcis/queries", json={"name": named, "query": {}})
    assert (again.status_code, again.json()["type"]) == (
        409,
        "epcisException:ResourceAlreadyExistsException",
    )
    assert client.delete(f"/epcis/queries/{named}").status_code == 204
    assert client.delete(f"/epcis/queries/{named}").status_code == 404
    assert client.get(f"/epcis/queries/{named}/events").status_code == 404


def test_a_subscriber_is_sent_signed_events(client: Asking, named: str, receiver: Receiver) -> None:
    """Over a real socket, soon after the capture; the secret is told once."""
    made = subscribe(client, named, receiver.address + "/hook")
    one = fresh()
    capture(client, [commissioned(one)], "maker")
    wait(lambda: bool(receiver.came))
    path, came, body = receiver.came[0]
    events = json.loads(body)["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert (path, [event["epcList"] for event in events]) == ("/hook", [[one]])
    stamp, mac = {k.lower(): v for k, v in came.items()}["sekisho-signature"].split(",")
    signed = stamp.removeprefix("t=").encode() + b"." + body
    secret = bytes.fromhex(made["secret"])
    assert mac == "v1=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
    shown = client.get(f"/epcis/queries/{named}/subscriptions/{made['subscriptionID']}")
    assert "secret" not in shown.json()
    wait(lambda: "lastNotifiedAt" in client.get(f"/epcis/queries/{named}/subscriptions").json()[0])


def test_what_fails_is_shown(client: Asking, named: str, receiver: Receiver) -> None:
    """With the attempts and the reason; an ended subscription is gone, and its query free."""
    receiver.status = 500
    made = subscribe(client, named, receiver.address)
    address = f"/epcis/queries/{named}/subscriptions/{made['subscriptionID']}"
    capture(client, [commissioned(fresh())], "maker")
    wait(lambda: client.get(address).json().get("attempts", 0) > 0)
    assert client.get(address).json()["problem"] == "answered 500"
    assert client.get(f"{address}/undelivered").json() == []
    assert client.post(f"{address}/undelivered/0").status_code == 404
    assert client.delete(f"/epcis/queries/{named}").status_code == 409
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert client.delete(f"/epcis/queries/{named}").status_code == 204


def test_a_given_up_delivery_is_listed_and_redelivered(
    regime: LiveRegime,
    client: Asking,
    named: str,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After its last try; by one POST it goes out once more."""
    monkeypatch.setattr(regime.control.chips.deliverer, "_max_attempts", 1)
    receiver.status = 503
    made = subscribe(client, named, receiver.address)
    address = f"/epcis/queries/{named}/subscriptions/{made['subscriptionID']}"
    capture(client, [commissioned(fresh())], "maker")
    wait(lambda: client.get(f"{address}/undelivered").json() != [])
    (letter,) = client.get(f"{address}/undelivered").json()
    assert client.get(address).json()["undelivered"] == 1
    assert client.post(f"{address}/undelivered/{letter['after']}").status_code == 503
    receiver.status = 200
    assert client.post(f"{address}/undelivered/{letter['after']}").status_code == 204
    assert client.get(f"{address}/undelivered").json() == []
    assert {k.lower(): v for k, v in receiver.came[-1][1].items()}["sekisho-delivery"] == letter[
        "delivery"
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"dest": "http://169.254.169.254/"}, 400),
        ({"dest": "https://ok.example/", "schedule": {"second": "0"}}, 501),
        ({"dest": "https://ok.example/", "signatureToken": "mine"}, 501),
        ({"dest": "https://ok.example/", "reportIfEmpty": True}, 501),
        ({"dest": "https://ok.example/", "initialRecordTime": "yesterday"}, 400),
        ({"dest": "https://ok.example/", "more": 1}, 400),
        ({}, 400),
        ([], 400),
    ],
)
def test_what_a_subscription_cannot_be_is_refused(
    client: Asking, named: str, body: Any, status: int
) -> None:
    """By name, and nothing is kept."""
    answer = client.post(f"/epcis/queries/{named}/subscriptions", json=body)
    assert answer.status_code == status, answer.text
    assert client.get(f"/epcis/queries/{named}/subscriptions").json() == []


def test_a_subscription_may_begin_in_the_past(
    client: Asking, named: str, receiver: Receiver
) -> None:
    """From `initialRecordTime` on."""
    one = fresh()
    job = capture(client, [commissioned(one)], "maker")
    subscribe(client, named, receiver.address, initialRecordTime=job["createdAt"])
    wait(lambda: bool(receiver.came))
    assert one.encode() in receiver.came[0][2]


def test_a_query_of_nobody_has_no_subscriptions(client: Asking) -> None:
    """404 for every route below it."""
    for method, path in (
        ("GET", "subscriptions"),
        ("GET", "subscriptions/" + "0" * 32),
        ("DELETE", "subscriptions/" + "0" * 32),
        ("GET", "subscriptions/" + "0" * 32 + "/undelivered"),
    ):
        assert client.request(method, f"/epcis/queries/nobody/{path}").status_code == 404
    body = {"dest": "https://ok.example/"}
    assert client.post("/epcis/queries/nobody/subscriptions", json=body).status_code == 404


def test_the_endorsement_of_a_bare_document_is_its_own(client: Asking) -> None:
    """The header belongs to the body that it comes with."""
    data = document(commissioned(fresh()))
    answer = client.post("/epcis/capture", content=data, headers=headers(data, "maker", "dist"))
    assert answer.json()["parties"] == ["dist", "maker"]
