"""Caps at one host: the driver is told, receipts name its means, and the host's own meter says whether they are kept.

The strictest cap counts. A cap is lifted as everything is that restricts: by a witnessed resume, or by its own expiry;
the receipt `resumed` comes when the driver has let go. Whatever halts comes first: under it a cap stands as it was.
"""

from __future__ import annotations

from sekisho.agent.charge import WHOLE_PPM, Charge
from sekisho.agent.decide import Work
from sekisho.agent.halting import Halting
from sekisho.agent.host import Host
from sekisho.following import Finding
from sekisho.orders import KnownOrder
from sekisho.orders.caps import (
    CapJudged,
    CapUse,
    judge_cap,
    measure_devices,
    measure_processor,
    strictest_cap,
)
from sekisho.ports.driver import WorkloadReading

__all__ = ["Slowing"]

WINDOW_S = 30.0


class Slowing:
    """One host under its caps. `judged` is the newest verdict of its own meter; None before there is one."""

    def __init__(self, host: Host, charge: Charge, halting: Halting) -> None:
        self._host = host
        self._charge = charge
        self._halting = halting
        self.is_kept = False
        self.judged: CapJudged | None = None
        self._percent: int | None = None
        self._told_s = 0.0
        self._caps: tuple[KnownOrder, ...] = ()
        self._since: tuple[float, WorkloadReading] | None = None  # where the window begins
        self._findings: list[Finding] = []

    def keep(self, caps: tuple[KnownOrder, ...], now: float, *, halts: bool) -> None:
        """Tell the driver what is left, unless something halts the work: that comes first."""
        percent = strictest_cap(caps)
        if percent != self._percent:
            self._percent, self._since, self.judged, self._told_s = percent, None, None, now
        self._caps = caps
        if not halts:
            share_ppm = WHOLE_PPM if percent is None else percent * 10_000
            was, self.is_kept = self.is_kept, self._charge.keep_cap(share_ppm, now)
            self._told_s = self._told_s if was and self.is_kept else now

    def record(self, work: Work, *, halts: bool, has_contact: bool) -> None:
        """Receipts: received, capped once the driver keeps it, resumed once it has let go."""
        self._halting.receive(self._caps, work)
        note = self._charge.cap_note
        if halts or not self.is_kept:
            return
        if self._caps and note is not None:
            self._halting.capped(self._caps, work, note)
        if has_contact:
            self._halting.uncapped(self._caps, work)

    def measure(self) -> list[Finding]:
        """Judge each whole window of work under a cap; `cap-not-kept` where even the least was too much."""
        reading, percent = self._charge.reading, self._percent
        if percent is None or reading is None or self._charge.work != "running":
            self._since = None
            return []
        if self._since is None:
            # A reading from before the driver was told would blame the work for what it was free to do.
            self._since = reading if self.is_kept and reading[0] > self._told_s else None
            return []
        (begun, before), (at, after) = self._since, reading
        if at - begun < WINDOW_S:
            return []
        self._since = reading
        self.judged = judge_cap(percent, self._used(before, after, at - begun))
        if self.judged.verdict != "fails":
            return []
        tightest = min(self._caps, key=lambda known: known.order.cap_percent or 100)
        return [Finding(code="cap-not-kept", detail=self.judged.reason, about=tightest.digest)]

    def _used(
        self, before: WorkloadReading, after: WorkloadReading, seconds: float
    ) -> CapUse | None:
        """None where no meter speaks of what computes: processor time says nothing of an accelerator."""
        if before.device_s is not None and after.device_s is not None:
            enrolment = self._host.follower.enrolment()
            devices = len(enrolment.devices) if enrolment is not None else 0
            return measure_devices(after.device_s - before.device_s, seconds, devices)
        if self._host.core_flop_per_s() is None:
            return None
        return measure_processor(after.cpu_s - before.cpu_s, seconds, self._host.cores)
