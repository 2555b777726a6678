"""What compaction has still before it: how many segments wait, and since when the oldest does."""

from __future__ import annotations

import msgspec

from sekisho.adapters.telemetry.store.days import load_manifest
from sekisho.adapters.telemetry.store.files import StoreFiles
from sekisho.adapters.telemetry.store.segments import list_segments
from sekisho.model.instants import Instant

__all__ = ["Backlog", "look_at_backlog"]


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """Segments of which rows are in no part yet, and when the oldest of them came; None where none waits."""

    segments: int
    oldest: Instant | None


def look_at_backlog(files: StoreFiles, sites: tuple[str, ...]) -> Backlog:
    """Over these sites. Raises Corrupt, Unavailable."""
    count, oldest = 0, None
    for site in sites:
        merged: dict[str, frozenset[str]] = {}
        for segment in list_segments(files, site):
            for day in segment.days:
                if day not in merged:
                    merged[day] = _merged(files, site, day)
            if any(segment.id not in merged[day] for day in segment.days):
                count += 1
                oldest = min(oldest or segment.received_us, segment.received_us)
    return Backlog(segments=count, oldest=None if oldest is None else Instant(oldest))


def _merged(files: StoreFiles, site: str, day: str) -> frozenset[str]:
    manifest = load_manifest(files, site, day)
    return frozenset(manifest.merged) if manifest else frozenset()
