"""A small regime that really runs: a control plane on a home of its own, with two witness processes.

Module-scoped where tests use it, since founding takes half a second. What a test does to it, the next one sees: so
tests draw fresh names and look for what they did, not for how much there is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.keys import load_key, load_or_create_key
from sekisho.app import Control, Elsewhere, Home, RegimeFile
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterKey,
    HaltJudged,
    HostEnrolled,
    LeaseRequested,
    LeaseTerms,
    Lineage,
    LogPosition,
    ObservationMade,
    OrderIssued,
    OrderReference,
    PackPublished,
    PartyEnrolled,
    Predicate,
    Reading,
    ReceiptGiven,
    Reference,
    RunDeclared,
    Scope,
    Span,
    Spend,
)
from sekisho.operations.desk import Admitted
from sekisho.operations.founding import FoundingPlan, WitnessPlan, draft_founding
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.orders import halt_nonce
from sekisho.rules import load_pack, pack_bytes
from sekisho.signing import Ed25519Signer, Envelope, root_of
from sekisho.signing.notes import NoteSigner
from tests.factory import AUTHORITY, HOST, ORIGIN, PARTY, VERIFIER, signed, signer
from tests.factory import host_enrolled as enrolment_of
from tests.witness.processes import running_witness

__all__ = ["HOSTS", "LiveRegime", "live_regime", "unwitnessed_control"]

WITNESSES = ("w1.example/test", "w2.example/test")
HOSTS = ("host-1", "host-2")
BUDGET_FLOP = 10**13
PEAK_FLOP_PER_S = 10**9
TERMS = LeaseTerms(interval_s=60, grace_s=2, quantum_s=2)


class LiveRegime:
    """A running control plane with one site, two hosts (the second with an emulated device), one licence, one run."""

    def __init__(self, control: Control, operator: Ed25519Signer) -> None:
        self.control = control
        self.operator = operator
        self.licence: Admitted
        self.witnesses: tuple[str, ...] = ()

    @property
    def now(self) -> Instant:
        return SystemClock().now()

    def submit(self, predicate: Predicate, *signers: Ed25519Signer) -> Admitted:
        return self.control.submit(signed(predicate, *signers).raw)

    def settle(self, admitted: Admitted) -> None:
        """Wait until an entry is in a witnessed checkpoint."""
        self.control.publisher.wait_witnessed(admitted.index, 10)

    # --- licences and leases

    def lease_request(self, host: str = "host-1") -> Envelope:
        last = self.control.desk.state.licences.lease_numbers.get(host, 0)
        request = LeaseRequested(
            effective=self.now,
            host=host,
            licence=Reference(log=ORIGIN, leaf=self.licence.leaf),
            number=last + 1,
            nonce=secrets.token_hex(16),
            quantum=self.control.leases.chain(host).sequence,
            last_receipt=self.control.leases.chain(host).head,
        )
        return signed(request, key_of(host))

    def receipt(
        self,
        stage: str,
        *,
        host: str = "host-1",
        spend: Spend | None = None,
        order: OrderReference | None = None,
        state: str = "running",
    ) -> Envelope:
        """The next link of a host's chain; take it with `take` or post it."""
        chain = self.control.leases.chain(host)
        fact = ReceiptGiven(
            effective=self.now,
            host=host,
            sequence=chain.sequence + 1,
            previous=chain.head,
            stage=stage,  # type: ignore[arg-type]  # the test's own word
            counter="C0",
            quantum=chain.last.quantum if chain.last else 0,
            state=state,  # type: ignore[arg-type]  # as above
            spend=spend,
            order=order,
            means="SIGSTOP to the process group" if stage == "halted" else None,
        )
        return signed(fact, key_of(host))

    def take(self, stage: str, **more: object) -> str:
        """Give and take a receipt; its payload digest."""
        envelope = self.receipt(stage, **more)  # type: ignore[arg-type]  # passed through
        self.control.leases.take_receipt(envelope.raw)
        return envelope.digest

    # --- orders

    def order(
        self, kind: str = "pause", *, sites: tuple[str, ...] = ("site-1",), **more: object
    ) -> OrderIssued:
        plan = OrderPlan(
            kind=kind,  # type: ignore[arg-type]  # the test's own word
            scope=Scope(sites=sites),
            effect="lift" if kind == "resume" else "freeze",
            lasts_s=3_600,
            legal_basis="Test act, section 1",
            appeal="in writing within 14 days",
            **more,  # type: ignore[arg-type]  # passed through
        )
        return draft_order(self.control.desk.state, plan, now=self.now)

    def issue(self, order: OrderIssued) -> OrderReference:
        """Have an order signed by its quorum and admitted."""
        admitted = self.submit(order, *AUTHORITY[:3], VERIFIER[0])
        self.settle(admitted)
        return OrderReference(register=order.register, number=order.number, digest=admitted.digest)

    def lift(self, *orders: OrderReference) -> OrderReference:
        """Lift orders by a resume of its own."""
        return self.issue(self.order("resume", lifts=orders))

    def observe(
        self,
        order: OrderReference,
        host: str,
        receipt: str,
        *,
        by: Ed25519Signer = VERIFIER[1],
        cpu_ms: int = 0,
        later_s: float = 0,
    ) -> str:
        """An observer's two readings, of a quiet host unless `cpu_ms` says otherwise; the statement's digest."""
        recorded = self.control.desk.find(receipt)
        assert recorded is not None
        cosigned = self.control.publisher.wait_witnessed(recorded.index, 10)
        after = LogPosition(size=cosigned.checkpoint.size, root=cosigned.checkpoint.root.hex())
        now = self.now.plus(later_s)
        fact = ObservationMade(
            effective=now.plus(6),
            host=host,
            order=order,
            receipt=receipt,
            after=after,
            nonce=halt_nonce(after, host, "observe"),
            readings=(
                Reading(at=now, processes=1, running=0),
                Reading(at=now.plus(6), processes=1, running=0),
            ),
            work_cpu_ms=cpu_ms,
            host_busy_ms=10,
            means="/proc",
            other_user=True,
        )
        return self.submit(fact, by).digest

    def judge(
        self,
        order: OrderReference,
        host: str,
        degree: str,
        evidence: tuple[str, ...],
        *,
        lapses_s: float = 600,
    ) -> Admitted:
        now = self.now
        fact = HaltJudged(
            effective=now,
            host=host,
            order=order,
            degree=degree,  # type: ignore[arg-type]  # the test's own word
            interval=Span(start=now, end=now),
            lapses=now.plus(lapses_s),
            evidence=evidence,
            reasons=("two readings 6.0 s apart saw no work",),
            limits=("the host's own device has no key",),
        )
        return self.submit(fact, VERIFIER[0])


def key_of(host: str) -> Ed25519Signer:
    return HOST if host == "host-1" else signer(host)


@contextmanager
def live_regime(
    folder: Path, elsewhere: Elsewhere | None = None, *, terms: LeaseTerms = TERMS
) -> Iterator[LiveRegime]:
    """Found a regime in `folder` and run it, with its two witnesses, until the block ends."""
    home = Home.open(folder / "home", elsewhere)
    verifier = home.log_signer(ORIGIN)[0].verifier
    with ExitStack() as stack:
        ready = {
            name: stack.enter_context(running_witness(folder / f"w{n}", name, verifier))[0]
            for n, name in enumerate(WITNESSES)
        }
        charter = _found(home, [r.vkey for r in ready.values()])
        control = stack.enter_context(Control(home, {n: r.address for n, r in ready.items()}))
        control.submit(charter.raw)
        regime = LiveRegime(control, load_key(home.keys / "operator.pem"))
        regime.witnesses = tuple(r.address for r in ready.values())
        _set_up(regime, terms)
        yield regime


@contextmanager
def unwitnessed_control(folder: Path) -> Iterator[Control]:
    """A control plane that was founded, whose charter is not adopted yet and whose witnesses do not run."""
    home = Home.open(folder / "home")
    keys = [NoteSigner.cosigner(name, signer(name).private) for name in WITNESSES]
    _found(home, [key.verifier.to_text() for key in keys])
    with Control(home, {}) as control:
        yield control


def _found(home: Home, witnesses: list[str]) -> Envelope:
    """Draft and sign charter version 1, and keep the trust root it amounts to."""
    operator = load_or_create_key(home.keys / "operator.pem")

    def held(key: Ed25519Signer, holder: str, organisation: str) -> CharterKey:
        return CharterKey(public=key.public.to_text(), organisation=organisation, holder=holder)

    terms = draft_founding(
        FoundingPlan(
            name="Test regime",
            profile="authority",
            jurisdiction="JP",
            log_vkey=home.log_signer(ORIGIN)[0].verifier.to_text(),
            log_owner="Operator",
            constituencies={
                "authority": [
                    held(k, f"authority {n}", "Authority") for n, k in enumerate(AUTHORITY, 1)
                ],
                "verifiers": [
                    held(k, f"verifier {n}", "Verifier") for n, k in enumerate(VERIFIER, 1)
                ],
                "operators": [held(operator, "operator 1", "Operator")],
            },
            witnesses=[WitnessPlan(vkey=vkey, owner="Operator") for vkey in witnesses],
        ),
        now=SystemClock().now(),
    )
    envelope = signed(terms, *AUTHORITY[:3], VERIFIER[0])
    home.save_regime(RegimeFile(origin=ORIGIN, witnesses=WITNESSES))
    home.save_root(root_of(terms, envelope.digest))
    return envelope


def _set_up(regime: LiveRegime, terms: LeaseTerms) -> None:
    now = regime.now
    for host in HOSTS:
        fact: HostEnrolled = enrolment_of(host, of=key_of(host), emulated=host == "host-2", now=now)
        regime.submit(fact, AUTHORITY[0], regime.operator)
    party = PartyEnrolled(
        effective=now,
        party="party-1",
        public=PARTY.public.to_text(),
        organisation="Developer",
        country="JP",
    )
    regime.submit(party, AUTHORITY[0])
    pack, data = load_pack(), pack_bytes()
    regime.control.home.save_pack(pack.reference.name, pack.reference.version, data)
    published = PackPublished(effective=now, pack=pack.reference, bytes=len(data))
    regime.submit(published, *AUTHORITY[:2])
    regime.submit(
        RunDeclared(
            effective=now,
            run="run-1",
            party="party-1",
            site="site-1",
            jurisdictions=("JP",),
            purpose="canary",
            lineage=Lineage(scratch=True),
            chips=(),
            hosts=HOSTS,
            planned_flop=str(BUDGET_FLOP),
            planned_flop_hardware=str(BUDGET_FLOP),
            period=Span(start=now, end=now.plus(86_400)),
        ),
        PARTY,
    )
    plan = LicencePlan(number="LIC-1", terms=terms, mode="kill")
    licence = draft_licence(regime.control.desk.state, "run-1", pack, plan, now=regime.now)
    regime.licence = regime.submit(licence, *AUTHORITY[:2])
    regime.settle(regime.licence)
