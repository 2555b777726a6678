"""The cluster's jobs as `squeue --json` tells them: the few fields that we stand on, read strictly.

A user writes the comment and the name, so only JSON is read: in a table of text a line end in a comment is a job.
Source: Slurm 22.05, squeue(1), the data parser's job fields; what a state means is from squeue(1), JOB STATE CODES.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.wire import from_json, parse_json

__all__ = ["COMMENT", "Job", "Phase", "devices_of", "parse_jobs", "run_of"]

COMMENT = "sekisho:"
MAX_JOBS = 64 * 1024 * 1024
MAX_TASKS = 4_000
"""Letters of a list of tasks that wait; where it is longer, its array's number is used, to hold and release alone."""
ACCELERATORS = ("gpu", "mps", "shard")
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")
_TASKS = re.compile(r"[0-9]{1,9}(?:[-,:][0-9]{1,9})*")
_COUNT = re.compile(r"[0-9]{1,9}")
_WAITING = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "REVOKED"}
_ENDED = {
    *("COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL"),
    *("DEADLINE", "OUT_OF_MEMORY"),
}
_STOPPED = {"SUSPENDED", "STOPPED"}

Phase = Literal["waiting", "running", "suspended", "completing", "ended"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job. `devices` are those handed out now, `asked` what its request comes to at most.

    `array` is the array's number where it is one task or several that wait, 0 else; `tasks` says which, in Slurm's way.
    `start_s` and `end_s` are seconds since 1970 by the controller's clock, 0 where there is none yet.
    """

    number: int
    phase: Phase
    array: int = 0
    tasks: str = ""
    comment: str = ""
    user: int = 0
    partition: str = ""
    devices: int = 0
    asked: int = 0
    start_s: int = 0
    end_s: int = 0
    is_batch: bool = False
    may_requeue: bool = False
    is_held: bool = False
    exit_status: int = 0
    nodes: str = ""

    @property
    def address(self) -> str:
        """What Slurm calls this job and no other: by an array's number alone it means every task of the array."""
        if not self.array or not 0 < len(self.tasks) <= MAX_TASKS:
            return str(self.number)
        return f"{self.array}_{self.tasks if self.tasks.isdigit() else f'[{self.tasks}]'}"

    @property
    def is_active(self) -> bool:
        """Whether something of it may be on a node; a completing job is, until its node says otherwise."""
        return self.phase in ("running", "suspended", "completing")

    @property
    def held_devices(self) -> int:
        """Never less than what it holds: where Slurm shows none any more, what it asked for."""
        return self.devices or self.asked


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    job_id: int
    job_state: str
    array_job_id: int | None = None
    array_task_id: int | None = None
    array_task_string: str | None = None
    comment: str | None = None
    user_id: int = 0
    partition: str | None = None
    gres_detail: list[str] | None = None
    tres_per_job: str | None = None
    tres_per_node: str | None = None
    tres_per_socket: str | None = None
    tres_per_task: str | None = None
    node_count: int | None = None
    cpus: int | None = None
    tasks: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    batch_flag: bool = False
    requeue: bool = False
    priority: int | None = None
    exit_code: int | None = None
    nodes: str | None = None


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    jobs: list[_Row]
    errors: list[object] = []


def parse_jobs(raw: bytes) -> tuple[Job, ...]:
    """All jobs that slurmctld remembers. Raises Unavailable where the answer cannot be read."""
    try:
        answer = from_json(_Answer, parse_json(raw, path="squeue", limit=MAX_JOBS, any_float=True))
    except InvalidInput as error:
        raise Unavailable(f"squeue's answer cannot be read: {error}") from None
    if answer.errors:
        raise Unavailable(f"squeue complains: {str(answer.errors[0])[:200]}")
    return tuple(_job_of(row) for row in answer.jobs)


def run_of(comment: str) -> str | None:
    """The run that a job's comment names; None where it names none, or none that can be."""
    if not comment.startswith(COMMENT):
        return None
    name = comment.removeprefix(COMMENT)
    return name if _RUN.fullmatch(name) else None


def devices_of(text: str | None) -> int:
    """How many accelerators a list such as `gpu:a100:2(IDX:0-1),shard:4` counts."""
    bare = re.sub(r"\([^)]*\)", "", text or "")
    return sum(_counted(part.strip()) for part in bare.split(","))


def _counted(part: str) -> int:
    """`[gres:]NAME[:TYPE][:COUNT]`: a type may be any word, `2080ti` and `3g.20gb` too; without a count it is one."""
    name, *words = re.split(r"[:=]", re.sub(r"^gres[:/]", "", part))
    if name not in ACCELERATORS:
        return 0
    return int(words[-1]) if words and _COUNT.fullmatch(words[-1]) else 1


def _job_of(row: _Row) -> Job:
    return Job(
        number=row.job_id,
        phase=_phase_of(row.job_state),
        array=row.array_job_id or 0,
        tasks=_tasks_of(row),
        comment=row.comment or "",
        user=row.user_id,
        partition=row.partition or "",
        devices=sum(devices_of(text) for text in row.gres_detail or ()),
        asked=_asked(row),
        start_s=row.start_time or 0,
        end_s=row.end_time or 0,
        is_batch=row.batch_flag,
        may_requeue=row.batch_flag and row.requeue,
        is_held=row.priority == 0,
        exit_status=(row.exit_code or 0) >> 8 or (row.exit_code or 0) & 0x7F,
        nodes=row.nodes or "",
    )


def _tasks_of(row: _Row) -> str:
    """One number for a task of its own; what of the array still waits, without the mark of how many at a time."""
    if row.array_task_id is not None:
        return str(row.array_task_id)
    tasks = (row.array_task_string or "").partition("%")[0]
    return tasks if _TASKS.fullmatch(tasks) else ""


def _phase_of(state: str) -> Phase:
    """What is not known to be waiting or over is running: a state of a later Slurm is no way out."""
    if state == "COMPLETING":
        return "completing"
    if state in _WAITING:
        return "waiting"
    if state in _STOPPED:
        return "suspended"
    return "ended" if state in _ENDED else "running"


def _asked(row: _Row) -> int:
    """Upper bound of a request: per node, per task and per socket times what there can be of these."""
    nodes, cpus = max(row.node_count or 0, 1), max(row.cpus or 0, 1)
    return max(
        devices_of(row.tres_per_job),
        devices_of(row.tres_per_node) * nodes,
        devices_of(row.tres_per_task) * max(row.tasks or 0, cpus if row.tres_per_task else 0, 1),
        devices_of(row.tres_per_socket) * max(cpus, nodes),
    )
