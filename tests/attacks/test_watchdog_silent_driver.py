"""Attacks on a watchdog by way of a driver that does not answer: a scheduler that its operator stops for a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from sekisho.agent.journal import Journal
from sekisho.agent.watchdog import TICK_S, Guard
from sekisho.model.errors import Unavailable
from sekisho.ports.driver import Permit, StopMeans, Workload, WorkloadReading
from sekisho.ports.driver_settings import DriverSettings
from tests.fake_control import FakeClock


class Scheduler:
    """Implements ports.HeldDriver over work that never ends by itself; while `error` is set it answers by that."""

    name = "slurm"
    stop_time_s = 5.0
    workload: Workload | None = None

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.state: Literal["running", "frozen", "ended"] = "running"
        self.done: list[str] = []

    def start(self, run: str, command: tuple[str, ...], environment: dict[str, str]) -> Workload:
        del command, environment
        return Workload(run=run, root_pid=1, root_start_ticks=1, cgroup="", user=0)

    def read(self) -> WorkloadReading:
        self._answer("read")
        return WorkloadReading(state=self.state, processes=1, cpu_s=0.0)

    def is_over(self) -> bool:
        if isinstance(self.error, OSError):
            raise self.error
        return self.state == "ended"

    def request_checkpoint(self) -> None:
        self._answer("checkpoint")

    def freeze(self) -> StopMeans:
        self._answer("freeze")
        self.state = "frozen"
        return "slurm-suspend"

    def thaw(self) -> StopMeans:
        return "none"

    def kill(self) -> StopMeans:
        self._answer("kill")
        self.state = "ended"
        return "slurm-cancel"

    def reap_leftovers(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        """Nothing of ours."""

    def _answer(self, what: str) -> None:
        if self.error is not None:
            raise self.error
        self.done.append(what)


class Watched:
    """A guard whose work has a permit: its checkpoint at 10 s, its end at 20 s."""

    def __init__(self, folder: Path, then: Literal["freeze", "kill"]) -> None:
        self.clock, self.scheduler = FakeClock(), Scheduler()
        self.guard = Guard(
            self.scheduler, self.clock, Journal(folder / "log"), DriverSettings(driver="slurm")
        )
        now = self.clock.elapsed_s()
        self.guard._set_permit(Permit(checkpoint_at_s=now + 10, until_s=now + 20, then=then))

    def pass_s(self, seconds: float) -> None:
        """Time goes by with a look at every tick; none waits longer than a tick or not at all."""
        for _ in range(round(seconds)):
            self.clock.advance(1.0)
            assert 0 < self.guard.enforce() <= TICK_S


BROKEN = [Unavailable("slurmctld does not answer"), OSError(24, "Too many open files")]


@pytest.mark.parametrize("error", BROKEN, ids=["silent", "no descriptors"])
@pytest.mark.parametrize("then", ["freeze", "kill"])
def test_a_scheduler_stopped_while_the_checkpoint_is_asked_for_ends_no_watchdog(
    tmp_path: Path, error: Exception, then: Literal["freeze", "kill"]
) -> None:
    """The question is put again once it answers, and the permit's end is enforced."""
    watched = Watched(tmp_path, then)
    watched.pass_s(8)
    watched.scheduler.error = error
    watched.pass_s(5)
    assert watched.scheduler.done == []
    watched.scheduler.error = None
    watched.pass_s(2)
    assert watched.scheduler.done == ["checkpoint"]
    watched.pass_s(6)
    assert then in watched.scheduler.done
    assert watched.scheduler.state == ("frozen" if then == "freeze" else "ended")


@pytest.mark.parametrize("error", BROKEN, ids=["silent", "no descriptors"])
def test_a_scheduler_stopped_at_the_permits_end_is_tried_until_it_answers(
    tmp_path: Path, error: Exception
) -> None:
    """Work runs on only for as long as nobody can stop it."""
    watched = Watched(tmp_path, "kill")
    watched.pass_s(15)
    watched.scheduler.error = error
    watched.pass_s(60)
    assert watched.scheduler.done == ["checkpoint"]
    watched.scheduler.error = None
    watched.pass_s(1)
    assert watched.scheduler.done == ["checkpoint", "kill"]


def test_what_stands_still_is_not_killed_since_its_scheduler_is_silent(tmp_path: Path) -> None:
    """A hold never kills: a restart of slurmctld under it is no reason to."""
    watched = Watched(tmp_path, "freeze")
    watched.pass_s(21)
    assert watched.scheduler.state == "frozen"
    watched.scheduler.error = Unavailable("slurmctld does not answer")
    watched.pass_s(3)
    watched.scheduler.error = None
    watched.pass_s(3)
    assert watched.scheduler.state == "frozen"
    assert "kill" not in watched.scheduler.done


def test_a_full_disk_keeps_no_watchdog_from_enforcing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be written down, and everything is done."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    watched = Watched(tmp_path, "kill")
    monkeypatch.setattr(Journal, "write", full)
    watched.pass_s(21)
    assert watched.scheduler.done == ["checkpoint", "kill"]
