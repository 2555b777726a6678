"""When a halt is to be observed anew, so that its verdict does not lapse while the order stands. Pure.

The instant is derived from the nonce of the last observation, so that hosts that halted together are not all due at
once. Everybody can compute it; an observer therefore adds a delay that only it knows, and both together stay below
half of the verdict's time. Source: protocol section 9.
"""

from __future__ import annotations

from typing import Final

from sekisho.model.instants import Instant
from sekisho.model.statements import ObservationMade

__all__ = ["due_again", "longest_delay_s"]

_EARLIEST: Final = 3  # eighths of the verdict's time
_SIXTEENTHS: Final = 16
_JITTER_DIGITS: Final = 8


def due_again(observed: ObservationMade, halt_verdict_s: int) -> Instant:
    """When a halt may be observed anew: 6 to 7 sixteenths of the verdict's time after the last look."""
    drawn = int(observed.nonce[:_JITTER_DIGITS], 16) / 16**_JITTER_DIGITS
    eighth, sixteenth = halt_verdict_s / 8, halt_verdict_s / _SIXTEENTHS
    return observed.readings[-1].at.plus(_EARLIEST * eighth + drawn * sixteenth)


def longest_delay_s(halt_verdict_s: int) -> float:
    """How long an observer may wait beyond that, by its own secret draw: the last sixteenth before the half."""
    return halt_verdict_s / _SIXTEENTHS
