"""Time, asked of the world once per act and passed in from there on."""

from __future__ import annotations

from typing import Protocol

from sekisho.model.instants import Instant

__all__ = ["Clock"]


class Clock(Protocol):
    """Two sources of time of one host.

    `now` is the system clock: anybody with root may set it, so nothing that permits trusts it alone.
    `elapsed_s` is seconds from a source that counts through suspend and never goes back while `boot_id` stays.
    """

    def now(self) -> Instant: ...

    def elapsed_s(self) -> float: ...

    def boot_id(self) -> str: ...
