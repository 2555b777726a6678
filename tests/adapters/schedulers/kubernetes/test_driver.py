"""The Kubernetes driver against an emulated API server with nodes that end pods on a clock of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from sekisho.adapters.schedulers.kubernetes.driver import CHECKPOINT, KubernetesDriver
from sekisho.adapters.schedulers.kubernetes.holding import HELD
from sekisho.agent.journal import Journal
from sekisho.agent.watchdog import Guard
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict, Unavailable
from sekisho.ports.driver_settings import DriverSettings, KubernetesSettings, KueueQueue
from tests.clusters import Cluster, cluster, job_document, pod_document

PODS = "/api/v1/namespaces/team/pods"
JOBS = "/apis/batch/v1/namespaces/team/jobs"
KUEUE = "/apis/kueue.x-k8s.io/v1beta2"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as one:
        yield one


def driver_of(world: Cluster, **given: Any) -> KubernetesDriver:
    """A driver, or the next one after a restart: all of a test's drivers share a folder."""
    plain: dict[str, Any] = {"run": "r", "devices": 8}
    settings = KubernetesSettings(**(plain | given))
    return KubernetesDriver(
        settings, world.folder / "driver", api=world.api(), clock=world.clock, rest=world.clock.rest
    )


def test_a_run_is_running_while_a_pod_of_it_lives(world: Cluster) -> None:
    """No pod: ended. A pod of another run changes nothing, one of ours does."""
    driver = driver_of(world)
    world.add(PODS, pod_document("other", run="s"))
    assert (driver.read().state, driver.is_over()) == ("ended", True)
    world.add(PODS, pod_document("mine"))
    assert (driver.read().state, driver.read().processes, driver.is_over()) == ("running", 1, False)
    assert driver.workload is not None
    assert driver.workload.run == "r"


def test_freeze_suspends_jobs_and_says_so(world: Cluster) -> None:
    """The Job is suspended and marked as ours, its pods end within their grace, and the run is frozen, not ended."""
    world.add(JOBS, job_document())
    world.add(PODS, pod_document("j-1", owner="Job/j"))
    driver = driver_of(world)
    assert driver.freeze() == "kubernetes-suspend"
    job = world.found(f"{JOBS}/j")
    assert job is not None
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["annotations"]["sekisho/held"] == "freeze"
    assert driver.read().state == "frozen"
    assert driver_of(world).read().state == "frozen"  # a driver that was started anew


def test_thaw_lets_go_what_we_hold_and_nothing_else(world: Cluster) -> None:
    """A Job that a person had suspended stays suspended."""
    world.add(JOBS, job_document("ours"))
    world.add(JOBS, job_document("theirs", suspend=True))
    driver = driver_of(world)
    driver.freeze()
    assert driver.thaw() == "kubernetes-suspend"
    ours, theirs = world.found(f"{JOBS}/ours"), world.found(f"{JOBS}/theirs")
    assert ours is not None
    assert theirs is not None
    assert ours["spec"]["suspend"] is False
    assert "sekisho/held" not in ours["metadata"]["annotations"]
    assert theirs["spec"]["suspend"] is True
    assert driver.thaw() == "none"


def test_kill_ends_pods_without_a_job_and_keeps_jobs_suspended(world: Cluster) -> None:
    """After a kill the run is ended and stays so until a person lets its Jobs go on."""
    world.add(JOBS, job_document())
    world.add(PODS, pod_document("bare"))
    driver = driver_of(world)
    assert driver.kill() == "kubernetes-delete"
    assert (driver.read().state, driver.is_over()) == ("ended", True)
    assert driver_of(world).read().state == "ended"
    assert driver.kill() == "none"


def test_a_pod_that_ignores_sigterm_is_ended_within_the_stated_stop_time(world: Cluster) -> None:
    """Its own grace of an hour is cut to ours, by asking again and again as the watchdog does."""
    world.nodes["n1"] = "deaf"
    world.add(PODS, pod_document("deaf", grace=3600))
    driver = driver_of(world, grace_s=20)
    begun = world.clock.elapsed
    driver.kill()
    assert driver.is_over()
    assert world.clock.elapsed - begun <= driver.stop_time_s
    assert world.graces[0] == 20


def test_a_pod_on_a_node_that_nobody_reaches_is_never_told_as_stopped(world: Cluster) -> None:
    """It is asked to end, once more with the shortest grace that still asks the kubelet, and never with grace 0."""
    world.nodes["n1"] = "unreachable"
    world.add(PODS, pod_document("lost"))
    driver = driver_of(world, grace_s=5)
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"1 pod.s. of the run are left: team/lost on n1"):
            driver.kill()
    assert driver.read().state == "running"
    assert not driver.is_over()
    assert world.graces == [5, 1]


def test_a_terminal_phase_with_a_running_container_is_no_end(world: Cluster) -> None:
    """Whoever collects a lost node's pods writes `Failed`; the kubelet's own word is the containers' state."""
    guessed = {"phase": "Failed", "containerStatuses": [{"state": {"running": {}}}]}
    said = {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {}}}]}
    world.add(PODS, pod_document("guessed", status=guessed))
    world.add(PODS, pod_document("said", status=said))
    assert driver_of(world).read().processes == 1


def test_the_gate_of_kueue_is_held_and_drained_with_the_run(world: Cluster) -> None:
    """Queues that are the run's alone get HoldAndDrain, workloads of its Jobs are deactivated; thaw undoes both."""
    queue = {"metadata": {"name": "q", "namespace": "team"}, "spec": {"stopPolicy": "None"}}
    world.add(f"{KUEUE}/namespaces/team/localqueues", queue)
    world.add(f"{KUEUE}/clusterqueues", {"metadata": {"name": "c"}, "spec": {}})
    made = world.add(JOBS, job_document(labels={"kueue.x-k8s.io/queue-name": "q"}))
    owner = {"kind": "Job", "name": "j", "uid": made["metadata"]["uid"]}
    workload = {"metadata": {"name": "w", "ownerReferences": [owner]}, "spec": {"active": True}}
    world.add(f"{KUEUE}/namespaces/team/workloads", workload)
    queues = (KueueQueue(name="q", namespace="team"), KueueQueue(name="c"))
    driver = driver_of(world, queues=queues)
    driver.freeze()
    places = {
        f"{KUEUE}/namespaces/team/localqueues/q": ("stopPolicy", "HoldAndDrain", "None"),
        f"{KUEUE}/clusterqueues/c": ("stopPolicy", "HoldAndDrain", "None"),
        f"{KUEUE}/namespaces/team/workloads/w": ("active", False, True),
    }
    for path, (field, held, _) in places.items():
        assert (world.found(path) or {})["spec"][field] == held
    driver.thaw()
    for path, (field, _, free) in places.items():
        assert (world.found(path) or {})["spec"][field] == free
    # Kueue itself starts its Job again: we only take our mark away.
    job = world.found(f"{JOBS}/j") or {}
    assert job["spec"]["suspend"] is True
    assert "sekisho/held" not in job["metadata"]["annotations"]


def test_a_conflict_is_read_again_and_tried_again(world: Cluster) -> None:
    """Somebody else's write between our read and ours loses nothing."""
    world.add(JOBS, job_document())
    world.conflicts = 3
    driver_of(world).freeze()
    assert (world.found(f"{JOBS}/j") or {})["spec"]["suspend"] is True


def test_endless_conflicts_are_said_and_the_pods_are_ended_all_the_same(world: Cluster) -> None:
    """A Job that cannot be suspended keeps nobody from ending what runs; the call still does not claim success."""
    world.add(JOBS, job_document())
    world.add(PODS, pod_document("j-1", owner="Job/j"))
    world.conflicts = 6
    driver = driver_of(world)
    with pytest.raises(Unavailable, match="changed 6 times under us"):
        driver.freeze()
    assert world.found(f"{PODS}/j-1") is None
    assert driver.freeze() == "kubernetes-suspend"


@pytest.mark.parametrize("status", [500, 503, 429])
def test_with_the_api_down_nothing_is_known_and_nothing_is_over(
    world: Cluster, status: int
) -> None:
    """Reading and stopping say that nobody answers; what cannot be seen is not over."""
    world.add(PODS, pod_document())
    driver = driver_of(world)
    assert driver.read().state == "running"
    world.status = status
    world.clock.rest(10)
    for act in (driver.read, driver.freeze, driver.kill):
        with pytest.raises(Unavailable):
            act()
    assert not driver.is_over()


def test_device_seconds_are_counted_from_above(world: Cluster) -> None:
    """Two devices for ten seconds are twenty; a pod that was there at the last look counts to this one."""
    driver = driver_of(world)
    driver.read()
    world.clock.rest(5)
    world.add(PODS, pod_document("two", gpus=2))
    assert driver.read().device_s == pytest.approx(10)  # it may have come right after the last look
    world.clock.rest(10)
    assert driver.read().device_s == pytest.approx(30)
    driver.kill()
    before = driver.read().device_s
    world.clock.rest(100)
    assert driver.read().device_s == before


def test_a_pod_that_does_not_say_how_many_devices_counts_for_all(world: Cluster) -> None:
    """A resource claim, a privileged container: each may hold all that the licence covers."""
    world.add(PODS, pod_document("claim", gpus=0, spec={"resourceClaims": [{"name": "gpu"}]}))
    driver = driver_of(world)
    driver.read()
    world.clock.rest(10)
    assert driver.read().device_s == pytest.approx(80)


def test_pods_without_a_node_hold_no_devices(world: Cluster) -> None:
    """Waiting is free; it still counts as work that a stop must end."""
    world.add(PODS, pod_document("waits", node=""))
    driver = driver_of(world)
    driver.read()
    world.clock.rest(10)
    reading = driver.read()
    assert (reading.device_s, reading.processes) == (0.0, 1)
    driver.kill()
    assert driver.is_over()


def test_a_checkpoint_is_asked_for_by_annotation_only(world: Cluster) -> None:
    """The wish is written to each pod; with no pod left there is nobody to ask."""
    driver = driver_of(world)
    with pytest.raises(StateConflict):
        driver.request_checkpoint()
    world.add(PODS, pod_document())
    driver.request_checkpoint()
    pod = world.found(f"{PODS}/p") or {}
    assert pod["metadata"]["annotations"][CHECKPOINT] == str(world.clock.now())


def test_the_driver_starts_no_command_and_serves_no_other_run(world: Cluster) -> None:
    """A cluster's work comes through its own scheduler; `start` only lets go what is held."""
    driver = driver_of(world)
    with pytest.raises(InvalidInput, match="starts no command"):
        driver.start("r", ("true",), {})
    with pytest.raises(InvalidInput, match="for run r"):
        driver.start("s", (), {})
    world.add(JOBS, job_document())
    driver.kill()
    assert driver.start("r", (), {}).cgroup == "kubernetes:sekisho/run=r"
    assert (world.found(f"{JOBS}/j") or {})["spec"]["suspend"] is False


def test_a_finished_job_is_left_as_it_is(world: Cluster) -> None:
    """Suspending what is complete would change nothing but its record."""
    done = job_document() | {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    world.add(JOBS, done)
    assert driver_of(world).kill() == "none"
    assert (world.found(f"{JOBS}/j") or {})["spec"]["suspend"] is False


def test_an_open_run_is_running_before_its_first_pod(world: Cluster) -> None:
    """Else the gate, which opens for a run that is under way, would never let the first pod in."""
    driver = driver_of(world)
    driver.start("r", (), {})
    assert (driver.read().state, driver.read().processes, driver.is_over()) == ("running", 0, False)
    assert driver_of(world).read().state == "running"
    assert driver.kill() == "none"
    assert driver_of(world).read().state == "ended"


def test_pods_outlive_a_watchdog_and_the_next_one_counts_on(world: Cluster) -> None:
    """Device-seconds go on over the gap, by the system's clock; a pod that lost its label meanwhile is still ours."""
    world.add(PODS, pod_document(gpus=2))
    driver = driver_of(world)
    driver.read()
    world.clock.rest(10)
    assert driver.read().device_s == pytest.approx(20)
    with pytest.raises(StateConflict):
        driver.close()
    world.clock.rest(100)
    world.change(f"{PODS}/p", {"metadata": {"labels": {"sekisho/run": "s"}}})
    later = driver_of(world)
    assert later.reap_leftovers() == ()
    assert later.read().device_s == pytest.approx(220)
    assert later.read().processes == 1
    later.kill()
    assert world.found(f"{PODS}/p") is None


def test_a_memory_that_cannot_be_read_is_said(world: Cluster) -> None:
    """It is never taken for an empty one."""
    folder = world.folder / "driver"
    folder.mkdir()
    (folder / "kubernetes.json").write_text("{")
    with pytest.raises(Corrupt, match=r"kubernetes\.json"):
        driver_of(world)


def test_a_run_whose_name_is_no_label_is_found_by_its_digest(world: Cluster) -> None:
    """Names of runs may hold `/` and be longer than a label; two runs never share a label."""
    from sekisho.adapters.schedulers.kubernetes.pods import label_of

    long = "group/model:" + "x" * 80
    assert len(label_of(long)) == 63
    assert label_of(long) != label_of(long + "y")
    assert label_of(label_of(long)) != label_of(long)
    world.add(PODS, pod_document(run=label_of(long)))
    assert driver_of(world, run=long).read().processes == 1


@pytest.mark.parametrize("at_end", ["freeze", "kill"])
def test_a_watchdog_that_is_told_to_leave_ends_the_pods_by_at_end(
    world: Cluster, at_end: Literal["freeze", "kill"]
) -> None:
    """And marks their Jobs as what it was: frozen ones go on under a later permit."""
    world.add(JOBS, job_document("j"))
    world.add(PODS, pod_document("p", owner="Job/j"))
    driver = driver_of(world)
    settings = DriverSettings(
        driver="kubernetes", kubernetes=KubernetesSettings(run="r", at_end=at_end)
    )
    guard = Guard(driver, world.clock, Journal(world.folder / "log"), settings)
    assert guard.end_all("the watchdog was told to end")
    assert world.found(f"{PODS}/p") is None
    assert (world.found(f"{JOBS}/j") or {})["metadata"]["annotations"][HELD] == at_end
