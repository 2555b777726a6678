"""A worker's counts in a folder that the access point reads: one file a worker, whole at every moment."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from sekisho.access.tally import MAX_COUNTS, CountRow, Tally, add_counts, parse_counts
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant

__all__ = ["SAVE_EVERY_S", "CountSpool", "load_counts", "prune_counts"]

SAVE_EVERY_S = 2.0
MAX_WORKERS = 4_096


class CountSpool:
    """Writes one worker's counts every two seconds while they change. What a crash loses is those two seconds."""

    def __init__(self, folder: Path, elapsed_s: Callable[[], float]) -> None:
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.json"
        self._elapsed_s = elapsed_s
        self._saved_s = float("-inf")

    def save(self, tally: Tally, *, at_once: bool = False) -> None:
        """Put the counts there; a disk that refuses them stops no server: the next time writes them all."""
        now = self._elapsed_s()
        if not tally.is_changed or (not at_once and now - self._saved_s < SAVE_EVERY_S):
            return
        self._saved_s = now
        beside = self._path.with_suffix(".new")
        # Crash here: the old counts or the new ones, and a file that nobody reads.
        with contextlib.suppress(OSError):
            beside.write_bytes(tally.to_bytes())
            beside.replace(self._path)


def load_counts(folder: Path) -> dict[tuple[Instant, str], tuple[int, int]]:
    """All workers' counts, added up; a file that cannot be read counts for nothing."""
    found: list[tuple[CountRow, ...]] = []
    for path in _files(folder):
        with contextlib.suppress(OSError, InvalidInput), path.open("rb") as file:
            found.append(parse_counts(file.read(MAX_COUNTS), path=path.name))
    return add_counts(found)


def prune_counts(folder: Path, before: Instant) -> None:
    """Take away the files of workers that have long ended: nothing was written into them since."""
    for path in _files(folder):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before.seconds:
                path.unlink()


def _files(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(path for path in folder.iterdir() if path.suffix == ".json")[:MAX_WORKERS]
    return []
