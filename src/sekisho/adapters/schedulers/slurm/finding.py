"""A run's jobs as an observer finds them: squeue asked with the observer's own rights, no agent in between."""

from __future__ import annotations

from typing import Final

from sekisho.adapters.schedulers.slurm.commands import SlurmCommands
from sekisho.adapters.schedulers.slurm.jobs import parse_jobs, run_of
from sekisho.ports.driver_settings import SlurmSettings
from sekisho.ports.work_finder import WorkMarks

__all__ = ["EveryJob", "SlurmFinder"]

_TIMEOUT_S: Final = 5.0


class EveryJob:
    """Implements ports.WorkFinder: each job of the node is work. It asks nobody, so nobody can lie to it."""

    name = "slurm, every job of the node"

    def find(self, run: str) -> WorkMarks:
        del run
        return WorkMarks(every_job=True)


class SlurmFinder:
    """Implements ports.WorkFinder. A job once found stays the run's: a comment may be changed afterwards."""

    name = "slurm, the run's jobs"

    def __init__(self, settings: SlurmSettings) -> None:
        self._commands = SlurmCommands(settings)
        self._known: dict[str, set[int]] = {}

    def find(self, run: str) -> WorkMarks:
        jobs = parse_jobs(
            self._commands.ask("squeue", "--json", "--states=all", timeout_s=_TIMEOUT_S)
        )
        known = self._known.setdefault(run, set())
        known.update(job.number for job in jobs if run_of(job.comment) == run)
        return WorkMarks(jobs=tuple(sorted(known)))
