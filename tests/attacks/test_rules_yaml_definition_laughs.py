"""Attack: definitions that each use the one above twice, so that unfolding them doubles sixty times."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import decide, decide_plainly
from sekisho.rules.requests import ItemAsked, TransferRequest
from sekisho.rules.review import check_pack
from tests.written_packs import FULL, line_of, overlay_text, read, read_over

AT = parse_date_or_instant("2026-05-01")


def _definition(name: str, below: str, source: str = "law", since: str = "2022-01-01") -> str:
    """Neither always true nor always false: it asks for the one below in two ways."""
    asked = f"{{definition: {below}, is: true}}"
    return (
        f"  {name}:\n    means: x\n    means-ja: x\n    versions:\n"
        f"      - {{from: {since}, when: {{any: [{asked}, {{not: {asked}}}]}}, "
        f"source: {source}, cite: x, mark: P}}\n"
    )


def _laughing(levels: int) -> str:
    names = ["dense", *(f"d{n}" for n in range(levels))]
    made = "".join(_definition(name, below) for below, name in pairwise(names))
    text = FULL.replace("rules:\n  - id: to", made + "rules:\n  - id: to", 1)
    return text.replace("definition: controlled, is: true", f"definition: {names[-1]}, is: true")


def test_definitions_that_double_are_refused_at_a_bound() -> None:
    """With the line of the first that is too long: 2^10 limbs."""
    text = _laughing(60)
    with pytest.raises(InvalidInput, match="d9 comes to 1024 limbs") as caught:
        read(text)
    assert caught.value.path == f"p.yaml:{line_of(text, '  d9:') + 1}"


def test_below_the_bound_they_are_decided_and_checked_in_bounded_time() -> None:
    """512 limbs behind one, by the engine, the plain way, and the checks."""
    began = time.monotonic()
    pack = read(_laughing(9))
    request = TransferRequest(kind="transfer", id="t", item=ItemAsked(form="ic"), destination="CN")
    assert decide(request, pack, AT).decision == decide_plainly(request, pack, AT).decision
    check_pack(pack, AT)
    assert time.monotonic() - began < 60


def test_a_rule_of_many_long_definitions_is_refused() -> None:
    """Each is short enough, their sum is not."""
    limb = "{definition: d8, is: true}"
    text = _laughing(9).replace(limb, f"{{any: [{', '.join([limb] * 3)}]}}")
    with pytest.raises(InvalidInput, match="comes to 1538 limbs"):
        read(text)


def test_a_pack_of_many_long_rules_is_refused() -> None:
    """Each is short enough, forty of them are not."""
    rule = _laughing(9)
    rule = rule[rule.index("  - id: to-concern") : rule.index("  - id: thirsty")]
    rules = "".join(rule.replace("to-concern", f"r{n}") for n in range(40))
    with pytest.raises(InvalidInput, match="the pack comes to more than"):
        read(_laughing(9).replace("  - id: thirsty", rules + "  - id: thirsty"))


def test_a_reform_cannot_make_its_bases_rules_endless() -> None:
    """The base's definition gets a later meaning that doubles what it means."""
    base = _laughing(9)
    rest = (
        "definitions:\n  dense:\n    versions:\n      - {from: 2026-01-01, when: {all: ["
        + ", ".join(['{quantity: tpp, op: ">", value: 1, unit: TPP}'] * 3)
        + "]}, source: bill-tighter, cite: x, mark: O}\n"
    )
    assert overlay_text(rest, base)
    with pytest.raises(InvalidInput, match="comes to 1536 limbs"):
        read_over(rest, base)
