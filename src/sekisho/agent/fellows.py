"""What a duty has to do with the other charters of its host. Under one charter alone: nothing at all.

A charter binds the host from its enrolment on. Once it has retired the host, only the quantum that runs is left of it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sekisho.agent.charge import Charge
from sekisho.agent.consent import decide_refusal
from sekisho.agent.decide import Decision, Situation, Work, permit_to_run
from sekisho.agent.host import Host
from sekisho.agent.quanta import Quanta
from sekisho.model.errors import StateConflict
from sekisho.ports.driver import StopMeans

__all__ = ["Fellows"]


class Fellows:
    """Implements joint_driver.Partner for one duty; `situation` tells how things stand for it at this moment."""

    def __init__(
        self, host: Host, quanta: Quanta, charge: Charge, situation: Callable[[], Situation]
    ) -> None:
        self._host = host
        self._quanta = quanta
        self._charge = charge
        self._situation = situation
        if host.seat is not None:
            host.seat.partner = self

    # --- of ours -----------------------------------------------------------------------------

    @property
    def is_bound(self) -> bool:
        """Whether this charter has a say over the host; where there is no other charter, always."""
        follower = self._host.follower
        if self._host.seat is None:
            return True
        if not follower.is_retired:
            return follower.enrolment() is not None
        ends_s = self._quanta.ends_s
        return ends_s is not None and ends_s - self._quanta.lead_s() > self._host.clock.elapsed_s()

    @property
    def is_leaving(self) -> bool:
        """Whether the charter has retired the host, so that no quantum begins under it any more."""
        return self._host.seat is not None and self._host.follower.is_retired

    def beside(self, situation: Situation) -> Situation:
        """The situation with what the other charters say; while work runs they stop it by themselves."""
        if self._host.seat is None or situation.work == "running":
            return situation
        return msgspec.structs.replace(situation, withheld=self._host.seat.refusals())

    def waive(self, situation: Situation, decision: Decision) -> None:
        """Where this charter only watches work that it has given no lease, its old permit must not end it."""
        seat = self._host.seat
        if seat is None:
            return
        watches = situation.work == "running" and decision.work == "run"
        if not situation.is_bound or (situation.lease is None and watches):
            seat.waive()

    # --- joint_driver.Partner ----------------------------------------------------------------

    def refusal(self) -> str | None:
        return decide_refusal(self._situation())

    def come_along(self) -> bool:
        """Receipt, state, counter and permit as at any quantum's beginning; the receipt leaves at once."""
        situation, seat = self._situation(), self._host.seat
        if seat is not None and (situation.lease is None or not situation.is_bound):
            seat.waive()
            return True
        try:
            given = self._quanta.begin(self._charge.work)
        except StateConflict:
            return False
        # Crash here: the counter is stepped and no permit given: the quantum counts in full, no work ran in it.
        self._charge.give_permit(permit_to_run(self._situation()))
        self._charge.forget_checkpoint()
        self._host.outbox.send_receipt(given)
        return True

    def hear_going(self) -> None:
        self._charge.hear_going()

    def hear_stopped(self, work: Work, means: StopMeans) -> None:
        self._charge.hear_stopped(work, means)
