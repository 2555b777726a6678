"""Numbers that mean "no number": the blanks of DCGM and NVML, as reported and as exporters have scaled them.

DCGM marks a missing value by a base value, and says why by adding 1 (not found), 2 (not supported), 3 (not
permitted), with room up to 15 (P: dcgm_structs.h, DCGM_INT32_BLANK, DCGM_INT64_BLANK, DCGM_FP64_BLANK). Exporters
print it as it is, or convert its unit first. NVML answers "not available" with all bits set.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["is_sentinel", "sentinels"]

_KIN: Final = 16
_BASES: Final = (2_147_483_632, 9_223_372_036_854_775_792, 140_737_488_355_328)
_NVML: Final = (4_294_967_295, 18_446_744_073_709_551_615)
# What dcgm-exporter 4.9.0 and others multiply or divide by: MHz and Hz, mJ and J, per cent and share, MiB and byte.
_SCALES: Final = (1.0, 1e2, 1e3, 1e6, 1e9, 1024.0, 1048576.0)
_NEAR: Final = 1e-15  # a scaled value may be off by its last bit
_SHIFT: Final = 44  # keeps sign, exponent and eight bits of the fraction


def is_sentinel(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which values are blanks. Two nanoseconds for a value that is none."""
    known, table = _known()
    found: npt.NDArray[np.bool_] = table[(values.view(np.int64) >> _SHIFT) & (len(table) - 1)]
    maybe = np.flatnonzero(found)
    if len(maybe):
        value = values[maybe]
        place = np.clip(np.searchsorted(known, value), 1, len(known) - 1)
        near = np.minimum(np.abs(known[place] - value), np.abs(value - known[place - 1]))
        found[maybe] = near <= value * _NEAR
    return found


def sentinels() -> tuple[float, ...]:
    """All of them, ascending."""
    return tuple(float(value) for value in _known()[0])


@lru_cache(maxsize=1)
def _known() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The values, and a table of the leading bits that any of them has."""
    plain = {float(base + kin) for base in _BASES for kin in range(_KIN)}
    plain |= {float(value) for value in _NVML}
    # As 32-bit floating point the blank integer becomes 2**31. A true 2 GiB is that number too, so it counts
    # as blank only where it is out of range anyway: it is not in this table.
    known = np.array(sorted({y for x in plain for s in _SCALES for y in (x * s, x / s)}))
    table = np.zeros(1 << (64 - _SHIFT), dtype=np.bool_)
    for factor in (1 - _NEAR, 1.0, 1 + _NEAR):
        table[(known * factor).view(np.int64) >> _SHIFT] = True
    table.flags.writeable = False
    return known, table
