"""Slurm's accounting: what ran, on how many chips, from when to when, whoever's clock wrote it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sekisho.adapters.telemetry.job_records import JobRecords
from sekisho.adapters.telemetry.job_records.slurm import parse_sacct, parse_sacct_json
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_instant

HEAD = "JobID|JobIDRaw|User|Account|Partition|State|Start|End|Elapsed|AllocTRES|NodeList|Comment"
EIGHT = "billing=8,cpu=64,gres/gpu:h100=8,gres/gpu=8,mem=512G,node=1"
MORNING, NOON = "2026-09-21T09:00:00", "2026-09-21T12:00:00"
UUID = "GPU-8f2ab5a4-0d3c-4a4f-9a51-111122223333"


def row(name: str = "123", **cells: str) -> str:
    """A completed three-hour job on eight chips unless the cells say otherwise."""
    said = {"user": "u1", "account": "lab-a", "partition": "gpu", "state": "COMPLETED"}
    said |= {"start": MORNING, "end": NOON, "elapsed": "03:00:00", "tres": EIGHT}
    said |= {"nodes": "gpu07", "comment": ""} | cells
    return "|".join([name, name, *said.values()])


def read(*lines: str, zone: str = "UTC", head: str = HEAD) -> JobRecords:
    return parse_sacct("\n".join([head, *lines, ""]), site="osaka-1", zone=zone)


def refused(records: JobRecords) -> list[tuple[str, int, str]]:
    return [(r.reason, r.count, r.first) for r in records.refused]


def test_a_job_is_an_allocation() -> None:
    """Chips and their kind from AllocTRES, hosts from NodeList, the account as the customer."""
    (job,) = read(row()).allocations
    assert (job.job, job.site, job.customer, job.source, job.line) == (
        *("123", "osaka-1", "lab-a", "sacct", 2),
    )
    assert (job.chips, job.chip, job.hosts) == (8, "h100", ("gpu07",))
    assert (job.start, job.end) == (parse_instant(f"{MORNING}Z"), parse_instant(f"{NOON}Z"))


@pytest.mark.parametrize(
    ("tres", "chips", "kind"),
    [
        ("gres/gpu=4", 4, ""),
        ("gres/gpu:a100=4", 4, "a100"),
        ("gres/gpu:a100=4,gres/gpu:h100=4,gres/gpu=8", 8, ""),
        ("gres/gpu:a100=4,gres/gpu:h100=4", 8, ""),
        ("gres/gpu:1g.10gb=2,gres/gpu=2", 2, "1g.10gb"),
    ],
)
def test_chips_are_counted_once_whether_their_kind_is_told_or_not(
    tres: str, chips: int, kind: str
) -> None:
    """The total where it stands, else the sum of the kinds; the kind is told where there is but one."""
    (job,) = read(row(tres=tres)).allocations
    assert (job.chips, job.chip) == (chips, kind)


def test_steps_are_folded_into_their_job() -> None:
    """Batch, extern and numbered steps are no jobs of their own; they say how many chips where the job does not."""
    bare = row(tres="billing=8,cpu=64,node=1")
    records = read(bare, row("123.batch"), row("123.extern"), row("123.0", tres="gres/gpu=4"))
    (job,) = records.allocations
    assert (job.job, job.chips, records.passed_over) == ("123", 8, 3)


def test_a_requeued_job_is_an_allocation_for_each_time_that_it_ran() -> None:
    """Two rows of one id: one job, two starts. The same row again is a duplicate."""
    later = row(start="2026-09-22T09:00:00", end="2026-09-22T12:00:00")
    records = read(row(state="REQUEUED"), later, later)
    assert [job.job for job in records.allocations] == ["123", "123"]
    assert [str(job.start)[8:10] for job in records.allocations] == ["21", "22"]
    assert records.duplicates == 1


def test_array_tasks_are_jobs_and_parts_of_one_job_share_its_run() -> None:
    """A task of an array stands alone; the components of a heterogeneous job have its id as their run."""
    records = read(row("200_1"), row("200_2"), row("300+0"), row("300+1"))
    assert [(job.job, job.run) for job in records.allocations] == [
        *(("200_1", ""), ("200_2", ""), ("300+0", "300"), ("300+1", "300")),
    ]


def test_a_job_without_an_end_is_open() -> None:
    """A running job, and one whose end nobody wrote."""
    records = read(row(end="Unknown", state="RUNNING"), row("124", end="Unknown"))
    assert [job.end for job in records.allocations] == [None, None]


def test_a_job_that_never_began_or_had_no_chip_is_passed_over() -> None:
    """Pending, cancelled before it began, or on processors alone: counted, neither taken nor refused."""
    never = row(start="Unknown", end="Unknown", state="PENDING")
    cancelled = row("124", start="None", end=NOON, state="CANCELLED by 1000")
    records = read(never, cancelled, row("125", tres="cpu=4,mem=1G"))
    assert (records.allocations, records.passed_over, records.refused) == ((), 3, ())


def test_the_clusters_zone_says_which_hour_it_was() -> None:
    """Nine in Tokyo is midnight in UTC; an offset will do as well as a name."""
    for zone in ("Asia/Tokyo", "+09:00"):
        (job,) = read(row(), zone=zone).allocations
        assert str(job.start) == "2026-09-21T00:00:00Z"


def test_without_a_zone_a_local_time_is_refused_with_the_remedy() -> None:
    """Nobody can say which hour it was, so each such row is counted and the remedy asks for the zone."""
    records = read(row(), row("124"), zone="")
    assert refused(records)[0][:2] == ("no start", 2)
    assert "name the cluster's zone" in records.refused[0].remedy


@pytest.mark.parametrize("written", ["1789981200", "2026-09-21T18:00:00+0900"])
def test_times_that_carry_their_zone_need_none(written: str) -> None:
    """Epoch seconds (SLURM_TIME_FORMAT=%s) and offsets."""
    (job,) = read(row(start=written, end=""), zone="").allocations
    assert job.start == parse_instant(f"{MORNING}Z")


def test_an_hour_that_comes_twice_is_told_by_the_time_that_the_job_ran() -> None:
    """The clocks of Berlin go back at 03:00 on 25 October 2026; where nobody says how long, the longer is taken."""
    local = {"start": "2026-10-25T02:30:00", "end": "2026-10-25T02:45:00"}
    for elapsed, hours in (("00:15:00", 0.25), ("01:15:00", 1.25), ("", 1.25)):
        (job,) = read(row(**local, elapsed=elapsed), zone="Europe/Berlin").allocations
        assert job.end is not None
        assert job.end.since(job.start) == hours * 3600


def test_a_zone_that_does_not_exist_is_refused() -> None:
    """An unknown name, a path and an offset of 99 hours are no zones."""
    for zone in ("Mars/Olympus", "../etc/passwd", "+99:00"):
        with pytest.raises(InvalidInput, match="is no zone"):
            read(row(), zone=zone)


def test_devices_run_and_parents_are_read_from_comments() -> None:
    """What a prolog or a user wrote beside the job; a comment of jobstats names no device and is no hindrance."""
    said = f"sekisho.run=llm-7 sekisho.parents=llm-5,llm-6 sekisho.format=fp8 {UUID},{UUID}"
    (job,) = read(row(comment=said)).allocations
    assert (job.run, job.parents, job.format) == ("llm-7", ("llm-5", "llm-6"), "fp8")
    assert job.devices == (UUID,)
    assert read(row(comment="JS1:H4sIADelIWcC/1WN")).allocations[0].devices == ()


def test_a_wrong_row_is_refused_with_its_line_and_the_rest_is_taken() -> None:
    """Every reason has its count and the line and job of its first; the good row beside them is a job."""
    records = read(
        row(),
        row("124", start="yesterday"),
        row("125", start=NOON, end=MORNING),
        row("126", nodes="gpu[1-"),
        row("127", start="Unknown", state="COMPLETED"),
        "128|only|three",
    )
    assert [job.job for job in records.allocations] == ["123"]
    assert [(reason, count, first.split(":")[0]) for reason, count, first in refused(records)] == [
        ("no start", 2, "line 3, job 124"),
        ("ends before it starts", 1, "line 4, job 125"),
        ("malformed", 2, "line 5, job 126"),
    ]


def test_a_heading_without_what_is_needed_is_refused_with_the_command() -> None:
    """The missing column is named, and the sacct command to run instead stands beside it."""
    with pytest.raises(InvalidInput, match=r"no column alloctres; sacct -P -a"):
        read("1|2", head="JobID|Start|End")


def test_another_delimiter_and_a_trailing_one_are_read() -> None:
    """`--delimiter` for names with bars in them, and `-p`, which ends each line with one."""
    assert len(read(row().replace("|", "\x1f"), head=HEAD.replace("|", "\x1f")).allocations) == 1
    assert len(read(row() + "|", head=HEAD + "|").allocations) == 1


def test_quotes_in_names_are_characters() -> None:
    """A quote that opens in a comment and never closes joins no lines: both rows are jobs."""
    assert len(read(row(comment='say "hi'), row("124")).allocations) == 2


def job(**over: Any) -> dict[str, Any]:
    """One job as `sacct --json` has it, in the shape that 22.05 and later share."""
    tres = [{"type": "cpu", "name": "", "id": 1, "count": 64}]
    tres += [{"type": "gres", "name": "gpu", "id": 1001, "count": 8}]
    tres += [{"type": "gres", "name": "gpu:h100", "id": 1002, "count": 8}]
    return {
        "job_id": 123,
        "account": "lab-a",
        "array": {"job_id": 0, "task_id": None},
        "het": {"job_id": 0, "job_offset": None},
        "nodes": "gpu[07-08]",
        "state": {"current": "COMPLETED", "reason": "None"},
        "time": {"start": 1_789_981_200, "end": 1_789_992_000, "elapsed": 10_800},
        "tres": {"allocated": tres, "requested": []},
        "comment": {"administrator": f"on {UUID}", "job": "sekisho.run=llm-7", "system": None},
    } | over


def read_json(*jobs: Any) -> JobRecords:
    return parse_sacct_json(json.dumps({"jobs": jobs, "errors": []}).encode(), site="osaka-1")


def test_json_says_what_text_says() -> None:
    """Chips and their kind, hosts, times, run, devices and customer come from JSON as they come from text."""
    (found,) = read_json(job()).allocations
    assert (found.job, found.chips, found.chip, found.hosts) == (
        *("123", 8, "h100", ("gpu07", "gpu08")),
    )
    assert found.start == Instant(1_789_981_200_000_000)
    assert found.end == Instant(1_789_992_000_000_000)
    assert (found.run, found.devices, found.customer) == ("llm-7", (UUID,), "lab-a")


def number(value: int, *, is_set: bool = True) -> dict[str, Any]:
    """As data_parser writes numbers since 23.02."""
    return {"set": is_set, "infinite": False, "number": value}


@pytest.mark.parametrize(
    ("over", "name", "run"),
    [
        ({"array": {"job_id": 120, "task_id": 3}}, "120_3", "llm-7"),
        ({"array": {"job_id": 120, "task_id": number(3)}}, "120_3", "llm-7"),
        ({"array": {"job_id": 0, "task_id": number(0, is_set=False)}}, "123", "llm-7"),
        ({"het": {"job_id": 122, "job_offset": number(1)}, "comment": {}}, "122+1", "122"),
        ({"job_id": number(124), "comment": {"job": None}}, "124", ""),
    ],
)
def test_ids_in_every_shape_are_read_as_sacct_prints_them(
    over: dict[str, Any], name: str, run: str
) -> None:
    """A task of an array is 120_3, a component 122+1 with 122 as its run; a number that is not set is none."""
    (found,) = read_json(job(**over)).allocations
    assert (found.job, found.run) == (name, run)


def test_states_and_times_of_later_versions_are_read() -> None:
    """A list of states, numbers that say whether they are set, 64-bit numbers for "infinite"."""
    time = {"start": 1_789_981_200, "end": 0, "limit": number(2**64 - 2, is_set=False)}
    (found,) = read_json(job(state={"current": ["RUNNING"]}, time=time)).allocations
    assert found.end is None
    pending = job(state={"current": ["PENDING"]}, time={"start": 0, "end": 0})
    assert read_json(pending).passed_over == 1


def test_a_job_of_another_shape_is_refused_by_its_place() -> None:
    """A job without an id, a number in a job's place and a start before 1970 are malformed; the good job is taken."""
    records = read_json(job(), {"name": "x"}, 7, job(time={"start": -5, "end": 0}))
    assert len(records.allocations) == 1
    assert [(r.reason, r.count, r.first[:6]) for r in records.refused] == [
        ("malformed", 3, "line 2")
    ]


@pytest.mark.parametrize("body", [b"[]", b'{"jobs": 7}', b"{", b'{"jobs": [], "jobs": []}'])
def test_another_document_is_refused(body: bytes) -> None:
    """A list, jobs that are no list, broken JSON and a name that stands twice hold no accounting."""
    with pytest.raises(InvalidInput):
        parse_sacct_json(body, site="osaka-1")
