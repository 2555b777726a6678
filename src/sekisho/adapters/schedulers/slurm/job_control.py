"""What is done to jobs by name: hold, release, suspend, resume, requeue, cancel, signal.

A task of an array is named by array and task. The record of those that still wait bears the array's own number, and the
last task to start inherits it: by that number alone Slurm acts on the whole array, on waiting and on finished tasks.
Source: Slurm 22.05, scontrol(1), scancel(1); job arrays: https://slurm.schedmd.com/job_array.html.
"""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.adapters.schedulers.slurm.commands import SlurmCommands, in_batches
from sekisho.adapters.schedulers.slurm.jobs import Job

__all__ = ["JobControl"]

ACT_TIMEOUT_S = 30.0


class JobControl:
    """Acts on the very jobs that it is given, and on no other task of their arrays.

    What Slurm refuses for one job (gone, ending) is passed over: whoever asks looks afterwards. Raises Unavailable
    where a command is late.
    """

    def __init__(self, commands: SlurmCommands) -> None:
        self._commands = commands

    def hold(self, jobs: Iterable[Job]) -> None:
        self._scontrol("hold", jobs)

    def release(self, jobs: Iterable[Job]) -> None:
        self._scontrol("release", jobs)

    def suspend(self, jobs: Iterable[Job]) -> None:
        self._scontrol("suspend", jobs)

    def resume(self, jobs: Iterable[Job]) -> None:
        self._scontrol("resume", jobs)

    def requeue_held(self, jobs: Iterable[Job]) -> None:
        """Back into the queue, where they wait until somebody releases them."""
        self._scontrol("requeuehold", jobs)

    def cancel(self, jobs: Iterable[Job]) -> None:
        for names in in_batches(job.address for job in jobs):
            self._commands.tell("scancel", *names)

    def signal(self, signal: str, jobs: Iterable[Job], *flags: str) -> None:
        """Steps alone are what scancel signals by itself; `--batch` is the script alone, `--full` both."""
        for names in in_batches(job.address for job in jobs):
            self._commands.tell("scancel", f"--signal={signal}", *flags, *names)

    def _scontrol(self, verb: str, jobs: Iterable[Job]) -> None:
        for names in in_batches(job.address for job in jobs):
            self._commands.tell("scontrol", verb, ",".join(names), timeout_s=ACT_TIMEOUT_S)
