"""Compacting a site: which days need it, and what may be taken away afterwards."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from sekisho.adapters.telemetry.store.compaction import (
    BUCKET_ROWS,
    MOST_SEGMENTS,
    DayCompacted,
    DayWork,
    compact_day,
)
from sekisho.adapters.telemetry.store.days import list_days, load_manifest, save_manifest
from sekisho.adapters.telemetry.store.devices import DeviceRecords
from sekisho.adapters.telemetry.store.files import StoreFiles
from sekisho.adapters.telemetry.store.holds import held_files
from sekisho.adapters.telemetry.store.manifests import Manifest
from sekisho.adapters.telemetry.store.names import SegmentName, segments_folder
from sekisho.adapters.telemetry.store.retention import finish_drop
from sekisho.adapters.telemetry.store.segments import list_segments
from sekisho.adapters.telemetry.store.settling import Rules
from sekisho.model.instants import Instant

__all__ = ["Compacted", "SiteWork", "compact_site"]

_KEPT_US: Final = 3_600_000_000
"""How long a replaced part stays for readers that are under way."""
_LEASE_US: Final = 60 * 60 * 1_000_000
"""Longer than any lease of an object store: a compactor that thought itself alone has ended by then."""
_LEFT_US: Final = 24 * 3_600_000_000
_WORTH: Final = 4
_MANY_SEGMENTS: Final = 2_000
_LONG_US: Final = 3_600_000_000
_LOOKED_AT_US: Final = 3 * 24 * 3_600_000_000
"""Days whose manifests were written within this are looked at for what can be taken away."""

Tell = Callable[[int, int], None]


class SiteWork(msgspec.Struct, frozen=True, kw_only=True):
    """What to compact: all days of a site, or those named. `now` decides which days are over.

    `only_due`: a day that is still going on is left until writing it again is worth it.
    """

    site: str
    now: Instant
    days: frozenset[str] | None = None
    only_due: bool = False
    bucket_rows: int = BUCKET_ROWS

    def wants(self, day: str) -> bool:
        return self.days is None or day in self.days


class Compacted(msgspec.Struct, frozen=True, kw_only=True):
    """What a compaction did, day by day; `removed` counts the segments that were taken away."""

    site: str
    days: tuple[DayCompacted, ...] = ()
    segments: int = 0
    removed: int = 0

    @property
    def rows_in(self) -> int:
        return sum(day.rows_in for day in self.days)


def _needs(work: DayWork) -> bool:
    """Whether a day has rows that its parts lack, or is over and not yet closed."""
    if work.news:
        return True
    return work.manifest is not None and work.closes and not work.manifest.closed


def _is_worth_it(work: DayWork) -> bool:
    """Whether so much came that writing the day again pays, or it has waited for long, or it can be closed now.

    A quarter more each time: all writings of a day together are at most five times its rows.
    """
    if work.manifest is None or (work.closes and not work.manifest.closed):
        return True
    rows = sum(name.rows for name in work.news)
    oldest = min(name.received_us for name in work.news)
    return (
        rows * _WORTH >= work.manifest.rows
        or len(work.news) >= _MANY_SEGMENTS
        or oldest < work.now.us - _LONG_US
    )


def compact_site(
    files: StoreFiles, work: SiteWork, rules: Rules, devices: DeviceRecords, tell: Tell
) -> Compacted:
    """For whoever holds the site. Days are done one by one, each for itself whole."""
    _clear_scratch(files, work.now)
    segments = list_segments(files, work.site)[:MOST_SEGMENTS]
    by_day: dict[str, list[SegmentName]] = defaultdict(list)
    for segment in segments:
        for day in segment.days:
            by_day[day].append(segment)
    changed = dict(list_days(files, work.site))
    recent = {day for day, at in changed.items() if at > work.now.us - _LOOKED_AT_US}
    manifests: dict[str, Manifest] = {}
    done: list[DayCompacted] = []
    for day in sorted({*by_day, *recent}):
        before = load_manifest(files, work.site, day)
        if before is not None:
            manifests[day] = before
        if not work.wants(day):
            continue
        planned = _plan(work, day, by_day.get(day, []), before)
        if planned is not None:
            outcome = compact_day(files, planned, rules, tell)
            manifests[day] = outcome.manifest
            devices.save(work.site, outcome.seen, recorded_us=work.now.us)
            done.append(msgspec.structs.replace(outcome, seen=()))
        if day in manifests:
            manifests[day] = _tidy(files, work, manifests[day])
    removed = _remove_merged(files, work, segments, manifests)
    devices.fold(work.site, recorded_us=work.now.us)
    files.sweep(segments_folder(work.site), work.now.us - _LEFT_US)
    return Compacted(site=work.site, days=tuple(done), segments=len(segments), removed=removed)


def _plan(
    work: SiteWork, day: str, segments: Sequence[SegmentName], before: Manifest | None
) -> DayWork | None:
    """What is to be done about a day; None where nothing is."""
    merged = set(before.merged) if before else set()
    planned = DayWork(
        site=work.site,
        day=day,
        manifest=before,
        news=tuple(name for name in segments if name.id not in merged),
        listed=frozenset(name.id for name in segments),
        now=work.now,
        bucket_rows=work.bucket_rows,
    )
    return planned if _needs(planned) and (not work.only_due or _is_worth_it(planned)) else None


def _tidy(files: StoreFiles, work: SiteWork, manifest: Manifest) -> Manifest:
    """Take away what was replaced long enough ago and is not held, what a crash left, and finish what was dropped."""
    finish_drop(files, manifest)
    held = held_files(files) if manifest.retired else {}
    due = work.now.us - _KEPT_US
    gone = [r for r in manifest.retired if r.at.us < due and r.file.path not in held]
    if gone:
        kept = tuple(retired for retired in manifest.retired if retired not in gone)
        manifest = msgspec.structs.replace(
            manifest, retired=kept, number=manifest.number + 1, written=work.now
        )
        save_manifest(files, manifest)
        # Crash here: files that nobody names.
        files.remove_all([retired.file.path for retired in gone])
    _remove_unnamed(files, work, manifest)
    return manifest


def _remove_unnamed(files: StoreFiles, work: SiteWork, manifest: Manifest) -> None:
    dropped = manifest.dropped.files if manifest.dropped else ()
    retired = tuple(entry.file for entry in manifest.retired)
    named = {file.path for file in (*manifest.readings, *manifest.minutes, *retired, *dropped)}
    for kind in ("readings", "minutes"):
        folder = f"{kind}/site={manifest.site}/day={manifest.day}"
        files.sweep(folder, work.now.us - _LEFT_US)
        unnamed = [
            f"{folder}/{entry.name}"
            for entry in files.list_files(folder)
            if f"{folder}/{entry.name}" not in named
            # Without a lock that holds for certain, another may be about to name it.
            and (files.is_exclusive or entry.changed_us < work.now.us - _LEFT_US)
        ]
        files.remove_all(unnamed)


def _remove_merged(
    files: StoreFiles,
    work: SiteWork,
    segments: Sequence[SegmentName],
    manifests: Mapping[str, Manifest],
) -> int:
    """Segments whose rows all their days have. Where no lock holds for certain, only by manifests that have stood."""
    due = work.now.us if files.is_exclusive else work.now.us - _LEASE_US
    merged = {
        day: set(manifest.merged)
        for day, manifest in manifests.items()
        if manifest.written.us <= due
    }
    gone = [
        f"{segments_folder(work.site)}/{name}"
        for name in segments
        if all(name.id in merged.get(day, ()) for day in name.days)
    ]
    # Crash here: they lie there, and the manifests say that they are merged.
    files.remove_all(gone)
    return len(gone)


def _clear_scratch(files: StoreFiles, now: Instant) -> None:
    """Scratch of compactors that died."""
    if not files.is_exclusive or not files.scratch.is_dir():
        return
    for left in files.scratch.iterdir():
        if left.lstat().st_mtime_ns // 1000 < now.us - _LEFT_US:
            shutil.rmtree(left, ignore_errors=True)
