"""An agent that says halted while its work runs on: the observer states what it saw, the judge contradicts."""

from __future__ import annotations

import os

import pytest

from sekisho.model.statements import ObservationMade, Predicate
from sekisho.observer.observe import (
    HaltClaim,
    Look,
    UnprovenHalt,
    fold_regime,
    state_observation,
    verify_claim,
)
from sekisho.observer.process_table import ProcessRow, ProcessTable
from sekisho.orders import HaltEvidence, judge_halt
from sekisho.ports.control import OpenHalt, StoredStatement
from tests.factory import VERIFIER, host_enrolled, signed
from tests.fakes import FakeControl, Rig


def table(cpu_s: float, *, state: str = "R", alive: bool = True) -> ProcessTable:
    """A host with an init, the agent's watchdog, and the work of run-1."""
    rows = [row(1, "init", user=0), row(7, "python -m sekisho.agent.watchdog", user=0)]
    if alive:
        rows.append(
            row(9, "python -m sekisho.canary --run run-1", user=1000, state=state, cpu_s=cpu_s)
        )
    return ProcessTable(rows=tuple(rows), host_busy_s=cpu_s)


def row(pid: int, command: str, *, user: int, state: str = "S", cpu_s: float = 0.0) -> ProcessRow:
    return ProcessRow(
        pid=pid,
        parent=0,
        session=pid,
        user=user,
        start_ticks=pid,
        state=state,
        cpu_s=cpu_s,
        reaped_cpu_s=0.0,
        command=command,
        cgroup="",
    )


def halted() -> tuple[Rig, OpenHalt, StoredStatement]:
    """A host that gave a halted-receipt under a pause, and the board's word for it."""
    rig = Rig().started()
    rig.control.issue(rig.control.order())
    rig.run_for(1)
    (halt,) = rig.control.fetch_halts()
    return rig, halt, rig.control.fetch_statement(halt.receipt)


def claim_of(rig: Rig, halt: OpenHalt, stored: StoredStatement) -> HaltClaim:
    feed = rig.control.fetch_feed("host-1", 0, 0)
    return verify_claim(halt, stored, fold_regime(rig.control.root, feed.items), rig.control.root)


def observed(
    rig: Rig, claim: HaltClaim, first: ProcessTable, second: ProcessTable
) -> ObservationMade:
    now = rig.clock.now()
    return state_observation(
        claim,
        Look(at=now, table=first),
        Look(at=now.plus(5.2), table=second),
        own_pids=frozenset({os.getpid()}),
        own_user=2000,
    )


def verdict(rig: Rig, halt: OpenHalt, observation: ObservationMade) -> str:
    envelope = signed(observation, VERIFIER[1])
    verified = rig.control.regime.verify(envelope.raw)
    receipt = next(r for r in rig.control.receipts if r.stage == "halted")
    judged = judge_halt(
        HaltEvidence(
            host=host_enrolled(),
            order=halt.order,
            receipt=receipt,
            receipt_digest=halt.receipt,
            receipt_index=halt.receipt_index,
            observation=observation,
            observation_digest=verified.digest,
        ),
        now=rig.clock.now(),
        lapses_after_s=3600,
    )
    return judged.degree


def test_an_agent_that_lies_about_the_halt_is_contradicted() -> None:
    """The work used processor time between the two looks, whatever the receipt says."""
    rig, halt, stored = halted()
    claim = claim_of(rig, halt, stored)
    observation = observed(rig, claim, table(1.0), table(3.6))

    assert observation.work_cpu_ms == 2600
    assert observation.readings[1].running == 1
    assert observation.other_user
    assert verdict(rig, halt, observation) == "contradicted"


def test_an_honest_halt_is_corroborated() -> None:
    """Frozen work that used nothing, and ended work, both bear the receipt out."""
    rig, halt, stored = halted()
    claim = claim_of(rig, halt, stored)

    for first, second in (
        (table(1.0, state="T"), table(1.0, state="T")),
        (table(0.0, alive=False), table(0.0, alive=False)),
    ):
        assert verdict(rig, halt, observed(rig, claim, first, second)) == "corroborated"


def test_an_observer_of_the_same_user_says_so() -> None:
    """Who shares the work's user could be fooled by it, and writes that down."""
    rig, halt, stored = halted()
    claim = claim_of(rig, halt, stored)
    now = rig.clock.now()
    observation = state_observation(
        claim,
        Look(at=now, table=table(1.0, state="T")),
        Look(at=now.plus(5.2), table=table(1.0, state="T")),
        own_pids=frozenset(),
        own_user=1000,
    )

    assert not observation.other_user
    assert any("same user" in limit for limit in observation.limits)


def board_lies(kind: str, halt: OpenHalt, stored: StoredStatement, rig: Rig) -> StoredStatement:
    """The board hands out something else than the halted-receipt that it names."""
    import msgspec

    if kind == "no proof":
        return msgspec.structs.replace(stored, proof=None)
    other = next(r for r in rig.control.digests if r in rig.control.indexes and r != halt.receipt)
    return rig.control.fetch_statement(other)


@pytest.mark.parametrize("kind", ["no proof", "another receipt"])
def test_the_board_s_word_is_not_taken_for_a_receipt(kind: str) -> None:
    """A receipt that is not witnessed, or not the one named, is not observed at all."""
    rig, halt, stored = halted()

    with pytest.raises(UnprovenHalt):
        claim_of(rig, halt, board_lies(kind, halt, stored, rig))


def test_the_observer_s_statement_needs_a_verifier_s_key() -> None:
    """An observation under the operator's own key is nobody's."""
    from sekisho.model.errors import NotAuthorised
    from tests.factory import OPERATOR

    rig, halt, stored = halted()
    observation: Predicate = observed(rig, claim_of(rig, halt, stored), table(0.0), table(0.0))
    control: FakeControl = rig.control

    with pytest.raises(NotAuthorised):
        control.regime.verify(signed(observation, OPERATOR).raw)
    control.regime.verify(signed(observation, VERIFIER[0]).raw)
