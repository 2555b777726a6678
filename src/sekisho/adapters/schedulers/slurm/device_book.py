"""How many device-seconds a run's jobs have held, the ended ones included: never less than the truth. Pure.

A job that is seen active is charged from its start by the controller's clock, or by the elapsed time since the last
look where that is more (a clock that was set back makes nothing cheaper). What ran wholly between two looks is charged
from Slurm's memory of it or from the prolog's and epilog's records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sekisho.adapters.schedulers.slurm.jobs import Job
from sekisho.adapters.schedulers.slurm.records import JobSpan

__all__ = ["DeviceBook", "HeldJob"]

SAME_START_S = 5  # between a job's start and its prolog's note of it
FORGET_AFTER_S = 3600
MAX_STARTS = 64


class HeldJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that holds devices, and for how many seconds it has been charged."""

    start_s: int
    devices: int
    charged_s: float = 0.0


class DeviceBook(msgspec.Struct, frozen=True, kw_only=True):
    """`settled` is what ended jobs came to; `counted` keeps those from being charged twice, by number and start."""

    settled: float = 0.0
    held: Mapping[int, HeldJob] = {}
    counted: Mapping[int, tuple[int, ...]] = {}

    @property
    def device_s(self) -> float:
        """Device-seconds handed out so far."""
        return self.settled + sum(job.devices * job.charged_s for job in self.held.values())

    def after(
        self, jobs: Iterable[Job], spans: Iterable[JobSpan], *, now_s: float, gap_s: float
    ) -> DeviceBook:
        """The book after a look at the run's jobs, `gap_s` after the last; `spans` ended since then."""
        look = _Look(self, now_s, gap_s)
        rows = {job.number: job for job in jobs}
        for number, held in self.held.items():
            look.follow(number, held, rows.get(number))
        for job in rows.values():
            if job.is_active and job.number not in look.held:
                look.begin(job)
            elif job.phase == "ended" and job.start_s and not look.knows(job.number, job.start_s):
                length = max(job.end_s - job.start_s, 0) + 1  # whole seconds: half open both ways
                look.settle(job.number, job.start_s, job.held_devices * length)
        for span in spans:
            if not look.knows(span.number, span.start_s, within_s=SAME_START_S):
                length = max(span.end_s - span.start_s, 0) + 1
                look.settle(span.number, span.start_s, span.devices * length)
        look.forget(rows)
        return DeviceBook(settled=look.settled, held=look.held, counted=look.counted)


class _Look:
    """One look in the making."""

    def __init__(self, book: DeviceBook, now_s: float, gap_s: float) -> None:
        self.settled = book.settled
        self.held = dict(book.held)
        self.counted = dict(book.counted)
        self._now_s = now_s
        self._gap_s = gap_s

    def begin(self, job: Job) -> None:
        since = self._now_s - job.start_s if job.start_s else self._gap_s
        charged = since if since >= 0 else self._gap_s
        self.held[job.number] = HeldJob(
            start_s=job.start_s, devices=job.held_devices, charged_s=charged
        )

    def follow(self, number: int, held: HeldJob, job: Job | None) -> None:
        """Charge a job that was active at the last look, and settle it where it is so no more."""
        by_clock = self._now_s - held.start_s if held.start_s else 0.0
        charged = max(held.charged_s + self._gap_s, by_clock)
        if job is not None and job.start_s == held.start_s and job.is_active:
            devices = max(held.devices, job.devices)
            self.held[number] = HeldJob(start_s=held.start_s, devices=devices, charged_s=charged)
            return
        del self.held[number]
        if job is not None and job.start_s == held.start_s and job.phase == "ended" and job.end_s:
            charged = min(charged, max(held.charged_s, job.end_s - job.start_s + 1))
        self.settle(number, held.start_s, held.devices * charged)

    def settle(self, number: int, start_s: int, device_s: float) -> None:
        self.counted[number] = (*self.counted.get(number, ()), start_s)[-MAX_STARTS:]
        self.settled += device_s

    def knows(self, number: int, start_s: int, *, within_s: int = 0) -> bool:
        held = self.held.get(number)
        starts = (*self.counted.get(number, ()), *((held.start_s,) if held else ()))
        return any(abs(start - start_s) <= within_s for start in starts)

    def forget(self, rows: Mapping[int, Job]) -> None:
        old = self._now_s - FORGET_AFTER_S
        self.counted = {
            number: starts
            for number, starts in self.counted.items()
            if number in rows or max(starts) > old
        }
