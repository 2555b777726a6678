"""What the console needs of an impact beyond the rules themselves: paper to print on, and a salt for answers."""

from __future__ import annotations

import secrets

from sekisho.model.sheets import Sheet

__all__ = ["draw_salt", "print_paper"]


def print_paper(sheet: Sheet) -> bytes:
    """The PDF of a sheet. Raises Unavailable where the extra `paper` or a font for it is missing."""
    from sekisho.adapters.paper import print_sheet

    return print_sheet(sheet)


def draw_salt() -> str:
    """128 bits for the digest of answers, in hexadecimal."""
    return secrets.token_hex(16)
