"""What is known of one run before metering: its chips and time, and what its operator says beside."""

from __future__ import annotations

from fractions import Fraction

import msgspec

__all__ = ["RowError", "RunRecord"]


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run as a record tells it; None is "not stated", never zero.

    `chip` is the name as written, `seconds` the time that `chips` chips were allocated, exactly. Precision,
    utilisation and energy are the operator's word: they never tighten a bound.
    """

    run_id: str
    chip: str = ""
    chips: int | None = None
    seconds: Fraction | None = None
    precision: str = ""
    utilisation: Fraction | None = None
    sm_clock_ratio: Fraction | None = None
    energy_j: Fraction | None = None
    params: int | None = None
    tokens: int | None = None
    benchmark: str = ""
    samples: int | None = None
    system: str = ""
    declared: int | None = None
    line: int = 0


class RowError(msgspec.Struct, frozen=True, kw_only=True):
    """A row that cannot be read: its line in the file, and why."""

    line: int
    error: str
