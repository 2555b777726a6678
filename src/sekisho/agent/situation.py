"""All that an agent's decision rests on, and what it decides: values, without a rule in them."""

from __future__ import annotations

from typing import Literal

import msgspec

from sekisho.model.statements import Mode
from sekisho.orders import Demand
from sekisho.ports.counter import CounterTier
from sekisho.ports.driver import Permit

__all__ = [
    "Act",
    "Decision",
    "LeaseFacts",
    "SetFacts",
    "Situation",
    "Start",
    "Work",
]

Work = Literal["none", "running", "frozen"]
Act = Literal["none", "run", "checkpoint", "freeze", "kill"]
Start = Literal["sound", "rolled-back", "rebooted", "woken"]


class LeaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The lease in hand: its licence's terms, and seconds until it ends by the latest clock (negative: since)."""

    mode: Mode
    grace_s: float
    ends_s: float


class SetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What stands against this host's fixed set, in words.

    `is_counted`: its devices were looked at. `faults`: where they differ from what is enrolled and licensed,
    `is_certain` whether for long enough to act on running work. `busy`: devices at work without a lease, `is_ours`
    whether our own work may be what is at work there.
    """

    is_counted: bool = True
    faults: tuple[str, ...] = ()
    is_certain: bool = False
    busy: tuple[str, ...] = ()
    is_ours: bool = False


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """All that the decision rests on. Times are seconds; `now_s` is of the elapsed-time source.

    `quantum_ends_s` counts down to the end of the quantum that runs, below zero past it. `acknowledged` tells of the
    last quantum's receipt, `affordable` whether the lease has room for another one, `has_contact` whether the feed
    was heard since this agent started. `outage_s` is how long a declared outage still lasts for this host by the latest
    clock, `outage_for_s` how long it has lasted without a break; `start` is what was lost: of a host that `woken` from
    suspend only its lease. `counter_answers` is False while a quantum cannot be counted. `is_bound`: whether this
    charter has a say over the host, `withheld` why another charter of the host holds the work.
    """

    now_s: float
    work: Work = "none"
    tier: CounterTier = "C0"
    start: Start = "sound"
    lease: LeaseFacts | None = None
    quantum_ends_s: float | None = None
    has_contact: bool = True
    acknowledged: bool = True
    affordable: bool = True
    demand: Demand = Demand()
    demanded_s: float = 0.0
    has_checkpoint: bool = False
    outstanding_s: float | None = None
    fetch_delay_s: float = 60.0
    meter_unreadable_s: float | None = None
    watchdog_lives: bool = True
    licence_revoked: bool = False
    cap_kept: bool = False
    licence_suspended: bool = False
    outage_s: float | None = None
    outage_for_s: float = 0.0
    counter_answers: bool = True
    clock_fault: str | None = None
    stop_failed: bool = False
    busy_without_lease: Literal["advise", "freeze", "stop"] = "freeze"
    device_set: SetFacts = SetFacts()
    is_bound: bool = True
    withheld: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with the work now, and the permit to give (None: leave it).

    `new_work`: work may be started or thawed; `next_quantum`: running work may go on into a further quantum.
    """

    work: Act
    new_work: bool
    next_quantum: bool
    permit: Permit | None
    reasons: tuple[str, ...]
    findings: tuple[str, ...]
