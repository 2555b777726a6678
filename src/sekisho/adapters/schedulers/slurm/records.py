"""What the prolog and the epilog on the controller wrote down: which job held how many devices from when to when.

They close the hole between two looks at the queue, and outlive Slurm's own memory of a job. Lines have tabs between
fields: `start JOB EPOCH DEVICES RUN`, `end JOB EPOCH`, and `refused JOB EPOCH RULE` for one that did not start.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

__all__ = ["JobSpan", "SpanReader"]

MAX_READ = 4 * 1024 * 1024
MAX_OPEN = 100_000


class JobSpan(msgspec.Struct, frozen=True, kw_only=True):
    """One stay of a job on its devices, from its prolog to its epilog, in the controller's seconds since 1970."""

    number: int
    run: str
    devices: int
    start_s: int
    end_s: int


class _Open(msgspec.Struct, frozen=True):
    start_s: int
    devices: int
    run: str


class SpanReader:
    """Follows the records; a line that is not whole yet is left for the next look.

    What ended before `offset` was told to an earlier reader; of that only those that have not ended are remembered.
    `refused` are jobs that the prolog sent back, held, until somebody takes them out.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.offset = 0
        self._open: dict[int, _Open] = {}
        self.refused: set[int] = set()
        while self.offset < offset and (lines := self._fresh(offset)):
            self._take(lines)

    def read(self) -> list[JobSpan]:
        """The spans that have ended since the last look; what cannot be read as a line is passed over."""
        return self._take(self._fresh())

    def _take(self, lines: list[str]) -> list[JobSpan]:
        found = []
        for line in lines:
            match line.split("\t"):
                case ["start", job, epoch, devices, run] if _digits(job, epoch, devices):
                    self._begin(int(job), _Open(int(epoch), int(devices), run))
                case ["end", job, epoch] if _digits(job, epoch) and int(job) in self._open:
                    begun = self._open.pop(int(job))
                    found.append(
                        JobSpan(
                            number=int(job),
                            run=begun.run,
                            devices=begun.devices,
                            start_s=begun.start_s,
                            end_s=int(epoch),
                        )
                    )
                case ["refused", job, _, _] if _digits(job) and len(self.refused) < MAX_OPEN:
                    self.refused.add(int(job))
                case _:
                    continue
        return found

    def run_of(self, number: int) -> str:
        """The run under which a job that has not ended was let in; empty where that was not seen."""
        begun = self._open.get(number)
        return begun.run if begun else ""

    def _begin(self, number: int, begun: _Open) -> None:
        if len(self._open) < MAX_OPEN:
            self._open[number] = begun

    def _fresh(self, up_to: int | None = None) -> list[str]:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return []  # no prolog here: the queue alone tells
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(descriptor).st_size < self.offset:
                self.offset = 0  # rotated
            file.seek(self.offset)
            most = MAX_READ if up_to is None else min(MAX_READ, up_to - self.offset)
            whole, _, _ = file.read(most).rpartition(b"\n")
        self.offset += len(whole) + 1 if whole else 0
        return whole.decode("utf-8", errors="replace").split("\n") if whole else []


def _digits(*words: str) -> bool:
    return all(word.isascii() and word.isdigit() and len(word) < 16 for word in words)
