"""Time, asked of the world once per act and passed in from there on."""

from __future__ import annotations

from typing import Protocol

from sekisho.model.instants import Instant

__all__ = ["Clock", "HostClock"]


class Clock(Protocol):
    """Two sources of time of one host.

    `now` is the system clock: anybody with root may set it, so nothing that permits trusts it alone.
    `elapsed_s` is seconds from a source that counts through suspend and never goes back while `boot_id` stays.
    """

    def now(self) -> Instant: ...

    def elapsed_s(self) -> float: ...

    def boot_id(self) -> str: ...


class HostClock(Clock, Protocol):
    """The clock of a host that holds leases: it can tell that the host slept.

    `awake_s` is seconds from a source like that of `elapsed_s` that stands still in suspend, so that the two drift
    apart by exactly the time slept.
    """

    def awake_s(self) -> float: ...
