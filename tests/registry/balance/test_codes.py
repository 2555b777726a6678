from __future__ import annotations

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.registry.balance import CODES, PAIRS, parse_code, signed

PLUS = "RD RF RN FC FW GA MP"
MINUS = "SD SF SN TC TE TW LA TU"
AS_REPORTED = "NP NL DI NM BJ MF RA R5 BA"


@pytest.mark.parametrize(("codes", "sign"), [(PLUS, 1), (MINUS, -1), (AS_REPORTED, 0)])
def test_the_standards_codes_have_the_standards_signs(codes: str, sign: int) -> None:
    """As regimes.md 2 lists them."""
    assert {CODES[code].sign for code in codes.split()} == {sign}


def test_a_pair_has_one_half_out_and_one_in() -> None:
    """So that its two lines come to nothing."""
    assert all(CODES[f"{pair}-"].sign == -1 and CODES[f"{pair}+"].sign == 1 for pair in PAIRS)
    with pytest.raises(InvalidInput, match=r"halves as RB- and RB\+"):
        parse_code("RB")


def test_our_own_codes_are_marked() -> None:
    """A reader can tell the standards' words from ours."""
    assert {code for code, row in CODES.items() if row.source == "O"} == (
        set("CM TH DS EU FW TW".split()) | {"RB-", "RB+", "RM-", "RM+"}
    )


def test_the_sign_comes_from_the_code_and_a_reversal_turns_it() -> None:
    """Nobody passes a sign in."""
    assert (signed("RD", 3), signed("LA", 3), signed("LA", 3, reverses=True)) == (3, -3, 3)


@pytest.mark.parametrize(("code", "why"), [("XX", "no change code"), ("MF", "no fixed sign")])
def test_a_code_without_a_fixed_sign_adds_nothing_up(code: str, why: str) -> None:
    """It is refused by name."""
    with pytest.raises(InvalidInput, match=why):
        signed(code, 1)
