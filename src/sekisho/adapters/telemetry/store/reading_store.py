"""The store of readings as one thing: append, compact, retain, look up, check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.storage.object_tiles import locate_objects
from sekisho.adapters.telemetry.store import holds, retention
from sekisho.adapters.telemetry.store.allocations import AllocationRecords
from sekisho.adapters.telemetry.store.checking import StoreCheck, check_store
from sekisho.adapters.telemetry.store.compaction import BUCKET_ROWS
from sekisho.adapters.telemetry.store.days import list_days, list_sites, load_manifest
from sekisho.adapters.telemetry.store.devices import DeviceRecords
from sekisho.adapters.telemetry.store.files import LocalFiles, StoreFiles
from sekisho.adapters.telemetry.store.group_commit import GATHER_S, GroupCommit
from sekisho.adapters.telemetry.store.manifests import Manifest, Partition, StoredFile, evidence_of
from sekisho.adapters.telemetry.store.names import check_day, check_site, day_of
from sekisho.adapters.telemetry.store.object_files import ObjectFiles
from sekisho.adapters.telemetry.store.segments import list_segments, write_segments
from sekisho.adapters.telemetry.store.settling import Rules, own_rules
from sekisho.adapters.telemetry.store.site_compaction import Compacted, SiteWork, compact_site
from sekisho.model.instants import Instant

__all__ = ["ReadingStore", "StoreSettings", "open_files", "open_store"]

_KEPT: Final = ("segments", "manifests")
Tell = Callable[[int, int], None]


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a store works: seconds that writers wait for each other, rows settled at once, seconds to wait for a site."""

    gather_s: float = GATHER_S
    bucket_rows: int = BUCKET_ROWS
    wait_s: float = 600.0


def silent(done: int, total: int) -> None:
    """Nobody looks."""


class ReadingStore:
    """Readings, minute sums, devices and allocations below one root. Safe for several threads and processes.

    Appending takes no lock. Compacting, dropping and emptying hold the site: one process at a time.
    """

    def __init__(
        self,
        files: StoreFiles,
        *,
        settings: StoreSettings | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.files = files
        self.devices = DeviceRecords(files)
        self.allocations = AllocationRecords(files)
        self._settings = settings or StoreSettings()
        self._rules = rules
        self._group = GroupCommit(self._write, gather_s=self._settings.gather_s)

    def append(self, site: str, table: pa.Table, *, received_us: int) -> None:
        """Keep INCOMING rows; durable when it returns. Raises InvalidInput for the site's name, Unavailable."""
        check_site(site)
        if table.num_rows:
            self._group.append(site, table, received_us=received_us)

    def sites(self) -> tuple[str, ...]:
        """The sites that have readings, by name."""
        return list_sites(self.files, *_KEPT)

    def record_sites(self, kind: str) -> tuple[str, ...]:
        """The sites that have devices or allocations, by name."""
        return list_sites(self.files, kind)

    def compact(
        self,
        site: str,
        days: Iterable[str] | None = None,
        *,
        now: Instant,
        only_due: bool = False,
        tell: Tell = silent,
    ) -> Compacted:
        """Settle what came in, for all days or these; `only_due` leaves days that are not worth it yet.

        Raises StateConflict where another process is at it for long.
        """
        chosen = frozenset(map(check_day, days)) if days is not None else None
        work = SiteWork(
            site=check_site(site),
            now=now,
            days=chosen,
            only_due=only_due,
            bucket_rows=self._settings.bucket_rows,
        )
        with self._holding(site):
            rules = self._rules or own_rules()
            return compact_site(self.files, work, rules, self.devices, tell)

    def waiting(self, site: str, first: str, last: str, *, fresh_us: int = 0) -> tuple[str, ...]:
        """The days from first to last that have rows which no part has yet.

        A day that was compacted after `fresh_us` is left out, where that is not 0.
        """
        by_day: dict[str, set[str]] = {}
        for segment in list_segments(self.files, site):
            for day in segment.days:
                by_day.setdefault(day, set()).add(segment.id)
        waiting = []
        for day in sorted(day for day in by_day if first <= day <= last):
            manifest = load_manifest(self.files, site, day)
            if manifest and fresh_us and manifest.written.us > fresh_us:
                continue
            if not by_day[day].issubset(manifest.merged if manifest else ()):
                waiting.append(day)
        return tuple(waiting)

    def partitions(self, start: Instant, end: Instant, site: str = "") -> tuple[Partition, ...]:
        """The compacted days that [start, end) touches and the day before (its last readings may stand past midnight).

        Every file's bytes are checked against the manifest once in this process. Raises Corrupt where they differ.
        """
        first, last = day_of(start.us - 1), day_of(max(start.us, end.us - 1))
        found = []
        for one in (check_site(site),) if site else self.sites():
            for day, _ in list_days(self.files, one):
                manifest = load_manifest(self.files, one, day) if first <= day <= last else None
                if manifest is not None:
                    found.append(self._partition(manifest))
        return tuple(found)

    def plan_drops(self, before: str, site: str = "") -> tuple[retention.DayDropped, ...]:
        """What `drop` would take: the raw rows of every day before this one."""
        sites = (check_site(site),) if site else self.sites()
        return tuple(day for one in sites for day in retention.plan_drops(self.files, one, before))

    def drop(
        self, planned: Sequence[retention.DayDropped], *, now: Instant, even_held: bool = False
    ) -> str:
        """Move the raw rows of these days into the trash, minute sums stay; the name to undo or empty it by.

        Days that evidence rests on are left unless `even_held`. "" where nothing was to be done.
        """
        chosen = [day for day in planned if even_held or not day.held_by]
        trash = retention.new_trash(now) if chosen else ""
        for site in dict.fromkeys(day.site for day in chosen):
            with self._holding(site):
                for day in chosen:
                    if day.site == site:
                        retention.drop_day(self.files, site, day.day, trash=trash, now=now)
        return trash

    def trash(self) -> tuple[str, ...]:
        return retention.list_trash(self.files)

    def undo_drop(self, trash: str, *, now: Instant) -> tuple[tuple[str, str], ...]:
        """Bring back what a dropping took; the sites and days."""
        found = []
        for site in self.sites():
            with self._holding(site):
                days = retention.restore_trash(self.files, site, trash, now=now)
                found += [(site, day) for day in days]
        return tuple(found)

    def empty(self, trash: str, *, now: Instant) -> int:
        """Take away for good what a dropping took; how many files."""
        count = 0
        for site in self.sites():
            with self._holding(site):
                count += retention.empty_trash(self.files, site, trash, now=now)
        return count

    def hold(self, files: Sequence[StoredFile], *, why: str, at: Instant) -> str:
        """Keep these files whatever retention and compaction say, until released; their evidence digest."""
        evidence = evidence_of(files)
        kept = holds.Hold(evidence=evidence, why=why, at=at, files=tuple(files))
        holds.save_hold(self.files, kept)
        return evidence

    def release(self, evidence: str) -> None:
        holds.release(self.files, evidence)

    def check(self, tell: Tell = silent) -> StoreCheck:
        return check_store(self.files, tell)

    def _holding(self, site: str) -> Any:
        return self.files.hold(f"site={check_site(site)}", wait_s=self._settings.wait_s)

    def _write(self, site: str, tables: Sequence[pa.Table], received_us: int) -> None:
        write_segments(self.files, site, tables, received_us=received_us)

    def _partition(self, manifest: Manifest) -> Partition:
        return Partition(
            site=manifest.site,
            day=manifest.day,
            readings=tuple(map(self._located, manifest.readings)),
            minutes=tuple(map(self._located, manifest.minutes)),
            manifest=manifest,
        )

    def _located(self, file: StoredFile) -> StoredFile:
        address = self.files.locate(file.path, file.sha256, file.size)
        return msgspec.structs.replace(file, address=address)


def open_files(place: str) -> StoreFiles:
    """The files at a folder, file:///FOLDER or s3://BUCKET/PREFIX?endpoint_override=...; nothing is read yet."""
    if "://" not in place:
        return LocalFiles(Path(place))
    files, prefix = locate_objects(place, asked="--store")
    if files.type_name == "local":
        return LocalFiles(Path(prefix))
    return ObjectFiles(files, prefix)


def open_store(place: str, *, settings: StoreSettings | None = None) -> ReadingStore:
    """The store at a folder or address. Raises InvalidInput where the address is none."""
    return ReadingStore(open_files(place), settings=settings)
