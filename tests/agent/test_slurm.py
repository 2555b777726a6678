"""A real agent and watchdog with a real Slurm: licensed jobs run, are paused with their checkpoint, and end in time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from sekisho.adapters.schedulers.slurm.gate_file import GATE_NAME
from sekisho.model.errors import StateConflict
from sekisho.model.statements import LeaseGranted, LeaseRequested, parse_payload
from sekisho.ports.control import LeaseAnswer
from sekisho.signing import parse_envelope
from tests.agent.counted_agent import COUNTED_AGENT
from tests.agent.homes import Living, living, wait_until
from tests.agent.slurm_homes import (
    COMMENT,
    DEVICE_PEAK,
    enrol_cluster,
    license_run,
    training_job,
    write_slurm_home,
)
from tests.agent.test_main import resume
from tests.fakes import FakeControl
from tests.served import SystemFakeClock, served
from tests.slurms import Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.slow]
LEASE_S, LONG_S = 14, 120
RESERVED = 8 * 3 * DEVICE_PEAK
"""A quantum's reserve: all devices for its second and the grace of two; what nobody could read costs that."""


class Regime:
    """A control plane, a cluster, and the agent between them."""

    def __init__(self, control: FakeControl, cluster: Cluster, alive: Living, began: float) -> None:
        self.control = control
        self.cluster = cluster
        self.alive = alive
        self.out = alive.home / "out"
        self.began = began

    def gate(self) -> str:
        return (self.cluster.gate / GATE_NAME).read_text()

    def is_open(self) -> bool:
        return "\topen\t" in self.gate()

    def submit(self, *options: str) -> int:
        """A licensed job, once it runs its script."""
        job = self.cluster.submit(training_job(self.out), "--gres=gpu:2", COMMENT, *options)
        wait_until((self.out / f"running-{job}").exists)
        return job

    def spent(self) -> list[int]:
        """FLOP that each receipt with a spend adds to the bound of the lease's finished quanta."""
        bounds = [int(r.spend.bound_flop) for r in self.control.receipts if r.spend is not None]
        return [after - before for before, after in pairwise([0, *bounds])]


@pytest.fixture
def regime(slurm: Cluster, tmp_path: Path) -> Iterator[Regime]:
    """Licensed, and open for jobs."""
    control = FakeControl(SystemFakeClock())
    enrol_cluster(control)
    license_run(control)
    with served(control) as url:
        write_slurm_home(tmp_path / "home", control, url, slurm)
        began = time.monotonic()
        with living(tmp_path / "home") as alive:
            regime = Regime(control, slurm, alive, began)
            wait_until(regime.is_open)
            alive.link.about()  # from now on it is waited for while it ends jobs
            yield regime


def test_a_licensed_job_spends_its_lease_by_the_devices_that_it_holds(regime: Regime) -> None:
    """Two of eight devices: far less than everybody's, but for quanta in which a busy scheduler kept silent."""
    job = regime.submit()
    quanta = regime.control.stages().count("quantum")
    wait_until(lambda: regime.control.stages().count("quantum") >= quanta + 4, timeout_s=240)

    wait_until(
        lambda: any(2 * DEVICE_PEAK <= flop < RESERVED // 2 for flop in regime.spent()),
        timeout_s=240,  # a scheduler that has no processor for a while costs whole reserves meanwhile
    )
    # Quanta are as long as a busy machine lets them be: never more than everybody's for all of the time.
    lasted_s = time.monotonic() - regime.began
    assert sum(regime.spent()) <= RESERVED + 8 * DEVICE_PEAK * lasted_s
    regime.cluster.run("scancel", str(job))
    wait_until(lambda: regime.alive.link.read().processes == 0)
    used = regime.alive.link.read().device_s
    assert used is not None
    time.sleep(2.0)
    assert regime.alive.link.read().device_s == used
    assert regime.control.codes() == []


def test_a_pause_ends_the_job_in_its_grace_and_keeps_its_checkpoint(regime: Regime) -> None:
    """Asked, written, ended, back in the queue and held; after the resume it runs again."""
    job = regime.submit()
    regime.control.issue(regime.control.order(effect="checkpoint-then-stop", grace_s=5))
    wait_until(lambda: regime.control.stages()[-1] == "final")

    assert regime.control.stages()[-4:] == ["received", "checkpointed", "halted", "final"]
    halted = next(r for r in regime.control.receipts if r.stage == "halted")
    assert halted.means == "slurm-requeue-hold"
    assert (regime.out / "checkpoint.json").exists()
    assert regime.cluster.state(job) == "PENDING"
    assert "order-in-force" in regime.cluster.refused("--gres=gpu:1", COMMENT)

    resume(regime.control, 1)
    wait_until(regime.is_open)
    wait_until(lambda: "resumed" in regime.control.stages())
    regime.cluster.begin_again(job)
    assert regime.control.codes() == []


def test_a_hold_suspends_and_says_what_that_leaves(regime: Regime) -> None:
    """Memory and devices stay with the job; after the resume it goes on where it stood."""
    job = regime.submit()
    regime.control.issue(regime.control.order())
    wait_until(lambda: "halted" in regime.control.stages())

    halted = next(r for r in regime.control.receipts if r.stage == "halted")
    assert halted.means == "slurm-suspend"
    assert "memory stay occupied" in (halted.leaves or "")
    assert regime.cluster.state(job) == "SUSPENDED"
    resume(regime.control, 1)
    wait_until(lambda: regime.cluster.state(job) == "RUNNING")


def test_the_control_plane_is_dead(regime: Regime) -> None:
    """No quantum is acknowledged: the job is asked for a checkpoint, then ended, and none comes in."""
    job = regime.submit()
    regime.control.is_silent = True
    # Long before the lease's end, which is a minute away.
    wait_until(lambda: regime.cluster.state(job) == "PENDING", timeout_s=45)

    assert (regime.out / "checkpoint.json").exists()
    assert regime.alive.state() == "ended"
    assert "remedy:" in regime.cluster.refused("--gres=gpu:1", COMMENT)


def one_lease(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> list[LeaseGranted]:
    """The leases that this control plane grants: the first that is asked for, and none after it."""
    granted: list[LeaseGranted] = []
    grant = control.grant

    def refuse_the_next(request: LeaseRequested, digest: str) -> LeaseAnswer:
        if granted:
            raise StateConflict("one lease is all there is")
        answer = grant(request, digest)
        lease = parse_payload(parse_envelope(answer.envelope).payload).predicate
        assert isinstance(lease, LeaseGranted)
        granted.append(lease)
        return answer

    monkeypatch.setattr(control, "grant", refuse_the_next)
    return granted


def orphaned(
    control: FakeControl,
    cluster: Cluster,
    home: Path,
    stack: contextlib.ExitStack,
    *,
    lease_s: int,
    grace_s: int,
) -> tuple[Regime, int]:
    """A licensed job on a host with a TPM of the control plane's tier; then the control plane dies."""
    enrol_cluster(control)
    license_run(control, grace_s=grace_s, interval_s=lease_s)
    url = stack.enter_context(served(control))
    write_slurm_home(home, control, url, cluster)
    alive = stack.enter_context(living(home, (COUNTED_AGENT, control.tier)))
    regime = Regime(control, cluster, alive, time.monotonic())
    wait_until(regime.is_open)
    job = regime.submit()
    control.is_silent = True
    return regime, job


def test_a_certified_host_s_job_outlives_its_control_plane_to_the_end_of_its_lease(
    slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On C2 it runs unacknowledged quanta to its lease's expiry and not a moment less, then its grace, then it ends."""
    control = FakeControl(SystemFakeClock(), tier="C2")
    granted = one_lease(control, monkeypatch)
    with contextlib.ExitStack() as stack:
        # The grace is how late an agent on a busy machine may be with its next quantum.
        regime, job = orphaned(control, slurm, tmp_path / "home", stack, lease_s=LEASE_S, grace_s=3)
        (lease,) = granted
        assert lease.not_after.since(control.now()) > 1 + 3 + 0.5  # beyond quantum and grace
        states = set()
        while lease.not_after.since(control.now()) > 0.3:
            states.add((slurm.state(job), lease.not_after > control.now()))
            time.sleep(0.1)
        assert {state for state, is_good in states if is_good} == {"RUNNING"}
        wait_until(lambda: slurm.state(job) == "PENDING")

        assert regime.alive.state() == "ended"
        assert (regime.out / "checkpoint.json").exists()
        assert len(granted) == 1


def test_a_virtual_tpm_s_job_ends_without_an_acknowledgement(
    slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On C1 a step that nobody acknowledges ends the job after quantum and grace, though its lease runs on."""
    control = FakeControl(SystemFakeClock(), tier="C1")
    granted = one_lease(control, monkeypatch)
    with contextlib.ExitStack() as stack:
        regime, job = orphaned(control, slurm, tmp_path / "home", stack, lease_s=LONG_S, grace_s=1)
        wait_until(lambda: slurm.state(job) == "PENDING")

        assert granted[0].not_after.since(control.now()) > 0.5
        assert (regime.out / "checkpoint.json").exists()


def test_the_agent_is_killed(regime: Regime) -> None:
    """The watchdog ends the jobs at the end of their permit; the gate's picture ages and lets nothing in."""
    job = regime.submit()
    regime.alive.kill_agent()
    wait_until(lambda: regime.cluster.state(job) == "PENDING", timeout_s=45)
    regime.cluster.wait_for("an old picture", lambda: _is_stale(regime.cluster))

    assert (regime.out / "checkpoint.json").exists()
    regime.alive.restart()


def test_jobs_of_others_are_left_alone(regime: Regime) -> None:
    """A job without accelerators, of whoever, runs through a pause of the licensed run."""
    other = regime.cluster.submit("sleep 60", "--comment=sekisho-of-mine", user=65_534)
    regime.cluster.wait_state(other, "RUNNING")
    job = regime.submit()
    regime.control.issue(regime.control.order(effect="checkpoint-then-stop", grace_s=2))
    wait_until(lambda: regime.cluster.state(job) == "PENDING")

    assert regime.cluster.state(other) == "RUNNING"


def _is_stale(cluster: Cluster) -> bool:
    done = cluster.run("sbatch", "--output=/dev/null", "--gres=gpu:1", COMMENT, "--wrap=true")
    return "gate-stale" in done.stderr


@pytest.mark.soak  # two stops of the driver's whole bound; in short in test_slurm_driver.py
def test_a_job_that_does_not_leave_its_node_is_never_called_halted(regime: Regime) -> None:
    """It hangs while it completes: the order is refused, and halted only once it is gone."""
    regime.submit()
    regime.cluster.hang.touch()
    try:
        order = regime.control.order(effect="checkpoint-then-stop", grace_s=0)
        regime.control.issue(order)
        wait_until(lambda: "refused" in regime.control.stages())
        assert "halted" not in regime.control.stages()
    finally:
        regime.cluster.hang.unlink()
    wait_until(lambda: "halted" in regime.control.stages())
    wait_until(lambda: "work-does-not-stop" in regime.control.codes())


def test_what_slipped_past_the_gate_is_found(slurm: Cluster, tmp_path: Path) -> None:
    """A job on accelerators that no licence covers, let in while the gate only advised: a finding, and it runs on."""
    stray = slurm.submit("sleep 60", "--gpus=2", user=65_534)
    slurm.wait_state(stray, "RUNNING")
    control = FakeControl(SystemFakeClock())
    enrol_cluster(control)
    license_run(control, mode="advise")
    with served(control) as url:
        write_slurm_home(tmp_path / "home", control, url, slurm)
        with living(tmp_path / "home"):
            wait_until(lambda: "busy-without-licence" in control.codes())

    finding = next(f for f in control.findings if f.finding == "busy-without-licence")
    assert finding.detail == f"1 jobs: {stray} (user 65534, 2 devices)"
    assert slurm.state(stray) == "RUNNING"
