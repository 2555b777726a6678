"""`Telemetry` over Parquet files: parse, clean, keep; settle what is asked for; sum on an engine."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import chain
from threading import Lock
from typing import Final, Literal

import msgspec

from sekisho.adapters.telemetry.deliveries import MAX_BODY, Books, Delivery
from sekisho.adapters.telemetry.engines import EngineSettings, SourceFile, open_engine, sum_usage
from sekisho.adapters.telemetry.gap_search import search_gaps
from sekisho.adapters.telemetry.repeats import Repeats
from sekisho.adapters.telemetry.seen_search import search_seen
from sekisho.adapters.telemetry.store import (
    Partition,
    ReadingStore,
    StoredFile,
    StoreSettings,
    evidence_of,
    open_store,
)
from sekisho.adapters.telemetry.store.backlog import Backlog, look_at_backlog
from sekisho.adapters.telemetry.store.names import check_day, check_site, day_of
from sekisho.adapters.telemetry.store.reading_store import Tell, silent
from sekisho.adapters.telemetry.store.site_compaction import Compacted
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, DeviceSeen, Intake, SeenSpan, Usage
from sekisho.ports.telemetry import Gap, TelemetryFormat, UsageQuery

__all__ = ["ParquetTelemetry", "TelemetrySettings"]

SourceChoice = Literal["auto", "readings", "minutes"]
RAW_AT_MOST: Final = 20_000_000
"""Rows up to which `auto` sums from readings, exact to the microsecond; beyond, or where they were dropped, minutes."""
_REMEMBERED: Final = 64


class TelemetrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a store is asked.

    `fresh_s`: a day that was compacted within so many seconds is summed as it lies, and what came since counts as not
    yet measured; 0 compacts first whatever a question touches, so that it answers for everything that was taken.
    `most_body` bytes a delivery may unpack to.
    """

    store: StoreSettings = StoreSettings()
    engine: str = "duckdb"
    engine_settings: EngineSettings = EngineSettings()
    source: SourceChoice = "auto"
    fresh_s: float = 0.0
    most_body: int = MAX_BODY


class ParquetTelemetry:
    """Telemetry in a folder or at s3://BUCKET/PREFIX. Safe for several threads and processes."""

    def __init__(self, place: str, settings: TelemetrySettings | None = None) -> None:
        self.place = place
        self.settings = settings or TelemetrySettings()
        self.store: ReadingStore = open_store(place, settings=self.settings.store)
        self._books = Books()
        self._repeats = Repeats()
        self._sums: OrderedDict[str, tuple[StoredFile, ...]] = OrderedDict()
        self._lock = Lock()

    def take(  # noqa: PLR0913 - the last three are what HTTP says of a body
        self,
        kind: TelemetryFormat,
        body: bytes,
        *,
        site: str,
        received: Instant,
        name: str = "",
        content_type: str = "",
        encoding: str = "",
    ) -> Intake:
        """Read, clean and keep one delivery; the same bytes again are duplicates."""
        delivery = Delivery(
            kind=kind,
            body=body,
            site=check_site(site),
            received=received,
            name=name,
            content_type=content_type,
            encoding=encoding,
            most=self.settings.most_body,
        )
        return self.take_delivery(delivery)[0]

    def take_delivery(self, delivery: Delivery) -> tuple[Intake, tuple[Instant, Instant] | None]:
        """As `take`; and from the first to behind the last instant of its rows, None where it has none."""
        site = check_site(delivery.site)
        before = self._repeats.find(delivery)
        if before is not None:
            return before, None
        cleaned = self._books.read(
            delivery,
            # Crash here: devices that no reading is known of, which is harmless.
            lambda news: self.store.devices.save(site, news, recorded_us=delivery.received.us),
        )
        self.store.append(site, cleaned.table, received_us=delivery.received.us)
        self._repeats.remember(delivery, cleaned.intake)
        if not cleaned.table.num_rows:
            return cleaned.intake, None
        at_us = cleaned.table.column("at_us").to_numpy()
        return cleaned.intake, (Instant(int(at_us.min())), Instant(int(at_us.max()) + 1))

    def take_allocations(self, allocations: Sequence[Allocation]) -> Intake:
        """Keep records of a scheduler; a newer record of one job and start replaces the older one."""
        by_site: dict[str, list[Allocation]] = {}
        for allocation in allocations:
            by_site.setdefault(check_site(allocation.site), []).append(allocation)
        now = _now()
        taken = sum(
            self.store.allocations.save(site, some, recorded_us=now.us)
            for site, some in by_site.items()
        )
        return Intake(taken=taken, duplicates=len(allocations) - taken)

    def load_devices(self) -> tuple[DeviceSeen, ...]:
        sites = self.store.record_sites("devices")
        return tuple(chain.from_iterable(self.store.devices.load(s).values() for s in sites))

    def load_allocations(self, start: Instant, end: Instant) -> tuple[Allocation, ...]:
        sites = self.store.record_sites("allocations")
        return tuple(chain.from_iterable(self.store.allocations.load(s, start, end) for s in sites))

    def sum_usage(self, query: UsageQuery) -> Iterator[Usage]:
        """Exact sums by job, chip type and bucket, unattributed device time included; ordered by bucket, job.

        Compacts the days that it touches first (see `fresh_s`). Every row bears the digest of all files read; that
        digest may be handed to `keep_evidence`.
        """
        partitions = self.partitions(query.start, query.end, query.site)
        is_raw = self._is_raw(partitions)
        chosen = [
            (p.site, file) for p in partitions for file in (p.readings if is_raw else p.minutes)
        ]
        self._remember(tuple(file for _, file in chosen))
        with open_engine(self.settings.engine, self.settings.engine_settings) as engine:
            yield from sum_usage(
                engine,
                [_source(file, site) for site, file in chosen],
                self.load_allocations(query.start, query.end),
                self.load_devices(),
                query,
                source="readings" if is_raw else "minutes",
            )

    def find_gaps(self, start: Instant, end: Instant, site: str = "") -> Iterator[Gap]:
        """Where a device was not measured in [start, end) until now, site by site."""
        end = min(end, _now())
        if end <= start:
            return
        partitions = self.partitions(start, end, site)
        for one in dict.fromkeys(partition.site for partition in partitions):
            days = [partition for partition in partitions if partition.site == one]
            yield from search_gaps(days, start, end)

    def find_seen(self, start: Instant, end: Instant) -> Iterator[SeenSpan]:
        """Stretches of [start, end) in which readings show a device, until now, site by site: between its gaps."""
        end = min(end, _now())
        if end <= start:
            return
        partitions = self.partitions(start, end)
        for one in dict.fromkeys(partition.site for partition in partitions):
            days = [partition for partition in partitions if partition.site == one]
            yield from search_seen(days, start, end)

    def partitions(self, start: Instant, end: Instant, site: str = "") -> tuple[Partition, ...]:
        """The days that [start, end) touches and the one before, settled, their files checked."""
        first, last = day_of(start.us - 1), day_of(max(start.us, end.us - 1))
        for one in (check_site(site),) if site else self.store.sites():
            waiting = self.store.waiting(one, first, last, fresh_us=self._fresh_us())
            if waiting:
                self.store.compact(one, waiting, now=_now())
        return self.store.partitions(start, end, site)

    def compact(
        self, site: str = "", days: Sequence[str] | None = None, *, only_due: bool = True,
        tell: Tell = silent,
    ) -> tuple[Compacted, ...]:  # fmt: skip
        """Settle what came in: all sites, all days, if not told otherwise.

        With `only_due` a day waits until it is worth being written again (a quarter more rows, a thousand segments,
        an hour), so that a loop that calls this every minute costs in all a few times the rows and not their square.
        """
        sites = (check_site(site),) if site else self.store.sites()
        days = [check_day(day) for day in days] if days is not None else None
        return tuple(
            self.store.compact(one, days, now=_now(), only_due=only_due, tell=tell) for one in sites
        )

    def backlog(self) -> Backlog:
        """What compaction has still before it, over all sites."""
        return look_at_backlog(self.store.files, self.store.sites())

    def keep_evidence(self, evidence: str, *, why: str) -> None:
        """Keep the files that a sum of this process rests on, whatever retention says: `why` names the log's entry.

        Raises StateConflict where the sum is not among the last that were asked for.
        """
        with self._lock:
            files = self._sums.get(evidence)
        if files is None:
            raise StateConflict("this sum is not at hand", remedy="sum it again, then keep it")
        self.store.hold(files, why=why, at=_now())

    def _remember(self, files: tuple[StoredFile, ...]) -> None:
        with self._lock:
            self._sums[evidence_of(files)] = files
            while len(self._sums) > _REMEMBERED:
                self._sums.popitem(last=False)

    def _is_raw(self, partitions: Sequence[Partition]) -> bool:
        if self.settings.source != "auto":
            return self.settings.source == "readings"
        rows = sum(partition.manifest.rows for partition in partitions)
        return rows <= RAW_AT_MOST and all(p.manifest.dropped is None for p in partitions)

    def _fresh_us(self) -> int:
        return _now().us - round(self.settings.fresh_s * 1_000_000) if self.settings.fresh_s else 0


def _source(file: StoredFile, site: str) -> SourceFile:
    return SourceFile(
        path=file.address, site=site, name=file.path, rows=file.rows, sha256=file.sha256
    )


def _now() -> Instant:
    return Instant(time.time_ns() // 1000)
