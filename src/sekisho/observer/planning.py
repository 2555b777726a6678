"""Which halts an observer looks into now: new ones at once, those due again after a delay that only it knows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from sekisho.model.instants import Instant
from sekisho.observer.observe import HaltClaim
from sekisho.orders import longest_delay_s
from sekisho.ports.control import OpenHalt

__all__ = ["LookPlan"]


class _Halt(msgspec.Struct, kw_only=True):
    """One halt: when it was last looked into, from when it may be again, and whether slow instruments were ready."""

    halt: OpenHalt
    looked: Instant | None = None
    not_before: Instant | None = None
    settles: Instant | None = None


class LookPlan:
    """What an observer remembers of the halts that it looked into; a restart forgets it and loses nothing but delay."""

    def __init__(self) -> None:
        self._halts: dict[str, _Halt] = {}

    def due(self, listed: Iterable[OpenHalt], now: Instant) -> list[OpenHalt]:
        """What the board lists, and what was looked into before the site's slow instruments spoke of the halt."""
        found = {halt.receipt: halt for halt in listed}
        for receipt, known in self._halts.items():
            if known.settles is not None and now >= known.settles and receipt not in found:
                found[receipt] = known.halt
        return [halt for halt in found.values() if not self._is_waiting(halt.receipt, now)]

    def is_own(self, halt: OpenHalt) -> bool:
        """Whether only this plan asks for another look, and not the board."""
        known = self._halts.get(halt.receipt)
        return known is not None and known.settles is not None

    def forget(self, halt: OpenHalt) -> None:
        """The order is lifted: its halt is looked into no more."""
        self._halts.pop(halt.receipt, None)

    def may_look(
        self,
        halt: OpenHalt,
        claim: HaltClaim,
        verdict_s: int,
        now: Instant,
        draw: Callable[[], float],
    ) -> bool:
        """Whether this halt is looked into in this pass. One that is due again is given its delay here, once."""
        known = self._halts.setdefault(claim.receipt, _Halt(halt=halt))
        if known.looked is None or (known.settles is not None and now >= known.settles):
            return True
        if now.since(known.looked) < verdict_s / 4:
            return False  # the board still lists what was handed in a moment ago
        if known.not_before is None:
            known.not_before = now.plus(draw() * longest_delay_s(verdict_s))
        return now >= known.not_before

    def observed(self, claim: HaltClaim, at: Instant, settles_s: int) -> None:
        """An observation was handed in; while instruments were not ready yet, one more look follows soon."""
        known = self._halts[claim.receipt]
        ready = claim.given.plus(settles_s + _MARGIN_S)
        known.settles = ready if settles_s and at < ready else None
        known.looked, known.not_before = at, None

    def _is_waiting(self, receipt: str, now: Instant) -> bool:
        known = self._halts.get(receipt)
        return known is not None and known.not_before is not None and now < known.not_before


_MARGIN_S = 10
