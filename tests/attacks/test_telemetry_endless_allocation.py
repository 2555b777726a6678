"""Attack: one line of a scheduler's records that claims more chips than there are, to exhaust whoever adds up."""

from __future__ import annotations

import pytest

from sekisho.adapters.telemetry.engines import open_engine, sum_usage
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation
from sekisho.ports.telemetry import UsageQuery


def test_a_record_that_claims_a_billion_chips_is_refused_by_its_line() -> None:
    """Counting them one by one would fill the memory; the error names the record."""
    record = Allocation(
        job="all of it",
        site="s",
        start=Instant(0),
        end=None,
        chips=10**9,
        hosts=("nowhere",),
        source="jobs.csv",
        line=7,
    )
    query = UsageQuery(start=Instant(0), end=Instant(3_600_000_000))
    with open_engine("duckdb") as engine, pytest.raises(InvalidInput) as refused:
        list(sum_usage(engine, (), [record], (), query))
    assert "jobs.csv:7" in str(refused.value)
