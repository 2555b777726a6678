"""What a scheduler's gate is shown: whether new work of this host's run may come in, and where not, why and what helps.

The picture follows from the same decision as everything else, so that the gate is never more open than the agent.
"""

from __future__ import annotations

import msgspec

from sekisho.agent.decide import Decision, Situation, decide
from sekisho.following import Finding
from sekisho.licensing.ledger import LicenceState
from sekisho.model.errors import Unavailable
from sekisho.model.instants import Instant
from sekisho.model.statements import Mode
from sekisho.ports.gate import Gate, GatePicture, RunGate

__all__ = ["ACK_PATIENCE_S", "GateView", "Gatekeeper", "is_due", "picture_of"]

ACK_PATIENCE_S = 2.0
"""How long a quantum's acknowledgement may be under way before the gate is shut for lack of it."""
UNLICENSED_FOR_S = 60.0
QUANTA = 2
LEAST_GOOD_S = 5.0
"""Below this a busy machine would shut a gate that is open; what starts late is ended by the watchdog."""


class GateView(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and when: the host, its run, the licence of that run if there is one, and the latest clock."""

    host: str
    run: str
    licence: LicenceState | None
    latest: Instant


class _Shut(msgspec.Struct, frozen=True):
    rule: str
    reason: str
    remedy: str


def picture_of(view: GateView, situation: Situation, decision: Decision) -> GatePicture:
    """The picture now, good until two quanta have passed or the lease ends, whichever is first.

    A run without a licence is not named: to the gate it is unknown.
    """
    state = view.licence
    if state is None or not situation.is_bound:
        until = view.latest.plus(UNLICENSED_FOR_S)
        # How strict a site is says its licence; before there is one, the charter.
        is_lenient = situation.busy_without_lease == "advise" or not situation.is_bound
        advised: Mode = "advise" if is_lenient else "kill"
        return GatePicture(host=view.host, mode=advised, written=view.latest, until=until)
    shut = _why_shut(situation, decision, state.licence.lease.quantum_s)
    run = RunGate(
        run=view.run,
        licence=state.licence.number,
        is_open=shut is None,
        rule=shut.rule if shut else "",
        reason=shut.reason if shut else "",
        remedy=shut.remedy if shut else "",
    )
    mode: Mode = state.licence.mode
    return GatePicture(
        host=view.host,
        mode=mode,
        written=view.latest,
        until=view.latest.plus(_good_for_s(situation, state, is_open=shut is None)),
        runs=(run,),
        grace_s=state.licence.lease.grace_s,
    )


def is_due(shown: GatePicture | None, picture: GatePicture) -> bool:
    """Whether a picture has to be shown: nothing was, something changed, or the old one is half used up."""
    if shown is None or (shown.runs, shown.mode, shown.grace_s) != (
        picture.runs,
        picture.mode,
        picture.grace_s,
    ):
        return True
    used = picture.written.since(shown.written)
    return used < 0 or 2 * used >= shown.until.since(shown.written)


def _good_for_s(situation: Situation, state: LicenceState, *, is_open: bool) -> float:
    """A shut gate is as shut when its picture is too old: only an open one has to end with the lease."""
    length = max(float(QUANTA * state.licence.lease.quantum_s), LEAST_GOOD_S)
    if is_open and situation.lease is not None:
        length = min(length, situation.lease.ends_s)
    return max(length, 0.0)


def _why_shut(situation: Situation, decision: Decision, quantum_s: int) -> _Shut | None:
    """None where new work may come in: the run is under way, and the decision lets further work start."""
    if situation.work == "running" and _lets_in(situation, decision, quantum_s):
        return None
    reason = "; ".join(decision.reasons)
    orders = ", ".join(f"{order.register} {order.number}" for order in situation.demand.orders)
    lease = situation.lease
    rows = (
        (bool(orders), "order-in-force", f"order {orders} is in force", "wait until it is lifted"),
        (
            situation.outstanding_s is not None,
            "order-outstanding",
            "an order is known of and not at hand yet",
            "wait until the agent has fetched it",
        ),
        (
            situation.licence_revoked or situation.licence_suspended,
            "licence-withdrawn",
            "the licence is revoked or suspended",
            "ask the authority that issued it",
        ),
        (lease is None, "no-lease", "the run has no lease", "wait for the agent to get one"),
        (
            lease is not None and lease.ends_s <= 0,
            "lease-ended",
            "the run's lease has ended",
            "wait for the next one",
        ),
        (
            not situation.affordable,
            "budget-spent",
            "the lease has no room for more work",
            "wait for the next lease, or ask for an amendment",
        ),
        (
            not situation.acknowledged and situation.tier != "C2",
            "not-acknowledged",
            "the issuer does not acknowledge",
            "submit again once it is reachable",
        ),
    )
    found = next((_Shut(*words) for holds, *words in rows if holds), None)
    return found or _Shut("work-stopped", reason or "the run is stopped", "wait until it goes on")


def _lets_in(situation: Situation, decision: Decision, quantum_s: int) -> bool:
    """Each quantum begins with a receipt under way: its silence counts only once it has lasted."""
    if decision.new_work:
        return True
    left = situation.quantum_ends_s
    if situation.acknowledged or left is None or quantum_s - left >= ACK_PATIENCE_S:
        return False
    return decide(msgspec.structs.replace(situation, acknowledged=True)).new_work


class Gatekeeper:
    """Shows the gate what is new, and no more often than has to be."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._shown: GatePicture | None = None

    def keep(self, view: GateView, situation: Situation, decision: Decision) -> tuple[Finding, ...]:
        """Show the picture where it is due; a finding where it cannot be shown: the old one ages and shuts."""
        picture = picture_of(view, situation, decision)
        if not is_due(self._shown, picture):
            return ()
        try:
            self._gate.show(picture)
        except Unavailable as error:
            return (Finding(code="gate-not-shown", detail=str(error)),)
        self._shown = picture
        return ()
