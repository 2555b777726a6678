"""What names mean: GS1's context, declared prefixes at every level, and nothing fetched."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.registry.epcis.context import STANDARD, extend_context, resolve_name
from sekisho.registry.epcis.document import Problem
from tests.registry.epcis.samples import GS1, OWN, document, event_from, made, problems_of, read


@pytest.mark.parametrize(
    "address",
    [
        GS1,
        "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
        "https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld",
        "https://gs1.github.io/EPCIS/epcis-context.jsonld",
    ],
)
def test_every_address_of_the_gs1_context_is_known(address: str) -> None:
    """Alone, in a list, and in a list of lists."""
    for context in (address, [address], [[address, {"skh": OWN}]]):
        assert read({"@context": context, **made(ilmd=None)}).problems == ()


@pytest.mark.parametrize(
    "context",
    [
        [GS1, "https://example.org/context.jsonld"],
        ["https://ref.gs1.org.example.org/standards/epcis/epcis-context.jsonld", GS1],
        [GS1, None],
        [GS1, 7],
    ],
)
def test_a_context_that_would_have_to_be_fetched_is_refused(context: Any) -> None:
    """Its names could mean anything, so no event stands under it."""
    found = read(document(made(ilmd=None), **{"@context": context}))
    assert found.events == ()
    assert any("nothing is fetched" in one.problem for one in found.problems)


def test_a_document_without_the_gs1_context_is_told_so_once_an_event() -> None:
    """A document must name it; prefixes alone are not enough."""
    for context in (None, {"skh": OWN}):
        found = read(document(made(ilmd=None), **{"@context": context}))
        assert [one.path for one in found.problems] == ["epcisBody.eventList[0].@context"]


def test_prefixes_of_an_event_stand_beside_those_of_its_document() -> None:
    """And may give a prefix of the document another meaning for that event alone."""
    near = {"@context": [{"skh": "https://other.example.org/"}, {"ext": "urn:acme:"}]}
    found = read(document(made() | near | {"ext:colour": "red"}, made()))
    assert found.problems == ()
    first, second = found.events
    assert first.ilmd["{https://other.example.org/}model"] == "H200"
    assert first.extensions == {"{urn:acme:}colour": "red"}
    assert first.context == {"skh": "https://other.example.org/", "ext": "urn:acme:"}
    assert second.ilmd[f"{{{OWN}}}model"] == "H200"
    assert second.context == {"skh": OWN}


def test_a_nested_object_may_bring_prefixes_of_its_own() -> None:
    """They end with it; what it takes from outside is the event's."""
    inner = {"@context": {"in": "urn:inner:"}, "in:a": 1, "skh:b": 2}
    event = event_from(made(ilmd=None) | {"skh:deep": {"skh:x": inner}})
    assert event.extensions[f"{{{OWN}}}deep"][f"{{{OWN}}}x"] == {
        "{urn:inner:}a": 1,
        f"{{{OWN}}}b": 2,
    }
    assert event.context == {"skh": OWN}
    assert list(problems_of(made(ilmd=None) | {"skh:a": inner, "in:b": 1})) == ["in:b"]


def test_names_inside_an_extension_may_go_without_a_namespace() -> None:
    """As documents in use have them; those of an event and of its master data may not."""
    event = event_from(made(ilmd={"skh:box": {"size": {"wide": 1}, "tags": ["a", None]}}))
    assert event.ilmd[f"{{{OWN}}}box"] == {"size": {"wide": 1}, "tags": ["a"]}


def test_a_term_may_stand_for_a_whole_name() -> None:
    """Simple, or spelled out; an address as a name means the same."""
    terms = {
        "model": f"{OWN}model",
        "serial": {"@id": "skh:serial", "@type": "xsd:string"},
        "skh": OWN,
    }
    by_term = event_from(made(ilmd={"model": "H200", "serial": "1"}), terms)
    by_prefix = event_from(made(ilmd={"skh:model": "H200", "skh:serial": "1"}))
    by_address = event_from(made(ilmd={f"{OWN}model": "H200", f"{OWN}serial": "1"}))
    assert by_term.ilmd == by_prefix.ilmd == by_address.ilmd
    assert by_term.context == {"model": f"{OWN}model", "serial": f"{OWN}serial"}
    assert by_address.context == {}


def test_compact_identifiers_and_words_are_opened() -> None:
    """Where a prefix is declared; a scheme that nobody declared stays one."""
    prefix = {"acme": "https://acme.example.org/id/"}
    event = event_from(made(epcList=["acme:gpu/1", "other:gpu/1"], bizStep="acme:burning"), prefix)
    assert event.epcs == ("https://acme.example.org/id/gpu/1", "other:gpu/1")
    assert event.biz_step == "https://acme.example.org/id/burning"
    assert event.context == prefix | {"skh": OWN}


def test_gs1_prefixes_need_no_declaration() -> None:
    """The words of master data may even be given another meaning, as documents in use do."""
    value = made(ilmd={"cbvmda:lotNumber": "7"}, bizStep="cbv:BizStep-shipping")
    event = event_from(value)
    assert event.ilmd == {"{urn:epcglobal:cbv:mda:}lotNumber": "7"}
    assert (event.biz_step, event.context) == ("shipping", {})
    other = event_from(value, {"cbvmda": "http://example.com/cbvmda/"})
    assert other.ilmd == {"{http://example.com/cbvmda/}lotNumber": "7"}


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"@vocab": OWN}, "keyword"),
        ({"@base": OWN}, "keyword"),
        ({"a b": OWN}, "no name for a prefix"),
        ({"x": "relative"}, "no absolute address"),
        ({"x": 7}, "no absolute address"),
        ({"x": {"@id": OWN, "@context": {}}}, "no absolute address"),
        ({"x": {"@reverse": OWN}}, "no absolute address"),
        ({"x": "y:a", "y": "x:a"}, "no absolute address"),
        ({f"x{number}": OWN for number in range(300)}, "more than 256"),
    ],
)
def test_what_is_no_prefix_is_refused(declared: dict[str, Any], said: str) -> None:
    """Each with what to do."""
    found: list[Problem] = []
    extend_context(STANDARD, declared, found)
    assert found
    assert said in found[0].problem


@pytest.mark.parametrize(
    "name", ["skh:", "skh:a b", "skh:a/b", "skh:a=b", "skh:{x}", "epcis:epcList"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    """A name that could be read as a place, a value or a field of EPCIS itself."""
    context = extend_context(STANDARD, {"skh": OWN}, [])
    assert isinstance(resolve_name(context, name), str)
