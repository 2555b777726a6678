"""The life of an order at each host, as the log tells it: received, checkpointed, halted, observed, judged, resumed.

A pure fold of order receipts, observations and verdicts. A verdict is shown only until it lapses; afterwards the host
is at its last receipt again. Source: protocol sections 8 and 9.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

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
from sekisho.orders.halts import shows_work
from sekisho.orders.renewal import due_again
from sekisho.signing.regime import Recorded

__all__ = ["HostUnderOrder", "Observed", "OrderLives", "StagePassed"]

MOST_SEEN_WORK: Final = 8
"""Kept of one halt: observations that showed work and stand. The first ones stay; one of them is enough."""


class StagePassed(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt of a host about an order, at its place in the log."""

    stage: Stage
    at: Instant
    index: int
    digest: str
    receipt: ReceiptGiven


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """One observation at its place in the log; `observers` are the keys, by id, that signed it."""

    fact: ObservationMade
    digest: str
    observers: tuple[str, ...]
    index: int


class HostUnderOrder(msgspec.Struct, frozen=True, kw_only=True):
    """How far one host has come under one order, and how sure that is.

    `observation` is the newest. `seen_work` are those that showed work under the halt that stands and that nobody has
    taken back: another observer's quiet word does not displace them.
    """

    host: str
    order: OrderReference
    stages: tuple[StagePassed, ...] = ()
    observation: ObservationMade | None = None
    observation_digest: str = ""
    observers: tuple[str, ...] = ()
    observation_index: int = -1
    seen_work: tuple[Observed, ...] = ()
    verdict: HaltJudged | None = None
    verdict_digest: str = ""
    verdict_index: int = -1

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

    @property
    def claims(self) -> tuple[StagePassed, ...]:
        """Every halted receipt of the halt that stands: a host may say so again, without a resume between."""
        resumed = [n for n, passed in enumerate(self.stages) if passed.stage == "resumed"]
        last = self.stages[resumed[-1] + 1 :] if resumed else self.stages
        return tuple(passed for passed in last if passed.stage == "halted")

    @property
    def verdict_on_halt(self) -> HaltJudged | None:
        """The verdict that speaks of the halt that stands, lapsed or not: it cites its newest halted receipt.

        One that contradicts speaks of every claim after it too, until another verdict: what was seen is not taken back
        by the host's own word.
        """
        halted, verdict = self.halted, self.verdict
        if halted is None or verdict is None:
            return None
        cited = self.claims if verdict.degree == "contradicted" else (halted,)
        return verdict if any(claim.digest in verdict.evidence for claim in cited) else None

    def degree(self, at: Instant) -> Degree | None:
        """How sure the halt is at an instant; None once the host has resumed."""
        if self.stages and self.stages[-1].stage == "resumed":
            return None
        if self.halted is None:
            return "non-responsive"
        verdict = self.verdict_on_halt
        return "claimed" if verdict is None or at >= verdict.lapses else verdict.degree


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
            signers = tuple(sorted(recorded.verified.signers))
            seen = Observed(fact=fact, digest=digest, observers=signers, index=recorded.index)
            return self._with(_observed(self.of(fact.order, fact.host), seen))
        if isinstance(fact, HaltJudged):
            life = self.of(fact.order, fact.host)
            return self._with(
                msgspec.structs.replace(
                    life, verdict=fact, verdict_digest=digest, verdict_index=recorded.index
                )
            )
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


def _observed(life: HostUnderOrder, seen: Observed) -> HostUnderOrder:
    """The life once an observation stands in the log: the newest, and the work that was seen beside it."""
    claims = {claim.digest for claim in life.claims}
    work = tuple(one for one in life.seen_work if one.fact.receipt in claims)
    if shows_work(seen.fact):
        kept = (*work, seen) if seen.fact.receipt in claims else work
        work = kept[:MOST_SEEN_WORK]
    else:
        work = tuple(one for one in work if not _takes_back(seen, one, life.verdict))
    return msgspec.structs.replace(
        life,
        observation=seen.fact,
        observation_digest=seen.digest,
        observers=seen.observers,
        observation_index=seen.index,
        seen_work=work,
    )


def _takes_back(quiet: Observed, work: Observed, verdict: HaltJudged | None) -> bool:
    """Only who saw the work says that it is over: by looks after it, and once it has been judged."""
    return (
        verdict is not None
        and work.digest in verdict.evidence
        and not set(work.observers).isdisjoint(quiet.observers)
        and quiet.fact.readings[0].at > work.fact.readings[-1].at
    )


def _filed(
    index: PersistentMap[str, PersistentMap[str, None]], under: str, name: str
) -> PersistentMap[str, PersistentMap[str, None]]:
    return index.plus(under, index.get(under, PersistentMap[str, None]()).plus(name, None))


def _is_unseen(life: HostUnderOrder) -> bool:
    halted, seen = life.halted, life.observation
    return halted is not None and (seen is None or seen.receipt != halted.digest)
