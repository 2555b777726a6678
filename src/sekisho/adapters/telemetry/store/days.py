"""Days of a site: their manifests, read and replaced."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.adapters.telemetry.store.files import StoreFiles
from sekisho.adapters.telemetry.store.manifests import (
    MAX_MANIFEST,
    Manifest,
    parse_manifest,
    write_manifest,
)
from sekisho.adapters.telemetry.store.names import check_day, check_site, manifest_path
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.ports.tile_store import NotStored

__all__ = ["list_days", "list_sites", "load_manifest", "save_manifest"]


def list_sites(files: StoreFiles, *folders: str) -> tuple[str, ...]:
    """The sites of which something is kept in these folders. Raises Corrupt where a folder is no site's."""
    found = set()
    for folder in folders:
        for name in files.list_folders(folder):
            site = name.removeprefix("site=")
            try:
                found.add(check_site(site))
            except InvalidInput:
                raise Corrupt(
                    f"{folder}/{name[:120]} is no folder of this store",
                    remedy="move it elsewhere, then try again",
                ) from None
    return tuple(sorted(found))


def list_days(files: StoreFiles, site: str) -> Iterator[tuple[str, int]]:
    """The days that have a manifest, in order, and when each was last written. Raises Corrupt."""
    folder = f"manifests/site={check_site(site)}"
    for entry in files.list_files(folder):
        try:
            yield check_day(entry.name.removesuffix(".json")), entry.changed_us
        except InvalidInput:
            raise Corrupt(
                f"{folder}/{entry.name} is no manifest", remedy="move it elsewhere, then try again"
            ) from None


def load_manifest(files: StoreFiles, site: str, day: str) -> Manifest | None:
    """What the day consists of; None where nothing of it was compacted. Raises Corrupt."""
    try:
        data = files.read(manifest_path(site, day), MAX_MANIFEST)
    except NotStored:
        return None
    return parse_manifest(data, site=site, day=day)


def save_manifest(files: StoreFiles, manifest: Manifest) -> None:
    """From here on the day is what it says. Crash before: as it was; what was written for it is taken away later."""
    files.write_all([(manifest_path(manifest.site, manifest.day), write_manifest(manifest))])
