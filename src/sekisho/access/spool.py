"""A worker's counts in a folder that the access point reads: one file a worker, whole at every moment."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from sekisho.access.tally import MAX_COUNTS, Tally, WorkerCounts, parse_counts
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical

__all__ = ["SAVE_EVERY_S", "CountSpool", "load_counts", "prune_counts"]

SAVE_EVERY_S = 2.0
MAX_WORKERS = 4_096


class CountSpool:
    """Writes one worker's counts every two seconds, from a thread of its own. What a crash loses is those two seconds.

    The thread begins with the first call of `begin` in a process: servers load an application once and fork then.
    """

    def __init__(self, folder: Path, tally: Tally, now: Callable[[], Instant]) -> None:
        self._folder = folder
        self._tally = tally
        self._now = now
        self._process = 0
        self._path = folder
        self._since = Instant(0)
        self._lock, self._is_over = threading.Lock(), False

    def begin(self) -> None:
        """Count for this process from now on; nothing where it was said before. To be called with each connection."""
        if self._process == os.getpid():
            return
        if self._process:
            self._tally.clear()  # the parent's, which it writes itself
        self._lock, self._is_over = threading.Lock(), False
        self._process = os.getpid()
        self._path = self._folder / f"{self._process}-{secrets.token_hex(4)}.json"
        self._since = self._now()
        self.save()
        threading.Thread(target=self._go_on, name="access-counts", daemon=True).start()

    def save(self, *, ended: bool = False) -> None:
        """Put the counts there; a disk that refuses them stops no server: the next time writes them all."""
        with self._lock, contextlib.suppress(OSError):
            if self._is_over:
                return
            self._is_over = ended
            told = WorkerCounts(
                since=self._since, written=self._now(), ended=ended, rows=self._tally.rows()
            )
            beside = self._path.with_suffix(".new")
            # Crash here: the old counts or the new ones, and a file that nobody reads.
            beside.write_bytes(canonical(told))
            beside.replace(self._path)

    def end(self) -> None:
        """The worker leaves and its counts are whole; what still comes after it begins a file of its own."""
        if self._process == os.getpid():
            self.save(ended=True)
            self._process = -1

    def _go_on(self) -> None:
        mine, pause = self._path, threading.Event()
        while not pause.wait(SAVE_EVERY_S) and self._path == mine and not self._is_over:
            self.save()


def load_counts(folder: Path) -> list[WorkerCounts]:
    """What all workers told; a file that cannot be read tells nothing."""
    found: list[WorkerCounts] = []
    for path in _files(folder):
        with contextlib.suppress(OSError, InvalidInput), path.open("rb") as file:
            found.append(parse_counts(file.read(MAX_COUNTS + 1), path=path.name))
    return found


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
