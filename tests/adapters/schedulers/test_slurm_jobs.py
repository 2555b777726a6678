"""The queue as Slurm tells it, read strictly: states, accelerators, comments that users wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.schedulers.slurm.jobs import devices_of, parse_jobs, run_of
from sekisho.model.errors import Unavailable


def answer(*rows: dict[str, Any]) -> bytes:
    base = {"job_id": 7, "job_state": "RUNNING"}
    return json.dumps(
        {"meta": {}, "errors": [], "jobs": [{**base, **row} for row in rows]}
    ).encode()


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("PENDING", "waiting"),
        ("REQUEUE_HOLD", "waiting"),
        ("RUNNING", "running"),
        ("CONFIGURING", "running"),
        ("SUSPENDED", "suspended"),
        ("COMPLETING", "completing"),
        ("COMPLETED", "ended"),
        ("NODE_FAIL", "ended"),
        ("A_STATE_OF_TOMORROW", "running"),
    ],
)
def test_a_state_is_active_unless_it_is_known_not_to_be(state: str, phase: str) -> None:
    """A state that we have never heard of counts as running."""
    (job,) = parse_jobs(answer({"job_state": state}))

    assert job.phase == phase
    assert job.is_active == (phase in ("running", "suspended", "completing"))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("gpu:a100:2(IDX:0-1),shard:4", 6),
        ("gres:gpu:1", 1),
        ("gres:gpu", 1),
        ("gres/gpu=3", 3),
        ("gpu:0", 0),
        ("gres:gpu:h100:4", 4),
        ("gpu:2080ti:4(IDX:0-3)", 4),
        ("gpu:3g.20gb:1(IDX:0)", 1),
        ("gpu:3g.20gb", 1),
        ("gpu:1080:2", 2),
        ("gres:gpu:4090:8", 8),
        ("gres/gpu:a100=4", 4),
        ("gres/gpu:1g.5gb=7,gres/shard=2", 9),
        ("gpumem:80", 0),
        ("license:1,nic:8", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_accelerators_are_counted_whatever_their_kind(text: str | None, count: int) -> None:
    """Model names and index lists are passed over, other resources count nothing."""
    assert devices_of(text) == count


def test_a_job_counts_at_least_what_it_asked_for() -> None:
    """Slurm forgets an ended job's devices: then its request says how many there were at most."""
    (job,) = parse_jobs(
        answer({"job_state": "COMPLETED", "tres_per_node": "gres:gpu:2", "node_count": 3})
    )

    assert (job.devices, job.held_devices) == (0, 6)


@given(st.integers(0, 8), st.integers(1, 8))
def test_tasks_are_never_undercounted(per_task: int, tasks: int) -> None:
    """Each task has its devices."""
    row = {"tres_per_task": f"gres:gpu:{per_task}", "tasks": tasks, "cpus": tasks}

    assert parse_jobs(answer(row))[0].asked >= per_task * tasks


@pytest.mark.parametrize(
    ("comment", "run"),
    [
        ("sekisho:run-1", "run-1"),
        ("sekisho:run-1 ", None),
        ("sekisho:", None),
        ("sekisho:run 1", None),
        ("Sekisho:run-1", None),
        ("x sekisho:run-1", None),
        ("sekisho:run-1\nsekisho:run-2", None),
        ("", None),
    ],
)
def test_a_comment_names_a_run_or_none(comment: str, run: str | None) -> None:
    """Nothing but the prefix and a plain name is a run."""
    assert run_of(comment) == run


def test_a_comment_cannot_forge_a_job() -> None:
    """A line end and a whole row inside a comment are still one comment."""
    forged = 'sekisho:run-1"}, {"job_id": 8, "comment": "sekisho:run-1\n8|RUNNING'
    jobs = parse_jobs(answer({"comment": forged}))

    assert [job.number for job in jobs] == [7]
    assert run_of(jobs[0].comment) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b'{"jobs": [{"job_id": "7", "job_state": "RUNNING"}]}',
        b'{"jobs": [{"job_id": 7, "job_id": 8, "job_state": "RUNNING"}]}',
        b'{"jobs": [], "errors": [{"error": "no"}]}',
        b"slurm_load_jobs error",
    ],
)
def test_an_answer_that_cannot_be_read_is_no_empty_queue(raw: bytes) -> None:
    """What is not understood says nothing about jobs."""
    with pytest.raises(Unavailable):
        parse_jobs(raw)


@pytest.mark.parametrize(
    ("row", "address"),
    [
        ({}, "7"),
        ({"array_job_id": 0, "array_task_id": None, "array_task_string": ""}, "7"),
        ({"array_job_id": 7, "array_task_id": 0, "array_task_string": ""}, "7_0"),
        ({"array_job_id": 5, "array_task_id": 12}, "5_12"),
        ({"array_job_id": 7, "array_task_id": None, "array_task_string": "3"}, "7_3"),
        ({"array_job_id": 7, "array_task_string": "0-2,5,9-20:2"}, "7_[0-2,5,9-20:2]"),
        ({"array_job_id": 7, "array_task_string": "4,6%2"}, "7_[4,6]"),
        ({"array_job_id": 7, "array_task_string": "0-3,..."}, "7"),
        ({"array_job_id": 7, "array_task_string": "1;scancel 9"}, "7"),
        ({"array_job_id": 7, "array_task_string": ",".join(["1"] * 3_000)}, "7"),
    ],
)
def test_a_job_is_called_by_what_means_it_alone(row: dict[str, Any], address: str) -> None:
    """A task by its array and number, those that wait by their list; where that cannot be said, by the array."""
    (job,) = parse_jobs(answer(row))

    assert job.address == address
