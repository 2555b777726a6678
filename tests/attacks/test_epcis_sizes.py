"""An EPCIS document made to hurt: too deep, too many, too large, or folded into itself."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.registry.epcis import hash_id, parse_document
from tests.registry.epcis.samples import (
    CHIP,
    OWN,
    SERVER,
    document,
    event_from,
    fixed,
    made,
    packed,
    problems_of,
    read,
    shipped,
)


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"ObjectEvent","skh:a":' + '{"skh:a":' * 100 + "1" + "}" * 101,
        '{"type":"ObjectEvent","skh:a":' + "[" * 100_000,
        "[" * 70 + '{"type":"ObjectEvent"}' + "]" * 70,
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    """Before anything walks down."""
    with pytest.raises(InvalidInput, match=r"nested deeper|not JSON"):
        parse_document(text.encode())


def test_contexts_within_contexts_are_read_to_the_end() -> None:
    """Lists of lists of contexts cost no stack, and what they declare counts."""
    context: Any = {"skh": OWN}
    for _ in range(40):
        context = [context]
    assert event_from(made(), context).ilmd[f"{{{OWN}}}model"] == "H200"


def test_a_hundred_thousand_epcs_are_read_and_hashed_in_any_order() -> None:
    """Within seconds, one event; the parent among them is found."""
    epcs = [f"urn:epc:id:sgtin:4012345.012345.{number}" for number in range(100_000)]
    start = time.perf_counter()
    first = event_from(made(epcList=epcs, ilmd=None))
    second = event_from(made(epcList=epcs[::-1], ilmd=None))
    assert len(first.epcs) == 100_000
    assert hash_id(first) == hash_id(second)
    last = "https://id.gs1.org/01/04012345123456/21/99999"
    assert list(problems_of(packed(parentID=last, childEPCs=epcs))) == ["childEPCs[99999]"]
    assert time.perf_counter() - start < 30


def test_a_hundred_thousand_wrong_epcs_are_not_told_one_by_one() -> None:
    """Twenty of them, and that there are more."""
    found = read(document(made(epcList=["GPU 1"] * 100_000)))
    assert len(found.problems) == 21
    assert sum(len(one.path) + len(one.problem) for one in found.problems) < 5_000


@pytest.mark.parametrize(
    "number", ["1e309", "9007199254740993", "1" * 400, "-1e300", "NaN", "Infinity"]
)
def test_huge_numbers_are_refused(number: str) -> None:
    """What a double cannot hold exactly is no quantity; two readers would see two numbers."""
    text = json.dumps(made(quantityList=[{"epcClass": CHIP, "quantity": 77}]))
    with pytest.raises(InvalidInput, match="number"):
        parse_document(text.replace("77", number).encode())


def test_a_document_beyond_the_limit_is_refused() -> None:
    """Sixteen MiB; nothing is parsed of a longer one."""
    with pytest.raises(InvalidInput, match="longer than"):
        parse_document(b" " * (16 * 1024 * 1024 + 1))


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (fixed(childEPCs=[CHIP, SERVER]), "childEPCs[1]"),
        (packed(childEPCs=[SERVER]), "childEPCs[0]"),
        (shipped(parentID=SERVER), "epcList[0]"),
        (
            packed(
                parentID="urn:epc:id:sscc:4012345.0000000333",
                childEPCs=["https://firm.example.org/sscc/040123450000003338"],
            ),
            "childEPCs[0]",
        ),
    ],
)
def test_a_parent_that_contains_itself_is_refused(value: dict[str, Any], path: str) -> None:
    """Under either spelling of its identifier."""
    assert list(problems_of(value)) == [path]


def test_a_thousand_prefixes_are_refused() -> None:
    """Each event keeps just those that it needs."""
    many = {f"p{number}": f"urn:p{number}:" for number in range(1000)}
    found = read({"@context": many, **made(ilmd=None)})
    assert found.events == ()
    assert "more than 256" in found.problems[0].problem


@pytest.mark.parametrize("length", [2_000, 5_000_000])
def test_a_long_text_takes_no_longer_than_it_is(length: int) -> None:
    """No pattern here goes back over what it has read."""
    start = time.perf_counter()
    problems_of(
        made(epcList=["urn:epc:id:sgtin:" + "1" * length + "!"] * 2, eventTime="1" * length)
    )
    problems_of(made(bizStep="https://ref.gs1.org/cbv/BizStep-" + "a" * length))
    problems_of({**made(), "a:" + "/" * length: 1})
    assert time.perf_counter() - start < 10
