"""Two clocks: the earliest and the latest that it can be (protocol section 4).

What permits (a lease) ends by the latest; what restricts (an order) ends by the earliest. Whoever sets the system
clock can thus only stop work sooner and keep it stopped longer.
"""

from __future__ import annotations

import msgspec

from sekisho.model.instants import Instant

__all__ = ["BEGINNING", "TwoClocks"]

BEGINNING = Instant(0)
BEHIND_S = 5.0
AHEAD_S = 3_600.0


class TwoClocks(msgspec.Struct, frozen=True, kw_only=True):
    """The newest time that a witness quorum signed (its median), and the elapsed time at which it was learned.

    A signed time is in the past when it arrives, so it plus the elapsed time since is never later than the truth.
    `known` is what the agent before this one had come to by then, and `known_at_s` when: without it a restart and a
    system clock set back would make a lease young again. It comes from a file of the host's own, so nothing that
    restricts ends by it.
    """

    signed: Instant | None = None
    at_s: float = 0.0
    known: Instant | None = None
    known_at_s: float = 0.0

    def heard(self, signed: Instant, elapsed_s: float) -> TwoClocks:
        """The clocks after a cosigned checkpoint; an older one than what is known by now changes nothing."""
        if signed <= self.earliest(elapsed_s):
            return self
        return msgspec.structs.replace(self, signed=signed, at_s=elapsed_s)

    def remembering(self, known: Instant | None, at_s: float) -> TwoClocks:
        """The clocks of an agent that takes over from one before it, on the same elapsed-time source."""
        return msgspec.structs.replace(self, known=known, known_at_s=at_s)

    def earliest(self, elapsed_s: float) -> Instant:
        """The beginning of time where no witness has spoken yet: then nothing that restricts has ended."""
        if self.signed is None:
            return BEGINNING
        return self.signed.plus(max(elapsed_s - self.at_s, 0.0))

    def latest(self, elapsed_s: float, system: Instant) -> Instant:
        """The system clock, or whatever is known to be past besides."""
        known = BEGINNING if self.known is None else self.known
        passed = max(elapsed_s - self.known_at_s, 0.0) if self.known is not None else 0.0
        return max(self.earliest(elapsed_s), system, known.plus(passed))

    def check(self, elapsed_s: float, system: Instant) -> str | None:
        """What is wrong with the system clock, as a finding's code: `clock-behind`, `clock-ahead` or nothing.

        Ahead is told only by a wide margin, since signed times grow old while the log is quiet.
        """
        if self.signed is None:
            return None
        gap = system.since(self.earliest(elapsed_s))
        if gap < -BEHIND_S:
            return "clock-behind"
        return "clock-ahead" if gap > AHEAD_S else None
