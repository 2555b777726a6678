"""Laws of reading, writing and hashing that hold for every event."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sekisho.registry.epcis import (
    Event,
    event_document,
    event_of,
    hash_and_key,
    parse_document,
    prehash,
    write_document,
    write_event,
    write_query_document,
)
from tests.registry.epcis.drawn import EVENTS, respelled


def _read(value: dict[str, Any]) -> Event:
    found = parse_document(json.dumps(value).encode())
    assert found.problems == ()
    return found.events[0]


@given(EVENTS)
def test_an_event_written_and_read_again_is_the_same_event(event: Event) -> None:
    """By its hash and key, and what was read is written back alike: by itself, in a document, as an answer."""
    kept = event_document(event)
    again = event_of(kept)
    assert hash_and_key(again) == hash_and_key(event)
    assert event_document(again) == kept
    whole = write_document([event, again], created="2026-05-01T00:00:00Z")
    query = write_query_document([event], created="2026-05-01T00:00:00Z")
    for data, count in ((whole, 2), (query, 1)):
        found = parse_document(data)
        assert found.problems == ()
        assert [hash_and_key(one) for one in found.events] == [hash_and_key(event)] * count


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_hash_does_not_depend_on_the_spelling(event: Event, dice: random.Random) -> None:
    """Not on the order of names, the order of EPCs, the zone a time is written in, URN or Digital Link, or words."""
    value = write_event(event)
    plain, other = _read(value), _read(respelled(value, dice))
    assert prehash(plain) == prehash(other)
    assert hash_and_key(plain) == hash_and_key(other)


@given(EVENTS)
def test_an_original_its_declaration_and_its_correction_have_three_keys(event: Event) -> None:
    """Each stable when it is sent twice; the first two share their hash id."""
    value = write_event(event)
    value.pop("errorDeclaration", None)
    declared = value | {"errorDeclaration": {"declarationTime": "2026-05-01T00:00:00Z"}}
    corrected = value | {"eventTimeZoneOffset": "+01:00"}
    first, second = (
        [hash_and_key(_read(one)) for one in (value, declared, corrected)] for _ in "12"
    )
    assert first == second
    assert len({key for _, key in first}) == 3
    assert first[0][0] == first[1][0] != first[2][0]


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["type", "eventTime", "epcList", "action", "ilmd", "readPoint", "id", "@context",
                         "sensorElementList", "sensorReport", "errorDeclaration", "bizTransactionList", "a:b",
                         "quantityList", "persistentDisposition", "set", "epcisBody", "eventList"]),
        inner | st.sampled_from(["ObjectEvent", "EPCISDocument", "ADD"]), max_size=6),
    max_leaves=25,
))  # fmt: skip
def test_no_json_breaks_the_reader(value: Any) -> None:
    """Whatever stands where: events, problems with places, or bad input."""
    event = {"type": "ObjectEvent", "ilmd": value, "readPoint": value, "sensorElementList": value}
    for whole in (
        [event],
        [value],
        {"type": "EPCISDocument", "epcisBody": value, "@context": value},
    ):
        found = parse_document(json.dumps(whole).encode())
        assert found.problems
        assert all(one.problem for one in found.problems)
