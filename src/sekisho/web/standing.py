"""Where a host stands, in one word: at work, or so far along under an order, or not known. Pure.

The words are an order's life as the log tells it (protocol sections 8 and 9). A verdict is said only until it lapses.
"Silent" is its own word: telemetry that stopped is not compliance.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import HostEnrolled, ReceiptGiven
from sekisho.orders import KnownOrder
from sekisho.orders.lifecycle import HostUnderOrder
from sekisho.web.snapshot import Snapshot

__all__ = ["STEPS", "HostStanding", "Step", "StepTaken", "Word", "judge_host", "judge_under", "steps_of"]

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
]
Step: TypeAlias = Literal[
    "issued", "received", "checkpointed", "claimed", "corroborated", "verified"
]
STEPS: Final[tuple[Step, ...]] = (
    "issued",
    "received",
    "checkpointed",
    "claimed",
    "corroborated",
    "verified",
)
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
    acting = [known for known in covering if known.order.effect in ("freeze", "checkpoint-then-stop")]
    if acting:
        return judge_under(look, acting[-1], host)
    left_over = _not_yet_resumed(look, host)
    return left_over or _at_work(look, host)


def judge_under(look: Snapshot, known: KnownOrder, host: HostEnrolled) -> HostStanding:
    """Where a host stands under one order, as the log tells it."""
    life = look.lives.of(known.reference, host.host)
    last = life.stages[-1] if life.stages else None

    def stand(word: Word, since: Instant | None, until: Instant | None = None) -> HostStanding:
        emulated = word == "verified" and any(device.emulated for device in host.devices)
        return HostStanding(
            host=host, word=word, since=since, until=until, emulated=emulated, order=known
        )

    if last is not None and last.stage == "resumed":
        return stand("resumed", last.at)
    judged = _verdict_word(life, look.at)
    if judged is not None:
        return stand(*judged)
    if life.halted is not None:
        return stand("claimed", life.halted.at)
    due = _due(look, known)
    if look.at > due:
        return stand("non-responsive", due, _dead_man(look, host))
    if last is not None and last.stage in ("received", "checkpointed"):
        word: Word = "received" if last.stage == "received" else "checkpointed"
        return stand(word, last.at, due)
    return stand("issued", known.order.effective, due)


def steps_of(look: Snapshot, known: KnownOrder, host: HostEnrolled) -> tuple[StepTaken, ...]:
    """The life of an order at a host, step by step, each with the instant that the log gives for it."""
    life = look.lives.of(known.reference, host.host)
    at: dict[Step, Instant] = {"issued": known.order.effective}
    for passed in life.stages:
        if passed.stage in ("received", "checkpointed"):
            at["received" if passed.stage == "received" else "checkpointed"] = passed.at
        elif passed.stage == "halted":
            at["claimed"] = passed.at
    verdict, lapsed = life.verdict, False
    if verdict is not None and _speaks_of_halt(life):
        lapsed = look.at >= verdict.lapses
        if verdict.degree in ("corroborated", "verified") and life.observation is not None:
            at["corroborated"] = life.observation.readings[-1].at
        if verdict.degree == "verified":
            at["verified"] = verdict.effective
    return tuple(
        StepTaken(step=s, at=at.get(s), is_lapsed=lapsed and s in ("corroborated", "verified"))
        for s in STEPS
    )


def _verdict_word(life: HostUnderOrder, at: Instant) -> tuple[Word, Instant, Instant | None] | None:
    verdict = life.verdict
    if verdict is None:
        return None
    if verdict.degree == "non-responsive":
        # A verdict of silence stands only while the silence lasts.
        return None if life.halted or at >= verdict.lapses else ("non-responsive", verdict.effective, verdict.lapses)
    if not _speaks_of_halt(life):
        return None
    if at >= verdict.lapses:
        return None if verdict.degree == "claimed" else ("lapsed", verdict.lapses, None)
    return verdict.degree, verdict.effective, verdict.lapses


def _speaks_of_halt(life: HostUnderOrder) -> bool:
    """Whether the verdict rests on the halt that stands; one about an earlier halt says nothing of this one."""
    verdict, halted = life.verdict, life.halted
    return verdict is not None and halted is not None and halted.digest in verdict.evidence


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
        for known in look.all_orders
        if (life := look.lives.lives.get((known.digest, host.host))) is not None
        and life.halted is not None
    ]
    if not halted:
        return None
    since, known = max(halted, key=lambda pair: pair[0])
    return HostStanding(host=host, word="resuming", since=since, order=known)


def _at_work(look: Snapshot, host: HostEnrolled) -> HostStanding:
    live, last = look.live_lease(host.host), look.receipts.get(host.host)
    if live is None:
        return HostStanding(host=host, word="idle", since=last.effective if last else None)
    state, lease = live
    terms = state.licence.lease
    ends = lease.granted.not_after.plus(terms.grace_s)
    heard = lease.granted.effective if last is None else max(last.effective, lease.granted.effective)
    if look.at.since(heard) > terms.quantum_s + terms.grace_s + SLACK_S:
        return HostStanding(host=host, word="silent", since=heard, until=ends)
    word: Word = "running" if _is_running(last) else "idle"
    return HostStanding(host=host, word=word, since=heard, until=ends)


def _is_running(last: ReceiptGiven | None) -> bool:
    return last is not None and last.state == "running" and last.stage != "final"
