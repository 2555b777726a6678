"""Exact amounts: decimal strings on the wire, integers and rationals inside, never floating point.

FLOP are non-negative integers of at most 38 digits (the widest exact decimal that both analytics engines
hold); other amounts are signed decimals without negative zero. Source: protocol section 1.
"""

from __future__ import annotations

import re
from fractions import Fraction

from sekisho.model.errors import InvalidInput

__all__ = [
    "MAX_FLOP",
    "format_flop",
    "format_flop_short",
    "parse_amount",
    "parse_flop",
    "parse_quantity",
]

_FLOP = re.compile(r"0|[1-9][0-9]{0,37}")
_AMOUNT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_SCIENTIFIC = re.compile(r"([0-9]{1,40})(?:\.([0-9]{1,40}))?(?:[eE]\+?([0-9]{1,2}))?")
MAX_FLOP = 10**38 - 1


def parse_flop(text: object, *, path: str = "") -> int:
    """Read a wire FLOP value; anything but 0 or a plain integer of up to 38 digits is refused."""
    if not isinstance(text, str) or not _FLOP.fullmatch(text):
        raise InvalidInput(
            "is not a FLOP amount",
            path=path,
            remedy="write a whole number of at most 38 digits, as a string",
        )
    return int(text)


def format_flop(flop: int) -> str:
    """The wire form of a FLOP amount. Raises InvalidInput outside 0 .. 10^38 - 1."""
    if not 0 <= flop <= MAX_FLOP:
        raise InvalidInput("a FLOP amount must lie between 0 and 10^38 - 1")
    return str(flop)


def format_flop_short(flop: int) -> str:
    """For people: three significant digits, `1.25e21 FLOP`; small amounts in full."""
    if flop < 10_000:
        return f"{flop} FLOP"
    digits = str(flop)
    exponent = len(digits) - 1
    mantissa = round(int(digits[:4]) / 10)
    if mantissa == 1000:
        mantissa, exponent = 100, exponent + 1
    return f"{mantissa // 100}.{mantissa % 100:02d}e{exponent} FLOP"


def parse_amount(text: object, *, path: str = "") -> Fraction:
    """Read a wire amount (not FLOP) exactly; negative zero and exponents are refused."""
    if not isinstance(text, str) or len(text) > 80 or not _AMOUNT.fullmatch(text):
        raise InvalidInput(
            "is not a decimal amount", path=path, remedy="write it as a string like '12.5'"
        )
    value = Fraction(text)
    if text.startswith("-") and value == 0:
        raise InvalidInput("is negative zero", path=path, remedy="write 0")
    return value


def parse_quantity(text: str, *, path: str = "") -> int:
    """Read a count that a person or a table wrote (`1e24`, `6.5e11`, `1207959552.0`) exactly.

    Raises InvalidInput where it is not a whole non-negative number of at most 38 digits.
    """
    match = _SCIENTIFIC.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(
            f"{text[:40]!r} is not a non-negative number", path=path, remedy="write it like 1e24"
        )
    whole, fraction, exponent = match.group(1), match.group(2) or "", int(match.group(3) or 0)
    value = Fraction(int(whole + fraction) * 10**exponent, 10 ** len(fraction))
    if value.denominator != 1 or value > MAX_FLOP:
        raise InvalidInput(f"{text[:40]!r} is not a whole number of at most 38 digits", path=path)
    return value.numerator
