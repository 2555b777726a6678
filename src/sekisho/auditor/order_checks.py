"""Checks of the order registers, of their heartbeat, and of every verdict about a halt."""

from __future__ import annotations

from itertools import pairwise

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History, Step
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.inspection import expect_fill
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    ChallengeAnswered,
    CharterAdopted,
    HaltJudged,
    HostEnrolled,
    LogPosition,
    ObservationMade,
    OrderIssued,
    OrdersInForce,
    ReceiptGiven,
    TimeMarked,
)
from sekisho.orders import (
    ChallengeEvidence,
    HaltEvidence,
    check_release,
    is_own_side,
    judge_halt,
    verify_issue,
)
from sekisho.orders.lifecycle import Observed, StagePassed
from sekisho.signing import Recorded

__all__ = ["check_halts", "check_orders_in_force", "check_registers", "outages"]


def check_registers(evidence: Evidence) -> Outcome:
    """Numbers without gaps, each naming the one before, in the right register, valid and in time when recorded."""
    history, tally = evidence.past(), Tally()
    for step in history.steps:
        tally.extend(refusal.why for refusal in step.refusals if refusal.check == "registers")
    orders = list(history.issued())
    for step, order in orders:
        _check_issue(evidence, step, order, tally)
        tally.extend(
            f"entry {step.index}: lifts nothing: {problem}"
            for problem in check_release(order, step.orders)
        )
        for lifted in order.lifts:
            if step.orders.find(lifted) is None:
                tally.fault(
                    f"entry {step.index}: lifts {lifted.register} {lifted.number}, which is no such order"
                )
    heads = ", ".join(
        f"{h.register} at {h.number}" for h in history.orders.heads.values() if h.number
    )
    return tally.outcome(f"{len(orders)} orders without a gap" + (f": {heads}" if heads else ""))


def _check_issue(evidence: Evidence, step: Step, order: OrderIssued, tally: Tally) -> None:
    """Valid at issue: by the start of its recorded time it was certainly late, by the end perhaps."""
    history, name = evidence.past(), f"order {order.register} {order.number}"
    start, end = history.recorded_from(step.index), history.recorded_by(step.index)
    try:
        verify_issue(
            order, step.regime.in_force(), log=evidence.origin, now=start or order.not_before
        )
    except SekishoError as error:
        tally.fault(f"entry {step.index}: {type(error).code}: {error.message}")
        return
    if end is None:
        tally.gap(f"{name} has no recorded time yet")
    elif order.issue_until <= end:
        tally.gap(
            f"{name} was recorded by {end} only, its signatures were good until {order.issue_until}"
        )


def check_orders_in_force(evidence: Evidence) -> Outcome:
    """Each heartbeat says exactly what the registers held, and none is later than the charter allows."""
    history, tally = evidence.past(), Tally()
    last: Instant | None = None
    beats = list(history.facts(OrdersInForce))
    still = outages(history)
    for step, beat in beats:
        try:
            step.orders.verify_heads(beat, beat.effective)
        except SekishoError as error:
            tally.fault(f"entry {step.index}: {type(error).code}: {error.message}")
        terms = step.regime.in_force().terms
        _check_date(history, step, beat.effective, terms, tally)
        _check_cadence(still, last, beat.effective, terms, f"entry {step.index}", tally)
        last = beat.effective
    _check_tail(history, still, last, tally)
    return tally.outcome(f"{len(beats)} heartbeats equal the registers")


def outages(history: History) -> list[tuple[Instant, Instant]]:
    """The stretches, longer than a heartbeat's, in which the whole log stood still: nothing was granted or ordered."""
    charter = history.regime.charter
    if charter is None:
        return []
    allowed = charter.terms.orders_in_force_every_s + charter.terms.clock_error_s
    points = _life_signs(history)
    return [(a, b) for a, b in pairwise(points) if b.since(a) > allowed]


def _life_signs(history: History) -> list[Instant]:
    """Every instant at which the log is known to have been alive: its marks, and the checkpoints that these carry."""
    signs = {fact.effective for _, fact in history.facts(TimeMarked)}
    for step, _ in history.facts(TimeMarked):
        witnessed = history.recorded_from(step.index)
        if witnessed is not None:
            signs.add(witnessed)
    if history.final is not None:
        signs.add(history.final.time)
    return sorted(signs)


def _check_date(
    history: History, step: Step, said: Instant, terms: CharterAdopted, tally: Tally
) -> None:
    """A heartbeat from the future would hide what expires before it."""
    end = history.recorded_by(step.index)
    if end is not None and said > end.plus(1 + terms.clock_error_s):
        tally.fault(f"entry {step.index} is dated {said}, it was recorded by {end}")


def _check_cadence(  # the two beats, the log between them, and where to say so
    outs: list[tuple[Instant, Instant]],
    last: Instant | None,
    said: Instant,
    terms: CharterAdopted,
    where: str,
    tally: Tally,
) -> None:
    """Registers may be silent only while the whole log is: an outage is a limit, a withheld heartbeat a fault."""
    if last is None:
        return
    silence = said.since(last)
    still = sum(
        min(end, said).since(max(start, last))
        for start, end in outs
        if max(start, last) < min(end, said)
    )
    if silence - still > terms.orders_in_force_every_s + terms.clock_error_s:
        tally.fault(
            f"{where}: the registers were silent for {silence:.0f} s, "
            f"the charter asks for a heartbeat every {terms.orders_in_force_every_s} s"
        )
    if silence < 0:
        tally.fault(f"{where}: is dated before the heartbeat that precedes it")


def _check_tail(
    history: History,
    still: list[tuple[Instant, Instant]],
    last: Instant | None,
    tally: Tally,
) -> None:
    """From the last heartbeat (or, where there is none, from the charter) to the final checkpoint."""
    charter = history.regime.charter
    if charter is None or history.final is None:
        return
    adopted = next((step for step, _ in history.facts(CharterAdopted)), None)
    since = last or (history.recorded_by(adopted.index) if adopted is not None else None)
    end = history.final.time.plus(1)
    _check_cadence(still, since, end, charter.terms, "the end of the log", tally)


def check_halts(evidence: Evidence) -> Outcome:
    """Each verdict about a halt is judged again from the evidence it names, to the same degree."""
    history, tally = evidence.past(), Tally()
    told = []
    for step, judged in history.facts(HaltJudged):
        _check_verdict(history, step, judged, tally)
        told.append(f"{judged.host} {judged.degree} until {judged.lapses}")
    return tally.outcome("; ".join(told) or "no halt is judged")


def _check_verdict(history: History, step: Step, judged: HaltJudged, tally: Tally) -> None:
    where = f"entry {step.index}: halt of {judged.host}"
    host = step.regime.hosts.get(judged.host)
    if host is None or step.orders.find(judged.order) is None:
        tally.fault(f"{where} is about a host or an order that the log does not hold")
        return
    named = _named_evidence(history, step, judged)
    if len(named) != len(set(judged.evidence)):
        tally.fault(f"{where} names evidence that does not stand before it in the log")
        return
    again = judge_halt(
        _gather(history, host, judged, named),
        now=judged.effective,
        lapses_after_s=step.regime.in_force().terms.halt_verdict_s,
    )
    if again.degree != judged.degree:
        why = "; ".join(again.reasons)
        tally.fault(
            f"{where} is said to be {judged.degree}, its evidence gives {again.degree}: {why}"
        )
    if judged.lapses > again.lapses or judged.interval.start < again.interval.start:
        tally.fault(f"{where} is said for longer than its evidence covers")
    if judged.interval.end > again.interval.end:
        tally.fault(f"{where} is said for a time after it was judged")
    tally.extend(f"{where}: {problem}" for problem in _check_observer(history, host, named, judged))
    tally.extend(f"{where}: {problem}" for problem in _left_out(history, step, host, judged))


def _named_evidence(history: History, step: Step, judged: HaltJudged) -> list[Recorded]:
    """The sound statements that a verdict names, as far as they stand before it."""
    wanted = set(judged.evidence)
    return [
        earlier.recorded
        for earlier in history.steps[: step.index]
        if earlier.recorded is not None and earlier.recorded.verified.digest in wanted
    ]


def _gather(
    history: History, host: HostEnrolled, judged: HaltJudged, named: list[Recorded]
) -> HaltEvidence:
    """The evidence as a judge sees it. A device's time is the judge's own word (see the limits)."""
    receipt = _of_kind(named, ReceiptGiven)
    observed = _of_kind(named, ObservationMade)
    observation = observed.verified.predicate if observed else None
    fact = receipt.verified.predicate if receipt else None
    own = isinstance(fact, ReceiptGiven) and fact.host == host.host
    return HaltEvidence(
        host=host,
        order=judged.order,
        receipt=fact if isinstance(fact, ReceiptGiven) and own else None,
        receipt_digest=receipt.verified.digest if receipt and own else "",
        receipt_index=receipt.index if receipt and own else None,
        recorded=history.recorded_by(receipt.index) if receipt and own else None,
        observation=_real(history, observation, host),
        observation_digest=observed.verified.digest if observed else "",
        own_side=observed is not None and _is_own_side(history, host, observed),
        challenges=_challenges(host, judged, named),
        tree=judged.after if judged.after is not None and _is_tree(history, judged.after) else None,
    )


def _real(history: History, fact: object, host: HostEnrolled) -> ObservationMade | None:
    """An observation of this host whose nonce comes from a tree that this log really had."""
    if not isinstance(fact, ObservationMade) or fact.host != host.host:
        return None
    return fact if _is_tree(history, fact.after) else None


def _is_tree(history: History, position: LogPosition) -> bool:
    """Whether this log really had that tree, as far as the evidence goes."""
    size = position.size
    return size < len(history.roots) and history.roots[size].hex() == position.root


def _of_kind(named: list[Recorded], kind: type) -> Recorded | None:
    return next((r for r in named if isinstance(r.verified.predicate, kind)), None)


def _challenges(
    host: HostEnrolled, judged: HaltJudged, named: list[Recorded]
) -> tuple[ChallengeEvidence, ...]:
    """Each device's answer with the one right answer, computed anew from nonce and enrolled memory."""
    memory = {device.device: device.memory_bytes for device in host.devices}
    took, limit = judged.challenge_ms, judged.challenge_limit_ms
    found = []
    for recorded in named:
        answer = recorded.verified.predicate
        if not isinstance(answer, ChallengeAnswered) or took is None or limit is None:
            continue
        size = memory.get(answer.device)
        expected = (
            expect_fill(bytes.fromhex(answer.nonce), answer.device, size).digest if size else ""
        )
        found.append(
            ChallengeEvidence(
                digest=recorded.verified.digest,
                answer=answer,
                expected=expected,
                milliseconds=took,
                limit_ms=limit,
            )
        )
    return tuple(found)


def _check_observer(
    history: History, host: HostEnrolled, named: list[Recorded], judged: HaltJudged
) -> list[str]:
    """Corroboration is another constituency's word: none of the host's own organisation."""
    observed = _of_kind(named, ObservationMade)
    if observed is None or judged.degree not in ("corroborated", "verified"):
        return []
    if _is_own_side(history, host, observed):
        return [f"the observer's key is of the host's own side, {host.organisation}"]
    return []


def _is_own_side(history: History, host: HostEnrolled, observed: Recorded) -> bool:
    charter = history.steps[observed.index].regime.in_force()
    return is_own_side(charter, host.organisation, observed.verified.signers)


def _left_out(history: History, step: Step, host: HostEnrolled, judged: HaltJudged) -> list[str]:
    """What the log already held and a verdict must not pass over: a halted receipt, or work that was seen."""
    life = step.lives.of(judged.order, judged.host)
    if life.halted is None:
        return []
    if judged.degree == "non-responsive":
        return ["passes over the receipt that says it halted"]
    if judged.degree == "contradicted":
        return []
    claims = {claim.digest: claim for claim in life.claims}
    lasts_s = step.regime.in_force().terms.halt_verdict_s
    for seen in life.seen_work:
        claim = claims.get(seen.fact.receipt)
        if claim is None or judged.effective >= seen.fact.readings[-1].at.plus(lasts_s):
            continue  # what was seen so long ago has lapsed
        if _contradicts(history, step, host, claim, seen):
            return ["passes over an observation that saw work"]
    return []


def _contradicts(
    history: History, step: Step, host: HostEnrolled, claim: StagePassed, seen: Observed
) -> bool:
    """Whether an observation in the log contradicts a claim in the log."""
    charter = step.regime.in_force()
    evidence = HaltEvidence(
        host=host,
        order=seen.fact.order,
        receipt=claim.receipt,
        receipt_digest=claim.digest,
        receipt_index=claim.index,
        recorded=history.recorded_by(claim.index),
        observation=_real(history, seen.fact, host),
        observation_digest=seen.digest,
        own_side=is_own_side(charter, host.organisation, seen.observers),
    )
    at = seen.fact.readings[-1].at
    return judge_halt(evidence, now=at, lapses_after_s=0).degree == "contradicted"
