"""What the quantum that runs has used, as a sound upper bound: by processor time, by device time, or in full.

A figure that could be too small is never taken: where the meter is silent, set back, or says nothing of what computes,
the quantum counts with its whole reservation, the peak of all devices for its whole length and grace.
"""

from __future__ import annotations

from sekisho.agent.host import Host
from sekisho.licensing import HostState
from sekisho.model.errors import Unavailable
from sekisho.ports.driver import WorkloadReading

__all__ = ["Meter"]


class Meter:
    """Reads the driver, and remembers where it stood when the quantum began."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._base_s: float | None = None
        self._begun_s: float | None = None  # of time awake
        self._by_device = False  # whether the meter counts device-seconds handed out
        self._is_running = False
        self._is_uncounted = False

    def read(self) -> float | None:
        """Seconds of processor or device time so far; None where the driver does not answer."""
        try:
            reading: WorkloadReading = self._host.driver.read()
        except Unavailable:
            return None
        self._by_device = reading.device_s is not None
        self._is_running = reading.state == "running"
        return reading.cpu_s if reading.device_s is None else reading.device_s

    def begin(self, used_s: float | None, work: str) -> None:
        """A quantum begins with the meter at `used_s`; a process begins at zero, a scheduler's count goes on."""
        self._base_s = 0.0 if work == "none" and not self._by_device else used_s
        self._begun_s = self._host.clock.awake_s()
        self._is_uncounted = False

    def rebase(self, used_s: float | None) -> None:
        """What was used before now is settled."""
        self._base_s, self._begun_s = used_s, self._host.clock.awake_s()

    def forget(self) -> None:
        """No quantum runs, or one whose beginning nobody here saw: it counts in full."""
        self._base_s = self._begun_s = None

    def lose_count(self) -> None:
        """The accelerators could not be counted for a while: what else computed then, no meter says."""
        self._is_uncounted = True

    def settle(self, state: HostState, used_s: float | None) -> HostState:
        """The state with the running quantum closed at its sound bound."""
        bound = None if self._is_uncounted or used_s is None else self._bound(used_s)
        return state.forget_quantum() if bound is None else state.credit(bound)

    def _bound(self, used_s: float) -> int | None:
        """FLOP since the quantum began at most; None where no meter says so."""
        # Work that ran has used something: a meter at zero is a new watchdog's, which knows nothing of it.
        # A scheduler that handed out no device counts zero in earnest.
        is_blind = used_s == 0 and not self._by_device
        if is_blind or self._base_s is None or used_s < self._base_s:
            return None
        used_us = _microseconds(used_s - self._base_s)
        if self._by_device:
            # Which of the devices was handed out is not told: each counts as the fastest.
            own = self._own_bound()
            handed_out = _bound_of(self._host.fastest_flop_per_s(), used_us)
            return None if own is None else handed_out + own
        # Processor seconds say nothing of an accelerator: one core may feed eight of them at their peak.
        rate = self._host.core_flop_per_s()
        return None if rate is None else _bound_of(rate, used_us)

    def _own_bound(self) -> int | None:
        """What the host's own processor can have computed meanwhile: no scheduler hands it out by the second.

        None where that is more than what was reserved: the watchdog has ended the work by then, unless it runs still.
        """
        peak = self._host.own_flop_per_s()
        if peak == 0:
            return 0
        if self._begun_s is None:
            return None
        elapsed_s = max(self._host.clock.awake_s() - self._begun_s, 0.0)
        bound = _bound_of(peak, _microseconds(elapsed_s))
        lease = self._host.memory.state.lease
        reserved = 0 if lease is None else int(lease.reserved) - int(lease.spent)
        return None if bound > reserved and not self._is_running else bound


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _bound_of(flop_per_s: int, used_us: int) -> int:
    """Rounded up."""
    return -(-flop_per_s * used_us // 1_000_000)
