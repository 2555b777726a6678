"""Judging halts from the public log: what a verifier does with its own key, on its own reading of the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sekisho.model.errors import NotAuthorised, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import HaltJudged, LogPosition, ObservationMade, OrderReference
from sekisho.operations.state import State
from sekisho.orders import ChallengeEvidence, HaltEvidence, is_own_side, judge_halt, shows_work
from sekisho.orders.lifecycle import HostUnderOrder

__all__ = ["due_halts", "gather_evidence", "is_to_be_judged", "judge_host", "verify_observer"]


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
        own_side=bool(life.observers)
        and is_own_side(state.regime.in_force(), enrolled.organisation, life.observers),
        challenges=tuple(challenges),
        tree=tree,
    )


def judge_host(state: State, evidence: HaltEvidence, *, now: Instant) -> HaltJudged:
    """The verdict, with the charter's own time until it lapses."""
    return judge_halt(
        evidence, now=now, lapses_after_s=state.regime.in_force().terms.halt_verdict_s
    )


def due_halts(state: State, at: Instant) -> tuple[HostUnderOrder, ...]:
    """Halts that wait for an observer: not looked into yet, or to be looked into anew while their order stands.

    The one list that the control plane hands to observers. After a resume, and once the order is over, there is
    nothing left to corroborate.
    """
    charter = state.regime.charter
    if charter is None:
        return ()
    standing = [known.reference for known in state.orders.in_force(at)]
    again = state.lives.due_again(standing, at, charter.terms.halt_verdict_s)
    return (*state.lives.awaiting_observation(), *again)


def is_to_be_judged(life: HostUnderOrder, at: Instant) -> bool:
    """Whether an observation of this halt stands that no verdict rests on, or was given after.

    While a verified verdict stands, an observation that only corroborates would say less than is known: it is judged
    once that verdict lapses. One that contradicts is judged at once.
    """
    halted, observed, verdict = life.halted, life.observation, life.verdict
    if halted is None or observed is None or observed.receipt != halted.digest:
        return False
    if verdict is None or halted.digest not in verdict.evidence:
        return True
    if life.observation_digest in verdict.evidence or verdict.effective >= observed.effective:
        return False
    return verdict.degree != "verified" or at >= verdict.lapses or shows_work(observed)


def verify_observer(state: State, fact: ObservationMade, signers: Iterable[str]) -> None:
    """An observer is of another constituency than the host. Raises NotAuthorised."""
    host = state.regime.hosts.get(fact.host)
    if host is not None and is_own_side(state.regime.in_force(), host.organisation, signers):
        raise NotAuthorised(
            f"the observer's key is of {host.organisation}'s own side, which runs host {fact.host}",
            remedy="have it observed under a key of another constituency",
        )
