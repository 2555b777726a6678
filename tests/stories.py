"""Histories at a real desk: what a regime may do, one step at a time, refusals included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sekisho.model.errors import SekishoError
from sekisho.model.statements import (
    FindingRaised,
    HaltJudged,
    HostRetired,
    KeyCompromised,
    LicenceRevoked,
    LogPosition,
    ObservationMade,
    OrderReference,
    PartyEnrolled,
    Predicate,
    Reading,
    ReceiptGiven,
    Reference,
    Scope,
    Span,
    Spend,
)
from sekisho.operations.desk import Admitted
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.registers import keep_registers
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.orders import halt_nonce
from sekisho.rules import load_pack
from sekisho.signing.keys import Signer
from tests import factory as f
from tests.desks import TestDesk

__all__ = ["STEPS", "Story"]

HOST: Final = "host-1"


class Story:
    """Goes on at a desk step by step. What the desk refuses is no step, and no error either."""

    def __init__(self, desk: TestDesk) -> None:
        self.at = desk
        self.taken = 0

    def go(self, step: str) -> bool:
        """Take a step; whether the desk took it."""
        self.taken += 1
        try:
            STEPS[step](self)
        except SekishoError:
            return False
        return True

    def admit(self, fact: Predicate, *signers: Signer) -> str:
        return self.at.desk.admit(f.signed(fact, *signers).raw).digest

    # --- time and the log

    def wait(self) -> None:
        self.at.clock.move(1 + self.taken % 7 * 9)

    def beat(self) -> None:
        keep_registers(self.at.desk)

    def mark(self) -> None:
        self.at.sequencer.take_cosigned(self.at.cosigned().note.to_bytes())
        self.at.desk.mark_time()

    # --- who may speak

    def enrol(self) -> None:
        name = f"host-{2 + self.taken % 3}"
        fact = f.host_enrolled(name, of=f.signer(f"{name} {self.taken}"), now=self.at.clock.now())
        self.admit(fact, f.AUTHORITY[0], f.OPERATOR)

    def retire(self) -> None:
        name = f"host-{2 + self.taken % 3}"
        fact = HostRetired(effective=self.at.clock.now(), host=name, reason=str(self.taken))
        self.admit(fact, f.AUTHORITY[0], f.OPERATOR)

    def join(self) -> None:
        fact = PartyEnrolled(
            effective=self.at.clock.now(),
            party=f"party-{2 + self.taken % 2}",
            public=f.signer(f"party {self.taken}").public.to_text(),
            organisation="Developer",
            country="JP",
        )
        self.admit(fact, f.AUTHORITY[0])

    def compromise(self) -> None:
        fact = KeyCompromised(
            effective=self.at.clock.now(),
            key=f.AUTHORITY[4].public.key_id,
            since=f.NOW,
            reason="lost",
        )
        self.admit(fact, f.AUTHORITY[0], f.VERIFIER[0])

    def accuse(self) -> None:
        fact = FindingRaised(
            effective=self.at.clock.now(),
            finding="odd",
            host=HOST,
            detail=f"手 {self.taken}",
        )
        self.admit(fact, f.HOST)

    # --- licences

    def license(self) -> None:
        number = len(self.at.desk.state.licences.licences) + 1
        if number == 1:
            # A run has many licences here, which together stay within what was declared for it.
            self.admit(f.run_declared(planned_flop=str(10**15)), f.PARTY)
        plan = LicencePlan(
            number=f"LIC-{number}",
            budget_flop=10**12,
            terms=f.licence_issued(Reference(log=f.ORIGIN, leaf="0" * 64)).lease,
            mode="kill",
        )
        now = self.at.clock.now()
        licence = draft_licence(self.at.desk.state, "run-1", load_pack(), plan, now=now)
        self.admit(licence, *f.AUTHORITY[:2])

    def revoke(self) -> None:
        for state in self.at.desk.state.licences.licences.values():
            reference = Reference(log=f.ORIGIN, leaf=state.leaf)
            number, now = state.licence.number, self.at.clock.now()
            fact = LicenceRevoked(effective=now, licence=reference, number=number, reason="breach")
            if self.taken % 5 == 0 and state.revoked is None:
                self.admit(fact, *f.AUTHORITY[:2])

    def lease(self) -> None:
        licences = self.at.desk.state.licences
        for leaf in list(licences.licences)[-1:]:
            number = licences.lease_numbers.get(HOST, 0) + 1
            licence = Admitted(index=0, leaf=leaf, digest="", fresh=False)
            request = self.at.request(licence, number, nonce=f"{self.taken:032x}")
            self.at.leases.grant(request)

    def work(self) -> None:
        self._receipt("quantum", self._spend())

    def finish(self) -> None:
        spend = self._spend()
        if spend is not None:
            self._receipt("final", spend)

    def forfeit(self) -> None:
        self.at.leases.close_overdue()

    def erase(self) -> None:
        for state in self.at.desk.state.licences.licences.values():
            for lease in state.leases:
                if lease.ended is not None and lease.allowance_flop is not None:
                    self.at.deposits.erase(lease.digest, "the law")
                    return

    # --- orders

    def pause(self) -> None:
        self._order("pause", "freeze")

    def hold(self) -> None:
        self._order("hold", "freeze")

    def resume(self) -> None:
        standing = self.at.desk.state.orders.in_force(self.at.clock.now())
        if standing:
            last = standing[-1]
            self._order("resume", "lift", lifts=(last.reference,), scope=last.order.scope)

    def obey(self) -> None:
        order = self._newest_order()
        if order is not None:
            self._receipt(("received", "halted", "resumed")[self.taken % 3], None, order)

    def observe(self) -> None:
        order, now = self._newest_order(), self.at.clock.now()
        if order is None:
            return
        after = LogPosition(size=self.at.desk.state.size, root="b" * 64)
        readings = tuple(Reading(at=now.plus(n), processes=1, running=0) for n in (0, 6))
        halted = self.at.desk.state.lives.of(order, HOST).halted
        fact = ObservationMade(
            effective=now,
            host=HOST,
            order=order,
            receipt=halted.digest if halted is not None else "0" * 64,
            after=after,
            nonce=halt_nonce(after, HOST, "observe"),
            readings=readings,
            work_cpu_ms=0,
            host_busy_ms=1,
            means="/proc",
            other_user=True,
        )
        self.admit(fact, f.VERIFIER[0])

    def judge(self) -> None:
        order, now = self._newest_order(), self.at.clock.now()
        if order is not None:
            fact = HaltJudged(
                effective=now,
                host=HOST,
                order=order,
                degree="claimed",
                interval=Span(start=now, end=now),
                lapses=now.plus(600),
                evidence=("0" * 64,),
                reasons=(str(self.taken),),
            )
            self.admit(fact, f.VERIFIER[0])

    # --- looking

    def _order(
        self,
        kind: str,
        effect: str,
        lifts: tuple[OrderReference, ...] = (),
        scope: Scope | None = None,
    ) -> None:
        plan = OrderPlan(
            kind=kind,  # type: ignore[arg-type]  # the step's own word
            # Mostly of somewhere else, so that leases are granted as well.
            scope=scope or Scope(sites=("site-1" if self.taken % 4 == 0 else "site-9",)),
            effect=effect,  # type: ignore[arg-type]  # the same
            lasts_s=3_600 if kind != "hold" else 60,
            legal_basis="Test act",
            appeal="in writing",
            lifts=lifts,
        )
        order = draft_order(self.at.desk.state, plan, now=self.at.clock.now())
        self.admit(order, *f.AUTHORITY[:3], f.VERIFIER[0])

    def _newest_order(self) -> OrderReference | None:
        registers = self.at.desk.state.orders.orders
        known = [o for name in ("pause/JP", "hold/JP") for o in registers[name].values()]
        return known[-1].reference if known else None

    def _spend(self) -> Spend | None:
        for state in self.at.desk.state.licences.licences.values():
            for lease in state.live_leases():
                return Spend(
                    lease=Reference(log=f.ORIGIN, leaf=lease.leaf),
                    lease_number=lease.granted.number,
                    reserved_flop="4000000000",
                    bound_flop="0",
                )
        return None

    def _receipt(
        self, stage: str, spend: Spend | None, order: OrderReference | None = None
    ) -> None:
        chain = self.at.leases.chain(HOST)
        fact = ReceiptGiven(
            effective=self.at.clock.now(),
            host=HOST,
            sequence=chain.sequence + 1,
            previous=chain.head,
            stage=stage,  # type: ignore[arg-type]  # the step's own word
            counter="C0",
            quantum=chain.sequence + 1,
            state="running",
            spend=spend,
            order=order,
        )
        self.at.leases.take_receipt(f.signed(fact, f.HOST).raw)


STEPS: Final[dict[str, Callable[[Story], None]]] = {
    name: getattr(Story, name)
    for name in (
        *("wait", "beat", "mark", "enrol", "retire", "join", "compromise", "accuse"),
        *("license", "revoke", "lease", "work", "finish", "forfeit", "erase"),
        *("pause", "hold", "resume", "obey", "observe", "judge"),
    )
}
