"""From sums of telemetry to entries of accounts, and to the rates of what runs now."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

from sekisho.metering.accounts.entries import Entry, Reading
from sekisho.metering.accounts.forecast import Rate
from sekisho.metering.counting import CountingRule
from sekisho.metering.usage_figure import Claims, References, meter_usage
from sekisho.model.chips import known_chips
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, Usage
from sekisho.model.telemetry.usage import UNATTRIBUTED

__all__ = ["RATE_OVER_US", "JobRecords", "entries_of", "rates_now"]

RATE_OVER_US: Final = 24 * 3_600_000_000
"""The estimate's rate of a job that runs is that of its last measured day."""
_OPEN: Final = 2**62


class JobRecords:
    """Allocations by site and job, in the order of their beginnings."""

    def __init__(self, allocations: Iterable[Allocation]) -> None:
        self.all = tuple(allocations)
        found: defaultdict[tuple[str, str], list[Allocation]] = defaultdict(list)
        for allocation in sorted(self.all, key=lambda a: a.start):
            found[allocation.site, allocation.job].append(allocation)
        self._by_job: Mapping[tuple[str, str], Sequence[Allocation]] = dict(found)
        self._starts = {key: [a.start.us for a in rows] for key, rows in found.items()}
        self._longest = {
            key: max(_end(a) - a.start.us for a in rows) for key, rows in found.items()
        }

    def touching(self, site: str, job: str, start: int, end: int) -> list[Allocation]:
        """The records of a job that overlap [start, end)."""
        rows, starts = self._by_job.get((site, job), ()), self._starts.get((site, job), [])
        longest = self._longest.get((site, job), 0)
        some = rows[bisect_left(starts, start - longest) : bisect_right(starts, end - 1)]
        return [row for row in some if _end(row) > start]

    def running_at(self, now: int) -> Iterator[Allocation]:
        return (row for row in self.all if row.start.us <= now < _end(row))


def entries_of(
    usages: Iterable[Usage],
    records: JobRecords,
    rule: CountingRule,
    references: References | None = None,
) -> Iterator[Entry]:
    """One entry for each sum, over the time in which the job was there: its bucket, cut to its allocations' hull.

    Customer and run come from the record that overlaps it first. Raises InvalidInput for sums that contradict
    themselves.
    """
    for usage in usages:
        start, end = usage.start.us, usage.end.us
        known = records.touching(usage.site, usage.job, start, end)
        record = known[0] if known and usage.job != UNATTRIBUTED else None
        if record is not None:
            start = max(start, min(row.start.us for row in known))
            end = min(end, max(map(_end, known)))
        claims = Claims(number_format=record.format if record else "")
        figure = meter_usage(usage, rule, claims, references)
        read_ms = max(usage.tensor_ms, usage.util_ms)
        kind = ("attested " if usage.attested else "") + ("exempt" if usage.exempt else "")
        yield Entry(
            id=f"{usage.site}/{usage.job}/{usage.chip}/{usage.start}/{usage.end}/{kind}".rstrip(
                " /"
            ),
            job=usage.job,
            site=usage.site,
            run=record.run if record else "",
            customer=record.customer if record else "",
            start=Instant(start),
            end=Instant(end),
            chip_ms=usage.chip_ms,
            gap_ms=max(usage.chip_ms - read_ms, 0),
            open_ms=usage.open_ms,
            bound=figure.bound,
            estimate=figure.estimate,
            tier=figure.tier or "",
            evidence=usage.evidence,
            exempt=usage.exempt,
            findings=figure.findings,
        )


def rates_now(
    records: JobRecords, entries: Sequence[Entry], rule: CountingRule, now: Instant
) -> list[tuple[Entry, Rate]]:
    """What runs at an instant: each allocation at its bound, each job at the estimate of its last measured day.

    A record that names no chip is taken at the bound of the job's last measured day. What is of the job as a whole is
    carried by its first allocation. None where neither record nor readings tell.
    """
    estimates = _measured_rates(entries, now.us, "estimate")
    bounds = _measured_rates(entries, now.us, "bound")
    found: list[tuple[Entry, Rate]] = []
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(records.running_at(now.us)):
        key = (row.site, row.job)
        chip = known_chips().find(row.chip) if row.chip else None
        is_first = key not in seen
        bound = bounds.get(key) if is_first else Fraction(0)
        if chip is not None and row.chips:
            bound = row.chips * rule.peak(chip) / 1_000_000
        carrier = Entry(
            id=f"now {number}",
            job=row.job,
            site=row.site,
            run=row.run,
            customer=row.customer,
            start=now,
            end=now,
        )
        estimate = estimates.get(key) if is_first else Fraction(0)
        until = None if row.end is None else row.end.us
        found.append((carrier, Rate(job=row.job, bound=bound, estimate=estimate, until=until)))
        seen.add(key)
    return found


def _measured_rates(
    entries: Iterable[Entry], now: int, reading: Reading
) -> dict[tuple[str, str], Fraction | None]:
    """Work a microsecond by site and job, over its entries of the last day; None where one has none."""
    work: defaultdict[tuple[str, str], int] = defaultdict(int)
    spans: dict[tuple[str, str], tuple[int, int]] = {}
    unknown: set[tuple[str, str]] = set()
    for entry in entries:
        key = (entry.site, entry.job)
        if entry.end.us <= now - RATE_OVER_US or entry.start.us >= now or entry.start == entry.end:
            continue
        figure = entry.figure(reading)
        if figure is None:
            unknown.add(key)
            continue
        work[key] += figure
        first, last = spans.get(key, (entry.start.us, entry.end.us))
        spans[key] = (min(first, entry.start.us), max(last, entry.end.us))
    return {
        key: None if key in unknown else Fraction(total, spans[key][1] - spans[key][0])
        for key, total in work.items()
    }


def _end(allocation: Allocation) -> int:
    return _OPEN if allocation.end is None else allocation.end.us
