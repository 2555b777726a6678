"""The event hash id of CBV 2.0: golden vectors of our own, and what does and does not change it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from sekisho.registry.epcis import event_key, hash_and_key, hash_id, prehash
from tests.registry.epcis.samples import (
    CHIP,
    EVERY_TYPE,
    OTHER_CHIP,
    OWN,
    SERVER,
    SITE,
    event_from,
    fixed,
    made,
    measured,
    reworked,
    shipped,
)

WHEN = "eventTime=2026-05-01T01:00:00.000ZeventTimeZoneOffset=+09:00"
CBV = "https://ref.gs1.org/cbv/"
SDT = f"{CBV}SDT-"
GOLDEN = "ni:///sha-256;b2cd777496586070d36513b1deb1184f548c4811a653f45f18458dc1cc145528?ver=CBV2.0"
PREHASHES = [
    (
        made(),
        (
            f"eventType=ObjectEvent{WHEN}epcListepc={CHIP}action=ADDbizStep={CBV}BizStep-commissioning"
            f"disposition={CBV}Disp-activereadPointid={SITE}bizLocationid={SITE}"
            f"ilmd{{{OWN}}}model=H200{{{OWN}}}serial=0001"
        ),
    ),
    (
        fixed(),
        (
            f"eventType=AssociationEvent{WHEN}parentID={SERVER}childEPCsepc={CHIP}epc={OTHER_CHIP}"
            f"action=ADDbizStep={CBV}BizStep-installing"
        ),
    ),
    (
        shipped(),
        (
            f"eventType=TransactionEvent{WHEN}epcListepc={SERVER}action=ADDbizStep={CBV}BizStep-shipping"
            f"disposition={CBV}Disp-in_transitbizTransactionListtype={CBV}BTT-desadvbizTransaction="
            f"urn:sekisho:movement:26JPAAAAAAAAAAAAAAA1type={CBV}BTT-pobizTransaction="
            f"https://shop.example.org/po/77destinationListtype={SDT}locationdestination="
            f"urn:sekisho:place:osakatype={SDT}possessing_partydestination=urn:sekisho:party:cloud"
            f"sourceListtype={SDT}possessing_partysource=urn:sekisho:party:maker"
        ),
    ),
    (
        reworked(transformationID="urn:uuid:2", persistentDisposition={"unset": ["damaged"]}),
        (
            f"eventType=TransformationEvent{WHEN}inputEPCListepc={CHIP}inputQuantityListquantityElement"
            f"epcClass=https://id.gs1.org/01/04012345123456/10/LOTquantity=2.5uom=KGMoutputEPCListepc="
            f"{OTHER_CHIP}transformationID=urn:uuid:2bizStep={CBV}BizStep-repairing"
            f"persistentDispositionunset={CBV}Disp-damaged"
        ),
    ),
    (
        measured(bizRules="urn:rule:1"),
        (
            f"eventType=ObjectEvent{WHEN}epcListepc={CHIP}action=OBSERVEbizStep="
            f"{CBV}BizStep-sensor_reportingdisposition={CBV}Disp-activereadPointid={SITE}bizLocationid={SITE}"
            f"sensorElementListsensorElementsensorMetadatatime=2026-05-01T00:59:00.000Z"
            f"{{{OWN}}}landmark=TYOsensorReporttype=https://gs1.org/voc/Temperaturevalue=26uom=CEL"
            f"sensorReporttype={OWN}maxDistanceKmvalue=412.5uom=KMTbizRules=urn:rule:1"
            f"{{{OWN}}}run{{{OWN}}}number=7"
        ),
    ),
]


@pytest.mark.parametrize(("value", "expected"), PREHASHES, ids=lambda one: str(one)[:24])
def test_what_an_event_says_is_one_string(value: dict[str, Any], expected: str) -> None:
    """Fields in the standard's order, and its SHA-256 is the hash id."""
    event = event_from(value)
    digest = hashlib.sha256(expected.encode()).hexdigest()
    assert prehash(event) == expected
    assert hash_id(event) == f"ni:///sha-256;{digest}?ver=CBV2.0"


def test_the_golden_vector_of_an_event_of_ours() -> None:
    """These bytes are for ever: other registers find events by them."""
    assert hash_id(event_from(made())) == GOLDEN


@pytest.mark.parametrize(
    "change",
    [
        {"eventID": "urn:uuid:1"},
        {"recordTime": "2026-05-02T00:00:00Z"},
        {"rdfs:comment": "as told by the clerk"},
        {"quantityList": []},
        {"eventTime": "2026-05-01T01:00:00Z"},
        {"bizStep": "urn:epcglobal:cbv:bizstep:commissioning"},
        {"skh:nothing": None},
        {
            "errorDeclaration": {
                "declarationTime": "2026-05-02T00:00:00Z",
                "reason": "did_not_occur",
            }
        },
    ],
)
def test_what_is_no_part_of_the_event_leaves_its_hash(change: dict[str, Any]) -> None:
    """Its own id, times of recording, comments, empty lists, spellings, the declaration of an error."""
    assert hash_id(event_from(made(**change))) == hash_id(event_from(made()))


@pytest.mark.parametrize(
    "change",
    [
        {"eventTime": "2026-05-01T10:00:00.001+09:00"},
        {"eventTimeZoneOffset": "+08:00"},
        {"epcList": [CHIP, CHIP]},
        {"action": "ADD", "disposition": "inactive"},
        {"readPoint": {"id": SITE, "skh:hall": "2"}},
        {"certificationInfo": "https://c.example.org/1"},
        {"ilmd": {"skh:model": "H200", "skh:serial": "1"}},
        {"ilmd": {"skh:model": "H200", "skh:serial": ["0001", "0001"]}},
        {"skh:seal": "7"},
        {"skh:seal": {"skh:number": ["7", "8"]}},
    ],
)
def test_what_an_event_says_makes_its_hash(change: dict[str, Any]) -> None:
    """Any other value, field or repetition gives another id; text that looks like a number stays text."""
    assert hash_id(event_from(made(**change))) != hash_id(event_from(made()))


def test_numbers_and_identifiers_in_extensions_are_canonical_and_texts_are_not_touched() -> None:
    """12.50 and 12.5 are one number; "12.50" and "12.5" are two texts; a URN is its link."""
    own = {
        "skh:a": [12.50, True, "12.50", " padded ", ""],
        "skh:b": "urn:epc:id:giai:9500001.X",
        "skh:c": "urn:epcglobal:cbv:disp:active",
    }
    said = prehash(event_from(made(ilmd=own)))
    name = f"{{{OWN}}}"
    assert said.endswith(
        f"ilmd{name}a{name}a=12.5{name}a=12.50{name}a=padded{name}a=true"
        f"{name}b=https://id.gs1.org/8004/9500001X{name}c={CBV}Disp-active"
    )


def test_an_event_its_declaration_and_its_correction_have_three_keys() -> None:
    """The declaration shares the hash id and not the key; each key is stable, however its declaration is spelled."""
    declared = {
        "declarationTime": "2026-05-02T09:00:00+09:00",
        "reason": "incorrect_data",
        "correctiveEventIDs": ["urn:uuid:2", "urn:uuid:1"],
        "skh:by": "clerk",
    }
    respelled = {
        "skh:by": "clerk",
        "correctiveEventIDs": ["urn:uuid:1", "urn:uuid:2", "urn:uuid:1"],
        "reason": f"{CBV}ER-incorrect_data",
        "declarationTime": "2026-05-02T00:00:00.000Z",
    }
    original = event_from(made())
    declaration, again = (event_from(made(errorDeclaration=one)) for one in (declared, respelled))
    correction = event_from(made(ilmd={"skh:model": "H100", "skh:serial": "0001"}))
    assert len({event_key(one) for one in (original, declaration, correction)}) == 3
    assert event_key(declaration) == event_key(again)
    assert hash_id(declaration) == hash_id(original)
    assert hash_and_key(original) == (hash_id(original), event_key(original))
    assert len(event_key(original)) == 32


@pytest.mark.parametrize(
    "change",
    [
        {"declarationTime": "2026-05-02T00:00:01Z"},
        {"reason": "did_not_occur"},
        {"correctiveEventIDs": ["urn:uuid:1"]},
        {"skh:by": "clerk"},
    ],
)
def test_another_declaration_has_another_key(change: dict[str, Any]) -> None:
    """Whatever it says differently."""
    first = {"declarationTime": "2026-05-02T00:00:00Z"}
    keys = {event_key(event_from(made(errorDeclaration=one))) for one in (first, first | change)}
    assert len(keys) == 2


def test_every_sample_has_its_own_hash() -> None:
    """No two of the samples say the same."""
    assert len({hash_id(event_from(one)) for one in EVERY_TYPE}) == len(EVERY_TYPE)
