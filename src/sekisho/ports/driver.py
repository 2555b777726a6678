"""What starts, watches and stops the work of one run on one host."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

__all__ = [
    "CapMeans",
    "Driver",
    "GuardedDriver",
    "HeldDriver",
    "Permit",
    "StopMeans",
    "Throttle",
    "Workload",
    "WorkloadReading",
]

StopMeans = Literal[
    "cgroup-v2-freeze",
    "cgroup-v2-kill",
    "cgroup-v1-freeze",
    "signal-stop",
    "signal-kill",
    "slurm-suspend",
    "slurm-requeue-hold",
    "slurm-cancel",
    "kubernetes-suspend",
    "kubernetes-delete",
    "none",
]
CapMeans = Literal["cgroup-v2-cpu-max", "cgroup-v1-quota", "duty-cycle", "none"]


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """One run's processes as the driver knows them: enough to find them again after a restart."""

    run: str
    root_pid: int
    root_start_ticks: int
    cgroup: str
    user: int


class WorkloadReading(msgspec.Struct, frozen=True, kw_only=True):
    """What the work has used and is doing. `cpu_s` is user + system seconds of its processes, the dead included.

    Where a scheduler runs the work on devices that it hands out, `device_s` is the device-seconds handed out so far
    (what one device was held for a second, whether busy or not), and bounds the work in place of `cpu_s`; `processes`
    counts jobs then.
    """

    state: Literal["running", "frozen", "ended"]
    processes: int
    cpu_s: float
    exit_code: int | None = None
    device_s: float | None = None


class Driver(Protocol):
    """Stops are idempotent and say by which means they were done; `none` where nothing was left to stop.

    `stop_time_s` is the driver's stated worst case between a call to `kill` and the last process gone.
    """

    @property
    def name(self) -> str: ...

    @property
    def stop_time_s(self) -> float: ...

    def start(
        self, run: str, command: tuple[str, ...], environment: dict[str, str]
    ) -> Workload: ...

    def read(self) -> WorkloadReading: ...

    def request_checkpoint(self) -> None: ...

    def freeze(self) -> StopMeans: ...

    def thaw(self) -> StopMeans: ...

    def kill(self) -> StopMeans: ...


class HeldDriver(Driver, Protocol):
    """A driver as its watchdog holds it: it knows its work, and cheaply whether that is over.

    A driver that can slow its work besides is a `Throttle` too.
    """

    @property
    def workload(self) -> Workload | None: ...

    def is_over(self) -> bool: ...

    def reap_leftovers(self) -> tuple[str, ...]:
        """Before the first start: end what a dead watchdog left behind; the names of what was found."""
        ...

    def close(self) -> None:
        """Leave nothing of ours on the host. Raises StateConflict while work of ours runs."""
        ...


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """How long the work may go on without another word, in seconds of the host's elapsed-time source.

    At `checkpoint_at_s` the work is asked for a checkpoint, at `until_s` it is frozen or killed, by whoever holds
    the permit, even where the one that gave it is gone.
    """

    checkpoint_at_s: float
    until_s: float
    then: Literal["freeze", "kill"]


class GuardedDriver(Driver, Protocol):
    """A driver behind a watchdog: it outlives the agent and ends the work when the permit runs out.

    No work starts without a permit, and `permit` on ended work is harmless. Raises Unavailable where the watchdog
    does not answer; then the work is dead or dying, since it is bound to the watchdog's life.
    """

    def permit(self, permit: Permit) -> None: ...

    def held(self) -> tuple[Workload, Permit] | None: ...

    def cap(self, share_ppm: int) -> CapMeans:
        """As `Throttle.cap`; raises Unavailable too where the driver behind the watchdog cannot slow its work."""
        ...


class Throttle(Protocol):
    """What slows work without stopping it; a driver that can do it says by which means."""

    def cap(self, share_ppm: int) -> CapMeans:
        """Leave the work `share_ppm` millionths of the processor time of all cores; 1,000,000 lifts the cap.

        Raises Unavailable where no means is at hand, InvalidInput for a share outside 1..1,000,000.
        """
        ...
