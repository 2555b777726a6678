"""What an agent does about what is missing or wrong: the table of protocol section 10 as one pure decision.

Each row looks at the situation and says what it asks of running work, whether further work may start, and why. The
strictest row wins: run, checkpoint, freeze, kill, in this order. A hold never kills.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sekisho.agent.situation import Act, Decision, LeaseFacts, SetFacts, Situation, Start, Work
from sekisho.model.statements import Mode
from sekisho.orders import Demand
from sekisho.ports.driver import Permit

__all__ = [
    "Act",
    "Decision",
    "LeaseFacts",
    "SetFacts",
    "Situation",
    "Start",
    "Work",
    "decide",
    "permit_to_run",
]

_STRICTNESS: dict[Act, int] = {"none": 0, "run": 1, "checkpoint": 2, "freeze": 3, "kill": 4}
# What a licence's mode does to work that has outlived its permission; drain has had its checkpoint by then.
_MODE_ACT: dict[Mode, Act] = {
    "advise": "run",
    "block-new": "run",
    "drain": "kill",
    "freeze": "freeze",
    "kill": "kill",
}
_BUSY_ACT: dict[str, Act] = {"advise": "run", "freeze": "freeze", "stop": "kill"}
ADVISED_PERMIT_S = 30.0


class _Ruling(msgspec.Struct, frozen=True, kw_only=True):
    act: Act
    reason: str
    new_work: bool = False
    next_quantum: bool = False
    finding: str | None = None


_Row = Callable[[Situation], _Ruling | None]


def decide(situation: Situation) -> Decision:
    """The strictest of all rows that apply."""
    rows = _ROWS if situation.is_bound else (_free_row,)
    rulings = [ruling for row in rows if (ruling := row(situation)) is not None]
    new_work = situation.lease is not None and all(ruling.new_work for ruling in rulings)
    asked: Act = max((r.act for r in rulings), key=_STRICTNESS.__getitem__, default="run")
    act = _against_work(asked, situation.work, new_work=new_work)
    return Decision(
        work=act,
        new_work=new_work,
        next_quantum=situation.lease is not None and all(r.next_quantum for r in rulings),
        permit=_permit(act, situation),
        reasons=tuple(ruling.reason for ruling in rulings) or ("licensed",),
        findings=tuple(r.finding for r in rulings if r.finding is not None),
    )


def _against_work(asked: Act, work: Work, *, new_work: bool) -> Act:
    """What can be done with work in this state: none cannot be stopped, frozen cannot write a checkpoint."""
    if work == "none":
        return "run" if new_work and asked == "run" else "none"
    if work == "frozen" and (asked == "checkpoint" or (asked == "run" and not new_work)):
        return "freeze"
    return asked


def _permit(act: Act, situation: Situation) -> Permit | None:
    """How long the watchdog lets the work go on if the agent falls silent now."""
    now = situation.now_s
    if act == "freeze":
        return Permit(checkpoint_at_s=now, until_s=now, then="freeze")
    if act == "checkpoint" and situation.demand.effect == "checkpoint-then-stop":
        until = now + max(situation.demand.grace_s - situation.demanded_s, 0.0)
        return Permit(checkpoint_at_s=until, until_s=until, then="kill")  # asked for once, by us
    return permit_to_run(situation) if act == "run" else None


def permit_to_run(situation: Situation) -> Permit | None:
    """The permit of the quantum that runs: to its end, then the grace, then what the licence's mode says."""
    now, lease = situation.now_s, situation.lease
    if lease is None or situation.quantum_ends_s is None:
        return None
    advised = lease.mode in ("advise", "block-new")
    gentle = situation.demand.only_holds or advised or lease.mode == "freeze"
    end = now + max(situation.quantum_ends_s, 0.0)
    # Where the licence stops nothing the watchdog must not either, as long as the agent lives to say so.
    until = end + lease.grace_s + (ADVISED_PERMIT_S if advised else 0.0)
    return Permit(checkpoint_at_s=end, until_s=until, then="freeze" if gentle else "kill")


def _outage_left_s(situation: Situation) -> float:
    """How long grace lasts beyond its own length: to the end of a declared outage, but never where an order covers.

    An order that is known of and not at hand counts as one that covers (protocol sections 6 and 8).
    """
    covered = bool(situation.demand.orders) or situation.outstanding_s is not None
    return 0.0 if covered or situation.outage_s is None else max(situation.outage_s, 0.0)


def _spared(situation: Situation, over_s: float, what: str) -> _Ruling | None:
    """While an outage is declared running work goes on, quantum by quantum out of the allowance in hand.

    None where no outage spares it: also where it began after the grace was over, for then the issuer has forfeited the
    lease (`OutageBook.extend` says the same). Before the outage ends there is time for a checkpoint.
    """
    left = _outage_left_s(situation)
    if left <= 0.0 or situation.lease is None:
        return None
    if over_s - situation.outage_for_s > situation.lease.grace_s:
        return None
    late = left <= situation.lease.grace_s and not situation.has_checkpoint
    return _Ruling(
        act="checkpoint" if late else "run",
        next_quantum=not late,
        reason=f"{what}: spared by a declared outage for another {left:.0f} s",
    )


def _outlived(situation: Situation, over_s: float, what: str) -> _Ruling:
    """Within the grace a checkpoint, past it the effect of the licence, or a freeze while only a hold covers."""
    grace = situation.lease.grace_s if situation.lease else 0.0
    mode: Mode = situation.lease.mode if situation.lease else "kill"
    act = _MODE_ACT[mode]
    if over_s < grace:
        # A checkpoint is asked for before something is stopped; where nothing is, the asking may do harm itself.
        asked: Act = "run" if act == "run" else "checkpoint"
        return _Ruling(act=asked, reason=f"{what}: within the grace")
    if act == "kill" and situation.demand.only_holds:
        act = "freeze"
    finding = "runs-without-permission" if act == "run" and situation.work == "running" else None
    return _Ruling(act=act, reason=f"{what}: past the grace, {mode}", finding=finding)


def _start_row(situation: Situation) -> _Ruling | None:
    if situation.start == "rolled-back":
        return _Ruling(
            act="kill",
            reason="state file and counter differ: nothing runs before a fresh lease",
            finding="rolled-back",
        )
    if situation.start == "rebooted":
        return _Ruling(
            act="kill", reason="the host was rebooted: nothing runs before a fresh lease"
        )
    if situation.start == "woken":
        # What slept lost nothing of its memory: it is frozen, and thawed under the fresh lease.
        return _Ruling(act="freeze", reason="the host slept: nothing runs before a fresh lease")
    return None


def _watchdog_row(situation: Situation) -> _Ruling | None:
    if situation.watchdog_lives:
        return None
    return _Ruling(
        act="kill",
        reason="the watchdog does not answer: the work is dead or dying",
        finding="watchdog-lost",
    )


def _lease_row(situation: Situation) -> _Ruling | None:
    lease = situation.lease
    if lease is None:
        if situation.work != "running":
            return None
        return _Ruling(
            act=_BUSY_ACT[situation.busy_without_lease],
            reason="the work runs without a lease",
            finding="busy-without-lease",
        )
    if lease.ends_s > 0:
        return None
    spared = _spared(situation, -lease.ends_s, "the lease ended")
    return spared or _outlived(situation, -lease.ends_s, "the lease ended")


def _silence_row(situation: Situation) -> _Ruling | None:
    """The control plane's silence: on C0 and C1 each quantum needs the last receipt's acknowledgement."""
    if situation.acknowledged or situation.tier == "C2":
        return None
    why = "the last receipt is not acknowledged"
    over_s = -(situation.quantum_ends_s or 0.0)
    return _spared(situation, over_s, why) or _after_quantum(situation, why)


def _quantum_row(situation: Situation) -> _Ruling | None:
    """What no outage spares: an allowance that is used up, a licence that is gone, a counter that is silent."""
    grounds = {
        "the lease has no room for another quantum": not situation.affordable,
        "the licence is revoked": situation.licence_revoked,
        "the licence is suspended": situation.licence_suspended,
        "the counter does not answer": not situation.counter_answers,
    }
    why = "; ".join(ground for ground, holds in grounds.items() if holds)
    return _after_quantum(situation, why) if why else None


def _after_quantum(situation: Situation, why: str) -> _Ruling:
    """To the end of the quantum that runs, then as a lease that ended; nothing new in the meantime."""
    over = situation.quantum_ends_s is not None and situation.quantum_ends_s <= 0
    if situation.work == "running" and over:
        return _outlived(situation, -(situation.quantum_ends_s or 0.0), why)
    return _Ruling(act="run", reason=why)


def _contact_row(situation: Situation) -> _Ruling | None:
    """Before the first word from the feed nothing starts or thaws: an order may have come while the agent was away."""
    if situation.has_contact or situation.tier == "C2":
        return None
    return _Ruling(
        act="run", next_quantum=True, reason="nothing was heard from the control plane yet"
    )


def _outstanding_row(situation: Situation) -> _Ruling | None:
    waited = situation.outstanding_s
    if waited is None:
        return None
    late = waited - situation.fetch_delay_s
    if late < 0:
        return _Ruling(act="run", next_quantum=True, reason="an order is outstanding")
    return _outlived(situation, late, "an order is outstanding beyond the fetch delay")


def _meter_row(situation: Situation) -> _Ruling | None:
    blind = situation.meter_unreadable_s
    if blind is None:
        return None
    grace = situation.lease.grace_s if situation.lease else 0.0
    return _Ruling(
        act="run",
        new_work=blind < grace,
        next_quantum=True,
        reason="the meter cannot be read: counted at peak",
        finding="meter-unreadable",
    )


def _set_row(situation: Situation) -> _Ruling | None:
    """Devices other than those enrolled and licensed: the charter's effect, unless the licence only advises."""
    facts, lease = situation.device_set, situation.lease
    if not facts.is_counted:
        return _Ruling(act="run", next_quantum=True, reason="the devices are not counted yet")
    if not facts.faults:
        return None
    advised = lease is not None and _MODE_ACT[lease.mode] == "run"
    acts = facts.is_certain and not advised
    act: Act = _BUSY_ACT[situation.busy_without_lease] if acts else "run"
    reason = f"the set of devices is another: {'; '.join(facts.faults)}"
    return _Ruling(act=act, next_quantum=act == "run", reason=reason)


def _busy_row(situation: Situation) -> _Ruling | None:
    """Work without a lease on this host's devices: ours is stopped as the charter says, others' is found."""
    facts = situation.device_set
    if not facts.busy:
        return None
    act: Act = _BUSY_ACT[situation.busy_without_lease] if facts.is_ours else "run"
    return _Ruling(
        act=act,
        next_quantum=True,
        reason=f"busy without a lease: {'; '.join(facts.busy)}",
        finding="busy-without-lease",
    )


def _clock_row(situation: Situation) -> _Ruling | None:
    if situation.clock_fault is None:
        return None
    return _Ruling(
        act="run",
        new_work=True,
        next_quantum=True,
        reason="the system clock is off: permits end by latest, restrictions by earliest",
        finding=situation.clock_fault,
    )


def _demand_row(situation: Situation) -> _Ruling | None:
    demand = situation.demand
    if demand.effect == "freeze":
        return _Ruling(act="freeze", reason=_named("freeze", demand))
    if demand.effect == "checkpoint-then-stop":
        waiting = situation.demanded_s < demand.grace_s and not situation.has_checkpoint
        act: Act = "checkpoint" if waiting else "kill"
        return _Ruling(act=act, reason=_named("checkpoint, then stop", demand))
    if demand.effect == "cap":
        return _Ruling(
            act="run",
            new_work=True,
            next_quantum=True,
            reason=_named("cap", demand),
            finding=None if situation.cap_kept else "cap-not-enforced",
        )
    return None


def _stop_row(situation: Situation) -> _Ruling | None:
    if not situation.stop_failed or situation.demand.effect is None:
        return None
    return _Ruling(
        act="kill",
        reason="the work did not stop: escalated",
        finding="work-does-not-stop",
    )


def _withheld_row(situation: Situation) -> _Ruling | None:
    """Another charter of this host holds the work: it stops it by itself, and here nothing new begins meanwhile."""
    if not situation.withheld:
        return None
    return _Ruling(act="run", next_quantum=True, reason="; ".join(situation.withheld))


def _free_row(_: Situation) -> _Ruling | None:
    return _Ruling(act="run", reason="this charter does not bind the host")


def _named(what: str, demand: Demand) -> str:
    orders = ", ".join(f"{order.register} {order.number}" for order in demand.orders)
    return f"{what}, by order {orders}"


_ROWS: tuple[_Row, ...] = (
    _start_row,
    _watchdog_row,
    _lease_row,
    _silence_row,
    _quantum_row,
    _contact_row,
    _outstanding_row,
    _meter_row,
    _set_row,
    _busy_row,
    _clock_row,
    _demand_row,
    _stop_row,
    _withheld_row,
)
