"""Checking a store: every file's bytes against what names it, what nobody names, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.store.days import list_days, list_sites, load_manifest
from sekisho.adapters.telemetry.store.files import StoreFiles
from sekisho.adapters.telemetry.store.holds import load_holds
from sekisho.adapters.telemetry.store.manifests import Manifest
from sekisho.adapters.telemetry.store.names import (
    check_day,
    parse_segment,
    part_path,
    segments_folder,
)
from sekisho.adapters.telemetry.store.records import parse_record_name
from sekisho.adapters.telemetry.store.tables import MAX_FILE
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.wire import sha256_hex
from sekisho.ports.tile_store import NotStored

__all__ = ["Fault", "StoreCheck", "check_store"]

FaultKind = Literal["missing", "changed", "unlisted", "unreadable"]
_KEPT = ("segments", "manifests", "readings", "minutes", "devices", "allocations")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is not as its manifest, or its name, says; or that nothing names."""

    path: str
    kind: FaultKind
    why: str


class StoreCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome. `left` are files of a crash or of a reader's grace, which no answer rests on."""

    verdict: Literal["holds", "fails"]
    files: int
    size: int
    faults: tuple[Fault, ...]
    left: tuple[str, ...]


class _Found:
    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self.files = 0
        self.size = 0
        self.faults: list[Fault] = []
        self.left: list[str] = []
        self._tell = tell

    def fault(self, path: str, kind: FaultKind, why: str) -> None:
        self.faults.append(Fault(path=path, kind=kind, why=why))

    def count(self, size: int) -> None:
        self.files += 1
        self.size += size
        self._tell(self.files, self.files)


def check_store(files: StoreFiles, tell: Callable[[int, int], None]) -> StoreCheck:
    """Read everything that is kept. Shares with the writers only the names and the manifests' shape.

    Beside writers at work it may call a file missing that a compaction took away meanwhile: check again, or at rest.
    Raises Unavailable where the disk or the object store does not answer.
    """
    found = _Found(tell)
    try:
        sites = list_sites(files, *_KEPT)
        load_holds(files)
    except Unavailable:
        raise
    except SekishoError as error:
        found.fault("", "unreadable", str(error))
        sites = ()
    for site in sites:
        for part in (_check_segments, _check_records, _check_days):
            try:
                part(files, site, found)
            except NotStored as error:
                found.fault(f"site={site}", "missing", str(error))
            except Unavailable:
                raise
            except SekishoError as error:
                found.fault(f"site={site}", "unreadable", str(error))
    verdict: Literal["holds", "fails"] = "fails" if found.faults else "holds"
    return StoreCheck(
        verdict=verdict,
        files=found.files,
        size=found.size,
        faults=tuple(found.faults),
        left=tuple(found.left),
    )


def _check_segments(files: StoreFiles, site: str, found: _Found) -> None:
    folder = segments_folder(site)
    for entry in files.list_files(folder):
        name = parse_segment(entry.name)
        if name is None:
            found.fault(f"{folder}/{entry.name}", "unlisted", "its name is no segment's")
        else:
            _check_file(files, f"{folder}/{entry.name}", name.sha256, name.rows, found)


def _check_records(files: StoreFiles, site: str, found: _Found) -> None:
    for kind in ("devices", "allocations"):
        folder = f"{kind}/site={site}"
        for entry in files.list_files(folder):
            name = parse_record_name(entry.name)
            if name is None:
                found.fault(f"{folder}/{entry.name}", "unlisted", "its name is no record file's")
            else:
                _check_file(files, f"{folder}/{entry.name}", name.sha256, None, found)


def _check_days(files: StoreFiles, site: str, found: _Found) -> None:
    days = {day for day, _ in list_days(files, site)}
    for day in sorted(days):
        try:
            manifest = load_manifest(files, site, day)
        except Unavailable:
            raise
        except SekishoError as error:
            found.fault(f"manifests/site={site}/{day}.json", "unreadable", str(error))
            continue
        if manifest is not None:
            _check_day(files, manifest, found)
    for kind in ("readings", "minutes"):
        for folder in files.list_folders(f"{kind}/site={site}"):
            if not _is_day(folder, days):
                place = f"{kind}/site={site}/{folder}"
                found.left += [f"{place}/{entry.name}" for entry in files.list_files(place)]


def _is_day(folder: str, days: Iterable[str]) -> bool:
    try:
        return folder.startswith("day=") and check_day(folder.removeprefix("day=")) in set(days)
    except InvalidInput:
        return False


def _check_day(files: StoreFiles, manifest: Manifest, found: _Found) -> None:
    named, lying = {}, tuple(_lying(files, manifest))
    for file in (*manifest.readings, *manifest.minutes, *(r.file for r in manifest.retired)):
        named[file.path] = file
        _check_file(files, file.path, file.sha256, file.rows, found)
    dropped = manifest.dropped
    for file in dropped.files if dropped else ():
        named[file.path] = file
        if dropped and dropped.trash:
            # A crash may have come between saying so and moving it.
            is_moved = file.path not in lying
            path = f"trash/{dropped.trash}/{file.path}" if is_moved else file.path
            _check_file(files, path, file.sha256, file.rows, found)
    for path in lying:
        if path in named:
            continue
        if part_path(manifest.site, manifest.day).fullmatch(path):
            found.left.append(path)
        else:
            found.fault(path, "unlisted", "no manifest names it, and no crash leaves such a file")


def _lying(files: StoreFiles, manifest: Manifest) -> Iterator[str]:
    for kind in ("readings", "minutes"):
        folder = f"{kind}/site={manifest.site}/day={manifest.day}"
        yield from (f"{folder}/{entry.name}" for entry in files.list_files(folder))


def _check_file(files: StoreFiles, path: str, sha256: str, rows: int | None, found: _Found) -> None:
    try:
        data = files.read(path, MAX_FILE)
    except NotStored:
        found.fault(path, "missing", "it is named and not there")
        return
    except Unavailable:
        raise
    except SekishoError as error:
        found.fault(path, "unreadable", str(error))
        return
    found.count(len(data))
    if sha256_hex(data) != sha256:
        found.fault(path, "changed", "its SHA-256 is not the one that names it")
    elif rows is not None and (held := _rows(data)) != rows:
        found.fault(path, "changed", f"it has {held} rows, not {rows}")


def _rows(data: bytes) -> int:
    try:
        return int(pq.read_metadata(pa.BufferReader(data)).num_rows)
    except pa.ArrowException:
        return -1
