"""法人番号: the thirteen digits by which Japan's tax agency names a company, with their check digit.

check = 9 - (sum of P_n x Q_n mod 9), n counted from the lowest of the twelve base digits, Q = 1 for odd n and 2 for
even n. It cannot see a 0 that was swapped with a 9.
"""

from __future__ import annotations

import re
import unicodedata

from sekisho.model.errors import InvalidInput

__all__ = ["parse_corporate_number"]


def parse_corporate_number(text: str, *, path: str = "") -> str:
    """The thirteen digits, half width, without hyphens, spaces or a leading T. Raises InvalidInput."""
    plain = re.sub(r"[\s\-‐‑–—−ー]", "", unicodedata.normalize("NFKC", text)).removeprefix("T")
    if not re.fullmatch(r"[0-9]{13}", plain):
        raise InvalidInput(
            "is not thirteen digits", path=path, remedy="write the 法人番号 as registered"
        )
    if int(plain[0]) != _check_digit(plain[1:]):
        raise InvalidInput(
            "its check digit does not fit", path=path, remedy="compare each digit with the register"
        )
    return plain


def _check_digit(base: str) -> int:
    total = sum(int(digit) * (1 if n % 2 else 2) for n, digit in enumerate(reversed(base), 1))
    return 9 - total % 9
