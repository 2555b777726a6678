"""Figures from instruments, as exact decimals; files read whole within a size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.instants import Instant

__all__ = ["MAX_FILE", "parse_figure", "read_end", "round_figure", "written_at"]

MAX_FILE: Final = 1 << 20
_LARGEST: Final = Decimal(10) ** 9
_LONGEST: Final = 40
_PLACES: Final = Decimal("0.001")


def parse_figure(text: str, *, path: str) -> Decimal:
    """A figure as an instrument prints it. Raises InvalidInput for what is no plain, sensible, positive number."""
    try:
        value = Decimal(text.strip()) if 0 < len(text.strip()) <= _LONGEST else None
    except InvalidOperation:
        value = None
    return _sensible(value, text, path)


def round_figure(value: float, *, path: str, factors: Iterable[float] = ()) -> Decimal:
    """A figure that came as a floating number, times these, to a thousandth. Raises InvalidInput for no sensible one.

    Each number is taken as it is written: 7 percent times 0.01 times 100 is 7, and not just above it.
    """
    if not math.isfinite(value):
        return _sensible(None, str(value), path)
    exact = math.prod((Decimal(repr(factor)) for factor in factors), start=Decimal(repr(value)))
    return _sensible(exact, str(value), path)


def _sensible(value: Decimal | None, text: str, path: str) -> Decimal:
    if value is None or not value.is_finite() or not 0 <= value <= _LARGEST:
        raise InvalidInput(f"{text[:60]!r} is no figure of an instrument", path=path)
    # Rounded up: a figure just above rest must not be rounded down to it.
    return value.quantize(_PLACES, rounding="ROUND_CEILING")


def read_end(file: Path, *, limit: int = MAX_FILE) -> tuple[bytes, bool]:
    """The last `limit` bytes of a file, and whether that is all of it. Raises Unavailable."""
    try:
        with file.open("rb") as source:
            size = source.seek(0, 2)
            source.seek(max(0, size - limit))
            return source.read(limit), size <= limit
    except OSError as error:
        raise Unavailable(f"{file} cannot be read: {error.strerror}") from None


def written_at(file: Path) -> Instant:
    """When a file was last written, by this machine's clock. Raises Unavailable."""
    try:
        return Instant(file.stat().st_mtime_ns // 1000)
    except OSError as error:
        raise Unavailable(f"{file} cannot be read: {error.strerror}") from None
