"""The ladder of refusal with real processes: an agent that follows no order, until its operator gives in."""

from __future__ import annotations

import secrets
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.processes import ChildProcess
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.adapters.transport.control_client import ControlClient
from sekisho.app import Home
from sekisho.model.errors import SekishoError, StateConflict
from sekisho.model.statements import (
    LeaseGranted,
    LeaseRequested,
    LeaseTerms,
    OrderReference,
    ReceiptGiven,
    Reference,
    RefusalRecorded,
    RefusalStep,
    Scope,
    parse_payload,
)
from sekisho.model.wire import parse_json
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.straggling import (
    LateHost,
    RefusalPlan,
    barring_orders,
    draft_refusal,
    late_hosts,
)
from sekisho.rehearsal import opening, pausing
from sekisho.rehearsal.cast import origin_of
from sekisho.rehearsal.scene import CPU_HOST, Scene
from sekisho.rehearsal.stage import Stage
from sekisho.signing import Envelope, parse_envelope

pytestmark = pytest.mark.slow
TERMS = LeaseTerms(interval_s=6, grace_s=2, quantum_s=1)
HALT_DUE_S, STEP_S = 2, 1
LADDER: tuple[RefusalStep, ...] = ("notice", "leases-ended", "refusal", "inspection")
ROOT = Path(__file__).parents[2]


def test_an_agent_that_refuses_climbs_the_whole_ladder_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late, each step in its time, no lease under any licence, stopped by silence; it halts, and goes on lifted."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Stage(Home.open(tmp_path / "home")) as stage:
        scene = Scene(stage.home, stage, lambda _: None)
        runs = {CPU_HOST: opening.name_runs(scene)[CPU_HOST]}
        monkeypatch.setattr(opening, "name_runs", lambda _: runs)
        opening.found(scene)
        hurry_the_ladder(scene)
        opening.enrol(scene)
        opening.declare_and_decide(scene)
        opening.issue_licences(scene, TERMS)
        try:
            play(scene)
        finally:
            stage.end_agents()
            stage.end_work()


def play(scene: Scene) -> None:
    agent = start_refusing(scene)
    order = pause(scene)
    late = straggler(scene)
    assert (late.late.host, late.late.why, late.upcoming.steps) == (CPU_HOST, "silent", ("notice",))
    climb(scene, order)
    restricted(scene, order)
    assert not [r for r in receipts(scene) if r.order is not None]

    scene.stage.end(agent)
    scene.agents[CPU_HOST] = scene.stage.start_agent(CPU_HOST)
    scene.wait_for("the halt", lambda: scene.state().lives.of(order, CPU_HOST).halted, within_s=30)
    now = scene.clock.now()
    assert late_hosts(scene.state(), now) == ()
    assert barring_orders(scene.state(), CPU_HOST, now) == ()
    lift(scene, order)
    scene.wait_for("the work", lambda: watchdog(scene).read().state == "running", within_s=40)
    pausing.audit_offline(scene)


# --- setting out -----------------------------------------------------------------------------


def hurry_the_ladder(scene: Scene) -> None:
    """A charter whose deadlines are seconds: version 2, by the quorum that amends."""
    charter = scene.state().regime.in_force()
    # By hand: the drafter asks for witnesses of other organisations, which a rehearsal on one machine has not.
    fact = msgspec.structs.replace(
        charter.terms,
        version=2,
        previous=charter.digest,
        effective=scene.clock.now(),
        halt_due_s=HALT_DUE_S,
        refusal_step_s=STEP_S,
    )
    scene.wait_for_leaf(scene.submit(fact, *scene.cast.pause_quorum).digest)


def start_refusing(scene: Scene) -> ChildProcess:
    assert scene.root is not None
    scene.stage.prepare_host(scene.plans[CPU_HOST], scene.address, scene.root)
    home = str(scene.stage.host_folder(CPU_HOST))
    agent = scene.stage._start("refusing agent", "tests.rehearsal.refusing_agent", "--home", home)
    scene.wait_for("metered quanta", lambda: len(receipts(scene)) >= 3 or None, within_s=40)
    return agent


def receipts(scene: Scene) -> list[ReceiptGiven]:
    return scene.receipts(CPU_HOST)


def watchdog(scene: Scene) -> WatchdogLink:
    return WatchdogLink(scene.stage.host_folder(CPU_HOST) / "watchdog")


# --- acts ------------------------------------------------------------------------------------


def plan(scene: Scene, **more: object) -> OrderPlan:
    """Over the run alone, and no drill: under an exercise nobody is late."""
    fields: dict[str, object] = {
        "kind": "pause",
        "scope": Scope(runs=(scene.plans[CPU_HOST].run,)),
        "effect": "checkpoint-then-stop",
        "lasts_s": 3_600,
        "legal_basis": "rehearsal",
        "appeal": "to the rehearsal's own hand",
        **more,
    }
    return OrderPlan(**fields)  # type: ignore[arg-type]  # the test's own fields


def pause(scene: Scene) -> OrderReference:
    order = draft_order(scene.state(), plan(scene), now=scene.clock.now())
    return scene.issue(order, *scene.cast.pause_quorum)


def lift(scene: Scene, paused: OrderReference) -> None:
    """Its own quorum's resume, which acts once it is witnessed."""
    asked = plan(scene, kind="resume", effect="lift", lifts=(paused,))
    scene.issue(draft_order(scene.state(), asked, now=scene.clock.now()), *scene.cast.pause_quorum)


def straggler(scene: Scene) -> LateHost:
    """The one host that is late, once it is."""
    (row,) = scene.wait_for(
        "a straggler", lambda: late_hosts(scene.state(), scene.clock.now()) or None, within_s=30
    )
    return row


def climb(scene: Scene, order: OrderReference) -> None:
    """Each step is refused before its time and taken in it; none can be left out."""
    for step in LADDER:
        plan = RefusalPlan(
            host=CPU_HOST,
            order=order,
            step=step,
            answer_within_s=2 * STEP_S,
            measure="a visit on site" if step == "inspection" else None,
        )
        ahead = LADDER[(LADDER.index(step) + 1) % len(LADDER)]
        with pytest.raises(StateConflict, match="is not the next step"):
            draft_refusal(
                scene.state(), msgspec.structs.replace(plan, step=ahead), now=scene.clock.now()
            )
        scene.wait_for(
            f"the time of {step}",
            lambda: straggler(scene).is_due(scene.clock.now()),
            within_s=30,
        )
        fact = draft_refusal(scene.state(), plan, now=scene.clock.now())
        scene.wait_for_leaf(scene.submit(fact, scene.cast.verifier).digest)
    made = scene.state().refusals.of(order, CPU_HOST)
    assert tuple(one.fact.step for one in made) == LADDER


def restricted(scene: Scene, order: OrderReference) -> None:
    """Barred from every licence, granted nothing since, told why, and stopped by the end of its lease."""
    assert barring_orders(scene.state(), CPU_HOST, scene.clock.now()) == (order,)
    bound_s = TERMS.interval_s + TERMS.grace_s + 5
    scene.wait_for(
        "the dead man", lambda: watchdog(scene).read().state == "ended" or None, within_s=bound_s
    )
    with (
        closing(ControlClient(scene.address)) as control,
        pytest.raises(SekishoError, match="ended on record"),
    ):
        control.send_request(next_request(scene).raw)
    kinds = [type(entry.verified.predicate) for entry in scene.follower.recorded]
    ended = kinds.index(RefusalRecorded)
    assert LeaseGranted not in kinds[ended:]


def next_request(scene: Scene) -> Envelope:
    """What the agent asks now and then and is refused each time: its next lease, under the host's own key."""
    last = parse_envelope((host_files(scene) / "receipts.jsonl").read_bytes().splitlines()[-1])
    receipt = parse_payload(last.payload).predicate
    state = parse_json((host_files(scene) / "state.json").read_bytes())
    assert isinstance(receipt, ReceiptGiven)
    assert isinstance(state, dict)
    assert isinstance(state["lease_number"], int)
    (licence,) = [
        entry for entry in scene.follower.recorded if entry.verified.kind == "licence-issued"
    ]
    asked = LeaseRequested(
        effective=scene.clock.now(),
        host=CPU_HOST,
        licence=Reference(log=origin_of(scene.home), leaf=licence.leaf),
        number=state["lease_number"] + 1,
        nonce=secrets.token_hex(32),
        quantum=receipt.quantum,
        last_receipt=last.digest,
    )
    return scene.cast.sign(asked, scene.stage.host_key(CPU_HOST))


def host_files(scene: Scene) -> Path:
    return scene.stage.host_folder(CPU_HOST)
