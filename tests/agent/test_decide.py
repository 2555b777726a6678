"""Every row of the protocol's table of what is missing, and what the agent does about it."""

from __future__ import annotations

import pytest

from sekisho.agent.decide import Act, Decision, LeaseFacts, Situation, decide, permit_to_run
from sekisho.model.statements import Effect, OrderReference
from sekisho.orders import Demand
from sekisho.ports.driver import Permit

LEASE = LeaseFacts(mode="kill", grace_s=2.0, ends_s=30.0)
IN_GRACE = LeaseFacts(mode="kill", grace_s=2.0, ends_s=-1.0)
PAST = LeaseFacts(mode="kill", grace_s=2.0, ends_s=-2.0)


def lapsed(mode: str) -> LeaseFacts:
    return LeaseFacts(mode=mode, grace_s=2.0, ends_s=-2.0)  # type: ignore[arg-type]  # the table below holds modes


def demand(effect: Effect, *, grace_s: int = 0, only_holds: bool = False) -> Demand:
    order = OrderReference(register="pause/JP", number=1, digest="0" * 64)
    return Demand(effect=effect, grace_s=grace_s, orders=(order,), only_holds=only_holds)


def situation(**changes: object) -> Situation:
    """Licensed work in the middle of an acknowledged quantum, with nothing missing."""
    given: dict[str, object] = {
        "now_s": 100.0,
        "work": "running",
        "lease": LEASE,
        "quantum_ends_s": 1.0,
        **changes,
    }
    return Situation(**given)  # type: ignore[arg-type]  # the table below holds the fields


# What is missing or wrong -> running work, new work, next quantum, finding.
Row = tuple[dict[str, object], Act, bool, bool, str | None]
ROWS: dict[str, Row] = {
    "nothing is missing": ({}, "run", True, True, None),
    "control plane silent, quantum not over (C0)": (
        {"acknowledged": False},
        "run",
        False,
        False,
        None,
    ),
    "control plane silent, quantum over, within the grace (C0)": (
        {"acknowledged": False, "quantum_ends_s": -1.0},
        "checkpoint",
        False,
        False,
        None,
    ),
    "control plane silent, quantum over, past the grace (C0)": (
        {"acknowledged": False, "quantum_ends_s": -2.0},
        "kill",
        False,
        False,
        None,
    ),
    "control plane silent (C1)": (
        {"acknowledged": False, "quantum_ends_s": -2.0, "tier": "C1"},
        "kill",
        False,
        False,
        None,
    ),
    "control plane silent, lease valid (C2)": (
        {"acknowledged": False, "quantum_ends_s": -2.0, "tier": "C2"},
        "run",
        True,
        True,
        None,
    ),
    "lease without room, quantum over": (
        {"affordable": False, "quantum_ends_s": 0.0},
        "checkpoint",
        False,
        False,
        None,
    ),
    "lease ended, within the grace": ({"lease": IN_GRACE}, "checkpoint", False, False, None),
    "lease ended, past the grace, mode kill": ({"lease": PAST}, "kill", False, False, None),
    "lease ended, past the grace, mode freeze": (
        {"lease": lapsed("freeze")},
        "freeze",
        False,
        False,
        None,
    ),
    "lease ended, past the grace, mode drain": (
        {"lease": lapsed("drain")},
        "kill",
        False,
        False,
        None,
    ),
    "lease ended, past the grace, mode advise": (
        {"lease": lapsed("advise")},
        "run",
        False,
        False,
        "runs-without-permission",
    ),
    "lease ended, past the grace, mode block-new": (
        {"lease": lapsed("block-new")},
        "run",
        False,
        False,
        "runs-without-permission",
    ),
    "lease ended, past the grace, only a hold covers": (
        {"lease": PAST, "demand": demand("freeze", only_holds=True)},
        "freeze",
        False,
        False,
        None,
    ),
    "no lease at all while work runs, charter says freeze": (
        {"lease": None},
        "freeze",
        False,
        False,
        "busy-without-lease",
    ),
    "no lease at all while work runs, charter says stop": (
        {"lease": None, "busy_without_lease": "stop"},
        "kill",
        False,
        False,
        "busy-without-lease",
    ),
    "no lease at all while work runs, charter says advise": (
        {"lease": None, "busy_without_lease": "advise"},
        "run",
        False,
        False,
        "busy-without-lease",
    ),
    "licence revoked, quantum not over": ({"licence_revoked": True}, "run", False, False, None),
    "licence revoked, quantum and grace over": (
        {"licence_revoked": True, "quantum_ends_s": -2.0},
        "kill",
        False,
        False,
        None,
    ),
    "order outstanding": ({"outstanding_s": 0.0}, "run", False, True, None),
    "order outstanding beyond the fetch delay": (
        {"outstanding_s": 60.0},
        "checkpoint",
        False,
        False,
        None,
    ),
    "order outstanding beyond fetch delay and grace": (
        {"outstanding_s": 62.0},
        "kill",
        False,
        False,
        None,
    ),
    "meter unreadable, within the grace": (
        {"meter_unreadable_s": 1.0},
        "run",
        True,
        True,
        "meter-unreadable",
    ),
    "meter unreadable, past the grace": (
        {"meter_unreadable_s": 2.0},
        "run",
        False,
        True,
        "meter-unreadable",
    ),
    "counter and state file differ": (
        {"start": "rolled-back"},
        "kill",
        False,
        False,
        "rolled-back",
    ),
    "clock behind earliest": (
        {"clock_fault": "clock-behind"},
        "run",
        True,
        True,
        "clock-behind",
    ),
    "clock ahead": ({"clock_fault": "clock-ahead"}, "run", True, True, "clock-ahead"),
    "reboot without contact (C0)": ({"start": "rebooted"}, "kill", False, False, None),
    "reboot that reset the TPM (C2)": (
        {"start": "rebooted", "tier": "C2"},
        "kill",
        False,
        False,
        None,
    ),
    "suspend without a certified clock": ({"start": "woken"}, "freeze", False, False, None),
    "licence suspended, quantum not over": (
        {"licence_suspended": True},
        "run",
        False,
        False,
        None,
    ),
    "licence suspended, quantum over, within the grace": (
        {"licence_suspended": True, "quantum_ends_s": -1.0},
        "checkpoint",
        False,
        False,
        None,
    ),
    "licence suspended, quantum and grace over": (
        {"licence_suspended": True, "quantum_ends_s": -2.0, "tier": "C2"},
        "kill",
        False,
        False,
        None,
    ),
    "licence suspended while an outage is declared": (
        {
            "licence_suspended": True,
            "quantum_ends_s": -2.0,
            "outage_s": 600.0,
            "outage_for_s": 3_600.0,
        },
        "kill",
        False,
        False,
        None,
    ),
    "counter silent, quantum not over": ({"counter_answers": False}, "run", False, False, None),
    "counter silent, quantum and grace over": (
        {"counter_answers": False, "quantum_ends_s": -2.0, "tier": "C2"},
        "kill",
        False,
        False,
        None,
    ),
    "lease ended, past the grace, outage declared": (
        {"lease": PAST, "outage_s": 600.0, "outage_for_s": 3_600.0},
        "run",
        False,
        True,
        None,
    ),
    "lease ended, past the grace, outage declared after it": (
        {
            "lease": LeaseFacts(mode="kill", grace_s=2.0, ends_s=-4.0),
            "outage_s": 600.0,
            "outage_for_s": 1.0,
        },
        "kill",
        False,
        False,
        None,
    ),
    "lease ended, outage about to end": (
        {"lease": PAST, "outage_s": 2.0, "outage_for_s": 3_600.0},
        "checkpoint",
        False,
        False,
        None,
    ),
    "lease ended, outage about to end, checkpoint written": (
        {"lease": PAST, "outage_s": 2.0, "outage_for_s": 3_600.0, "has_checkpoint": True},
        "run",
        False,
        True,
        None,
    ),
    "lease ended, outage over": (
        {"lease": PAST, "outage_s": 0.0, "outage_for_s": 3_600.0},
        "kill",
        False,
        False,
        None,
    ),
    "control plane silent, outage declared (C0)": (
        {"acknowledged": False, "quantum_ends_s": -2.0, "outage_s": 600.0, "outage_for_s": 3_600.0},
        "run",
        False,
        True,
        None,
    ),
    "lease ended, outage declared, allowance used up": (
        {
            "lease": PAST,
            "outage_s": 600.0,
            "outage_for_s": 3_600.0,
            "affordable": False,
            "quantum_ends_s": -2.0,
        },
        "kill",
        False,
        False,
        None,
    ),
    "lease ended, outage declared, an order covers the host": (
        {"lease": PAST, "outage_s": 600.0, "outage_for_s": 3_600.0, "demand": demand("cap")},
        "kill",
        False,
        False,
        "cap-not-enforced",
    ),
    "lease ended, outage declared, an order is outstanding": (
        {"lease": PAST, "outage_s": 600.0, "outage_for_s": 3_600.0, "outstanding_s": 0.0},
        "kill",
        False,
        False,
        None,
    ),
    "no lease at all, outage declared": (
        {"lease": None, "outage_s": 600.0, "outage_for_s": 3_600.0},
        "freeze",
        False,
        False,
        "busy-without-lease",
    ),
    "agent restarted, feed not heard yet": ({"has_contact": False}, "run", False, True, None),
    "order to freeze": ({"demand": demand("freeze")}, "freeze", False, False, None),
    "order to checkpoint and stop, within its grace": (
        {"demand": demand("checkpoint-then-stop", grace_s=5), "demanded_s": 4.9},
        "checkpoint",
        False,
        False,
        None,
    ),
    "order to checkpoint and stop, checkpoint written": (
        {"demand": demand("checkpoint-then-stop", grace_s=5), "has_checkpoint": True},
        "kill",
        False,
        False,
        None,
    ),
    "order to checkpoint and stop, grace over": (
        {"demand": demand("checkpoint-then-stop", grace_s=5), "demanded_s": 5.0},
        "kill",
        False,
        False,
        None,
    ),
    "order to cap, which this driver cannot": (
        {"demand": demand("cap")},
        "run",
        True,
        True,
        "cap-not-enforced",
    ),
    "order to cap, which the driver keeps": (
        {"demand": demand("cap"), "cap_kept": True},
        "run",
        True,
        True,
        None,
    ),
    "order to suspend access, which is not for hosts": (
        {"demand": demand("suspend-access")},
        "run",
        True,
        True,
        None,
    ),
    "scheduler refuses to stop": (
        {"demand": demand("freeze"), "stop_failed": True},
        "kill",
        False,
        False,
        "work-does-not-stop",
    ),
    "watchdog gone": ({"watchdog_lives": False}, "kill", False, False, "watchdog-lost"),
}


@pytest.mark.parametrize("name", ROWS)
def test_each_row_of_the_table(name: str) -> None:
    """What is missing decides what running work does, whether more may start, and what is found."""
    changes, act, new_work, next_quantum, finding = ROWS[name]

    decision = decide(situation(**changes))

    assert (decision.work, decision.new_work, decision.next_quantum) == (
        act,
        new_work,
        next_quantum,
    )
    assert decision.findings == ((finding,) if finding else ())
    assert decision.reasons


def test_nothing_starts_where_anything_forbids_new_work() -> None:
    """Idle hosts start under a lease alone, and stay idle under an order, a silence or without a lease."""
    idle = {"work": "none", "quantum_ends_s": None}

    assert decide(situation(**idle)).work == "run"
    for refused in (
        {"lease": None},
        {"acknowledged": False},
        {"outstanding_s": 0.0},
        {"demand": demand("freeze")},
        {"start": "rebooted"},
        {"has_contact": False},
    ):
        assert decide(situation(**idle, **refused)).work == "none"


def test_frozen_work_stays_frozen_until_new_work_is_allowed() -> None:
    """A frozen process is thawed under a lease only, and is never asked for a checkpoint."""
    frozen = {"work": "frozen", "quantum_ends_s": None}

    assert decide(situation(**frozen, lease=None)).work == "freeze"
    assert decide(situation(**frozen, lease=IN_GRACE)).work == "freeze"
    assert decide(situation(**frozen)).work == "run"
    assert decide(situation(**frozen, demand=demand("checkpoint-then-stop"))).work == "kill"


def test_the_strictest_row_wins_whatever_the_order() -> None:
    """A kill beats a freeze beats a checkpoint, and every reason is told."""
    decision = decide(situation(lease=IN_GRACE, demand=demand("freeze"), start="rebooted"))

    assert decision.work == "kill"
    assert len(decision.reasons) == 3


def permit_of(**changes: object) -> Permit | None:
    decision: Decision = decide(situation(**changes))
    return decision.permit


def test_the_permit_outlives_the_agent_by_quantum_and_grace_only() -> None:
    """Running work is asked for a checkpoint at its quantum's end and ended after the grace."""
    assert permit_of() == Permit(checkpoint_at_s=101.0, until_s=103.0, then="kill")
    frozen = permit_to_run(situation(lease=LeaseFacts(mode="freeze", grace_s=2.0, ends_s=30.0)))
    assert frozen == Permit(checkpoint_at_s=101.0, until_s=103.0, then="freeze")
    assert permit_of(work="none", quantum_ends_s=None) is None


def test_under_an_order_the_watchdog_is_told_to_finish_what_the_agent_began() -> None:
    """A freeze holds without the agent, and a checkpoint's grace ends in a kill."""
    assert permit_of(demand=demand("freeze")) == Permit(
        checkpoint_at_s=100.0, until_s=100.0, then="freeze"
    )
    ordered = demand("checkpoint-then-stop", grace_s=5)
    assert permit_of(demand=ordered, demanded_s=1.0) == Permit(
        checkpoint_at_s=104.0, until_s=104.0, then="kill"
    )


def test_a_hold_never_kills_by_what_the_lease_says() -> None:
    """While only a hold covers the host, a quantum without acknowledgement ends in a freeze."""
    decision = decide(
        situation(acknowledged=False, quantum_ends_s=-5.0, demand=demand("freeze", only_holds=True))
    )

    assert decision.work == "freeze"
