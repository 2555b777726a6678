"""The attack: an amount a hair from a threshold, which floating point would put on the wrong side."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import decide, decide_plainly, load_pack, parse_request
from sekisho.rules.facts import AmountFact
from sekisho.rules.limbs import judge_limb
from sekisho.rules.pack import AmountLimb

AT = parse_date_or_instant("2026-02-01")


@pytest.mark.parametrize(
    ("flop", "word"),
    [(10**24 - 1, "licence"), (10**24, "licence"), (10**24 + 1, "deny"), (10**37 + 1, "deny")],
)
def test_one_operation_more_than_a_threshold_is_more(flop: int, word: str) -> None:
    """In floating point 10^24 + 1 is 10^24. Both ways of deciding agree."""
    request = parse_request(
        f'{{"id": "r", "origin": "scratch", "planned_flop": "{flop}", "jurisdictions": ["JP"],'
        f' "cluster": {{"networked": true, "chips": [{{"chip": "H100", "count": 1}}]}}}}'
    )
    assert decide(request, load_pack(), AT).decision == word
    assert decide_plainly(request, load_pack(), AT).decision == word


@pytest.mark.parametrize(
    ("fp16", "tpp", "truth"),
    [
        ("299.999999", "4799.999984", "false"),
        ("300", "4800", "true"),
        ("300.000001", "4800.000016", "true"),
    ],
)
def test_a_millionth_of_a_teraflop_decides_what_a_chip_is(fp16: str, tpp: str, truth: str) -> None:
    """300 TFLOP/s at 16 bits are 4800 TPP; 299.999999 are 4799.999984."""
    request = parse_request(
        '{"kind": "transfer", "id": "t", "item": {"spec": {"fp16_dense_tflops": "'
        + fp16
        + '", "die_mm2": "5000", "datacenter": true}}, "count": 1}'
    )
    answer = decide(request, load_pack("us-ear"), AT)
    limbs = [
        limb
        for definition in answer.definitions
        for limb in definition.limbs
        if limb.parameter == "tpp-a" and limb.op == ">="
    ]
    assert {(limb.value, limb.truth) for limb in limbs} == {(tpp, truth)}


@pytest.mark.parametrize(
    ("share", "truth"), [(Fraction(333333, 10**6), "false"), (Fraction(333334, 10**6), "true")]
)
def test_an_exact_fraction_is_kept_where_no_decimal_holds_it(share: Fraction, truth: str) -> None:
    """More than a third is neither 0.333333 nor a rounding of it."""
    third = AmountLimb(quantity="q", op=">", value=Fraction(1, 3), unit="share")
    assert judge_limb(third, AmountFact(low=share, high=share), None)[0] == truth
    exactly = AmountFact(low=Fraction(1, 3), high=Fraction(1, 3))
    assert judge_limb(third, exactly, None)[0] == "false"
