"""Numbers in the one text that the event hash knows: plain decimals, no zeros behind, no exponent."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["number_text"]


def number_text(value: float) -> str:
    """`26.0` as `26`, `0.10` as `0.1`, `1e-5` as `0.00001`, `-0.0` as `0`. `value` is finite and below 2^53."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text
