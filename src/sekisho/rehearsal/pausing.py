"""The drill's second half: a pause by quorum, how sure the halt is, a resume, a blackout, and an outsider's audit."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.inspection.memory_fill import expect_fill
from sekisho.model.errors import Unavailable, VerificationError
from sekisho.model.statements import (
    ChallengeAnswered,
    HaltJudged,
    LogPosition,
    Scope,
    parse_payload,
)
from sekisho.operations.blast_radius import preview_order
from sekisho.operations.judging import gather_evidence, judge_host
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.orders import ChallengeEvidence, halt_nonce
from sekisho.rehearsal.opening import TERMS
from sekisho.rehearsal.scene import CPU_HOST, EMULATED_HOST, SITE, Scene
from sekisho.rehearsal.serving import opened
from sekisho.signing import parse_envelope
from sekisho.signing.phrase import digest_phrase

__all__ = [
    "DrillFailed",
    "audit_offline",
    "black_out",
    "challenge_device",
    "come_back",
    "observe_halt",
    "order_pause",
    "resume",
]

CHALLENGE_LIMIT_MS = 10_000
BLACKOUT_SLACK_S = 5.0


class DrillFailed(VerificationError):
    """A step of the drill did not do what was announced."""

    code = "drill-failed"


def order_pause(scene: Scene) -> None:
    """A pause is drafted, shown, signed by three of five and a verifier, issued; both hosts checkpoint and stop."""
    plan = OrderPlan(
        kind="pause",
        scope=Scope(sites=(SITE,)),
        effect="checkpoint-then-stop",
        lasts_s=3_600,
        grace_s=5,
        legal_basis="drill of the rehearsed regime",
        appeal="to the rehearsal's own hand",
        drill=True,
    )
    order = draft_order(scene.state(), plan, now=scene.clock.now())
    touched = preview_order(scene.state(), order)
    scene.tell(f"blast radius: {len(touched.hosts)} hosts, runs {', '.join(touched.runs)}")
    envelope = scene.cast.sign(order, *scene.cast.pause_quorum)
    scene.tell(f"digest phrase: {digest_phrase(envelope.digest)}")
    began = time.monotonic()
    reference = scene.issue(order, *scene.cast.pause_quorum)
    for host in scene.plans:
        halted = scene.wait_for(
            f"the halt of {host}",
            lambda host=host: scene.state().lives.of(reference, host).halted,  # type: ignore[misc]  # bound at once
            within_s=30,
        )
        seconds = time.monotonic() - began
        stages = scene.state().lives.of(reference, host).stages
        kept = next((s.receipt.checkpoint for s in stages if s.receipt.checkpoint), None)
        scene.tell(
            f"{host}: claimed halted after {seconds:.1f} s by {halted.receipt.means}, "
            + (f"checkpoint {kept.sha256[:16]} at step {kept.step}" if kept else "no checkpoint")
        )


def observe_halt(scene: Scene) -> None:
    """Another constituency's observer looks twice, at least five seconds apart; the verifier judges."""
    order = scene.orders[-1]
    scene.wait_for(
        "the observer's two readings",
        lambda: scene.state().lives.of(order, CPU_HOST).observation,
        within_s=45,
    )
    verdict = _judge(scene, CPU_HOST)
    _announced(verdict, "corroborated")
    scene.tell(f"{CPU_HOST}: {verdict.degree}: {verdict.reasons[0]}")
    for limit in verdict.limits:
        scene.tell(f"  limit: {limit}")


def challenge_device(scene: Scene) -> None:
    """The accelerator's meter is at rest and its whole memory is filled from a fresh nonce: verified, and emulated."""
    order = scene.orders[-1]
    scene.wait_for(
        "the observer at the emulated host",
        lambda: scene.state().lives.of(order, EMULATED_HOST).observation,
        within_s=45,
    )
    evidence, tree = _challenge(scene)
    scene.wait_for_leaf(evidence.digest)
    verdict = _judge(scene, EMULATED_HOST, (evidence,), tree)
    _announced(verdict, "verified")
    scene.tell(
        f"{EMULATED_HOST}: {verdict.degree} in {evidence.milliseconds} ms: {verdict.reasons[-1]}"
    )
    metered = [reason for reason in verdict.reasons if reason.endswith("all at rest")]
    if not metered:
        raise DrillFailed(f"no meter bears the halt out: {'; '.join(verdict.reasons)}")
    scene.tell(f"{EMULATED_HOST}: {metered[0]}")
    for limit in verdict.limits:
        scene.tell(f"  limit: {limit}")
    scene.tell(f"{CPU_HOST} stays at corroborated: a host CPU has no key of its own to answer with")


def resume(scene: Scene) -> None:
    """A resume has its own quorum and acts only once it is witnessed; the work goes on from its checkpoint."""
    plan = OrderPlan(
        kind="resume",
        scope=Scope(sites=(SITE,)),
        effect="lift",
        lasts_s=3_600,
        legal_basis="end of the drill",
        appeal="to the rehearsal's own hand",
        lifts=(scene.orders[-1],),
        drill=True,
    )
    paused = scene.orders[-1]
    order = draft_order(scene.state(), plan, now=scene.clock.now())
    scene.issue(order, *scene.cast.pause_quorum)
    for host in scene.plans:
        before = max((r.sequence for r in scene.receipts(host)), default=0)
        scene.wait_for(
            f"{host} to run again",
            lambda host=host, before=before: next(  # type: ignore[misc]  # bound at once
                (
                    r
                    for r in scene.receipts(host)
                    if r.sequence > before and r.stage == "quantum" and r.state == "running"
                ),
                None,
            ),
            within_s=40,
        )
        life = scene.state().lives.of(paused, host)
        scene.tell(f"{host}: {life.stages[-1].stage} from its checkpoint under a fresh lease")


def black_out(scene: Scene) -> None:
    """The control plane is killed: no quantum is acknowledged, and the work stops by itself after the grace."""
    if scene.control is None:
        raise Unavailable("the control plane is not running")
    began = time.monotonic()
    scene.stage.kill(scene.control)
    scene.tell("control plane and witnesses killed: nobody is left to order anything")
    # The quantum under way was acknowledged; one more may have been. Then the grace.
    bound = 2 * TERMS.quantum_s + TERMS.grace_s + BLACKOUT_SLACK_S
    for host in scene.plans:
        link = WatchdogLink(scene.stage.host_folder(host) / "watchdog")
        scene.wait_for(
            f"{host} to stop by itself",
            lambda link=link: link.read().state == "ended" or None,  # type: ignore[misc]  # bound at once
            within_s=bound,
        )
        scene.tell(
            f"{host}: stopped {time.monotonic() - began:.1f} s after the blackout (bound {bound:.0f} s)"
        )


def come_back(scene: Scene) -> None:
    """The control plane starts again from its log; receipts made meanwhile arrive, the work goes on."""
    before = scene.follower.position
    port = int(scene.address.rsplit(":", 1)[1])
    sequences = {h: max((r.sequence for r in scene.receipts(h)), default=0) for h in scene.plans}
    scene.connect(scene.stage.start_control(port))
    for host, sequence in sequences.items():
        scene.wait_for(
            f"{host} to run again",
            lambda host=host, sequence=sequence: next(  # type: ignore[misc]  # bound at once
                (
                    r
                    for r in scene.receipts(host)
                    if r.sequence > sequence and r.stage == "quantum" and r.state == "running"
                ),
                None,
            ),
            within_s=40,
        )
    scene.state()
    after = scene.follower.position
    if before and after:
        scene.tell(
            f"log consistent from {before.size} to {after.size} entries; both hosts run, acknowledged again"
        )


def audit_offline(scene: Scene) -> None:
    """Everything goes into a bundle; an outsider audits a copy of it, in a process without network."""
    _end_sites(scene)
    folder = scene.home.path / "bundles" / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    with opened(scene.home, scene.stage) as control:
        control.export_bundle(folder)
    scene.bundle = folder
    with tempfile.TemporaryDirectory(prefix="sekisho-outsider-") as elsewhere:
        copy = Path(shutil.copytree(folder, Path(elsewhere) / "bundle"))
        policy = scene.home.path / "trust.json"
        bare = _audit(copy, policy)
        accepted = _audit(copy, policy, "--accept", "witnessed")
    scene.tell(
        f"the outsider's verdict: {bare['verdict']}: one owner holds both witness keys, as announced"
    )
    scene.tell(f"accepting that by name: {accepted['verdict']}, {len(accepted['checks'])} checks")
    for limit in accepted["limits"]:
        scene.tell(f"  limit: {limit}")
    if (bare["verdict"], accepted["verdict"]) != ("unverifiable", "holds"):
        failed = [
            f"{c['name']}: {c['detail']}" for c in accepted["checks"] if c["verdict"] != "holds"
        ]
        raise DrillFailed(f"the audit says {accepted['verdict']}: {'; '.join(failed)}")


def _judge(
    scene: Scene,
    host: str,
    challenges: tuple[ChallengeEvidence, ...] = (),
    tree: LogPosition | None = None,
) -> HaltJudged:
    state = scene.state()
    now = scene.clock.now()
    evidence = gather_evidence(
        state, scene.orders[-1], host, at=now, challenges=challenges, tree=tree
    )
    verdict = judge_host(state, evidence, now=now)
    scene.submit(verdict, scene.cast.verifier)
    return verdict


def _announced(verdict: HaltJudged, degree: str) -> None:
    if verdict.degree != degree:
        raise DrillFailed(
            f"{verdict.host} is {verdict.degree}, announced was {degree}: {'; '.join(verdict.reasons)}"
        )


def _challenge(scene: Scene) -> tuple[ChallengeEvidence, LogPosition]:
    """Put a nonce from the newest witnessed tree to the device and log its answer."""
    state, tree = scene.state(), scene.follower.position
    if tree is None or scene.device is None:
        raise Unavailable("no witnessed tree, or no device, to challenge with")
    (device,) = state.regime.hosts[EMULATED_HOST].devices
    nonce = halt_nonce(tree, EMULATED_HOST, f"device {device.device}")
    answer = scene.device.answer_challenge(
        bytes.fromhex(nonce), timeout_s=CHALLENGE_LIMIT_MS / 1000
    )
    envelope = parse_envelope(answer.envelope)
    scene.send(envelope.raw)
    fact = parse_payload(envelope.payload).predicate
    if not isinstance(fact, ChallengeAnswered):
        raise DrillFailed("the device answered something else than its challenge")
    expected = expect_fill(bytes.fromhex(nonce), device.device, device.memory_bytes or 0)
    evidence = ChallengeEvidence(
        digest=envelope.digest,
        answer=fact,
        expected=expected.digest,
        milliseconds=round(answer.seconds * 1000),
        limit_ms=CHALLENGE_LIMIT_MS,
    )
    return evidence, tree


def _end_sites(scene: Scene) -> None:
    """End agents, their work and the control plane; leases not closed by then stay leased until they run out."""
    scene.stage.end_agents()
    scene.stage.end_work()
    if scene.control is not None:
        scene.stage.end(scene.control)


def _audit(bundle: Path, policy: Path, *more: str) -> dict:  # type: ignore[type-arg]  # the auditor's own JSON
    """Run the auditor as an outsider would: another process, its own trust root, no network."""
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "sekisho.auditor.main",
            str(bundle),
            "--policy",
            str(policy),
            "--json",
            *more,
        ],
        capture_output=True,
        check=False,
        timeout=120,
    )
    try:
        return json.loads(done.stdout)  # type: ignore[no-any-return]
    except ValueError:
        raise DrillFailed(
            f"the auditor said: {done.stderr.decode(errors='replace')[-500:]}"
        ) from None
