"""EPCIS 2.0 over HTTP: capture and its jobs, events and the resources that they are asked by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.model.wire import encode_base64
from sekisho.registry.epcis import parse_document
from tests.capturing import (
    CONTEXT,
    PARTIES,
    chip,
    commissioned,
    document,
    endorsed,
    enrolled,
    observed,
    received,
    shipped,
)
from tests.factory import AUTHORITY
from tests.regime import LiveRegime

Asking = TestClient[Litestar]


@pytest.fixture(scope="module", autouse=True)
def parties(regime: LiveRegime) -> None:
    for party in PARTIES:
        regime.submit(enrolled(party), AUTHORITY[0])


@pytest.fixture
def chips() -> Iterator[str]:
    """Fresh identifiers, since the regime outlives the test."""
    return (f"{chip(n)}-web" for n in range(next(_hundreds), 10**6))


_hundreds = iter(range(1_000, 10**6, 100))


def headers(data: bytes, *signers: str, **more: str) -> dict[str, str]:
    found = {"content-type": "application/ld+json", **more}
    signed = endorsed(data, *signers)
    return {**found, "sekisho-endorsement": encode_base64(signed)} if signed else found


def capture(client: Asking, events: list[dict[str, Any]], *signers: str, **more: str) -> Any:
    data = document(*events)
    answer = client.post("/epcis/capture", content=data, headers=headers(data, *signers, **more))
    assert answer.status_code == 202, answer.text
    return answer.json()


def listed(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["epcisBody"]["queryResults"]["resultsBody"][
        "eventList"
    ]
    return found


def test_a_capture_is_a_job_with_an_address(client: Asking, chips: Iterator[str]) -> None:
    """202, Location, and the job says what became of the events and who signed."""
    data = document(commissioned(next(chips)))
    answer = client.post("/epcis/capture", content=data, headers=headers(data, "maker"))
    assert answer.status_code == 202
    job = client.get(answer.headers["location"])
    assert job.json() == answer.json()
    told = job.json()
    assert (told["running"], told["success"], told["taken"]) == (False, True, 1)
    assert (told["parties"], told["signed"]) == (["maker"], True)
    assert told["captureErrorBehaviour"] == "rollback"


def test_every_answer_says_which_versions_are_spoken(client: Asking) -> None:
    """Errors too."""
    for path in ("/epcis/events", "/epcis/events?nothing=1", "/epcis/capture/" + "0" * 32):
        answer = client.get(path)
        assert answer.headers["gs1-epcis-version"] == "2.0.0"
        assert answer.headers["gs1-cbv-version"] == "2.0.0"


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("gs1-epcis-version", "2.0", 200),
        ("gs1-epcis-version", "1.2", 406),
        ("gs1-epcis-min", "2.0.0", 200),
        ("gs1-epcis-min", "2.1", 406),
        ("gs1-epcis-max", "2.0", 200),
        ("gs1-epcis-max", "1.2", 406),
        ("gs1-cbv-version", "new", 406),
        ("gs1-epc-format", "Never_Translates", 200),
        ("gs1-epc-format", "Always_EPC_URN", 406),
        ("accept", "application/json", 200),
        ("accept", "application/xml", 406),
    ],
)
def test_what_is_not_spoken_is_refused_by_name(
    client: Asking, name: str, value: str, status: int
) -> None:
    """Never passed over."""
    answer = client.get("/epcis/events?perPage=1", headers={name: value})
    assert answer.status_code == status
    if status == 406:
        assert answer.json()["type"] == "epcisException:NotAcceptableException"
        assert answer.json()["path"].lower() == name


def test_by_default_a_bad_event_keeps_all_out(client: Asking, chips: Iterator[str]) -> None:
    """As the standard has it; `proceed` takes the good ones."""
    good, bad = next(chips), next(chips)
    events = [commissioned(good), {**commissioned(bad), "action": "MAKE"}]
    job = capture(client, events, "maker")
    assert (job["success"], job["taken"]) == (False, 0)
    assert job["errors"][0]["instance"].endswith("eventList[1].action")
    job = capture(client, events, "maker", **{"gs1-capture-error-behaviour": "proceed"})
    assert (job["success"], job["taken"], job["captureErrorBehaviour"]) == (False, 1, "proceed")
    data = document(commissioned(good))
    other = headers(data, **{"gs1-capture-error-behaviour": "guess"})
    assert client.post("/epcis/capture", content=data, headers=other).status_code == 406


def test_jobs_are_listed_newest_first(client: Asking, chips: Iterator[str]) -> None:
    """Page by page, by the address that the answer names."""
    made = [capture(client, [commissioned(next(chips))], "maker") for _ in range(3)]
    answer = client.get("/epcis/capture?perPage=2")
    first = [job["captureID"] for job in answer.json()]
    assert first == [made[2]["captureID"], made[1]["captureID"]]
    answer = client.get(answer.headers["link"].split(">")[0].removeprefix("<"))
    assert answer.json()[0]["captureID"] == made[0]["captureID"]


def test_one_event_is_captured_by_itself(client: Asking, chips: Iterator[str]) -> None:
    """201 and the event's address; a faulty one is refused with its place; two are too many."""
    event = {**commissioned(next(chips)), "@context": CONTEXT}
    data = json.dumps(event).encode()
    answer = client.post("/epcis/events", content=data, headers=headers(data, "maker"))
    assert answer.status_code == 201
    shown = client.get(answer.headers["location"])
    assert shown.status_code == 200
    assert shown.json()["epcList"] == event["epcList"]
    assert quote(shown.json()["eventID"], safe="") == answer.headers["location"].rpartition("/")[2]
    faulty = client.post("/epcis/events", json={**event, "eventTime": "yesterday"})
    assert (faulty.status_code, faulty.json()["path"]) == (400, "eventTime")
    two = document(commissioned(next(chips)), commissioned(next(chips)))
    assert client.post("/epcis/events", content=two, headers=headers(two)).status_code == 400


def test_events_are_shown_as_they_were_captured(client: Asking, chips: Iterator[str]) -> None:
    """A reader who hashes what is shown gets the register's own id; how it stands is told beside."""
    one = next(chips)
    capture(client, [commissioned(one), shipped("maker", "dist", one)], "maker")
    capture(client, [received("dist", one)])
    answer = client.get("/epcis/events", params={"MATCH_epc": one})
    events = listed(answer)
    assert [event["bizStep"] for event in events] == ["commissioning", "shipping", "receiving"]
    read = parse_document(answer.content)
    assert [event.event_id for event in read.events] == [event["eventID"] for event in events]
    told = answer.json()["skh:register"]
    assert [row["hashID"] for row in told] == [event["eventID"] for event in events]
    assert [row["signed"] for row in told] == [True, True, False]
    assert [row["parties"] for row in told] == [["maker"], ["maker"], []]


def test_events_come_in_pages(client: Asking, chips: Iterator[str]) -> None:
    """The next page by its link, until there is none; a token of another query is refused."""
    one = next(chips)
    for n in range(5):
        capture(client, [observed("maker", one, hours=n)], "maker")
    address: str | None = f"/epcis/events?MATCH_epc={quote(one, safe='')}&perPage=2"
    pages = []
    while address is not None:
        answer = client.get(address)
        pages.append(len(listed(answer)))
        link = answer.headers.get("link")
        address = link.split(">")[0].removeprefix("<") if link else None
    assert pages == [2, 2, 1]
    token = client.get(f"/epcis/events?MATCH_epc={quote(one, safe='')}&perPage=2").headers["link"]
    token = token.split("nextPageToken=")[1].split(">")[0]
    assert client.get(f"/epcis/events?nextPageToken={token}").status_code == 400


def test_resources_lead_to_their_events(client: Asking, chips: Iterator[str]) -> None:
    """By chip, place, step, disposition and type; encoded, with the query's parameters beside."""
    one = next(chips)
    capture(client, [commissioned(one)], "maker")
    for name, value in (
        ("epcs", one),
        ("bizLocations", "urn:sekisho:place:fab"),
        ("readPoints", "urn:sekisho:place:fab"),
        ("bizSteps", "commissioning"),
        ("dispositions", "active"),
        ("eventTypes", "ObjectEvent"),
    ):
        address = f"/epcis/{name}/{quote(value, safe='')}"
        assert client.get(address).json()["member"] == ["events"]
        found = (
            listed(client.get(f"{address}/events", params={"MATCH_epc": one}))
            if name != "epcs"
            else listed(client.get(f"{address}/events"))
        )
        assert [event["epcList"] for event in found] == [[one]]


def test_resources_are_listed(client: Asking, chips: Iterator[str]) -> None:
    """Words of the vocabulary, and what the register knows, in pages."""
    capture(client, [commissioned(next(chips))], "maker")
    assert len(client.get("/epcis/bizSteps").json()["member"]) == 41
    assert len(client.get("/epcis/eventTypes").json()["member"]) == 5
    answer = client.get("/epcis/epcs?perPage=1")
    assert len(answer.json()["member"]) == 1
    more = answer.headers.get("link")
    if more:
        following = client.get(more.split(">")[0].removeprefix("<")).json()["member"]
        assert following > answer.json()["member"]


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/epcis/events/ni%3A%2F%2F%2Fsha-256%3Babc", 404, "NoSuchResourceException"),
        ("GET", "/epcis/capture/" + "a" * 64, 404, "NoSuchResourceException"),
        ("GET", "/epcis/capture/nothing", 400, "QueryParameterException"),
        ("GET", "/epcis/events?EQ_nothing=1", 400, "ValidationException"),
        ("GET", "/epcis/events?eventType=Party", 400, "ValidationException"),
        ("GET", "/epcis/events?perPage=0", 400, "ValidationException"),
        ("GET", "/epcis/queries/none", 404, "NoSuchResourceException"),
        ("POST", "/epcis/capture", 400, "ValidationException"),
        ("GET", "/epcis/nothing", 404, "NoSuchResourceException"),
    ],
)
def test_errors_are_problems_with_the_standards_exception(
    client: Asking, method: str, path: str, status: int, kind: str
) -> None:
    """And our own stable code beside it."""
    answer = client.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if path != "/epcis/nothing":
        assert answer.json()["type"] == f"epcisException:{kind}"
    assert answer.json()["code"]


def test_another_type_of_body_is_refused(client: Asking) -> None:
    """JSON-LD only: XML is told so before it is read."""
    answer = client.post(
        "/epcis/capture", content=b"<EPCISDocument/>", headers={"content-type": "application/xml"}
    )
    assert answer.status_code == 415
    assert answer.json()["type"] == "epcisException:UnsupportedMediaTypeException"


def test_a_bad_endorsement_is_no_missing_one(client: Asking, chips: Iterator[str]) -> None:
    """Base64 that is none, another document's, a stranger's: each refused, nothing captured."""
    data, other = document(commissioned(next(chips))), document(commissioned(next(chips)))
    for value, status in (
        ("!", 400),
        (encode_base64(endorsed(other, "maker") or b""), 403),
        (encode_base64(endorsed(data, *AUTHORITY[4:5]) or b""), 202),
    ):
        answer = client.post(
            "/epcis/capture",
            content=data,
            headers={"content-type": "application/json", "sekisho-endorsement": value},
        )
        assert answer.status_code == status, answer.text
        if status == 403:
            assert answer.json()["code"] == "endorsement-of-another-document"
