"""What slipped past the gate: jobs on accelerators without the licensed run, or no longer under its name.

Looks at the whole queue with no more rights than squeue needs, and ends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from sekisho.adapters.schedulers.slurm.commands import SlurmCommands
from sekisho.adapters.schedulers.slurm.gate_file import RECORDS_NAME
from sekisho.adapters.schedulers.slurm.jobs import Job, parse_jobs, run_of
from sekisho.adapters.schedulers.slurm.records import SpanReader
from sekisho.ports.driver_settings import SlurmSettings

__all__ = ["SlurmAudit", "find_strays"]

NAMED_AT_ONCE = 20


class SlurmAudit:
    """A look at one cluster for the agent of one run."""

    def __init__(self, settings: SlurmSettings, run: str) -> None:
        self._commands = SlurmCommands(settings)
        self._spans = SpanReader(Path(settings.gate) / RECORDS_NAME)
        self._run = run

    def look(self) -> dict[str, str]:
        """Findings by code, each naming its jobs. Raises Unavailable where Slurm does not answer."""
        self._spans.read()
        jobs = parse_jobs(self._commands.ask("squeue", "--json"))
        let_in = {job.number: self._spans.run_of(job.number) for job in jobs if job.is_active}
        return {code: _name(found) for code, found in find_strays(jobs, self._run, let_in).items()}


def find_strays(
    jobs: Iterable[Job], run: str, let_in: Mapping[int, str]
) -> dict[str, tuple[Job, ...]]:
    """Jobs on accelerators that no licence covers, and those that were let in under another run than they name now."""
    found: dict[str, tuple[Job, ...]] = {}
    for job in jobs:
        if not job.is_active or not job.held_devices:
            continue
        named = run_of(job.comment)
        noted = let_in.get(job.number)
        if noted and noted != named:
            found["job-renamed"] = (*found.get("job-renamed", ()), job)
        elif named != run:
            found["busy-without-licence"] = (*found.get("busy-without-licence", ()), job)
    return found


def _name(jobs: tuple[Job, ...]) -> str:
    shown = [f"{j.number} (user {j.user}, {j.held_devices} devices)" for j in jobs[:NAMED_AT_ONCE]]
    more = f" and {len(jobs) - NAMED_AT_ONCE} more" if len(jobs) > NAMED_AT_ONCE else ""
    return f"{len(jobs)} jobs: {', '.join(shown)}{more}"
