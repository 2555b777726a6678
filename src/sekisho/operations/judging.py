"""Judging halts from the public log: what a verifier does with its own key, on its own reading of the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from sekisho.model.errors import NotAuthorised, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    HaltJudged,
    HostEnrolled,
    LogPosition,
    ObservationMade,
    OrderReference,
)
from sekisho.operations.state import State
from sekisho.orders import ChallengeEvidence, HaltEvidence, is_own_side, judge_halt
from sekisho.orders.lifecycle import HostUnderOrder, Observed, StagePassed

__all__ = [
    "check_verdict",
    "due_halts",
    "gather_evidence",
    "is_to_be_judged",
    "judge_host",
    "verify_observer",
]


def gather_evidence(
    state: State,
    order: OrderReference,
    host: str,
    *,
    at: Instant,
    challenges: Sequence[ChallengeEvidence] = (),
    tree: LogPosition | None = None,
) -> HaltEvidence:
    """All that the log holds about one host under one order. Raises StateConflict for a host not enrolled.

    Of several observations it is the first that contradicts the halt and stands, else the newest: a quiet word of one
    observer does not outweigh the work that another saw. Work seen so long ago that its verdict would have lapsed `at`
    that instant stands no longer.
    """
    enrolled = state.regime.hosts.get(host)
    if enrolled is None:
        raise StateConflict(f"host {host} is not enrolled")
    life = state.lives.of(order, host)
    halted = life.halted
    whole = HaltEvidence(
        host=enrolled,
        order=order,
        receipt=halted.receipt if halted else None,
        receipt_digest=halted.digest if halted else "",
        receipt_index=halted.index if halted else None,
        recorded=state.regime.marks.after(halted.index) if halted else None,
        observation=life.observation,
        observation_digest=life.observation_digest,
        own_side=_is_own_side(state, enrolled, life.observers),
        challenges=tuple(challenges),
        tree=tree,
    )
    return _find_contradiction(state, life, whole, at) or whole


def _find_contradiction(
    state: State, life: HostUnderOrder, whole: HaltEvidence, at: Instant
) -> HaltEvidence | None:
    """The evidence with the first observation of work that binds and stands; None where there is none.

    Each is held against the claim that it names: a host that claims anew every few seconds gains nothing by it.
    """
    lasts_s = state.regime.in_force().terms.halt_verdict_s
    claims = {claim.digest: claim for claim in life.claims}
    for seen in life.seen_work:
        claim = claims.get(seen.fact.receipt)
        if claim is None:
            continue
        against = _with_observation(state, whole, seen, claim)
        verdict = judge_halt(against, now=at, lapses_after_s=lasts_s)
        if verdict.degree == "contradicted" and at < verdict.lapses:
            return against
    return None


def _with_observation(
    state: State, evidence: HaltEvidence, seen: Observed, claim: StagePassed
) -> HaltEvidence:
    return msgspec.structs.replace(
        evidence,
        receipt=claim.receipt,
        receipt_digest=claim.digest,
        receipt_index=claim.index,
        recorded=state.regime.marks.after(claim.index),
        observation=seen.fact,
        observation_digest=seen.digest,
        own_side=_is_own_side(state, evidence.host, seen.observers),
    )


def _is_own_side(state: State, host: HostEnrolled, observers: Sequence[str]) -> bool:
    return bool(observers) and is_own_side(state.regime.in_force(), host.organisation, observers)


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


def is_to_be_judged(state: State, life: HostUnderOrder, at: Instant) -> bool:
    """Whether an observation of this halt stands that no verdict rests on, or that the log took after the verdict.

    Work that was seen is judged whatever was said since, and whenever it reached the log. While a verified verdict
    stands, an observation that only corroborates would say less than is known: it waits until that verdict lapses.
    """
    halted, observed, verdict = life.halted, life.observation, life.verdict
    if halted is None or observed is None:
        return False
    found = gather_evidence(state, life.order, life.host, at=at)
    if judge_host(state, found, now=at).degree == "contradicted":
        return verdict is None or found.observation_digest not in verdict.evidence
    if observed.receipt != halted.digest:
        return False
    if verdict is None or halted.digest not in verdict.evidence:
        return True
    # By the log's order and not by what either says of its own time, which its author chooses.
    is_newer = life.observation_index > life.verdict_index
    return is_newer and (verdict.degree != "verified" or at >= verdict.lapses)


def verify_observer(state: State, fact: ObservationMade, signers: Iterable[str]) -> None:
    """An observer is of another constituency than the host. Raises NotAuthorised."""
    host = state.regime.hosts.get(fact.host)
    if host is not None and is_own_side(state.regime.in_force(), host.organisation, signers):
        raise NotAuthorised(
            f"the observer's key is of {host.organisation}'s own side, which runs host {fact.host}",
            remedy="have it observed under a key of another constituency",
        )


def check_verdict(state: State, fact: HaltJudged, *, latest: Instant) -> list[str]:
    """Why a verdict must not enter the log, in words: it lasts longer than the charter lets it, or leaves work out.

    `latest` is the end of now. Who judged just before an observation came in judges once more: an auditor would have
    to call it left out.
    """
    lasts_s = state.regime.in_force().terms.halt_verdict_s
    problems = []
    if fact.interval.end > latest:
        problems.append(f"speaks of a time to come, until {fact.interval.end}")
    if fact.lapses > fact.interval.end.plus(lasts_s):
        problems.append(f"lapses at {fact.lapses}, the charter gives a verdict {lasts_s} s")
    life = state.lives.of(fact.order, fact.host)
    if fact.degree == "contradicted" or life.halted is None or fact.host not in state.regime.hosts:
        return problems
    found = gather_evidence(state, fact.order, fact.host, at=latest)
    if judge_host(state, found, now=latest).degree == "contradicted":
        problems.append(
            f"passes over observation {found.observation_digest[:16]}, which saw work: "
            "read the log up to now and judge again"
        )
    return problems
