"""Figures as people in Japan and elsewhere type them: full width, 万 and 億, commas, powers of ten, days for hours.

Everything is exact. NFKC comes first, so that full-width digits, signs and percent count as their plain forms.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from sekisho.model.errors import InvalidInput

__all__ = ["format_exact", "plain_form", "read_amount", "read_threshold"]

_MOST: Final = 80
_DIGITS: Final = 38
_MYRIADS: Final[Mapping[str, int]] = {
    "千": 10**3,
    "万": 10**4,
    "億": 10**8,
    "兆": 10**12,
    "京": 10**16,
}
# A group: a decimal with an optional power of ten and an optional myriad, "3.8×10^25", "10^25", "1億", "2.5e3".
_GROUP: Final = re.compile(
    r"(?:10\^(?P<bare>[0-9]{1,2})(?![0-9])"
    r"|(?P<digits>[0-9]{1,40}(?:\.[0-9]{1,12})?)"
    r"(?:(?:e\+?|[x*×]10\^)(?P<power>[0-9]{1,2})(?![0-9]))?)(?P<myriad>[千万億兆京])?"
)
_WRITTEN: Final = re.compile(r"[0-9]{1,60}(\.[0-9]{1,12})?(/[1-9][0-9]{0,60})?")
_THOUSANDS: Final = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
# NFKC would make 10²⁵ the number 1025.
_RAISED: Final = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
# What a unit may add, and by how much it multiplies; lengths of time are given as upper bounds (a month of 31 days).
_UNITS: Final[Mapping[str, Mapping[str, Fraction]]] = {
    "hours": {
        name: Fraction(hours)
        for names, hours in (
            (("時間", "hours", "hour", "hrs", "h"), 1),
            (("日間", "日", "days", "day", "d"), 24),
            (("週間", "週", "weeks", "week", "w"), 24 * 7),
            (("か月", "ヶ月", "ケ月", "カ月", "ヵ月", "月", "months", "month"), 24 * 31),
            (("年間", "年", "years", "year", "y"), 24 * 366),
        )
        for name in names
    },
    "%": {name: Fraction(1) for name in ("%", "パーセント", "percent")},
    "FLOP": {name: Fraction(1) for name in ("flops", "flop", "operations")},
    "TFLOP/s": {
        **{name: Fraction(1) for name in ("tflop/s", "tflops", "tera")},
        **{name: Fraction(1000) for name in ("pflop/s", "pflops")},
    },
    "chips": {
        name: Fraction(1) for name in ("枚", "個", "基", "台", "gpus", "gpu", "chips", "chip")
    },
    "items": {
        name: Fraction(1) for name in ("枚", "個", "基", "台", "items", "servers", "chips", "units")
    },
    "runs": {name: Fraction(1) for name in ("回", "times", "runs")},
    "shipments": {name: Fraction(1) for name in ("回", "件", "times", "shipments")},
    "customers": {name: Fraction(1) for name in ("社", "件", "customers")},
    **{
        name: {
            word: Fraction(1) for word in ("円", "yen", "jpy", "usd", "dollars", "$", "¥", "ドル")
        }
        for name in ("money/hour", "money/day", "money/year")
    },
}


def plain_form(text: str) -> str:
    """NFKC, folded case, no spaces or underscores, powers as ^: what figures and words are compared in."""
    raised = _RAISED.sub(lambda match: f"^{match[0]}", text)
    plain = re.sub(r"[\s_]+", "", unicodedata.normalize("NFKC", raised).casefold())
    return _THOUSANDS.sub("", plain)


def read_amount(text: str, unit: str, *, path: str = "") -> Fraction:
    """An amount in `unit`, exactly. Raises InvalidInput for anything else, and above 38 digits."""
    plain = plain_form(text) if len(text) <= _MOST else ""
    rest, factor = _without_unit(plain, unit)
    total = _sum_of_groups(rest)
    if total is None or total * factor >= 10**_DIGITS:
        raise InvalidInput(
            f"{text[:40]!r} is not an amount in {unit}",
            path=path,
            remedy="write digits: 5760, 1.2億, 3.8e25, 40%",
        )
    return total * factor


def format_exact(value: Fraction | int) -> str:
    """The decimal of an amount with at most six places, rounded up beyond: an upper bound stays one."""
    scaled = -(-Fraction(value) * 10**6 // 1)
    whole, part = divmod(int(scaled), 10**6)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def read_threshold(text: str) -> Fraction | None:
    """The number that a decision's trace writes, of an interval its upper end; None where it is no number."""
    upper = text.rpartition(" to ")[2]
    return Fraction(upper) if _WRITTEN.fullmatch(upper) else None


def _without_unit(plain: str, unit: str) -> tuple[str, Fraction]:
    for word, factor in sorted(_UNITS.get(unit, {}).items(), key=lambda item: -len(item[0])):
        if plain.endswith(word) and plain != word:
            return plain.removesuffix(word), factor
        if word in {"$", "¥"} and plain.startswith(word):
            return plain.removeprefix(word), factor
    return plain, Fraction(1)


def _sum_of_groups(text: str) -> Fraction | None:
    """`3億5000万` is 350,000,000: groups fall from myriad to myriad. None where it is no number."""
    total, position, last = Fraction(0), 0, 10**20
    while position < len(text):
        match = _GROUP.match(text, position)
        if match is None:
            return None
        myriad = _MYRIADS.get(match["myriad"] or "", 1)
        if myriad >= last:
            return None
        total += _group_value(match) * myriad
        position, last = match.end(), myriad
    return total if text else None


def _group_value(match: re.Match[str]) -> Fraction:
    """`3.8×10^25`, `3.8e25`, `10^25` or plain digits."""
    if match["bare"] is not None:
        return Fraction(10 ** int(match["bare"]))
    return Fraction(match["digits"]) * Fraction(10 ** int(match["power"] or 0))
