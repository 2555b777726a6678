"""What a reading of job records yields, and the judgement that all of them share."""

from __future__ import annotations

from typing import Final

import msgspec

from sekisho.adapters.telemetry.refusal_counts import Refusing
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, Reason, Refusals

__all__ = ["MAX_CHIPS", "MAX_HOSTS", "Gathered", "JobRecords"]

MAX_HOSTS: Final = 100_000
MAX_CHIPS: Final = (
    1_000_000  # what engines count one by one, and no more: a record beyond it stops every sum
)


_PART: Final[tuple[Reason, str, str]] = (
    "malformed",
    "another record of this job and start has other devices, or neither names any",
    "give each part of a job a name of its own (job+0, job+1) and one run, or one record with all devices",
)


class JobRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Allocations in the order in which they stood, and what was refused: by reason, with the first of each.

    allocations + refused + duplicates + passed_over = records that came.
    """

    allocations: tuple[Allocation, ...]
    refused: tuple[Refusals, ...] = ()
    duplicates: int = 0  # records that say again what one before them said
    passed_over: int = 0  # steps of jobs, and jobs that had no device or never began
    notes: tuple[str, ...] = ()


class Gathered:
    """Allocations as they are read: each judged, the good ones kept. Mutable; one reader at a time."""

    def __init__(self) -> None:
        self.passed_over = 0
        self._refusing = Refusing()
        self._kept: dict[Allocation, Allocation] = {}
        self._places: dict[tuple[str, str, Instant], frozenset[str]] = {}
        self._duplicates = 0
        self._notes: dict[str, None] = {}

    def keep(self, allocation: Allocation) -> None:
        """Keep one, unless it cannot be or stands already; an unknown chip and an open end are kept."""
        wrong = _why_wrong(allocation)
        if wrong is not None:
            self.refuse(allocation.line, *wrong, job=allocation.job)
            return
        said = msgspec.structs.replace(allocation, line=0)
        if said in self._kept:
            self._duplicates += 1
        elif self._is_part(allocation):
            self.refuse(allocation.line, *_PART, job=allocation.job)
        else:
            self._kept[said] = allocation
            places = _places(allocation)
            self._places.setdefault((allocation.site, allocation.job, allocation.start), places)

    def _is_part(self, allocation: Allocation) -> bool:
        """Whether a record stands of this job and start, of other devices or of none: the store keeps one."""
        key = (allocation.site, allocation.job, allocation.start)
        known, places = self._places.get(key, frozenset()), _places(allocation)
        if not known and not places:
            return key in self._places  # nobody can say that they are the same chips
        return bool(known and places) and known.isdisjoint(places)

    def refuse(
        self, line: int, reason: Reason, why: str, remedy: str = "", *, job: str = ""
    ) -> None:
        """Refuse one record by its line (or place in its list)."""
        shown = "".join(sign if sign.isprintable() else "?" for sign in job[:60])
        of = f", job {shown}" if shown else ""
        self._refusing.add(reason, f"line {line}{of}: {why}", remedy=remedy)

    def note(self, text: str) -> None:
        """Say once what a rule did."""
        self._notes[text] = None

    def records(self) -> JobRecords:
        return JobRecords(
            allocations=tuple(self._kept.values()),
            refused=self._refusing.refusals(),
            duplicates=self._duplicates,
            passed_over=self.passed_over,
            notes=tuple(self._notes),
        )


def _why_wrong(found: Allocation) -> tuple[Reason, str, str] | None:
    """Reason, what is wrong and what to do; None where an allocation can be as it is."""
    if not found.job or len(found.job) > 256 or not found.job.isprintable():
        return "malformed", "the job has no name that can be kept", "name each job"
    if found.chips < 0:
        return "negative", f"{found.chips} chips", "write how many chips the job had"
    if found.chips > MAX_CHIPS:
        return "out of range", f"{found.chips} chips", f"a job has at most {MAX_CHIPS}"
    if found.chips == 0:
        return "no devices", "no chips", "leave out jobs that had no chip"
    if found.end is not None and found.end < found.start:
        return (
            "ends before it starts",
            f"from {found.start} to {found.end}",
            "check the zone of the times",
        )
    return None


def _places(found: Allocation) -> frozenset[str]:
    return frozenset(found.devices or found.hosts)
