"""Manifests: what a day of a site consists of, and the digest of the files that a sum rests on.

A reader sees only what a manifest names. It is replaced in one move, so a day is as it was before a compaction or as
it is after it, never in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from sekisho.adapters.telemetry.store.names import (
    check_day,
    check_site,
    is_trash,
    manifest_path,
    part_path,
)
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical, from_json, parse_json, sha256_hex

__all__ = [
    "MAX_MANIFEST",
    "Dropped",
    "Manifest",
    "Partition",
    "Retired",
    "StoredFile",
    "evidence_of",
    "parse_manifest",
    "write_manifest",
]

MAX_MANIFEST: Final = 16 * 1024 * 1024


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """One Parquet file: where it lies below the store's root, its rows, its SHA-256, its bytes.

    `bucket` is which part of the day's devices it holds. `address` is what an engine opens: a path on this machine,
    known and checked; "" in a manifest.
    """

    path: str
    rows: int
    sha256: str
    size: int
    bucket: int = 0
    address: str = ""


class Retired(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a newer one replaced: kept for a while for readers under way, longer where evidence rests on it."""

    file: StoredFile
    at: Instant


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """Raw rows that retention took away, where they lie until the trash is emptied, and what they were."""

    at: Instant
    trash: str
    files: tuple[StoredFile, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One day of one site. `merged` are the segments whose rows of this day are in the parts.

    `closed`: a compaction has run after the day was over and its grace had passed; rows that come later are late.
    `late` counts them, `too_late` those that came after the raw rows were dropped. `number` grows with each writing.
    """

    site: str
    day: str
    number: int
    written: Instant
    buckets: int = 1
    readings: tuple[StoredFile, ...] = ()
    minutes: tuple[StoredFile, ...] = ()
    merged: tuple[str, ...] = ()
    retired: tuple[Retired, ...] = ()
    closed: bool = False
    late: int = 0
    too_late: int = 0
    dropped: Dropped | None = None
    format: Literal["sekisho-telemetry-1"] = "sekisho-telemetry-1"

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.readings)


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """A day of a site as an engine reads it: its files with their addresses, and the manifest that names them."""

    site: str
    day: str
    readings: tuple[StoredFile, ...]
    minutes: tuple[StoredFile, ...]
    manifest: Manifest


def evidence_of(files: Iterable[StoredFile]) -> str:
    """The digest of what a sum rests on; "" for no file.

    SHA-256 over the canonical JSON of [path, sha256, rows] of every file, sorted.
    """
    rows = sorted([file.path, file.sha256, file.rows] for file in files)
    return f"sha256:{sha256_hex(canonical(rows))}" if rows else ""


def write_manifest(manifest: Manifest) -> bytes:
    """The manifest's canonical bytes. Raises Unavailable's kin only where it is put away, not here."""
    return canonical(manifest)


def parse_manifest(data: bytes, *, site: str, day: str) -> Manifest:
    """A manifest as stored. Raises Corrupt where it is none, speaks of another day, or names what is not its own."""
    path = manifest_path(check_site(site), check_day(day))
    try:
        manifest = from_json(Manifest, parse_json(data, path=path, limit=MAX_MANIFEST), path=path)
    except InvalidInput as error:
        raise Corrupt(str(error), remedy="restore it from a copy of the store") from None
    if (manifest.site, manifest.day) != (site, day):
        raise Corrupt(f"{path} speaks of another site or day", remedy="restore it from a copy")
    _check_paths(manifest, path)
    return manifest


def _check_paths(manifest: Manifest, path: str) -> None:
    """Each part lies in the day's own folder, whatever the manifest says: somebody may have planted it."""
    if manifest.dropped and manifest.dropped.trash and not is_trash(manifest.dropped.trash):
        raise Corrupt(f"{path} names no trash of this store", remedy="restore it from a copy")
    retired = tuple(entry.file for entry in manifest.retired)
    dropped = manifest.dropped.files if manifest.dropped else ()
    for file in (*manifest.readings, *manifest.minutes, *retired, *dropped):
        if not part_path(manifest.site, manifest.day).fullmatch(file.path) or file.address:
            raise Corrupt(
                f"{path} names {file.path[:120]!r}, which is no part of this day",
                remedy="restore it from a copy of the store",
            )
