"""Documents, query documents, events and lists of events: what is read, and what is said of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.registry.epcis import Quantity, Typed, parse_document
from tests.registry.epcis.samples import (
    CHIP,
    EVERY_TYPE,
    GS1,
    OTHER_CHIP,
    OWN,
    SERVER,
    SITE,
    document,
    event_from,
    fixed,
    made,
    measured,
    packed,
    problems_of,
    read,
    reworked,
    shipped,
)


def test_a_document_is_read_whole() -> None:
    """Every event in its order, with the document's prefixes and its date."""
    found = read(document())
    assert found.problems == ()
    assert [event.type for event in found.events] == [one["type"] for one in EVERY_TYPE]
    assert found.positions == (0, 1, 2, 3, 4, 5)
    assert (found.total, found.context, found.created) == (6, {"skh": OWN}, "2026-05-02T00:00:00Z")


def test_a_query_document_a_list_and_a_bare_event_are_read() -> None:
    """The same event, however it comes."""
    whole = document(made())
    body = {"queryResults": {"queryName": "SimpleEventQuery", "resultsBody": whole["epcisBody"]}}
    query = whole | {"type": "EPCISQueryDocument", "epcisBody": body}
    single = whole | {"epcisBody": {"event": made()}}
    bare = {"@context": [GS1, {"skh": OWN}], **made()}
    found = [read(value) for value in (whole, query, single, bare, [bare])]
    assert [one.problems for one in found] == [()] * 5
    assert {json.dumps(one.events[0].raw, sort_keys=True) for one in found} == {
        json.dumps(made(), sort_keys=True)
    }


def test_a_bare_event_without_context_is_read_under_that_of_gs1() -> None:
    """As are the members of a list; one that has a context must name GS1's in it."""
    plain = made(ilmd=None)
    assert read(plain).problems == ()
    assert read([plain, plain]).total == 2
    strange = read([{"@context": {"skh": OWN}, **plain}, plain])
    assert [one.path for one in strange.problems] == ["[0].@context"]
    assert strange.positions == (1,)


def test_an_object_event_holds_what_it_says() -> None:
    """Words bare, extension names resolved, the instant in UTC."""
    event = event_from(
        made(recordTime="2026-05-01T01:00:00.5Z", certificationInfo="https://c.org/1")
    )
    assert event.at == Instant.parse("2026-05-01T01:00:00Z")
    assert event.recorded == Instant.parse("2026-05-01T01:00:00.5Z")
    assert (event.zone, event.action, event.epcs) == ("+09:00", "ADD", (CHIP,))
    assert (event.biz_step, event.disposition) == ("commissioning", "active")
    assert (event.read_point, event.biz_location) == (SITE, SITE)
    assert event.ilmd == {f"{{{OWN}}}model": "H200", f"{{{OWN}}}serial": "0001"}
    assert event.certificates == ("https://c.org/1",)
    assert event.context == {"skh": OWN}


def test_other_types_hold_what_they_say() -> None:
    """Containers, transactions, parties, inputs and outputs, quantities as canonical text."""
    association, transaction = event_from(fixed()), event_from(shipped())
    transformation = event_from(reworked())
    assert (association.parent, association.children) == (SERVER, (CHIP, OTHER_CHIP))
    assert transaction.transactions[1] == Typed(type="po", id="https://shop.example.org/po/77")
    assert transaction.sources == (Typed(type="possessing_party", id="urn:sekisho:party:maker"),)
    assert [one.type for one in transaction.destinations] == ["possessing_party", "location"]
    assert (transformation.inputs, transformation.outputs) == ((CHIP,), (OTHER_CHIP,))
    assert transformation.input_quantities == (
        Quantity(epc_class="urn:epc:class:lgtin:4012345.012345.LOT", quantity="2.5", unit="KGM"),
    )


def test_one_bad_event_never_hides_the_others() -> None:
    """Each problem with its own path; the sound events keep their places."""
    bad = made(eventTime="2026-02-30T10:00:00Z", action=None)
    found = read(document(made(), bad, 7, fixed()))
    assert found.positions == (0, 3)
    assert [one.path for one in found.problems] == [
        "epcisBody.eventList[1].eventTime",
        "epcisBody.eventList[1].action",
        "epcisBody.eventList[2]",
    ]
    assert "no real date-time" in found.problems[0].problem


def test_a_document_that_is_itself_wrong_gives_no_event() -> None:
    """Its own problems are told beside those of its events."""
    found = read(document(made(), made(action="MOVE"), schemaVersion="1.2", creationDate="today"))
    assert found.events == ()
    assert [one.path for one in found.problems] == [
        "schemaVersion",
        "creationDate",
        "epcisBody.eventList[1].action",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<epcis/>", "is XML, not JSON"),
        (b"\xef\xbb\xbf\n <epcis/>", "is XML, not JSON"),
        (b'{"type"', "not JSON: Expecting"),
        (b"7", "XML is not read"),
        (b"{}", "XML is not read"),
        (b'{"payloadType":"x"}', "neither a document"),
        (b"\xef\xbb\xbf{}", "byte-order mark"),
    ],
)
def test_what_is_no_epcis_at_all_is_bad_input(data: bytes, said: str) -> None:
    """With the file's name and the remedy."""
    with pytest.raises(InvalidInput, match=said) as caught:
        parse_document(data, path="F")
    assert caught.value.path == "F"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], "epcisBody"),
        ({}, "epcisBody.eventList"),
        ({"eventList": {}}, "epcisBody.eventList"),
        ({"eventList": [], "other": 1}, "epcisBody.other"),
    ],
)
def test_a_body_without_a_list_of_events_is_named(body: Any, path: str) -> None:
    """So is a name in it that means nothing."""
    assert [one.path for one in read(document(epcisBody=body)).problems] == [path]


def test_ignored_fields_are_no_part_of_the_event() -> None:
    """Those that the document names, in whichever prefix; other fields stay."""
    event = made() | {"skh:hash": "x", "skh:kept": "y"}
    context = [GS1, {"skh": OWN, "repo": "https://repo.example.org/", "same": OWN}]
    whole = document(event, **{"@context": context, "repo:ignoreFields": ["same:hash"]})
    found = read(whole)
    assert found.problems == ()
    assert found.events[0].extensions == {f"{{{OWN}}}kept": "y"}
    assert "skh:hash" not in found.events[0].raw


BAD_EVENTS: list[tuple[dict[str, Any], str, str]] = [
    (made(type="MoveEvent"), "type", "write one of ObjectEvent"),
    (made(eventTime=None), "eventTime", "is missing"),
    (made(eventTime="2026-05-01T10:00:00"), "eventTime", "no real date-time"),
    (made(eventTime=20260501), "eventTime", "no real date-time"),
    (made(eventTimeZoneOffset=None), "eventTimeZoneOffset", "is missing"),
    (made(eventTimeZoneOffset="+14:30"), "eventTimeZoneOffset", "at most 14 hours"),
    (made(recordTime="soon"), "recordTime", "no real date-time"),
    (made(action="Add"), "action", "write ADD"),
    (made(action=["ADD"]), "action", "write ADD"),
    (made(epcList=CHIP), "epcList", "is no list"),
    (made(epcList=[CHIP, "GPU 1"]), "epcList[1]", "is no URI"),
    (made(epcList=[7]), "epcList[0]", "is no URI"),
    (made(epcList=[]), "epcList", "missing or empty"),
    (made(bizStep="departed"), "bizStep", "is no bizStep of CBV 2.0"),
    (made(bizStep=None, bizstep="shipping"), "bizstep", "write bizStep"),
    (made(disposition=None, mood="good"), "mood", "in no declared namespace"),
    (made(persistentDisposition={"set": ["nice"]}), "persistentDisposition.set[0]", "disposition"),
    (made(persistentDisposition=["active"]), "persistentDisposition", "write { "),
    (
        made(persistentDisposition={"set": ["active"], "unset": ["active"]}),
        "persistentDisposition",
        "do one",
    ),
    (made(readPoint=SITE), "readPoint", "is no place"),
    (made(readPoint={"id": SITE, "hall": "2"}), "readPoint.hall", "in no declared namespace"),
    (made(ilmd={"model": "H200"}), "ilmd.model", "in no declared namespace"),
    (made(ilmd={"acme:model": "H200"}), "ilmd.acme:model", "no @context declares"),
    (made(ilmd="H200"), "ilmd", "is no object"),
    (made(action="OBSERVE"), "ilmd", "only where things come to be"),
    (made(parentID=SERVER), "parentID", "belongs to AggregationEvent"),
    (
        made(quantityList=[{"epcClass": CHIP, "quantity": "3"}]),
        "quantityList[0].quantity",
        "number",
    ),
    (
        made(quantityList=[{"epcClass": CHIP, "quantity": True}]),
        "quantityList[0].quantity",
        "number",
    ),
    (made(quantityList=[{"epcClass": CHIP, "quantity": -1}]), "quantityList[0].quantity", "below"),
    (made(quantityList=[{"quantity": 1}]), "quantityList[0].epcClass", "is no URI"),
    (made(quantityList=[{"epcClass": CHIP, "uom": "kg"}]), "quantityList[0].uom", "KGM"),
    (made(quantityList=[{"epcClass": CHIP, "count": 1}]), "quantityList[0].count", "no field"),
    (made(quantityList=["x"]), "quantityList[0]", "is no object"),
    (made(errorDeclaration={}), "errorDeclaration.declarationTime", "no real date-time"),
    (
        made(errorDeclaration={"declarationTime": "2026-05-02T00:00:00Z", "reason": "oops"}),
        "errorDeclaration.reason",
        "is no reason",
    ),
    (
        made(
            errorDeclaration={"declarationTime": "2026-05-02T00:00:00Z", "correctiveEventIDs": "x"}
        ),
        "errorDeclaration.correctiveEventIDs",
        "is no list",
    ),
    (
        made(errorDeclaration={"declarationTime": "2026-05-02T00:00:00Z", "by": "x"}),
        "errorDeclaration.by",
        "in no declared namespace",
    ),
    (fixed(parentID=None), "parentID", "is missing"),
    (fixed(childEPCs=None), "childEPCs", "name what is added"),
    (packed(parentID=None), "parentID", "name the container"),
    (shipped(bizTransactionList=None), "bizTransactionList", "is missing"),
    (shipped(epcList=None), "epcList", "what the transaction is about"),
    (
        shipped(sourceList=[{"source": "urn:a:b"}]),
        "sourceList[0].type",
        "is no text",
    ),
    (
        shipped(sourceList=[{"type": "owner", "source": "urn:a:b"}]),
        "sourceList[0].type",
        "source or destination type",
    ),
    (
        shipped(bizTransactionList=[{"type": "po", "bizTransaction": "77"}]),
        "bizTransactionList[0].bizTransaction",
        "is no URI",
    ),
    (
        shipped(bizTransactionList=[{"bizTransaction": "urn:a:b", "id": "urn:a:c"}]),
        "bizTransactionList[0].id",
        "is no field here",
    ),
    (reworked(inputEPCList=None, inputQuantityList=None), "inputEPCList", "name it"),
    (reworked(outputEPCList=None), "outputEPCList", "name it"),
    (reworked(action="ADD"), "action", "is no field of an TransformationEvent"),
    (measured(type=None) | {"sensorElementList": [{}]}, "sensorElementList[0].sensorReport", "one"),
    (measured(value="1"), "sensorElementList[0].sensorReport[0].value", "is no number"),
    (measured(uom="km"), "sensorElementList[0].sensorReport[0].uom", "KGM"),
    (measured(time="noon"), "sensorElementList[0].sensorReport[0].time", "date-time"),
    (measured(booleanValue=1), "sensorElementList[0].sensorReport[0].booleanValue", "true"),
    (measured(hexBinaryValue="abc"), "sensorElementList[0].sensorReport[0].hexBinaryValue", "hex"),
    (measured(component="up"), "sensorElementList[0].sensorReport[0].component", "component"),
    (measured(colour="red"), "sensorElementList[0].sensorReport[0].colour", "namespace"),
]


@pytest.mark.parametrize(("value", "path", "said"), BAD_EVENTS, ids=lambda one: str(one)[:60])
def test_what_is_wrong_with_an_event_is_said_at_its_place(
    value: dict[str, Any], path: str, said: str
) -> None:
    """One change to a sound event, one problem, with the remedy."""
    found = problems_of(value)
    assert list(found) == [path]
    assert said in found[path]


def test_a_report_needs_a_type_or_an_exception() -> None:
    """A report that only raises an alarm is read, though the published schema asks for a type there too."""
    alarm = [{"exception": "ALARM_CONDITION", "booleanValue": True}]
    raised = made(action="OBSERVE", ilmd=None, sensorElementList=[{"sensorReport": alarm}])
    report = event_from(raised).sensors[0]["sensorReport"][0]
    assert report["exception"] == "https://gs1.org/voc/ALARM_CONDITION"
    silent = made(action="OBSERVE", ilmd=None, sensorElementList=[{"sensorReport": [{"value": 1}]}])
    assert list(problems_of(silent)) == ["sensorElementList[0].sensorReport[0].type"]


def test_persistent_dispositions_may_stand_on_every_type() -> None:
    """The standard is of two minds on the other types; documents in use have them."""
    lasting = {"set": ["completeness_verified"], "unset": ["completeness_inferred"]}
    for value in EVERY_TYPE:
        event = event_from(value | {"persistentDisposition": lasting})
        assert event.persistent_set == ("completeness_verified",)
        assert event.persistent_unset == ("completeness_inferred",)


def test_a_container_may_be_emptied_without_naming_what_was_in_it() -> None:
    """DELETE without children takes all out; a declaration of an error repeats its event."""
    event_from(packed(action="DELETE", childEPCs=None))
    declared = fixed(
        errorDeclaration={
            "declarationTime": "2026-05-02T00:00:00Z",
            "reason": "did_not_occur",
            "correctiveEventIDs": ["urn:uuid:1"],
            "skh:by": "clerk",
        }
    )
    error = event_from(declared).error
    assert error is not None
    assert (error.reason, error.corrective) == ("did_not_occur", ("urn:uuid:1",))
    assert error.extensions == {f"{{{OWN}}}by": "clerk"}


def test_inputs_and_outputs_may_come_apart_under_one_transformation() -> None:
    """Where a transformationID ties the events together."""
    event = event_from(reworked(outputEPCList=None, transformationID="urn:uuid:2"))
    assert event.transformation == "urn:uuid:2"


def test_problems_come_to_an_end() -> None:
    """Who sends a thousand wrong EPCs in a thousand events is told of a thousand problems."""
    found = read(document(made(epcList=["x"] * 1000)))
    assert len(found.problems) == 21
    many = read(document(*[made(epcList=["x"] * 1000)] * 100))
    assert len(many.problems) == 1001
    assert "more problems" in many.problems[-1].problem
