"""Attacks on what the rules are asked: hidden values, two answers, figures that slip below a threshold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sekisho.model.chips import known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import classify, load_pack, parse_request
from sekisho.rules.facts import AmountFact, PlacesFact, facts_of
from sekisho.rules.requests import ChipSpec, DieSpec, iter_requests, parse_chip_spec

AT = parse_date_or_instant("2026-02-01")
TRANSFER: dict[str, Any] = {"kind": "transfer", "id": "t", "item": {"chip": "H100"}, "count": 1}


def amount(name: str, **fields: Any) -> AmountFact:
    fact = facts_of(parse_request(json.dumps({**TRANSFER, **fields})), known_chips())[name]
    assert isinstance(fact, AmountFact)
    return fact


def test_a_second_count_behind_the_first_is_no_count() -> None:
    """A reader that takes the last value would see one chip where another reader sees a thousand."""
    line = json.dumps(TRANSFER)[:-1] + ', "count": 1000}'
    ((_, row),) = iter_requests([line.encode()], "F")
    assert isinstance(row, InvalidInput)
    with pytest.raises(InvalidInput, match="stands twice"):
        parse_request(line)


def test_an_escaped_name_hides_no_second_field() -> None:
    """The letter c by its number is the letter c."""
    line = json.dumps(TRANSFER)[:-1] + ', "\\u0063ount": 1000}'
    ((_, row),) = iter_requests([line.encode()], "F")
    assert isinstance(row, InvalidInput)


def test_a_misspelt_fact_is_not_lost() -> None:
    """A field that nobody knows is refused instead of being passed over as missing."""
    with pytest.raises(InvalidInput, match="headquarter"):
        parse_request(json.dumps({**TRANSFER, "end_user": {"headquarter": "CN"}}))


def test_a_headquarters_that_is_left_out_does_not_clear_a_transfer() -> None:
    """Naming the harmless party alone leaves the places open."""
    request = {**TRANSFER, "consignee": {"headquarters": "SG", "parent_headquarters": "SG"}}
    fact = facts_of(parse_request(json.dumps(request)), known_chips())["headquarters"]
    assert isinstance(fact, PlacesFact)
    assert not fact.complete


def test_a_sum_that_nobody_stated_is_not_nothing() -> None:
    """The cap of a year stays open above, whatever this transfer is."""
    fact = amount("parent_year_tpp")
    assert (fact.low, fact.high) == (15832, float("inf"))


def test_a_package_split_into_dies_does_not_shrink() -> None:
    """Eight dies of 600 TPP are 4800 TPP, however a sheet cuts them."""
    whole = ChipSpec(fp16_dense_tflops="300", datacenter=True)
    split = ChipSpec(dies=(DieSpec(fp16_dense_tflops="37.5", count=8),), datacenter=True)
    for asked in (whole, split):
        assert classify(asked, load_pack("us-ear"), AT).item_class == "3A090.a"


def test_an_inflated_area_of_planar_dies_does_not_thin_the_density() -> None:
    """Only non-planar dies have an area that counts."""
    logic = DieSpec(fp16_dense_tflops="150", die_mm2="400")
    padding = DieSpec(fp16_dense_tflops="0", die_mm2="5000", planar=True)
    found = classify(ChipSpec(dies=(logic, padding), datacenter=True), load_pack("us-ear"), AT)
    assert (found.item_class, found.performance_density) == ("3A090.a", "6")


def test_a_published_tpp_on_a_sheet_does_not_count() -> None:
    """It is computed anew from the peaks."""
    asked = parse_chip_spec(b'{"fp16_dense_tflops": 300, "tpp": 100, "datacenter": true}', "F")
    assert classify(asked, load_pack("us-ear"), AT).tpp == "4800"


def test_a_figure_just_below_a_threshold_is_not_rounded_up_or_down() -> None:
    """4799.9999999 in more places than we read is refused and not rounded."""
    with pytest.raises(InvalidInput, match="six decimal places"):
        parse_chip_spec(b'{"fp16_dense_tflops": 299.9999999}', "F")
    asked = parse_chip_spec(b'{"fp16_dense_tflops": 299.999999, "datacenter": true}', "F")
    found = classify(asked, load_pack("us-ear"), AT)
    assert found.tpp == "4799.999984"
    assert found.item_class == "unsure"  # the die area decides


@pytest.mark.parametrize("size", [10**5])
def test_a_huge_number_costs_no_time(size: int) -> None:
    """A hundred thousand digits are refused at a glance, as a count and on a sheet."""
    digits = "9" * size
    with pytest.raises(InvalidInput):
        parse_request(json.dumps(TRANSFER)[:-1] + f', "count": {digits}}}')
    with pytest.raises(InvalidInput):
        parse_chip_spec(f'{{"die_mm2": {digits}}}'.encode(), "F")
    with pytest.raises(InvalidInput):
        parse_chip_spec(b'{"die_mm2": 1e999999999}', "F")
