"""A full disk under a watchdog: it may keep work from starting, and must not keep anybody from stopping it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.schedulers import kept_state
from sekisho.adapters.schedulers.kubernetes import memory as pods_memory
from sekisho.adapters.schedulers.slurm import memory as jobs_memory
from sekisho.model.errors import Unavailable
from tests.adapters.schedulers.kubernetes.test_driver import JOBS, PODS, driver_of
from tests.clusters import Cluster, cluster, job_document, pod_document
from tests.slurms import Cluster as SlurmCluster

MEMORIES = [jobs_memory.DriverMemory, pods_memory.DriverMemory]


def fill(disk: pytest.MonkeyPatch) -> None:
    """No file of a driver's memory can be replaced any more."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    disk.setattr(kept_state, "replace_file", full)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as one:
        yield one


@pytest.mark.parametrize("kind", MEMORIES, ids=["slurm", "kubernetes"])
def test_a_full_disk_forgets_no_stop_and_allows_no_start(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[jobs_memory.DriverMemory | pods_memory.DriverMemory],
) -> None:
    """The phase changes to frozen in memory; to open it changes on the disk or not at all. With room all is kept."""
    memory = kind(tmp_path / "driver")
    memory.keep_first(phase="open")
    with monkeypatch.context() as disk:
        fill(disk)
        memory.keep(phase="frozen")
        assert memory.known.phase == "frozen"
        with pytest.raises(Unavailable, match="cannot be written"):
            memory.keep_first(phase="open")
        assert memory.known.phase == "frozen"
        assert kind(tmp_path / "driver").known.phase == "open"
    memory.keep()
    assert kind(tmp_path / "driver").known.phase == "frozen"


def test_pods_are_ended_though_the_watchdogs_disk_is_full(
    world: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause comes while nothing can be written down."""
    world.add(JOBS, job_document("j"))
    world.add(PODS, pod_document("p", owner="Job/j"))
    driver = driver_of(world)
    driver.start("r", (), {})
    fill(monkeypatch)
    assert driver.freeze() == "kubernetes-suspend"
    assert world.found(f"{PODS}/p") is None
    assert driver.read().state == "frozen"
    with pytest.raises(Unavailable, match="make room"):
        driver.thaw()


@pytest.mark.slurm
def test_slurm_jobs_are_ended_though_the_watchdogs_disk_is_full(
    slurm: SlurmCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold suspends, a pause ends; neither waits for the disk."""
    driver = slurm.driver(tmp_path.name)
    driver.start("run-1", (), {})
    job = slurm.submit("sleep 90", "--gres=gpu:1", "--comment=sekisho:run-1")
    slurm.wait_state(job, "RUNNING")
    fill(monkeypatch)
    assert driver.freeze() == "slurm-suspend"
    assert driver.read().state == "frozen"
    assert driver.kill() == "slurm-requeue-hold"
    assert driver.read().processes == 0
    with pytest.raises(Unavailable, match="make room"):
        driver.start("run-1", (), {})
