"""The attack: tell of a chip only what looks harmless, or what contradicts what is known, and be permitted."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import Decision, decide, load_pack, parse_request

AT = parse_date_or_instant("2026-06-01")
PARTY: Final = {
    "country": "CN",
    "headquarters": "CN",
    "parent_headquarters": "CN",
    "listed": False,
    "listed_owner_known": False,
    "listed_owner_share": "0",
    "authorisation": "none",
}
TRANSFER: Final[dict[str, Any]] = {
    "kind": "transfer",
    "id": "t",
    "activity": "export",
    "origin": "US",
    "destination": "CN",
    "count": 8,
    "exporter": {"country": "US", "headquarters": "US", "parent_headquarters": "US"},
    "end_user_is_consignee": True,
    "consignee": PARTY,
    "end_use": ["commercial"],
    "facts": {
        "supercomputer": False,
        "exporter-is-fabricator": False,
        "claimed-exception": "none",
        "red-flags-resolved": True,
    },
}
SHEET: Final = {
    "die_mm2": "814",
    "mem_bw_gbs": "300",
    "interconnect_bidir_gbs": "100",
    "datacenter": True,
    "designer_country": "US",
}


def asked(item: dict[str, Any], **changes: Any) -> Decision:
    request = parse_request(json.dumps({**TRANSFER, "item": item, **changes}))
    return decide(request, load_pack("us-ear"), AT)


@pytest.mark.parametrize(
    "told", [{"fp32_dense_tflops": "67"}, {"tf32_dense_tflops": "9"}, {"fp4_dense_tflops": "10"}]
)
def test_a_sheet_that_tells_only_a_slow_format_clears_no_accelerator(told: dict[str, str]) -> None:
    """An H100 has 67 TFLOP/s at 32 bits and 15,832 TPP: what it does at 16 or 8 bits is missing."""
    answer = asked({"spec": {**SHEET, **told}})
    assert answer.decision == "unsure"
    assert "item.spec.fp16_dense_tflops" in answer.missing
    known = asked({"spec": {**SHEET, **told, "fp16_dense_tflops": "0"}})
    assert known.decision == "permit"


def test_an_accelerator_called_a_memory_stack_is_refused() -> None:
    """Memory does not compute; the classes of chips would pass over it."""
    for sheet in ({"fp16_dense_tflops": "990"}, {"dies": [{"fp8_dense_tflops": "1"}]}):
        with pytest.raises(InvalidInput, match="does not compute"):
            asked({"form": "hbm", "spec": {"hbm": True, "stack_mm2": "900", **sheet}})


def test_a_word_against_the_table_takes_no_chip_out_of_the_data_centre() -> None:
    """An L40 that is called a desktop card: two answers to one question are none."""
    assert asked({"chip": "L40"}).decision == "licence"
    answer = asked({"chip": "L40", "datacenter": False})
    assert answer.decision == "unsure"
    assert any(name.startswith("item.datacenter: the chip table") for name in answer.missing)


def test_a_word_against_the_table_gives_a_chip_no_other_designer() -> None:
    """An Ascend that is called American."""
    thai = {**PARTY, "country": "TH", "headquarters": "TH", "parent_headquarters": "TH"}
    way = {"destination": "TH", "consignee": thai}
    assert asked({"chip": "Ascend 910B2"}, **way).decision == "licence"
    answer = asked({"chip": "Ascend 910B2", "designer_country": "US"}, **way)
    assert answer.decision == "unsure"
    assert any(name.startswith("item.designer_country: the chip table") for name in answer.missing)


WEIGHTS: Final = {
    "training_flop": str(2 * 10**26),
    "published": False,
    "base_published": True,
    "below_most_advanced_published": False,
    "synthetic": [],
}


def weights(**told: str) -> Decision:
    item = {"form": "weights", "weights": {**WEIGHTS, **told}}
    request = parse_request(json.dumps({**TRANSFER, "item": item, "count": 1}))
    return decide(request, load_pack("us-ear"), AT, reading="codified")


def test_a_base_that_cost_more_than_the_whole_is_refused() -> None:
    """A huge base would make every derivation a small share of it."""
    with pytest.raises(InvalidInput, match="more than all training operations"):
        weights(base_flop="9" * 38, added_flop=str(10**26))


def test_operations_that_belong_to_nobody_may_have_been_added() -> None:
    """A base of one operation and one added do not explain 2e26."""
    answer = weights(base_flop="1", added_flop="1")
    assert answer.decision == "unsure"
    assert answer.missing[0].startswith("item.weights.added_flop: ")
