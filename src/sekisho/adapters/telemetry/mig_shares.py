"""What share of its chip a MIG slice is, by the name of its profile.

The memory in a profile's name is not read: exporters print 1g.11gb for 1g.12gb.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

__all__ = ["MigShare", "mig_share"]

# As 3g.40gb, 1c.3g.40gb, 1g.10gb+me; some exporters write MIG before it.
_PROFILE: Final = re.compile(
    r"(?:MIG )?(?:([1-7])c\.)?([1-7])g\.\d{1,4}gb(?:[+-][a-z.]{1,12})*", re.ASCII
)
# Compute slices of a whole chip; 7 where no line fits (NVIDIA MIG user guide, supported GPUs).
_SLICES_OF: Final = (
    (re.compile(r"\bA30\b"), 4),
    (re.compile(r"\bRTX PRO 6000\b"), 4),
    (re.compile(r"\bRTX PRO (?:5000|4500)\b"), 2),
)
_USUAL: Final = 7


class MigShare(msgspec.Struct, frozen=True):
    """So many compute slices of those that the whole chip has."""

    slices: int
    of: int


def mig_share(profile: str, chip: str) -> MigShare | None:
    """The 3 of 7 of 3g.40gb on an H100, the 1 of 1c.3g.40gb; None for no profile, or one that the chip does not have.

    None too where nobody names the chip: 1g is a seventh of one and a quarter of another.
    """
    found = _PROFILE.fullmatch(profile.strip())
    if found is None or not chip:
        return None
    slices = int(found[1] or found[2])
    of = next((most for name, most in _SLICES_OF if name.search(chip)), _USUAL)
    return MigShare(slices, of) if slices <= of else None
