"""Tables of jobs as schedulers export them: read strictly, a bad row alone."""

from __future__ import annotations

import pytest

from sekisho.metering.accounts import JobTable, parse_job_table
from sekisho.model.errors import InvalidInput

HEADER = "job,customer,start,end,chips"


def table(*rows: str, header: str = HEADER) -> JobTable:
    return parse_job_table("\n".join([header, *rows]).encode(), "jobs.csv")


def test_without_chip_or_flop_the_work_is_chip_time() -> None:
    """Philly-like logs: GPUs and times, and the unit says so."""
    found = table("1,acme,2017-09-04 10:30:41,2017-09-04T10:30:43Z,8")
    assert found.unit == "chip-second"
    assert found.entries[0].high == 16_000_000
    assert found.entries[0].chip_ms == 16_000


def test_with_a_chip_the_bound_is_allocation_at_peak() -> None:
    """An unknown chip is not measured, and never zero."""
    found = table(
        "1,a,0,10,1,H100 SXM", "2,a,0,10,1,Nonesuch", "3,a,0,10,,H100 SXM", header=f"{HEADER},chip"
    )
    known, unknown, uncounted = found.entries
    assert known.high == 10 * 1_979_000_000_000_000
    assert unknown.bound is None
    assert uncounted.bound is None


def test_with_flop_that_is_the_work_and_the_declaration() -> None:
    """Scientific notation is read exactly."""
    found = table("1,a,0,10,1e23", header="job,customer,start,end,flop")
    assert (found.entries[0].high, found.entries[0].declared) == (10**23, 10**23)
    assert found.entries[0].tier == "D"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1,a,5,4,8", "ends before"),
        ("1,a,x,4,8", "start"),
        ("1,a,4,5,-1", "chips"),
        ("1,a,4,5,2e9", "1e9"),
        (",a,4,5,8", "job"),
        ("1,a,4,5", "4 fields"),
        (f"{'9' * 300},a,4,5,8", "200"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(row: str, said: str) -> None:
    """The line and the field."""
    found = table("0,a,1,2,8", row)
    (error,) = found.errors
    assert error.line == 3
    assert said in error.error
    assert len(found.entries) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"job,start,end\n",
        b"\xff",
        b"job,job,start,end,chips\n1,1,1,2,3\n",
        b"job,start,end,chips\n",
    ],
)
def test_a_table_that_is_wrong_as_a_whole_is_refused(data: bytes) -> None:
    """No columns, no rows, doubled columns, no text."""
    with pytest.raises(InvalidInput):
        parse_job_table(data, "jobs.csv")


def test_corrections_and_parents_come_in_columns_of_their_own() -> None:
    """A row names itself, when it was recorded, and what it replaces."""
    found = table(
        "1,0,10,8,r1,2026-01-02T00:00:00Z,",
        "1,0,5,8,r2,2026-01-03T00:00:00Z,r1",
        header="job,start,end,chips,id,recorded,replaces",
    )
    assert found.entries[1].replaces == ("r1",)
    assert str(found.entries[1].recorded) == "2026-01-03T00:00:00Z"


def test_a_job_of_no_length_is_taken_and_holds_nothing() -> None:
    """It was there."""
    found = table("1,a,5,5,8")
    assert found.errors == ()
    assert found.entries[0].high == 0
