"""Orders with hosts that do not follow, on a desk in a folder: pauses, receipts, verdicts, steps, appeals, drills."""

from __future__ import annotations

from typing import Any

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import (
    HaltJudged,
    HostEnrolled,
    LogPosition,
    ObservationMade,
    OrderReference,
    Predicate,
    Reading,
    Scope,
    Span,
)
from sekisho.operations.desk import Admitted
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.state import State
from sekisho.operations.straggling import RefusalPlan, draft_refusal
from sekisho.orders import KnownOrder
from tests import factory as f
from tests.desks import TestDesk

__all__ = ["HALT_DUE_S", "LadderDesk"]

HALT_DUE_S = f.charter().halt_due_s
STEP_S = f.charter().refusal_step_s


class LadderDesk:
    """A desk with as many hosts as a test wants; what it does not name stands as `TestDesk` has it."""

    def __init__(self, desk: TestDesk) -> None:
        self.desk = desk
        self.chains: dict[str, tuple[int, str | None]] = {}

    @property
    def state(self) -> State:
        return self.desk.desk.state

    @property
    def now(self) -> Instant:
        return self.desk.clock.now()

    def move(self, seconds: float) -> None:
        self.desk.clock.move(seconds)

    def admit(self, fact: Predicate, *signers: Any) -> Admitted:
        return self.desk.desk.admit(f.signed(fact, *signers).raw)

    def enrol(self, host: str, *, devices: int = 1, **changes: Any) -> HostEnrolled:
        """One more host, under a key of its own; without a canary unless a test gives it one."""
        fact = f.host_enrolled(host, of=f.signer(host), now=self.now)
        parts = tuple(
            msgspec.structs.replace(fact.devices[0], device=f"{host}/device-{n}")
            for n in range(devices)
        )
        fact = msgspec.structs.replace(fact, devices=parts, **{"canary": None, **changes})
        self.admit(fact, f.AUTHORITY[0], f.OPERATOR)
        return fact

    def pause(self, **changes: Any) -> OrderReference:
        """Issue a pause (or what `changes` makes of it) over site-1."""
        fields: dict[str, Any] = {
            "kind": "pause",
            "scope": Scope(sites=("site-1",)),
            "effect": "freeze",
            "lasts_s": 30 * 86_400,
            "legal_basis": "Test act",
            "appeal": "in writing",
            **changes,
        }
        order = draft_order(self.state, OrderPlan(**fields), now=self.now)
        made = self.admit(order, *f.AUTHORITY[:3], *f.VERIFIER)
        return OrderReference(register=order.register, number=order.number, digest=made.digest)

    def known(self, order: OrderReference) -> KnownOrder:
        found = self.state.orders.find(order)
        assert found is not None
        return found

    def receipt(
        self, order: OrderReference | None, stage: str, host: str = "host-1", **more: Any
    ) -> str:
        """A host's receipt in the log; its payload digest."""
        sequence, previous = self.chains.get(host, (0, None))
        fact = f.receipt_given(
            sequence + 1,
            previous=previous,
            host=host,
            stage=stage,
            order=order,
            effective=self.now,
            **{"state": "frozen" if stage == "halted" else "running", **more},
        )
        key = f.HOST if host == "host-1" else f.signer(host)
        envelope = f.signed(fact, key)
        self.desk.desk.admit(envelope.raw, own=True)
        self.chains[host] = (sequence + 1, envelope.digest)
        return envelope.digest

    def judge(
        self,
        order: OrderReference,
        receipt: str,
        degree: str,
        host: str = "host-1",
        lapses_s: float = 600,
    ) -> None:
        """An observation and a verdict on a receipt, as the test says it."""
        entry = self.desk.desk.find(receipt)
        assert entry is not None
        seen = f.signed(_observation(order, receipt, host, self.now), f.VERIFIER[0])
        self.desk.desk.admit(seen.raw)
        verdict = HaltJudged(
            effective=self.now,
            host=host,
            order=order,
            degree=degree,  # type: ignore[arg-type]  # the test's own word
            interval=Span(start=self.now, end=self.now),
            lapses=self.now.plus(lapses_s),
            evidence=(receipt, seen.digest),
        )
        self.admit(verdict, f.VERIFIER[0])

    def step(self, order: OrderReference, host: str = "host-1", **plan: Any) -> Admitted:
        """The next step against a host, drafted and signed by the judge."""
        fact = draft_refusal(self.state, RefusalPlan(host=host, order=order, **plan), now=self.now)
        return self.admit(fact, f.VERIFIER[0])


def _observation(order: OrderReference, receipt: str, host: str, now: Instant) -> ObservationMade:
    return ObservationMade(
        effective=now,
        host=host,
        order=order,
        receipt=receipt,
        after=LogPosition(size=1, root="0" * 64),
        nonce="0" * 64,
        readings=(
            Reading(at=now, processes=1, running=0),
            Reading(at=now.plus(6), processes=1, running=0),
        ),
        work_cpu_ms=0,
        host_busy_ms=1,
        means="/proc",
        other_user=True,
    )
