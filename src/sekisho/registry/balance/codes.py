"""Change codes of a balance area's ledger, each with its fixed sign.

Source: the IAEA's and Euratom's inventory change codes (signs as regimes.md 2 states them) and our own, marked O. The
sign comes from the code, never from whoever reports. A pair's two halves bear the code with `-` and `+` behind it and
are made together.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput

__all__ = ["CODES", "PAIRS", "Code", "Sign", "parse_code", "signed"]

Sign: TypeAlias = Literal[-1, 0, 1]


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, which way it counts (0: as the report states, with its own sign), and whose word the code is.

    `key` names the code in the catalogue; `source` is S for the standards' own meaning of code and sign, O for a
    meaning that is ours.
    """

    code: str
    sign: Sign
    key: str
    source: Literal["S", "O"] = "S"


def _table(*rows: tuple[str, Sign, str, Literal["S", "O"]]) -> dict[str, Code]:
    return {
        code: Code(code=code, sign=sign, key=key, source=source) for code, sign, key, source in rows
    }


PAIRS: Final = ("CE", "CB", "CC", "RB", "BR", "PR", "SR", "CR", "RM")
"""Codes that always come as two lines, one out and one in."""

CODES: Final = _table(
    ("RD", 1, "domestic-receipt", "S"),
    ("RF", 1, "import", "S"),
    ("RN", 1, "receipt-from-outside", "S"),
    ("FC", 1, "from-conditioned-store", "S"),
    ("FW", 1, "from-cold-storage", "O"),
    ("GA", 1, "found", "S"),
    ("MP", 1, "other-production", "S"),
    ("CM", 1, "commissioned", "O"),
    ("SD", -1, "domestic-shipment", "S"),
    ("SF", -1, "export", "S"),
    ("SN", -1, "shipment-to-outside", "S"),
    ("TC", -1, "to-conditioned-store", "S"),
    ("TE", -1, "discarded", "S"),
    ("TW", -1, "to-cold-storage", "O"),
    ("LA", -1, "lost", "S"),
    ("TU", -1, "terminated", "S"),
    ("TH", -1, "stolen", "O"),
    ("DS", -1, "destroyed", "O"),
    ("EU", -1, "exempt-use", "O"),
    ("NP", 0, "reported-production", "S"),
    ("NL", 0, "reported-loss", "S"),
    ("DI", 0, "shipper-receiver-difference", "S"),
    ("NM", 0, "new-measurement", "S"),
    ("BJ", 0, "balance-adjustment", "S"),
    ("MF", 0, "material-unaccounted-for", "S"),
    ("RA", 0, "rounding", "S"),
    ("R5", 0, "rounding-other", "S"),
    ("BA", 0, "book-adjusted", "S"),
    *((f"{pair}-", -1, "pair-out", "S" if pair not in ("RB", "RM") else "O") for pair in PAIRS),
    *((f"{pair}+", 1, "pair-in", "S" if pair not in ("RB", "RM") else "O") for pair in PAIRS),
)
"""Every code that a line may bear. `EU` and those with sign 0 stand in reports only, never in the register's lines."""


def parse_code(text: str, path: str = "") -> Code:
    """The code of a report's line. Raises InvalidInput for one that the table does not have."""
    if text in CODES:
        return CODES[text]
    if text in PAIRS:
        raise InvalidInput(f"{text} is a pair: write its halves as {text}- and {text}+", path=path)
    raise InvalidInput(f"no change code {text!r}: one of {', '.join(CODES)}", path=path)


def signed(code: str, count: int, *, reverses: bool = False) -> int:
    """What so many lines of a code add to the book. Raises InvalidInput for a code without a fixed sign."""
    known = parse_code(code)
    if known.sign == 0:
        raise InvalidInput(
            f"{code} has no fixed sign: its line states one, lines of the book have none"
        )
    return -known.sign * count if reverses else known.sign * count
