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

    def note(self) -> None:
        """Nothing: no job is told from another."""

    def find(self, run: str) -> WorkMarks:
        del run
        return WorkMarks(every_job=True)


class SlurmFinder:
    """Implements ports.WorkFinder. A job once found stays the run's: a comment may be changed afterwards.

    Every run's jobs are kept at each look, since nobody knows yet whose halt will be claimed.
    """

    name = "slurm, the run's jobs"

    def __init__(self, settings: SlurmSettings) -> None:
        self._commands = SlurmCommands(settings)
        self._known: dict[str, set[int]] = {}

    def note(self) -> None:
        """Keep which jobs name which run now. None is forgotten: what a job left behind may outlive it in Slurm."""
        jobs = parse_jobs(
            self._commands.ask("squeue", "--json", "--states=all", timeout_s=_TIMEOUT_S)
        )
        for job in jobs:
            run = run_of(job.comment)
            if run is not None:
                self._known.setdefault(run, set()).add(job.number)

    def find(self, run: str) -> WorkMarks:
        self.note()
        return WorkMarks(jobs=tuple(sorted(self._known.get(run, ()))))
