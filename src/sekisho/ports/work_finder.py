"""Where a scheduler put a run's work on this host, as an observer finds it without the agent."""

from __future__ import annotations

from typing import Protocol

import msgspec

__all__ = ["WorkFinder", "WorkMarks"]


class WorkMarks(msgspec.Struct, frozen=True, kw_only=True):
    """By what the work is known on a node: names of control groups, and numbers of Slurm jobs.

    A group is a last part of a name (`run-x`, `job_12`, `pod<uid>`); all of `every_job` means each job of the node.
    """

    groups: tuple[str, ...] = ()
    jobs: tuple[int, ...] = ()
    every_job: bool = False


class WorkFinder(Protocol):
    """Asks a scheduler, with the observer's own rights."""

    name: str

    def note(self) -> None:
        """Learn whose work is whose now, so that what is renamed later is still known. Raises Unavailable."""
        ...

    def find(self, run: str) -> WorkMarks:
        """Where a run's work is or was. Raises Unavailable where nobody answers."""
        ...
