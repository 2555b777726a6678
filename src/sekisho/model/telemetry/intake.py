"""What became of telemetry that came in: rows taken, rows refused and why, gaps seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

__all__ = ["Intake", "Reason", "Refusals"]

Reason: TypeAlias = Literal[
    "blank",  # a sentinel of the exporter or library: not measured
    "not a number",
    "negative",
    "out of range",
    "no time",
    "too old",
    "in the future",
    "no device",
    "unknown unit",
    "too many series",
    "malformed",
    "unknown chip",
    "no start",
    "ends before it starts",
    "no devices",
]


class Refusals(msgspec.Struct, frozen=True, kw_only=True):
    """How many samples were refused for one reason, with the first of them: where it stood and what it said."""

    reason: Reason
    count: int
    first: str
    remedy: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether the sender did something wrong: a blank only says that a device did not measure."""
        return self.reason != "blank"


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one delivery. taken + passed_over + duplicates + the refusals' counts = samples that came.

    `passed_over` are well-formed samples of quantities that metering does not use. `notes` say what a rule did
    that the sender may want to know (units converted, late rows, a clock that is off).
    """

    taken: int = 0
    passed_over: int = 0
    duplicates: int = 0
    refused: tuple[Refusals, ...] = ()
    gaps: int = 0
    notes: tuple[str, ...] = ()
    fields: Mapping[str, int] = {}

    @property
    def refused_count(self) -> int:
        return sum(refusal.count for refusal in self.refused)

    @property
    def fault_count(self) -> int:
        """Refused samples that the sender can mend; blanks are none of them."""
        return sum(refusal.count for refusal in self.refused if refusal.is_fault)
