"""A real agent and watchdog with an emulated cluster: the gate opens, pods are counted, and end in silence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.schedulers.kubernetes.admission import AdmissionVerdict, judge_admission
from sekisho.adapters.schedulers.kubernetes.gate_config import POLICY_PATH, load_shown
from sekisho.adapters.schedulers.kubernetes.manifests import ManifestSettings, make_manifests
from sekisho.model.statements import EnrolledDevice, LeaseTerms, Mode, Span
from sekisho.model.wire import canonical, parse_json
from tests import factory
from tests.agent.homes import RUN, Living, living, wait_until, write_home
from tests.clusters import Cluster, Json, RealClock, cluster, job_document, pod_document
from tests.factory import AUTHORITY, OPERATOR, signed
from tests.fakes import FakeControl
from tests.reviews import RULES, request_of
from tests.served import SystemFakeClock, served

pytestmark = pytest.mark.slow

PEAK = 1_000_000_000
PODS = "/api/v1/namespaces/team/pods"
JOBS = "/apis/batch/v1/namespaces/team/jobs"
_PLACES = {
    "ConfigMap": "/api/v1/namespaces/sekisho-system/configmaps",
    "ValidatingAdmissionPolicy": POLICY_PATH.rpartition("/")[0],
}


class Regime:
    """A control plane, a cluster with our documents in it, and the agent between them."""

    def __init__(self, control: FakeControl, world: Cluster, alive: Living) -> None:
        self.control = control
        self.world = world
        self.alive = alive

    def judged(self, pod: Json) -> AdmissionVerdict:
        """What the webhook would say of a pod now."""
        with closing(self.world.api()) as api:
            shown = load_shown(api, "sekisho-system/sekisho-gate")
        return judge_admission(request_of(pod), shown, SystemClock().now(), RULES)

    def is_open(self) -> bool:
        return self.judged(pod_document(run=RUN)).allowed

    def submit(self, name: str = "j", **given: Any) -> None:
        """A Job and its pod on two devices, let in by the gate."""
        pod = pod_document(f"{name}-1", run=RUN, gpus=2, owner=f"Job/{name}", **given)
        wait_until(lambda: self.judged(pod).allowed)
        self.world.add(JOBS, job_document(name, run=RUN))
        self.world.add(PODS, pod)

    def is_gone(self, name: str = "j-1") -> bool:
        return self.world.found(f"{PODS}/{name}") is None

    def job(self, name: str = "j") -> Json:
        return self.world.found(f"{JOBS}/{name}") or {}

    def policy(self) -> dict[str, str]:
        rows: Any = (self.world.found(POLICY_PATH) or {})["spec"]["variables"]
        return {row["name"]: row["expression"] for row in rows}


def write_cluster_home(home: Path, control: FakeControl, url: str, world: Cluster) -> None:
    write_home(home, control, url)
    file = home / "agent.json"
    settings = parse_json(file.read_bytes())
    assert isinstance(settings, dict)
    part = {"run": RUN, "server": world.url_text, "devices": 8, "grace_s": 2}
    change: Json = {"command": [], "driver": "kubernetes", "kubernetes": part}
    file.write_bytes(canonical({**settings, **change}))
    (home / "out").mkdir()


def enrol(control: FakeControl) -> None:
    """host-1 stands for the whole cluster: eight devices."""
    fact = factory.host_enrolled(now=control.now())
    devices = tuple(
        EnrolledDevice(
            device=f"host-1/gpu-{n}",
            chip="accelerator",
            peak_flop_per_s=str(PEAK),
            basis="declared",
        )
        for n in range(8)
    )
    fact = msgspec.structs.replace(fact, devices=devices, driver="kubernetes")
    control.admit(signed(fact, AUTHORITY[0], OPERATOR))


def license_run(control: FakeControl, mode: Mode = "freeze") -> None:
    now = control.now()
    control.license(
        mode=mode,
        lease=LeaseTerms(interval_s=60, grace_s=2, quantum_s=1),
        budget_flop="1" + "0" * 20,
        period=Span(start=now.plus(-60), end=now.plus(86_400)),
    )


@contextmanager
def governed(folder: Path, *pods: Json) -> Iterator[Regime]:
    """Licensed, and open for pods; `pods` are there before the agent comes."""
    control = FakeControl(SystemFakeClock())
    enrol(control)
    license_run(control)
    with cluster(folder, RealClock()) as world, served(control) as url:
        for document in make_manifests(ManifestSettings(image="x")):
            if str(document["kind"]) in _PLACES:
                world.add(_PLACES[str(document["kind"])], document)
        for pod in pods:
            world.add(PODS, pod)
        write_cluster_home(folder / "home", control, url, world)
        with living(folder / "home") as alive:
            regime = Regime(control, world, alive)
            wait_until(regime.is_open)
            alive.link.about()
            yield regime


@pytest.fixture
def regime(tmp_path: Path) -> Iterator[Regime]:
    with governed(tmp_path) as one:
        yield one


def test_a_licensed_pod_spends_its_lease_and_an_unlicensed_one_is_refused(regime: Regime) -> None:
    """By device-seconds: two of eight devices cost more than nothing and less than all. Both nets say the same."""
    assert not regime.judged(pod_document(run="other")).allowed
    assert f"'{RUN}': 'open'" in regime.policy()["gates"]
    regime.submit()
    wait_until(lambda: (regime.alive.link.read().device_s or 0) > 4)
    quanta = regime.control.stages().count("quantum")
    wait_until(lambda: regime.control.stages().count("quantum") >= quanta + 2)
    spent = [r for r in regime.control.receipts if r.spend is not None]
    lasted_s = spent[-1].effective.since(spent[0].effective)
    assert spent[-1].spend is not None
    # A quantum is as long as a busy machine lets it be.
    most = 8 * PEAK * (len(spent) + 3 + round(lasted_s))
    assert 2 * PEAK < int(spent[-1].spend.bound_flop) < most
    assert regime.control.codes() == []


def test_with_the_control_plane_dead_the_pods_end_and_the_gate_shuts(regime: Regime) -> None:
    """No word from anybody: after the grace the Job is suspended, its pod gone, and no further pod comes in."""
    regime.submit()
    regime.control.is_silent = True
    wait_until(regime.is_gone)
    assert regime.job()["spec"]["suspend"] is True
    wait_until(lambda: not regime.is_open())


def test_with_the_agent_killed_its_watchdog_ends_the_pods(regime: Regime) -> None:
    """The permit runs out, and nobody has to ask."""
    regime.submit()
    wait_until(lambda: regime.alive.link.read().processes == 1)
    regime.alive.kill_agent()
    wait_until(regime.is_gone)
    assert regime.job()["metadata"]["annotations"]["sekisho/held"] == "freeze"
    wait_until(lambda: not regime.is_open())


def test_a_hold_suspends_jobs_and_says_what_that_leaves(regime: Regime) -> None:
    """Nothing stays in memory: the receipt does not claim a freeze that Kubernetes does not have."""
    regime.submit()
    wait_until(lambda: regime.alive.link.read().processes == 1)
    regime.control.issue(regime.control.order())
    wait_until(lambda: "halted" in regime.control.stages())
    halted = next(r for r in regime.control.receipts if r.stage == "halted")
    assert halted.means == "kubernetes-suspend"
    assert (halted.leaves or "").startswith("pods have ended, devices and memory are released")
    assert regime.judged(pod_document(run=RUN)).rule == "order-in-force"


@pytest.mark.soak
def test_a_pod_on_a_lost_node_is_never_halted(regime: Regime) -> None:
    """The order stands, the pod stays listed, and no receipt says halted."""
    regime.world.nodes["n1"] = "unreachable"
    regime.submit()
    wait_until(lambda: regime.alive.link.read().processes == 1)
    regime.control.issue(regime.control.order())
    wait_until(lambda: "refused" in regime.control.stages())
    assert "halted" not in regime.control.stages()
    regime.world.nodes["n1"] = "obedient"
    wait_until(lambda: "halted" in regime.control.stages())


def test_what_slipped_past_the_gate_is_a_finding(tmp_path: Path) -> None:
    """A pod without a run, seen by the rounds that the agent makes beside its duty."""
    with governed(tmp_path, pod_document("nobody", run=None)) as regime:
        wait_until(lambda: "busy-without-licence" in regime.control.codes())


@pytest.mark.soak
def test_the_charters_word_reaches_what_slipped_past_the_gate(tmp_path: Path) -> None:
    """It freezes: at the second round the Job behind such a pod is suspended; in an exempt namespace nothing is."""
    strange = pod_document("nobody", run=None, owner="Job/nobody")
    with governed(tmp_path, strange) as regime:
        system = "/api/v1/namespaces/kube-system/pods"
        regime.world.add(system, pod_document("train", namespace="kube-system", run=None))
        regime.world.add(JOBS, job_document("nobody", run=None))
        wait_until(lambda: regime.job("nobody")["spec"]["suspend"] is True, timeout_s=60)
        wait_until(lambda: regime.is_gone("nobody"))
        assert regime.world.found(f"{system}/train") is not None
