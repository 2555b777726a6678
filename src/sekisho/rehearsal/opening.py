"""The drill's first half: a regime is founded, hosts enrolled, a run declared, decided, licensed, and it runs."""

from __future__ import annotations

import os

from sekisho.adapters.devices.emulated_link import EmulatedDevice
from sekisho.adapters.devices.host_cpu import read_host_cpu
from sekisho.agent.measuring import measure_agent
from sekisho.model.amounts import format_flop_short
from sekisho.model.statements import (
    EnrolledDevice,
    HostEnrolled,
    LeaseTerms,
    Lineage,
    PackPublished,
    PartyEnrolled,
    RunDeclared,
    Span,
)
from sekisho.operations.licence_drafts import (
    AnswerPlan,
    ApplicationPlan,
    draft_application,
    draft_approval,
)
from sekisho.operations.running import LicencePlan, decide_run, draft_licence
from sekisho.rehearsal.cast import origin_of
from sekisho.rehearsal.scene import CPU_HOST, EMULATED_HOST, SITE, Scene
from sekisho.rehearsal.stage import HostPlan
from sekisho.rules import load_pack, pack_bytes

__all__ = ["declare_and_decide", "enrol", "found", "issue_licences", "run_and_meter"]

TERMS = LeaseTerms(interval_s=20, grace_s=2, quantum_s=2)
BUDGET_PEAK_S = 1_200
PARTY = "party-1"


def found(scene: Scene) -> None:
    """Charter, log, two witnesses with keys and processes of their own; the trust root is installed by hand."""
    scene.connect(scene.stage.start_control())
    state = scene.wait_for(
        "the charter in a witnessed checkpoint",
        lambda: s if (s := scene.state()).regime.charter else None,
        within_s=20,
    )
    terms = state.regime.in_force().terms
    scene.tell(
        f"charter version {terms.version}, profile {terms.profile}: {state.regime.root_charter[:16]}"
    )
    scene.tell(
        "authority 3 of 5 AND verifiers 1 of 2 for pause and resume; 2 witnesses, both must cosign"
    )


def enrol(scene: Scene) -> None:
    """The host CPU with a declared peak, an emulated accelerator with its own key, and the licensee."""
    _, folder = scene.stage.start_device()
    scene.device = EmulatedDevice(folder)
    now = scene.clock.now()
    party = PartyEnrolled(
        effective=now,
        party=PARTY,
        public=scene.cast.party.public.to_text(),
        organisation="Rehearsed developer",
        country="JP",
    )
    scene.submit(party, scene.cast.authority[0])
    runs = name_runs(scene)
    for seed, host in enumerate(runs, 1):
        device = _cpu_device() if host == CPU_HOST else _emulated_device(scene.device)
        plan = HostPlan(
            host=host, run=runs[host], seed=seed, device=None if host == CPU_HOST else folder
        )
        scene.plans[host] = plan
        fact = HostEnrolled(
            effective=scene.clock.now(),
            host=host,
            public=scene.stage.host_key(host).public.to_text(),
            organisation="Rehearsed operator",
            site=SITE,
            jurisdiction="JP",
            devices=(device,),
            counter="C0",
            driver="process",
            agent=measure_agent(),
            canary=plan.run,
        )
        scene.submit(fact, scene.cast.authority[0], scene.cast.operator)
        scene.tell(
            f"{host}: {device.chip}, {format_flop_short(int(device.peak_flop_per_s))}/s {device.basis}"
            + (", EMULATED" if device.emulated else "")
        )


def declare_and_decide(scene: Scene) -> None:
    """The rule pack goes into the log, the runs are declared, and the rules answer with their reasons."""
    pack = load_pack()
    data = pack_bytes()
    scene.home.save_pack(pack.reference.name, pack.reference.version, data)
    scene.submit(
        PackPublished(effective=scene.clock.now(), pack=pack.reference, bytes=len(data)),
        *scene.cast.authority[:2],
    )
    for host, run in name_runs(scene).items():
        scene.wait_for_leaf(scene.submit(_declaration(scene, host, run), scene.cast.party).digest)
        decision = decide_run(scene.state(), run, pack, now=scene.clock.now())
        named = ", ".join(rule.id for rule in decision.rules) or "no threshold is reached"
        scene.tell(f"{run}: {decision.decision} ({named}; pack {pack.reference.name})")


def issue_licences(scene: Scene, terms: LeaseTerms = TERMS) -> None:
    """The licensee applies, two holders approve, two authority keys sign: budget, leases, and what their end does."""
    for number, run in enumerate(name_runs(scene).values(), 1):
        application = _approved(scene, f"APP-{number}", run)
        plan = LicencePlan(
            number=f"LIC-{number}", terms=terms, mode="kill", application=application
        )
        licence = draft_licence(scene.state(), run, load_pack(), plan, now=scene.clock.now())
        scene.wait_for_leaf(scene.submit(licence, *scene.cast.authority[:2]).digest)
        scene.tell(
            f"{licence.number} for {run}: {format_flop_short(int(licence.budget_flop))}, "
            f"leases of {terms.interval_s} s, quanta of {terms.quantum_s} s, grace {terms.grace_s} s"
        )


def _approved(scene: Scene, name: str, run: str) -> str:
    """An application for a run that the charter's number of holders has approved; its name."""
    plan = ApplicationPlan(
        application=name, run=run, mode="kill", reason="rehearsed", lasts_s=2 * 86_400
    )
    filed = scene.submit(
        draft_application(scene.state(), plan, now=scene.clock.now()), scene.cast.party
    )
    scene.wait_for_leaf(filed.digest)
    asked = scene.state().regime.in_force().terms.licence_approvals
    digests = []
    for officer in scene.cast.authority[:asked]:
        answer = AnswerPlan(application=name, key=officer.public.key_id, reason="rehearsed")
        fact = draft_approval(scene.state(), answer, now=scene.clock.now())
        digests.append(scene.submit(fact, officer).digest)
    for digest in digests:
        scene.wait_for_leaf(digest)
    scene.tell(f"{name} for {run}: {asked} holders approved")
    return name


def run_and_meter(scene: Scene) -> None:
    """Agents and watchdogs take leases; the canaries learn; every quantum is reserved, then spent, then credited."""
    if scene.root is None:
        raise RuntimeError("no regime is founded")
    for host, plan in scene.plans.items():
        scene.stage.prepare_host(plan, scene.address, scene.root)
        scene.agents[host] = scene.stage.start_agent(host)
    scene.stage.start_observer(scene.address, scene.root)
    for host in scene.plans:
        receipt = scene.wait_for(
            f"three metered quanta of {host}",
            lambda host=host: next(  # type: ignore[misc]  # bound at once
                (r for r in scene.receipts(host) if r.quantum >= 3 and r.spend is not None), None
            ),
            within_s=40,
        )
        spend = receipt.spend
        if spend is not None:
            scene.tell(
                f"{host}: quantum {receipt.quantum}, reserved {format_flop_short(int(spend.reserved_flop))}, "
                f"bound from processor time {format_flop_short(int(spend.bound_flop))}, "
                f"the work's own count {format_flop_short(int(spend.declared_flop or 0))} (tier {receipt.counter})"
            )


def name_runs(scene: Scene) -> dict[str, str]:
    """Each host's run, by a name that no other rehearsal on this machine has: an observer looks for work by it."""
    tail = origin_of(scene.home).rsplit("-", 1)[-1]
    return {CPU_HOST: f"canary-cpu-{tail}", EMULATED_HOST: f"canary-emulated-{tail}"}


def _cpu_device() -> EnrolledDevice:
    cpu = read_host_cpu()
    return EnrolledDevice(
        device=f"{CPU_HOST}/cpu",
        chip=f"host CPU, {cpu.cores} cores",
        peak_flop_per_s=str(cpu.peak_flop_per_s),
        basis="declared",
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    )


def _emulated_device(device: EmulatedDevice) -> EnrolledDevice:
    said, cpu = device.describe(), read_host_cpu()
    return EnrolledDevice(
        device=said.device,
        chip=f"emulated accelerator, {cpu.cores} cores",
        peak_flop_per_s=str(cpu.peak_flop_per_s),
        basis="declared",
        public=said.public_key,
        memory_bytes=said.memory_bytes,
        emulated=True,
    )


def _declaration(scene: Scene, host: str, run: str) -> RunDeclared:
    now = scene.clock.now()
    peak = read_host_cpu().peak_flop_per_s
    return RunDeclared(
        effective=now,
        run=run,
        party=PARTY,
        site=SITE,
        jurisdictions=("JP",),
        purpose="canary of the drill: a small network that truly learns",
        lineage=Lineage(scratch=True),
        chips=(),
        hosts=(host,),
        planned_flop=str(peak * BUDGET_PEAK_S // 10),
        planned_flop_hardware=str(peak * BUDGET_PEAK_S),
        period=Span(start=now, end=now.plus(86_400)),
    )
