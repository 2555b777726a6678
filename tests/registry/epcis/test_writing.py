"""Events written: as the register keeps them, as documents, as answers to queries."""

from __future__ import annotations

import json

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.registry.epcis import (
    Event,
    event_document,
    event_of,
    hash_id,
    parse_document,
    write_document,
    write_event,
    write_query_document,
)
from tests.registry.epcis.samples import CHIP, EVERY_TYPE, GS1, OWN, event_from, made, measured

NOW = "2026-05-02T00:00:00Z"


def test_an_event_is_kept_as_it_came() -> None:
    """Its own fields, with just the prefixes that they need."""
    event = event_from(made(), {"unused": "urn:unused:"})
    assert write_event(event) == {"@context": [GS1, {"skh": OWN}]} | made()
    assert write_event(event_from(made(ilmd=None)))["@context"] == [GS1]
    assert event_of(event_document(event)) == event


@pytest.mark.parametrize("value", EVERY_TYPE)
def test_kept_bytes_are_canonical_and_give_the_event_again(value: dict[str, object]) -> None:
    """Of every type, sensors included."""
    event = event_from(value)
    kept = event_document(event)
    assert event_of(kept) == event
    assert event_document(event_of(kept)) == kept


def test_an_event_made_of_fields_is_written_in_full() -> None:
    """Sensors too, with prefixes made for its namespaces; the hash is the same."""
    read = event_from(measured())
    bare = Event(
        type=read.type, at=read.at, zone=read.zone, action=read.action, epcs=read.epcs,
        sensors=read.sensors, extensions={"{urn:x:}a": 1}, raw={},
    )  # fmt: skip
    written = write_event(bare)
    assert written["sensorElementList"][0]["sensorReport"][0]["value"] == 412.5
    assert written["@context"][1] == {"ns1": OWN, "ns2": "urn:x:"}
    assert hash_id(event_of(event_document(bare))) == hash_id(bare)


def test_prefixes_of_one_event_never_come_over_another() -> None:
    """A whole identifier here stays whole where another event declares its scheme as a prefix."""
    short = event_from(made(epcList=["part:7"], ilmd=None), {"part": "https://firm.example.org/"})
    whole = event_from(made(epcList=["part:7"], ilmd=None))
    found = parse_document(write_document([short, whole], created=NOW))
    assert [one.epcs[0] for one in found.events] == ["https://firm.example.org/7", "part:7"]
    assert [hash_id(one) for one in found.events] == [hash_id(short), hash_id(whole)]


def test_a_document_of_like_events_names_their_prefixes_once() -> None:
    """Above them, as people write it."""
    events = [event_from(made()), event_from(made(epcList=[CHIP + "7"]))]
    value = json.loads(write_document(events, created=NOW))
    assert value["@context"] == [GS1, {"skh": OWN}]
    assert all("@context" not in one for one in value["epcisBody"]["eventList"])


def test_an_answer_says_when_the_register_recorded_each_event() -> None:
    """In place of the sender's word; an event without an id gets its hash id; an empty answer is one too."""
    named = event_from(made(eventID="urn:uuid:1", recordTime="2020-01-01T00:00:00Z"))
    plain = event_from(made())
    at = Instant.parse("2026-05-03T00:00:00Z")
    data = write_query_document([named, plain], created=NOW, subscription="s1", recorded=(at, at))
    results = json.loads(data)["epcisBody"]["queryResults"]
    events = results["resultsBody"]["eventList"]
    assert results["subscriptionID"] == "s1"
    assert [one["recordTime"] for one in events] == ["2026-05-03T00:00:00Z"] * 2
    assert [one["eventID"] for one in events] == ["urn:uuid:1", hash_id(plain)]
    assert parse_document(data).problems == ()
    empty = parse_document(write_query_document([], created=NOW))
    assert (empty.total, empty.problems) == (0, ())


@pytest.mark.parametrize("data", [b"[]", b'{"type":"ObjectEvent"}', b"{}"])
def test_what_is_not_one_sound_event_is_refused(data: bytes) -> None:
    """The register keeps one event at a time."""
    with pytest.raises(InvalidInput):
        event_of(data)
