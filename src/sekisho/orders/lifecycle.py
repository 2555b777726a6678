"""The life of an order at each host, as the log tells it: received, checkpointed, halted, observed, judged, resumed.

A pure fold of order receipts, observations and verdicts. A verdict is shown only until it lapses; afterwards the host
is at its last receipt again. Source: protocol sections 8 and 9.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import (
    ChallengeAnswered,
    Degree,
    HaltJudged,
    ObservationMade,
    OrderReference,
    ReceiptGiven,
    Stage,
)
from sekisho.orders.renewal import due_again
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
    observers: tuple[str, ...] = ()
    verdict: HaltJudged | None = None
    verdict_digest: str = ""

    @property
    def halted(self) -> StagePassed | None:
        """The halted receipt, unless a resumed one came after it."""
        last = next((s for s in reversed(self.stages) if s.stage in ("halted", "resumed")), None)
        return last if last is not None and last.stage == "halted" else None

    @property
    def capped(self) -> StagePassed | None:
        """The newest capped receipt, unless a resumed one came after it."""
        last = next((s for s in reversed(self.stages) if s.stage in ("capped", "resumed")), None)
        return last if last is not None and last.stage == "capped" else None

    @property
    def is_followed(self) -> bool:
        """Whether the host says that it does what the order asks: it halted, or it goes slower."""
        return self.halted is not None or self.capped is not None

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
    """All hosts under all orders, by (order digest, host); and the devices' answers by payload digest.

    `hosts` finds the hosts heard of under an order, by its digest, and `orders` the digests of the orders under which
    a host was heard of; `unseen` are the lives whose newest halted receipt nobody has looked into yet.
    """

    lives: PersistentMap[tuple[str, str], HostUnderOrder] = PersistentMap()
    answers: PersistentMap[str, tuple[int, ChallengeAnswered]] = PersistentMap()
    hosts: PersistentMap[str, PersistentMap[str, None]] = PersistentMap()
    orders: PersistentMap[str, PersistentMap[str, None]] = PersistentMap()
    unseen: PersistentMap[tuple[str, str], None] = PersistentMap()

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
                msgspec.structs.replace(
                    life,
                    observation=fact,
                    observation_digest=digest,
                    observers=tuple(sorted(recorded.verified.signers)),
                )
            )
        if isinstance(fact, HaltJudged):
            life = self.of(fact.order, fact.host)
            return self._with(msgspec.structs.replace(life, verdict=fact, verdict_digest=digest))
        if isinstance(fact, ChallengeAnswered):
            answers = self.answers.plus(digest, (recorded.index, fact))
            return msgspec.structs.replace(self, answers=answers)
        return self

    def of(self, order: OrderReference, host: str) -> HostUnderOrder:
        """One host under one order; a fresh one where nothing was heard yet."""
        return self.lives.get((order.digest, host)) or HostUnderOrder(host=host, order=order)

    def under(self, order: OrderReference) -> tuple[HostUnderOrder, ...]:
        """Every host that was heard of under an order, by name."""
        names = self.hosts.get(order.digest, ())
        return tuple(self.lives[order.digest, host] for host in sorted(names))

    def at(self, host: str) -> tuple[HostUnderOrder, ...]:
        """A host under every order that it was heard of under, the first first."""
        return tuple(self.lives[digest, host] for digest in self.orders.get(host, ()))

    def awaiting_observation(self) -> tuple[HostUnderOrder, ...]:
        """Halted hosts whose newest halted receipt nobody has looked into yet."""
        return tuple(self.lives[key] for key in self.unseen)

    def due_again(
        self, orders: Iterable[OrderReference], at: Instant, halt_verdict_s: int
    ) -> tuple[HostUnderOrder, ...]:
        """Halted hosts under these orders whose last observation is so old that a new one is due."""
        return tuple(
            life
            for order in orders
            for life in self.under(order)
            if life.halted is not None
            and life.observation is not None
            and not _is_unseen(life)
            and at >= due_again(life.observation, halt_verdict_s)
        )

    def _with(self, life: HostUnderOrder) -> OrderLives:
        key = (life.order.digest, life.host)
        hosts, orders, unseen = self.hosts, self.orders, self.unseen
        if key not in self.lives:
            hosts = _filed(hosts, life.order.digest, life.host)
            orders = _filed(orders, life.host, life.order.digest)
        unseen = unseen.plus(key, None) if _is_unseen(life) else unseen.minus(key)
        return msgspec.structs.replace(
            self, lives=self.lives.plus(key, life), hosts=hosts, orders=orders, unseen=unseen
        )


def _filed(
    index: PersistentMap[str, PersistentMap[str, None]], under: str, name: str
) -> PersistentMap[str, PersistentMap[str, None]]:
    return index.plus(under, index.get(under, PersistentMap[str, None]()).plus(name, None))


def _is_unseen(life: HostUnderOrder) -> bool:
    halted, seen = life.halted, life.observation
    return halted is not None and (seen is None or seen.receipt != halted.digest)
