"""Compaction: the segments of a day and what was settled before become new parts, in bounded memory.

1. Hold the site, so that nobody else compacts it.  2. Sort the rows by device into runs, where they are many.
3. Settle a bucket of devices at a time into a part of readings and a part of minutes.  4. Replace the manifest.
5. Only now take away the segments whose rows every day's manifest has, and, after a while, the parts replaced.
A crash anywhere leaves the day as it was or as it is after; what nobody names is taken away by the next run.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.readings import INCOMING, READINGS
from sekisho.adapters.telemetry.store.days import save_manifest
from sekisho.adapters.telemetry.store.files import StoreFiles
from sekisho.adapters.telemetry.store.manifests import Manifest, Retired, StoredFile
from sekisho.adapters.telemetry.store.names import DAY_US, Kind, SegmentName, day_start_us
from sekisho.adapters.telemetry.store.runs import Runs
from sekisho.adapters.telemetry.store.segments import load_segment
from sekisho.adapters.telemetry.store.settling import Rules, Settled, settle_rows
from sekisho.adapters.telemetry.store.tables import concat, encode_part, read_file
from sekisho.model.errors import Corrupt
from sekisho.model.instants import Instant
from sekisho.model.telemetry import DeviceSeen
from sekisho.model.wire import sha256_hex

__all__ = ["BUCKET_ROWS", "CLOSE_AFTER_US", "DayCompacted", "DayWork", "compact_day"]

BUCKET_ROWS: Final = 2_000_000
"""Rows that are settled at once: with their copies, about a gigabyte."""
CLOSE_AFTER_US: Final = 2 * 3_600_000_000
"""How long after a day's end its rows may still come without being late."""
MOST_SEGMENTS: Final = 50_000
"""Merged in one go: their names must fit into a manifest."""


class DayWork(msgspec.Struct, frozen=True, kw_only=True):
    """What one day's compaction is about. `news` are the segments that its manifest does not name yet."""

    site: str
    day: str
    manifest: Manifest | None
    news: tuple[SegmentName, ...]
    listed: frozenset[str]
    now: Instant
    bucket_rows: int = BUCKET_ROWS

    @property
    def is_closed(self) -> bool:
        return self.manifest is not None and self.manifest.closed

    @property
    def closes(self) -> bool:
        return self.now.us >= day_start_us(self.day) + DAY_US + CLOSE_AFTER_US

    @property
    def buckets(self) -> int:
        """A power of two, never fewer than before: a device stays in its bucket or moves to one of its halves."""
        rows = sum(name.rows for name in self.news)
        held = self.manifest.buckets if self.manifest else 1
        rows += self.manifest.rows if self.manifest else 0
        return max(held, 1 << max(0, -(-rows // self.bucket_rows) - 1).bit_length())


class DayCompacted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. `rows_in` came in segments; `rows` stand in the parts; `late` and `too_late` of this run."""

    manifest: Manifest
    rows_in: int = 0
    rows: int = 0
    late: int = 0
    too_late: int = 0
    seen: tuple[DeviceSeen, ...] = ()


def compact_day(
    files: StoreFiles, work: DayWork, rules: Rules, tell: Callable[[int, int], None]
) -> DayCompacted:
    """Settle a day anew and replace its manifest. For whoever holds the site."""
    before = work.manifest
    if before is not None and before.dropped is not None:
        return _set_aside(files, work, before)
    if not work.news:
        manifest = _following(work, before, closed=work.is_closed or work.closes)
        save_manifest(files, manifest)
        return DayCompacted(manifest=manifest, rows=manifest.rows)
    outcome = _Outcome()
    with _scratch(files) as folder:
        for done, bucket in enumerate(_buckets(files, work, folder)):
            outcome.add(_settle_bucket(files, work, rules, bucket))
            tell(done + 1, work.buckets)
    # Crash here: parts that nobody names.
    manifest = msgspec.structs.replace(
        _following(work, before, closed=work.is_closed or work.closes),
        buckets=work.buckets,
        readings=tuple(outcome.readings),
        minutes=tuple(outcome.minutes),
        late=(before.late if before else 0) + outcome.late,
    )
    manifest = _retire(manifest, before, work.now)
    save_manifest(files, manifest)
    return DayCompacted(
        manifest=manifest,
        rows_in=outcome.rows_in,
        rows=manifest.rows,
        late=outcome.late,
        seen=tuple(outcome.seen),
    )


class _Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Some devices of the day: what came, what was settled before, and the parts of that where they may stay."""

    number: int
    new: Any
    before: Any
    parts: tuple[StoredFile, ...] = ()


class _Outcome:
    """The parts as they are written."""

    def __init__(self) -> None:
        self.readings: list[StoredFile] = []
        self.minutes: list[StoredFile] = []
        self.seen: list[DeviceSeen] = []
        self.late = 0
        self.rows_in = 0

    def add(self, written: _Written) -> None:
        self.rows_in += written.rows_in
        for part in written.parts:
            (self.readings if part.path.startswith("readings/") else self.minutes).append(part)
        if written.settled is not None:
            self.late += written.settled.late
            self.seen += written.settled.seen


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    parts: tuple[StoredFile, ...]
    rows_in: int = 0
    settled: Settled | None = None


def _buckets(files: StoreFiles, work: DayWork, folder: Path) -> Iterator[_Bucket]:
    """The day's rows, a bucket of devices at a time."""
    if work.buckets == 1:
        new = [load_segment(files, work.site, name, work.day) for name in work.news]
        yield _bucket_of_parts(files, work, 0, concat(new))
        return
    is_same = work.manifest is None or work.manifest.buckets == work.buckets
    with _runs(folder / "new", INCOMING, work) as new_rows:
        for name in work.news:
            new_rows.add(load_segment(files, work.site, name, work.day))
        new_rows.flush()
        with _runs(folder / "before", READINGS, work) as rows_before:
            for part in () if is_same or work.manifest is None else work.manifest.readings:
                rows_before.add(_load_part(files, part))
            rows_before.flush()
            for number in range(work.buckets):
                rows = new_rows.load(number)
                if is_same:
                    yield _bucket_of_parts(files, work, number, rows)
                else:
                    yield _Bucket(number=number, new=rows, before=rows_before.load(number))


def _runs(folder: Path, schema: Any, work: DayWork) -> Runs:
    folder.mkdir()
    return Runs(folder, schema, work.buckets, run_rows=work.bucket_rows)


def _bucket_of_parts(files: StoreFiles, work: DayWork, number: int, new: pa.Table) -> _Bucket:
    """A bucket that was one before: its old part is read only where rows came for it."""
    held: Iterable[StoredFile] = ()
    if work.manifest is not None:
        held = (*work.manifest.readings, *work.manifest.minutes)
    parts = tuple(part for part in held if part.bucket == number)
    if not new.num_rows:
        return _Bucket(number=number, new=new, before=None, parts=parts)
    old = [_load_part(files, part) for part in parts if part.path.startswith("readings/")]
    return _Bucket(number=number, new=new, before=concat(old) if old else None)


def _settle_bucket(files: StoreFiles, work: DayWork, rules: Rules, bucket: _Bucket) -> _Written:
    if bucket.parts:
        return _Written(parts=bucket.parts)
    if not bucket.new.num_rows and (bucket.before is None or not bucket.before.num_rows):
        return _Written(parts=())
    settled = settle_rows(
        rules,
        bucket.new,
        bucket.before,
        site=work.site,
        day=work.day,
        is_closed=work.is_closed,
    )
    number = work.manifest.number + 1 if work.manifest else 1
    stem = f"site={work.site}/day={work.day}/part-{number}-{secrets.token_hex(8)}-{bucket.number}"
    written: list[tuple[StoredFile, bytes]] = []
    kinds: Mapping[Kind, Any] = {"readings": settled.readings, "minutes": settled.minutes}
    for kind, table in kinds.items():
        data = encode_part(table)
        part = StoredFile(
            path=f"{kind}/{stem}.parquet",
            rows=table.num_rows,
            sha256=sha256_hex(data),
            size=len(data),
            bucket=bucket.number,
        )
        written.append((part, data))
    files.write_all([(part.path, data) for part, data in written])
    bare = msgspec.structs.replace(settled, readings=None, minutes=None)
    parts = tuple(part for part, _ in written)
    return _Written(parts=parts, rows_in=bucket.new.num_rows, settled=bare)


def _load_part(files: StoreFiles, part: StoredFile) -> pa.Table:
    table = read_file(files, part.path, part.sha256, READINGS)
    if table.num_rows != part.rows:
        raise Corrupt(f"{part.path} has {table.num_rows} rows", remedy="restore it from a copy")
    return table


def _set_aside(files: StoreFiles, work: DayWork, before: Manifest) -> DayCompacted:
    """Rows of a day whose raw rows retention has dropped: nothing is left to settle them with, so they are counted."""
    count = sum(load_segment(files, work.site, name, work.day).num_rows for name in work.news)
    manifest = msgspec.structs.replace(
        _following(work, before, closed=True), too_late=before.too_late + count
    )
    save_manifest(files, manifest)
    return DayCompacted(manifest=manifest, rows_in=count, too_late=count)


def _following(work: DayWork, before: Manifest | None, *, closed: bool) -> Manifest:
    """The next manifest, with the segments that it has: of those merged before, the ones that still lie there."""
    if before is None:
        before = Manifest(site=work.site, day=work.day, number=0, written=work.now)
    merged = tuple(name for name in before.merged if name in work.listed)
    return msgspec.structs.replace(
        before,
        number=before.number + 1,
        written=work.now,
        merged=(*merged, *(name.id for name in work.news)),
        closed=closed,
    )


def _retire(manifest: Manifest, before: Manifest | None, now: Instant) -> Manifest:
    if before is None:
        return manifest
    kept = {file.path for file in (*manifest.readings, *manifest.minutes)}
    gone = [file for file in (*before.readings, *before.minutes) if file.path not in kept]
    retired = (*manifest.retired, *(Retired(file=file, at=now) for file in gone))
    return msgspec.structs.replace(manifest, retired=retired)


@contextmanager
def _scratch(files: StoreFiles) -> Iterator[Path]:
    files.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=files.scratch, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
