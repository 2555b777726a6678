from __future__ import annotations

import json
from typing import Any

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.registry.terms import RegisterTerms, parse_terms


def told(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_nothing_told_gives_the_defaults() -> None:
    """An empty object is a register with our own prefixes, GS1's, and no places."""
    terms = parse_terms(b"{}")
    assert terms == RegisterTerms()
    assert terms.name_of("party", "urn:sekisho:party:maker") == "maker"
    assert (
        terms.name_of("place", "https://id.gs1.org/414/4012345000009/254/1")
        == "4012345000009/254/1"
    )
    assert terms.custody.undo_within_s == 240 * 3600


def test_what_is_told_is_read() -> None:
    """Prefixes, places and the rule's parameters."""
    terms = parse_terms(
        told(
            namespaces=[
                {"prefix": "https://chips.example/id/", "names": "party"},
                {"prefix": "https://chips.example/id/party/", "names": "party"},
                {"prefix": "https://chips.example/id/site/", "names": "place"},
            ],
            places=[{"place": "DC-1", "country": "JP", "keeper": "cloud"}],
            custody={"notice_s": 3600, "inspector_above": 8},
        )
    )
    assert terms.name_of("party", "https://chips.example/id/party/ODM") == "ODM"
    assert terms.name_of("party", "https://chips.example/id/ODM") == "ODM"
    assert terms.name_of("place", "https://chips.example/id/party/ODM") is None
    assert terms.name_of("party", "https://chips.example/id/party/") is None
    place = terms.place("DC-1")
    assert place is not None
    assert (place.country, place.keeper, terms.place("DC-2")) == ("JP", "cloud", None)
    assert (terms.custody.notice_s, terms.custody.inspector_above) == (3600, 8)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"{", "register.json"),
        (b"\xff", "register.json"),
        (told(places=[{"place": "A", "country": "Japan"}]), "register.json.places[0].country"),
        (told(places=[{"place": "A", "country": "JP", "colour": 1}]), "register.json.places[0]"),
        (told(custody={"notice_s": -1}), "register.json.custody.notice_s"),
        (told(custody={"notice_s": 1.5}), "register.json.custody.notice_s"),
        (told(custdy={}), "register.json"),
        (told(places=[{"place": "A", "country": "JP"}] * 2), "register.json.places[1].place"),
        (
            told(namespaces=[{"prefix": "urn:x:party:", "names": "party"}] * 2),
            "register.json.namespaces[1].prefix",
        ),
        (
            told(namespaces=[{"prefix": "h", "names": "party"}]),
            "register.json.namespaces[0].prefix",
        ),
        (
            told(namespaces=[{"prefix": "urn:x:party:", "names": "person"}]),
            "register.json.namespaces[0].names",
        ),
    ],
)
def test_a_mistake_is_named_by_its_path(data: bytes, path: str) -> None:
    """So that whoever wrote the file finds it."""
    with pytest.raises(InvalidInput) as refusal:
        parse_terms(data)
    assert refusal.value.path == path


def test_names_are_remembered_without_changing_the_terms() -> None:
    """Terms that looked names up are equal to, and hash as, those that did not."""
    used = parse_terms(b"{}")
    used.name_of("party", "urn:sekisho:party:maker")
    assert used == RegisterTerms()
    assert hash(used) == hash(RegisterTerms())
