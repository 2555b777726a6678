"""Where a host stands, in one word: at work, or so far along under an order, or not known. Pure.

The words are an order's life as the log tells it (protocol sections 8 and 9). A verdict is said only until it lapses.
"Silent" is its own word: telemetry that stopped is not compliance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import Effect, HostEnrolled, ReceiptGiven
from sekisho.orders import KnownOrder
from sekisho.orders.lifecycle import HostUnderOrder, StagePassed
from sekisho.web.snapshot import Snapshot

__all__ = [
    "STEPS",
    "HostStanding",
    "Step",
    "StepTaken",
    "Word",
    "judge_host",
    "judge_under",
    "steps_of",
]

Word: TypeAlias = Literal[
    "running",
    "idle",
    "silent",
    "issued",
    "received",
    "checkpointed",
    "claimed",
    "contradicted",
    "corroborated",
    "verified",
    "lapsed",
    "non-responsive",
    "resuming",
    "resumed",
    "capped",
    "unasked",
]
Step: TypeAlias = Literal[
    "issued", "received", "checkpointed", "claimed", "corroborated", "verified", "capped"
]
STEPS: Final[tuple[Step, ...]] = (
    "issued",
    "received",
    "checkpointed",
    "claimed",
    "corroborated",
    "verified",
)
_STEPS_OF: Final[Mapping[Effect, tuple[Step, ...]]] = {
    "cap": ("issued", "received", "capped"),
    "suspend-access": ("issued",),
}
"""Orders that nobody halts under; under every other each host goes through all STEPS."""
Judged: TypeAlias = tuple[Word, Instant | None, Instant | None]
"""A word, since when, until when."""
SLACK_S: Final = 15
"""How much later than a quantum and its grace a receipt may come before its host counts as silent."""


class HostStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A host's word, since when it holds, and until when it may be said or must change (None: no such instant).

    `emulated`: the word rests on an emulated device. `order` is the one that the word speaks of, if any.
    """

    host: HostEnrolled
    word: Word
    since: Instant | None = None
    until: Instant | None = None
    emulated: bool = False
    order: KnownOrder | None = None


class StepTaken(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an order's life at a host, and when it was taken; None where it was not (yet)."""

    step: Step
    at: Instant | None
    is_lapsed: bool = False


def judge_host(look: Snapshot, host: HostEnrolled) -> HostStanding:
    """Where a host stands now: under the newest order that covers it, else at its work."""
    covering = [known for known in look.in_force if look.covers(known, host)]
    acting = [
        known for known in covering if known.order.effect in ("freeze", "checkpoint-then-stop")
    ]
    if acting:
        return judge_under(look, acting[-1], host)
    left_over = _not_yet_resumed(look, host)
    return left_over or _slowed(look, covering, _at_work(look, host))


def judge_under(look: Snapshot, known: KnownOrder, host: HostEnrolled) -> HostStanding:
    """Where a host stands under one order, as the log tells it; the first of these that applies.

    1. No receipt is asked of it. 2. It resumed, or followed an order that is over. 3. A verdict that may still be said,
    or that lapsed. 4. Its own word that it halted, or goes slower. 5. The time to halt is over. 6. The last step that
    it took.
    """
    life, over = look.lives.of(known.reference, host.host), _over_since(look, known)
    word, since, until = (
        _word_of_access(known)
        or _word_of_release(life, over)
        or _word_of_verdict(life, look.at)
        or _word_of_claim(life)
        or _word_of_cap(life, known)
        or _word_of_silence(look, known, host, over)
        or _word_of_step(life, known, None if over else _due(look, known))
    )
    emulated = word == "verified" and any(device.emulated for device in host.devices)
    return HostStanding(
        host=host, word=word, since=since, until=until, emulated=emulated, order=known
    )


def steps_of(look: Snapshot, known: KnownOrder, host: HostEnrolled) -> tuple[StepTaken, ...]:
    """The life of an order at a host, step by step, each with the instant that the log gives for it."""
    life = look.lives.of(known.reference, host.host)
    at: dict[Step, Instant] = {"issued": known.order.effective}
    last_halt = _last_halt(life)
    for passed in last_halt:
        if passed.stage in ("received", "checkpointed"):
            at["received" if passed.stage == "received" else "checkpointed"] = passed.at
        elif passed.stage == "halted":
            at["claimed"] = passed.at
        elif passed.stage == "capped":
            at["capped"] = passed.at
    verdict, lapsed = life.verdict, False
    halts = {passed.digest for passed in last_halt if passed.stage == "halted"}
    if verdict is not None and halts.intersection(verdict.evidence):
        lapsed = look.at >= verdict.lapses
        if verdict.degree in ("corroborated", "verified") and life.observation is not None:
            at["corroborated"] = life.observation.readings[-1].at
        if verdict.degree == "verified":
            at["verified"] = verdict.effective
    return tuple(
        StepTaken(
            step=s, at=at.get(s), is_lapsed=lapsed and s in at and s in ("corroborated", "verified")
        )
        for s in _STEPS_OF.get(known.order.effect, STEPS)
    )


def _word_of_access(known: KnownOrder) -> Judged | None:
    """Who serves a model states what it served and refused; a host's agent gives no receipt, and is not late."""
    if known.order.effect != "suspend-access":
        return None
    return "unasked", known.order.effective, None


def _word_of_release(life: HostUnderOrder, over: Instant | None) -> Judged | None:
    last = life.stages[-1] if life.stages else None
    if last is not None and last.stage == "resumed":
        return "resumed", last.at, None
    return ("resuming", over, None) if over is not None and life.is_followed else None


def _word_of_verdict(life: HostUnderOrder, at: Instant) -> Judged | None:
    verdict = life.verdict
    if verdict is None:
        return None
    if verdict.degree == "non-responsive":
        # A verdict of silence stands only while the silence lasts.
        is_over = life.halted is not None or at >= verdict.lapses
        return None if is_over else ("non-responsive", verdict.effective, verdict.lapses)
    if not _speaks_of_halt(life):
        return None
    if at >= verdict.lapses:
        return None if verdict.degree == "claimed" else ("lapsed", verdict.lapses, None)
    return verdict.degree, verdict.effective, verdict.lapses


def _word_of_claim(life: HostUnderOrder) -> Judged | None:
    return ("claimed", life.halted.at, None) if life.halted is not None else None


def _word_of_cap(life: HostUnderOrder, known: KnownOrder) -> Judged | None:
    return ("capped", life.capped.at, known.order.expires) if life.capped is not None else None


def _word_of_silence(
    look: Snapshot, known: KnownOrder, host: HostEnrolled, over: Instant | None
) -> Judged | None:
    due = _due(look, known)
    if min(look.at, over or look.at) <= due:
        return None
    return "non-responsive", due, None if over else _dead_man(look, host)


def _word_of_step(life: HostUnderOrder, known: KnownOrder, due: Instant | None) -> Judged:
    last = life.stages[-1] if life.stages else None
    if last is not None and last.stage in ("received", "checkpointed"):
        return ("received" if last.stage == "received" else "checkpointed"), last.at, due
    return "issued", known.order.effective, due


def _speaks_of_halt(life: HostUnderOrder) -> bool:
    """Whether the verdict rests on the halt that stands; one about an earlier halt says nothing of this one."""
    return life.verdict_on_halt is not None


def _last_halt(life: HostUnderOrder) -> tuple[StagePassed, ...]:
    """The steps of the newest halt alone, to its resume where there is one: an earlier halt's are no part of it."""
    resumed = [n for n, passed in enumerate(life.stages[:-1]) if passed.stage == "resumed"]
    return life.stages[resumed[-1] + 1 :] if resumed else life.stages


def _over_since(look: Snapshot, known: KnownOrder) -> Instant | None:
    """Since when an order no longer restricts: lifted, or lapsed at its expiry; None while it does, or not yet did."""
    is_in_force = any(other.digest == known.digest for other in look.in_force)
    if is_in_force or known.order.not_before > look.at:
        return None
    lifted = [
        other.order.not_before
        for other in look.all_orders
        if other.order.kind == "resume"
        and any(lifted.digest == known.digest for lifted in other.order.lifts)
    ]
    return min([*lifted, known.order.expires])


def _due(look: Snapshot, known: KnownOrder) -> Instant:
    """Until when a host that gets orders as the charter asks must have halted."""
    charter = look.regime.charter
    delay = charter.terms.order_fetch_delay_s if charter else 0
    return known.order.not_before.plus(delay + known.order.grace_s)


def _dead_man(look: Snapshot, host: HostEnrolled) -> Instant | None:
    """When a host's licensed work ends without any contact: its lease's end and grace."""
    live = look.live_lease(host.host)
    return None if live is None else live[1].granted.not_after.plus(live[0].licence.lease.grace_s)


def _not_yet_resumed(look: Snapshot, host: HostEnrolled) -> HostStanding | None:
    """A host that halted under an order that is lifted or over, and has not said that it resumed."""
    halted = [
        (life.halted.at, known)
        for life in reversed(look.lives.at(host.host))
        if life.halted is not None and (known := look.orders.find(life.order)) is not None
    ]
    if not halted:
        return None
    return judge_under(look, max(halted, key=lambda pair: pair[0])[1], host)


def _slowed(look: Snapshot, covering: Sequence[KnownOrder], standing: HostStanding) -> HostStanding:
    """A host that runs under a cap runs slower; what it does not say, or that it is silent, comes before that."""
    caps = [
        judged
        for known in covering
        if known.order.effect == "cap"
        and (judged := judge_under(look, known, standing.host)).word == "capped"
    ]
    return caps[-1] if caps and standing.word == "running" else standing


def _at_work(look: Snapshot, host: HostEnrolled) -> HostStanding:
    live, last = look.live_lease(host.host), look.receipts.get(host.host)
    if live is None:
        return HostStanding(host=host, word="idle", since=last.effective if last else None)
    state, lease = live
    terms = state.licence.lease
    ends = lease.granted.not_after.plus(terms.grace_s)
    heard = (
        lease.granted.effective if last is None else max(last.effective, lease.granted.effective)
    )
    if look.at.since(heard) > terms.quantum_s + terms.grace_s + SLACK_S:
        return HostStanding(host=host, word="silent", since=heard, until=ends)
    word: Word = "running" if _is_running(last) else "idle"
    return HostStanding(host=host, word=word, since=heard, until=ends)


def _is_running(last: ReceiptGiven | None) -> bool:
    return last is not None and last.state == "running" and last.stage != "final"
