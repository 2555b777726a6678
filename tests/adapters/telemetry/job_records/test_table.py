"""Job records as a plain table."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sekisho.adapters.telemetry.job_records import JobRecords
from sekisho.adapters.telemetry.job_records.table import COLUMNS, parse_allocations_csv
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_instant

MORNING, NOON = "2026-09-21T09:00:00Z", "2026-09-21T12:00:00Z"


def read(text: str) -> JobRecords:
    return parse_allocations_csv(text.encode(), site="osaka-1", path="jobs.csv")


def test_every_column_is_read() -> None:
    """Several of a kind stand in one cell; hosts may be a node list; a row may name another site."""
    (job,) = read(
        f"{','.join(COLUMNS)}\n"
        f"j1,{MORNING},{NOON},16,NVIDIA H100,GPU-a;GPU-b,gpu[01-02] x3,lab-a,llm-7,llm-5 llm-6,fp8,kobe-1,yes\n"
    ).allocations
    assert (job.job, job.chips, job.chip, job.customer) == ("j1", 16, "NVIDIA H100", "lab-a")
    assert (job.start, job.end) == (parse_instant(MORNING), parse_instant(NOON))
    assert (job.devices, job.hosts) == (("GPU-a", "GPU-b"), ("gpu01", "gpu02", "x3"))
    assert (job.run, job.parents, job.format) == ("llm-7", ("llm-5", "llm-6"), "fp8")
    assert (job.site, job.exempt, job.source, job.line) == ("kobe-1", True, "table", 2)


def test_three_columns_are_enough() -> None:
    """Chips, start and job, in any order: the job is open, not exempt, and of the reader's site."""
    (job,) = read("chips,start,job\n8,1789981200,j1\n").allocations
    assert (job.site, job.end, job.exempt, job.chips) == ("osaka-1", None, False, 8)
    assert job.start == parse_instant(MORNING)


def test_a_wrong_row_is_refused_with_its_line_and_remedy_and_the_rest_is_taken() -> None:
    """One row of each kind; an unknown chip is taken, since what it can do is asked later."""
    records = read(
        "job,start,end,chips,chip,hosts,exempt\n"
        f"a,{MORNING},{NOON},8,Abacus 3000,,\n"
        f"b,{MORNING},,-8,,,\n"
        f"c,{NOON},{MORNING},8,,,\n"
        f"d,,,8,,,\n"
        f"e,2026-09-21 09:00:00,,8,,,\n"
        f"f,{MORNING},,0,,,\n"
        f"g,{MORNING},,eight,,,\n"
        f",{MORNING},,8,,,\n"
        f"h,{MORNING},,8,,,maybe\n"
        f"i,{MORNING},,8,,n[1-,\n"
        f"k,{MORNING}\n"
        f"a,{MORNING},{NOON},8,Abacus 3000,,\n"
    )
    assert [job.job for job in records.allocations] == ["a"]
    assert records.duplicates == 1
    assert [(r.reason, r.count, r.first.split(",")[0].split(":")[0]) for r in records.refused] == [
        ("negative", 1, "line 3"),
        ("ends before it starts", 1, "line 4"),
        ("no start", 2, "line 5"),
        ("no devices", 1, "line 7"),
        ("malformed", 5, "line 8"),
    ]
    assert all(r.remedy for r in records.refused)


def test_records_that_came_are_all_accounted_for() -> None:
    """Allocations + refused + duplicates + passed over = rows."""
    rows = [f"j{place % 7},{MORNING},,{place % 3}" for place in range(40)]
    records = read("job,start,end,chips\n" + "\n".join(rows))
    counted = sum(refusal.count for refusal in records.refused)
    counted += len(records.allocations) + records.duplicates + records.passed_over
    assert counted == 40


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("job,start", "no column chips"),
        ("job,start,chips,colour", "'colour' is not known"),
        ("job,start,chips,job", "stands twice"),
    ],
)
def test_a_heading_that_is_not_the_tables_is_refused(head: str, why: str) -> None:
    """A column that is missing, unknown or there twice is named, with the file and its first line."""
    with pytest.raises(InvalidInput, match=f"jobs.csv: line 1: .*{why}"):
        read(f"{head}\n")


@pytest.mark.testdata
def test_a_real_job_log_is_taken_whole(public_records: Path) -> None:
    """52,849 jobs of twelve virtual clusters, their zone written behind their times."""
    text = (public_records / "philly" / "jobs_2017_09_10.csv").read_text("utf-8")
    source = [line.split(",") for line in text.splitlines()[1:]]
    rows = []
    for place, (submitted, cluster, chips, seconds) in enumerate(source):
        start = datetime.fromisoformat(f"{submitted}-07:00")
        end = start + timedelta(seconds=int(seconds))
        rows.append(f"{place},{start.isoformat()},{end.isoformat()},{chips},{cluster}")
    records = read("job,start,end,chips,customer\n" + "\n".join(rows))
    assert records.refused == ()
    had = sum(
        job.chips * job.end.since(job.start) for job in records.allocations if job.end is not None
    )
    assert had == sum(int(row[2]) * int(row[3]) for row in source)
