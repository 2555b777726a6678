"""The life of an order at each host, as the log tells it: received, checkpointed, halted, observed, judged, resumed.

A pure fold of order receipts, observations and verdicts. A verdict is shown only until it lapses; afterwards the host
is at its last receipt again. Source: protocol sections 8 and 9.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import (
    ChallengeAnswered,
    Degree,
    HaltJudged,
    ObservationMade,
    OrderReference,
    ReceiptGiven,
    Stage,
)
from sekisho.signing.regime import Recorded

__all__ = ["HostUnderOrder", "OrderLives", "StagePassed"]


class StagePassed(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt of a host about an order, at its place in the log."""

    stage: Stage
    at: Instant
    index: int
    digest: str
    receipt: ReceiptGiven


class HostUnderOrder(msgspec.Struct, frozen=True, kw_only=True):
    """How far one host has come under one order, and how sure that is."""

    host: str
    order: OrderReference
    stages: tuple[StagePassed, ...] = ()
    observation: ObservationMade | None = None
    observation_digest: str = ""
    verdict: HaltJudged | None = None
    verdict_digest: str = ""

    @property
    def halted(self) -> StagePassed | None:
        """The halted receipt, unless a resumed one came after it."""
        last = next((s for s in reversed(self.stages) if s.stage in ("halted", "resumed")), None)
        return last if last is not None and last.stage == "halted" else None

    def degree(self, at: Instant) -> Degree | None:
        """How sure the halt is at an instant; None once the host has resumed.

        A verdict speaks of the halted receipt that it cites, and of no halt after that one.
        """
        if self.stages and self.stages[-1].stage == "resumed":
            return None
        halted = self.halted
        if halted is None:
            return "non-responsive"
        if self.verdict is None or at >= self.verdict.lapses:
            return "claimed"
        return self.verdict.degree if halted.digest in self.verdict.evidence else "claimed"


class OrderLives(msgspec.Struct, frozen=True, kw_only=True):
    """All hosts under all orders, by (order digest, host); and the devices' answers by payload digest."""

    lives: Mapping[tuple[str, str], HostUnderOrder] = {}
    answers: Mapping[str, tuple[int, ChallengeAnswered]] = {}

    def after(self, recorded: Recorded) -> OrderLives:
        """The lives once a statement is in the log."""
        fact, digest = recorded.verified.predicate, recorded.verified.digest
        if isinstance(fact, ReceiptGiven) and fact.order is not None:
            life = self.of(fact.order, fact.host)
            passed = StagePassed(
                stage=fact.stage,
                at=fact.effective,
                index=recorded.index,
                digest=digest,
                receipt=fact,
            )
            return self._with(msgspec.structs.replace(life, stages=(*life.stages, passed)))
        if isinstance(fact, ObservationMade):
            life = self.of(fact.order, fact.host)
            return self._with(
                msgspec.structs.replace(life, observation=fact, observation_digest=digest)
            )
        if isinstance(fact, HaltJudged):
            life = self.of(fact.order, fact.host)
            return self._with(msgspec.structs.replace(life, verdict=fact, verdict_digest=digest))
        if isinstance(fact, ChallengeAnswered):
            answers = {**self.answers, digest: (recorded.index, fact)}
            return msgspec.structs.replace(self, answers=answers)
        return self

    def of(self, order: OrderReference, host: str) -> HostUnderOrder:
        """One host under one order; a fresh one where nothing was heard yet."""
        return self.lives.get((order.digest, host)) or HostUnderOrder(host=host, order=order)

    def under(self, order: OrderReference) -> tuple[HostUnderOrder, ...]:
        """Every host that was heard of under an order, by name."""
        found = [life for (digest, _), life in self.lives.items() if digest == order.digest]
        return tuple(sorted(found, key=lambda life: life.host))

    def awaiting_observation(self) -> tuple[HostUnderOrder, ...]:
        """Halted hosts whose newest halted receipt nobody has looked into yet."""
        return tuple(
            life
            for life in self.lives.values()
            if life.halted is not None
            and (life.observation is None or life.observation.receipt != life.halted.digest)
        )

    def _with(self, life: HostUnderOrder) -> OrderLives:
        lives = {**self.lives, (life.order.digest, life.host): life}
        return msgspec.structs.replace(self, lives=lives)
