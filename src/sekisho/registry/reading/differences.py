"""What can differ about an item, in stable words, and how a difference says why."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

__all__ = ["SERIOUS", "Difference", "DifferenceCode", "Verdict"]

Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]
DifferenceCode: TypeAlias = Literal[
    "clone",
    "other-uuid",
    "other-serial",
    "other-device-key",
    "stolen-observed",
    "retired-observed",
    "lost-observed",
    "not-received",
    "unregistered",
    "elsewhere",
    "model-mismatch",
    "holder-mismatch",
    "state-mismatch",
    "missing",
    "undeclared",
    "count-mismatch",
]
SERIOUS: Final[frozenset[DifferenceCode]] = frozenset(
    {
        *("clone", "other-uuid", "other-serial", "other-device-key", "stolen-observed"),
        *("retired-observed", "lost-observed", "unregistered", "elsewhere", "missing"),
    }
)
"""What is worth a finding in the log where it fails."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not fit about one item. `sources` name a file's line, a node's message, an event."""

    code: DifferenceCode
    verdict: Literal["fails", "unverifiable"]
    item: str
    epc: str = ""
    model: str = ""
    reasons: tuple[str, ...]
    sources: tuple[str, ...]
