"""Judging halts from the public log: what a verifier does with its own key, on its own reading of the log."""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import HaltJudged, LogPosition, OrderReference
from sekisho.operations.state import State
from sekisho.orders import ChallengeEvidence, HaltEvidence, judge_halt

__all__ = ["gather_evidence", "judge_host"]


def gather_evidence(
    state: State,
    order: OrderReference,
    host: str,
    *,
    challenges: Sequence[ChallengeEvidence] = (),
    tree: LogPosition | None = None,
) -> HaltEvidence:
    """All that the log holds about one host under one order. Raises StateConflict for a host not enrolled."""
    enrolled = state.regime.hosts.get(host)
    if enrolled is None:
        raise StateConflict(f"host {host} is not enrolled")
    life = state.lives.of(order, host)
    halted = life.halted
    return HaltEvidence(
        host=enrolled,
        order=order,
        receipt=halted.receipt if halted else None,
        receipt_digest=halted.digest if halted else "",
        receipt_index=halted.index if halted else None,
        recorded=state.regime.marks.after(halted.index) if halted else None,
        observation=life.observation,
        observation_digest=life.observation_digest,
        challenges=tuple(challenges),
        tree=tree,
    )


def judge_host(state: State, evidence: HaltEvidence, *, now: Instant) -> HaltJudged:
    """The verdict, with the charter's own time until it lapses."""
    return judge_halt(
        evidence, now=now, lapses_after_s=state.regime.in_force().terms.halt_verdict_s
    )
