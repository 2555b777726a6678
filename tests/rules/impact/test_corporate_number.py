"""法人番号 with its check digit."""

from __future__ import annotations

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.rules.impact.corporate_number import parse_corporate_number


@pytest.mark.parametrize(
    "text", ["7123456789012", "４０１１００１０９８９９３", "T7123456789012", "7-1234-5678-9012"]
)
def test_a_number_of_the_register_is_read_in_any_width(text: str) -> None:
    """Half width, without what people put between the digits."""
    assert parse_corporate_number(text) in ("7123456789012", "4011001098993")


@pytest.mark.parametrize("text", ["", "123", "71234567890123", "712345678901x", "法人番号"])
def test_what_is_not_thirteen_digits_is_refused(text: str) -> None:
    """The remedy names the register."""
    with pytest.raises(InvalidInput, match="thirteen digits"):
        parse_corporate_number(text)


@pytest.mark.parametrize("place", range(13))
def test_one_wrong_digit_is_seen(place: int) -> None:
    """Every single slip but a 0 taken for a 9."""
    right = "7123456789012"
    for digit in "0123456789":
        wrong = right[:place] + digit + right[place + 1 :]
        if wrong != right and {digit, right[place]} != {"0", "9"}:
            with pytest.raises(InvalidInput, match="check digit"):
                parse_corporate_number(wrong)
