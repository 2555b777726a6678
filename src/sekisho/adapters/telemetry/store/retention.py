"""Retention: the raw rows of old days go, the minute sums stay. What goes lies in the trash until that is emptied."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import msgspec

from sekisho.adapters.telemetry.store.days import (
    list_days,
    list_sites,
    load_manifest,
    save_manifest,
)
from sekisho.adapters.telemetry.store.files import StoreFiles
from sekisho.adapters.telemetry.store.holds import held_files
from sekisho.adapters.telemetry.store.manifests import Dropped, Manifest, StoredFile
from sekisho.adapters.telemetry.store.names import check_day, check_trash, format_moment, is_trash
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant

__all__ = [
    "DayDropped",
    "drop_day",
    "empty_trash",
    "finish_drop",
    "list_trash",
    "new_trash",
    "plan_drops",
    "restore_trash",
]


class DayDropped(msgspec.Struct, frozen=True, kw_only=True):
    """Raw rows of one day that go or would go, and the evidence in whose name they may not (empty: nothing holds)."""

    site: str
    day: str
    rows: int
    size: int
    files: int
    held_by: tuple[str, ...] = ()


def plan_drops(files: StoreFiles, site: str, before: str) -> tuple[DayDropped, ...]:
    """What dropping the days before this one would take. Days without minute sums are left: nothing would be kept."""
    check_day(before)
    held = held_files(files)
    found = []
    for day, _ in list_days(files, site):
        manifest = load_manifest(files, site, day) if day < before else None
        if manifest is None or not manifest.readings or not manifest.minutes:
            continue
        by = {one for file in manifest.readings for one in held.get(file.path, ())}
        found.append(
            DayDropped(
                site=site,
                day=day,
                rows=manifest.rows,
                size=sum(file.size for file in manifest.readings),
                files=len(manifest.readings),
                held_by=tuple(sorted(by)),
            )
        )
    return tuple(found)


def new_trash(now: Instant) -> str:
    """The name of what is dropped together."""
    return f"{format_moment(now.us)}-{secrets.token_hex(4)}"


def drop_day(files: StoreFiles, site: str, day: str, *, trash: str, now: Instant) -> None:
    """For whoever holds the site. The manifest says so first; then the files are moved."""
    manifest = load_manifest(files, site, day)
    if manifest is None or not manifest.readings:
        return
    dropped = Dropped(at=now, trash=trash, files=manifest.readings)
    manifest = msgspec.structs.replace(
        manifest, number=manifest.number + 1, written=now, readings=(), dropped=dropped
    )
    save_manifest(files, manifest)
    # Crash here: the files lie where they lay, unread; the next compaction or undoing moves them.
    finish_drop(files, manifest)


def finish_drop(files: StoreFiles, manifest: Manifest) -> None:
    """Move what a manifest says is in the trash there; harmless where that is done."""
    dropped = manifest.dropped
    if dropped is None or not dropped.trash:
        return
    there = {entry.name for entry in files.list_files(_folder(manifest))}
    for file in dropped.files:
        if file.path.rpartition("/")[2] in there:
            files.move(file.path, _in_trash(dropped.trash, file))


def list_trash(files: StoreFiles) -> tuple[str, ...]:
    """What may be undone or emptied, the oldest first: by the manifests, and by what lies there."""
    found = {name for name in files.list_folders("trash") if is_trash(name)}
    found = {name for name in found if any(_lying(files, name))}
    for site in list_sites(files, "manifests"):
        for day, _ in list_days(files, site):
            manifest = load_manifest(files, site, day)
            if manifest is not None and manifest.dropped and manifest.dropped.trash:
                found.add(manifest.dropped.trash)
    return tuple(sorted(found))


def restore_trash(files: StoreFiles, site: str, trash: str, *, now: Instant) -> tuple[str, ...]:
    """Undo a dropping, for whoever holds the site; the days that have their raw rows again."""
    days = []
    for manifest in _dropped_into(files, site, trash):
        dropped = manifest.dropped
        if dropped is None:
            continue
        for file in dropped.files:
            files.move(_in_trash(trash, file), file.path)
        # Crash here: the manifest still says dropped, so the next compaction moves them back into the trash.
        save_manifest(
            files,
            msgspec.structs.replace(
                manifest,
                number=manifest.number + 1,
                written=now,
                readings=dropped.files,
                dropped=None,
            ),
        )
        days.append(manifest.day)
    return tuple(days)


def empty_trash(files: StoreFiles, site: str, trash: str, *, now: Instant) -> int:
    """Take away for good what one dropping took of a site, for whoever holds it; how many files that were."""
    for manifest in _dropped_into(files, site, trash):
        dropped = manifest.dropped
        if dropped is None:
            continue
        finish_drop(files, manifest)
        emptied = msgspec.structs.replace(dropped, trash="")
        save_manifest(
            files,
            msgspec.structs.replace(
                manifest, number=manifest.number + 1, written=now, dropped=emptied
            ),
        )
    # Crash here: files in the trash that no manifest names; emptying it again takes them.
    gone = [path for path in _lying(files, trash) if f"/site={site}/" in path]
    files.remove_all(gone)
    return len(gone)


def _lying(files: StoreFiles, trash: str) -> Iterable[str]:
    """The files that one dropping left in the trash."""
    root = f"trash/{check_trash(trash)}/readings"
    for site in files.list_folders(root):
        for day in files.list_folders(f"{root}/{site}"):
            place = f"{root}/{site}/{day}"
            yield from (f"{place}/{entry.name}" for entry in files.list_files(place))


def _dropped_into(files: StoreFiles, site: str, trash: str) -> Iterable[Manifest]:
    check_trash(trash)
    for day, _ in list_days(files, site):
        manifest = load_manifest(files, site, day)
        if manifest is not None and manifest.dropped and manifest.dropped.trash == trash:
            if manifest.readings:
                raise StateConflict(f"{site} {day} has raw rows beside those in the trash")
            yield manifest


def _folder(manifest: Manifest) -> str:
    return f"readings/site={manifest.site}/day={manifest.day}"


def _in_trash(trash: str, file: StoredFile) -> str:
    return f"trash/{check_trash(trash)}/{file.path}"
