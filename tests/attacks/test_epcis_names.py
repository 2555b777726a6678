"""An EPCIS document whose names lie: words redefined, namespaces confused, letters that only look alike."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.registry.epcis import hash_id, parse_document
from tests.registry.epcis.samples import (
    CHIP,
    GS1,
    OTHER_CHIP,
    OWN,
    document,
    event_from,
    made,
    problems_of,
    read,
)


@pytest.mark.parametrize(
    "declared",
    [
        {"bizStep": "https://evil.example.org/step"},
        {"epcList": "skh:ignored"},
        {"action": {"@id": "https://evil.example.org/action"}},
        {"shipping": "https://ref.gs1.org/cbv/BizStep-receiving"},
        {"stolen": "https://ref.gs1.org/cbv/Disp-active"},
        {"cbv": "https://evil.example.org/cbv/"},
        {"gs1": "https://evil.example.org/voc/"},
        {"epcis": "https://evil.example.org/epcis/"},
        {"rdfs": OWN},
        {"https": "https://evil.example.org/"},
        {"urn": "https://evil.example.org/"},
        {"URN": "https://evil.example.org/"},
        {"@vocab": "https://evil.example.org/"},
    ],
)
@pytest.mark.parametrize("level", ["document", "event"])
def test_a_context_that_redefines_a_word_of_gs1_is_refused(
    declared: dict[str, Any], level: str
) -> None:
    """At either level: no event stands under it, since other readers would read another one."""
    if level == "document":
        found = read(document(made(ilmd=None), **{"@context": [GS1, declared]}))
    else:
        found = read(document({"@context": [declared], **made(ilmd=None)}))
    assert found.events == ()
    assert "@context" in found.problems[0].path


def test_the_same_local_name_in_another_namespace_is_another_field() -> None:
    """A maker's field of ours is ours only in our namespace, whatever the prefix is called."""
    lookalike = OWN.replace("https", "http")
    prefix = {"skh": lookalike, "x": OWN}
    event = event_from(made(ilmd={"skh:model": "H20", "x:model": "H200"}), prefix)
    assert event.ilmd == {f"{{{lookalike}}}model": "H20", f"{{{OWN}}}model": "H200"}
    honest = event_from(made(ilmd={"skh:model": "H200"}))
    disguised = event_from(made(ilmd={"skh:model": "H200"}), {"skh": lookalike})
    assert hash_id(honest) != hash_id(disguised)


def test_one_field_under_two_prefixes_is_refused() -> None:
    """Or the register would read one value and somebody else the other."""
    found = problems_of(made(ilmd={"skh:model": "H20", "x:model": "H200"}), {"x": OWN})
    assert list(found) == ["ilmd.x:model"]
    assert "twice" in found["ilmd.x:model"]
    nested = made(ilmd={"skh:box": {"skh:model": "H20", f"{OWN}model": "H200"}})
    assert list(problems_of(nested)) == [f"ilmd.skh:box.{OWN}model"]


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ({"x": OWN.removesuffix("epcis/")}, "x:epcis/model"),
        ({"x": OWN.removesuffix("/")}, "x:/model"),
        ({"x": OWN.removesuffix("s/")}, "x:s/model"),
        ({"x": "https://ref.gs1.org/epcis/"}, "x:bizStep"),
        ({}, "https://ref.gs1.org/epcis/bizStep"),
        ({}, "epcis:action"),
    ],
)
def test_a_namespace_cut_elsewhere_is_refused(prefix: dict[str, str], name: str) -> None:
    """One address has one reading; a field of EPCIS has no second spelling."""
    assert list(problems_of(made() | {name: "x"}, prefix)) == [name]


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ("bizStep", "shippіng"),  # Cyrillic
        ("bizStep", "receiving\u200b"),
        ("bizStep", "ｓhipping"),
        ("bizStep", "https://ref.gs1.org/cbv/BizStep-shippіng"),
        ("bizStep", "https://ref.gs1.org/cbv/BizStep-shiping"),
        ("bizStep", "https://ref.gs1.org/cbv/Disp-active"),
        ("bizStep", "urn:epcglobal:cbv:disp:active"),
        ("bizStep", "cbv:BizStep-shiping"),
        ("disposition", "stоlen"),  # Cyrillic
        ("disposition", "Active"),
        ("action", "ADD "),
        ("eventTimeZoneOffset", "＋09:00"),
        ("type", "ObjеctEvent"),  # Cyrillic
    ],
)
def test_a_word_that_only_looks_like_one_is_refused(field: str, word: str) -> None:
    """Never taken for the word, and never passed over."""
    assert field in problems_of(made() | {field: word})


def test_an_address_that_only_looks_like_gs1s_is_a_strangers_word() -> None:
    """It stays whole and means nothing here; letters beyond ASCII are no address at all."""
    word = "https://ref.gs1.org.evil.example.org/cbv/BizStep-shipping"
    assert event_from(made(bizStep=word)).biz_step == word
    assert "epcList[0]" in problems_of(made(epcList=[CHIP.replace("c", "с", 1)]))  # Cyrillic


def test_compact_names_of_two_documents_are_not_mixed_up() -> None:
    """`part:7` is what its own document says it is."""
    events = [
        event_from(made(epcList=["part:7"], ilmd=None), {"part": f"https://{firm}.example.org/"})
        for firm in ("a", "b")
    ]
    assert {one.epcs for one in events} == {
        ("https://a.example.org/7",),
        ("https://b.example.org/7",),
    }
    assert hash_id(events[0]) != hash_id(events[1])


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"ObjectEvent","type":"AggregationEvent"}',
        '{"type":"ObjectEvent","epcList":["urn:a:1"],"epcList":["urn:a:2"]}',
        '{"type":"ObjectEvent","ilmd":{"skh:model":"H20","skh:model":"H200"}}',
        '{"@context":[{"skh":"urn:a:","skh":"urn:b:"}],"type":"ObjectEvent"}',
        '{"type":"ObjectEvent","epcLis\\u0074":[],"epcList":["urn:a:2"]}',
    ],
)
def test_a_name_that_stands_twice_is_refused(text: str) -> None:
    """At any depth, escaped or not: two readers would see two events."""
    with pytest.raises(InvalidInput, match="stands twice"):
        parse_document(text.encode())


def test_ignored_fields_cannot_hide_what_epcis_says() -> None:
    """Only extension fields of the event itself are dropped; they are then no part of it at all."""
    context = [GS1, {"skh": OWN, "repo": "https://repo.example.org/"}]
    for name in ("epcList", "epcis:epcList", "action"):
        hidden = document(made(), **{"@context": context, "repo:ignoreFields": [name]})
        assert read(hidden).events == ()
    whole = document(
        made() | {"skh:seal": "7"},
        **{"@context": context, "repo:ignoreFields": ["skh:model", "skh:seal"]},
    )
    event = read(whole).events[0]
    assert event.ilmd[f"{{{OWN}}}model"] == "H200"
    assert "skh:seal" not in event.raw
    assert hash_id(event) == hash_id(event_from(made()))


def test_events_that_read_alike_when_run_together_have_different_keys() -> None:
    """The hash id's string has no separators: an event made to share another's id does not pass for its repetition."""
    from sekisho.registry.epcis import event_key

    honest = event_from(made(epcList=["urn:a:1", "urn:a:2"]))
    forged = event_from(made(epcList=["urn:a:1epc=urn:a:2"]))
    assert hash_id(honest) == hash_id(forged)
    assert event_key(honest) != event_key(forged)
    fields = event_from(made() | {"skh:a": "1", "skh:b": "2"})
    joined = event_from(made() | {"skh:a": f"1{{{OWN}}}b=2"})
    assert hash_id(fields) == hash_id(joined)
    assert event_key(fields) != event_key(joined)
    assert event_key(event_from(made(epcList=["urn:a:2", "urn:a:1"]))) == event_key(honest)
    assert "ilmd.skh:model" in problems_of(made(ilmd={"skh:model": "H200\x1eepc=urn:a:2"}))
    assert event_key(event_from(made(epcList=[OTHER_CHIP]))) != event_key(honest)
