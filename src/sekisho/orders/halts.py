"""How sure is "halted"? Claimed, contradicted, corroborated, verified: judged from evidence, with an interval.

Pure. Claimed is the agent's word. Corroborated needs another constituency's observer: two readings at least five
seconds apart, after the receipt, under a nonce that could not be known before it. Verified needs evidence under a key
that the operator does not hold. Every verdict lapses. Source: protocol section 9.
"""

from __future__ import annotations

from typing import Final

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import (
    ChallengeAnswered,
    Degree,
    EnrolledDevice,
    HaltJudged,
    HostEnrolled,
    LogPosition,
    ObservationMade,
    OrderReference,
    ReceiptGiven,
    Span,
)
from sekisho.model.wire import sha256_hex
from sekisho.orders.instruments import MIN_GAP_S, judge_instruments

__all__ = ["UNSHOWN", "ChallengeEvidence", "HaltEvidence", "halt_nonce", "judge_halt", "shows_work"]

QUIET_CPU_MS = 0
UNSHOWN: Final = "this user is not shown all processes of the host"
"""What an observer states as a limit where the host hides processes from it (/proc mounted with hidepid)."""


class ChallengeEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """A device's answer (its signature already verified) with what the judge expected and timed."""

    digest: str
    answer: ChallengeAnswered
    expected: str
    milliseconds: int
    limit_ms: int


class HaltEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known about one host under one order; digests are those of the statements' payloads.

    `recorded`: by when the log surely held the receipt, so that a host gains nothing by dating it ahead.
    `own_side`: only keys of the host's own organisation's constituencies signed the observation.
    """

    host: HostEnrolled
    order: OrderReference
    receipt: ReceiptGiven | None = None
    receipt_digest: str = ""
    receipt_index: int | None = None
    recorded: Instant | None = None
    observation: ObservationMade | None = None
    observation_digest: str = ""
    own_side: bool = False
    challenges: tuple[ChallengeEvidence, ...] = ()
    tree: LogPosition | None = None


def halt_nonce(after: LogPosition, host: str, purpose: str) -> str:
    """A nonce that nobody could know before the tree `after` existed: derived from its root."""
    return sha256_hex(
        f"sekisho halt nonce v1\n{after.size}\n{after.root}\n{host}\n{purpose}\n".encode()
    )


def judge_halt(evidence: HaltEvidence, *, now: Instant, lapses_after_s: int) -> HaltJudged:
    """The verdict that the evidence carries, no more; reasons say what it rests on, limits what it does not cover."""
    degree, reasons, used = _judge(evidence)
    limits = list(evidence.observation.limits) if evidence.observation else []
    if degree != "verified":
        limits.append(_why_not_verified(evidence))
    elif any(device.emulated for device in evidence.host.devices):
        limits.append("the device is emulated: this proves the protocol, not silicon")
    if evidence.observation is not None and not evidence.observation.other_user:
        limits.append("the observer ran under the same user as the work, who could mislead it")
    span = _interval(evidence, degree, now)
    verified = degree == "verified"
    return HaltJudged(
        effective=now,
        host=evidence.host.host,
        order=evidence.order,
        degree=degree,
        interval=span,
        lapses=span.end.plus(lapses_after_s),
        evidence=tuple(used),
        after=evidence.tree if verified else None,
        challenge_ms=max(c.milliseconds for c in evidence.challenges) if verified else None,
        challenge_limit_ms=max(c.limit_ms for c in evidence.challenges) if verified else None,
        reasons=tuple(reasons),
        limits=tuple(limits),
    )


def shows_work(observed: ObservationMade) -> bool:
    """Whether an observation saw work, by the processes or by an instrument of the time that it spans."""
    given = observed.readings[0].at
    return _saw_processes(observed) or bool(judge_instruments(observed, given=given).above)


def _judge(evidence: HaltEvidence) -> tuple[Degree, list[str], list[str]]:
    receipt = evidence.receipt
    about = (evidence.host.host, "halted", evidence.order)
    if receipt is None or (receipt.host, receipt.stage, receipt.order) != about:
        return "non-responsive", ["no receipt says that this host halted under this order"], []
    used = [evidence.receipt_digest]
    observed = evidence.observation
    if observed is None:
        return _with_challenge(evidence, "claimed", ["the agent's receipt is all there is"], used)
    unfit = _check_binding(evidence, observed, receipt)
    if unfit:
        return "claimed", unfit, used
    used.append(evidence.observation_digest)
    shown = judge_instruments(observed, given=_given_by(evidence, receipt))
    seen = [_what_was_seen(observed)] if _saw_processes(observed) else []
    if seen or shown.above:
        return "contradicted", [*seen, *shown.above], used
    gap = observed.readings[-1].at.since(observed.readings[0].at)
    too_little = _why_too_little(observed, gap, is_at_rest=bool(shown.at_rest))
    if too_little:
        return "claimed", [too_little], used
    reasons = [f"another constituency's observer saw no work in two readings {gap:.1f} s apart"]
    if shown.at_rest:
        reasons.append(f"corroborated by observer and {', '.join(shown.at_rest)}, all at rest")
    reasons += shown.nothing
    return _with_challenge(evidence, "corroborated", reasons, used)


def _why_too_little(observed: ObservationMade, gap: float, *, is_at_rest: bool) -> str:
    """Why an observation that saw no work bears no halt out; empty where it does."""
    if gap < MIN_GAP_S:
        return f"the two readings are {gap:.1f} s apart, five are asked"
    if UNSHOWN in observed.limits and not is_at_rest:
        return "the host hides processes from its observer, and no instrument shows it at rest"
    return ""


def _with_challenge(
    evidence: HaltEvidence, degree: Degree, reasons: list[str], used: list[str]
) -> tuple[Degree, list[str], list[str]]:
    """Verified only where every device of the host answered under its own key, rightly and in time."""
    answered = {c.answer.device: c for c in evidence.challenges}
    if not answered:
        return degree, reasons, used
    for device in evidence.host.devices:
        problem = _check_challenge(device, answered.get(device.device), evidence)
        if problem:
            return degree, [*reasons, problem], used
    used = [*used, *(c.digest for c in evidence.challenges)]
    return (
        "verified",
        [*reasons, "every device filled its whole memory from a fresh nonce in time"],
        used,
    )


def _check_challenge(
    device: EnrolledDevice, challenge: ChallengeEvidence | None, evidence: HaltEvidence
) -> str | None:
    if challenge is None:
        return f"device {device.device} did not answer a challenge"
    answer = challenge.answer
    if evidence.tree is None or answer.nonce != halt_nonce(
        evidence.tree, evidence.host.host, f"device {device.device}"
    ):
        return f"device {device.device} answered another nonce"
    if not _tree_is_after_receipt(evidence, evidence.tree):
        return f"the challenge of device {device.device} is older than the receipt"
    if answer.memory_bytes != device.memory_bytes or answer.digest != challenge.expected:
        return f"device {device.device} answered wrongly: its memory held something else"
    if challenge.milliseconds > challenge.limit_ms:
        return f"device {device.device} took {challenge.milliseconds} ms, allowed are {challenge.limit_ms} ms"
    return None


def _check_binding(
    evidence: HaltEvidence, observed: ObservationMade, receipt: ReceiptGiven
) -> list[str]:
    """Why an observation says nothing about this halt: what it saw then counts neither for nor against it."""
    problems = []
    if evidence.own_side:
        problems.append("the observer's key is of the host's own side: it corroborates nothing")
    if observed.host != evidence.host.host:
        problems.append("the observation is about another host")
    if observed.receipt != evidence.receipt_digest or observed.order != evidence.order:
        problems.append("the observation is about another receipt")
    if not _tree_is_after_receipt(evidence, observed.after):
        problems.append("the observation's nonce is not newer than the receipt")
    if observed.nonce != halt_nonce(observed.after, observed.host, "observe"):
        problems.append("the observation's nonce does not come from the tree it names")
    if observed.readings[0].at < _given_by(evidence, receipt):
        problems.append("the first reading is older than the receipt")
    return problems


def _given_by(evidence: HaltEvidence, receipt: ReceiptGiven) -> Instant:
    """When the receipt was given: as it says, or when it was recorded where it is dated ahead of that."""
    return (
        receipt.effective
        if evidence.recorded is None
        else min(receipt.effective, evidence.recorded)
    )


def _saw_processes(observed: ObservationMade) -> bool:
    return observed.work_cpu_ms > QUIET_CPU_MS or any(r.running for r in observed.readings)


def _what_was_seen(observed: ObservationMade) -> str:
    running = max(reading.running for reading in observed.readings)
    return f"the observer saw work: {observed.work_cpu_ms} ms of processor time, {running} processes running"


def _tree_is_after_receipt(evidence: HaltEvidence, tree: LogPosition) -> bool:
    return evidence.receipt_index is not None and tree.size > evidence.receipt_index


def _why_not_verified(evidence: HaltEvidence) -> str:
    keyless = [device.device for device in evidence.host.devices if device.public is None]
    if keyless:
        return f"no evidence under a key that the operator does not hold: {', '.join(keyless)} has none"
    return "no evidence under a key that the operator does not hold was given"


def _interval(evidence: HaltEvidence, degree: Degree, now: Instant) -> Span:
    """The stretch that the evidence speaks of: an old observation judged again says nothing about today."""
    observed, receipt = evidence.observation, evidence.receipt
    start, end = now, now
    if degree == "verified":
        answers = [c.answer.effective for c in evidence.challenges]
        end = min(now, *answers)
        start = observed.readings[0].at if observed is not None else end
    elif degree in ("corroborated", "contradicted") and observed is not None:
        # An observer whose clock is ahead makes no verdict last longer.
        start, end = observed.readings[0].at, min(now, observed.readings[-1].at)
    elif degree == "claimed" and receipt is not None:
        start = receipt.effective
    return Span(start=min(start, end), end=end)
