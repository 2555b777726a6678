"""Usage as CloudEvents: what the specification requires, the same ids again, nothing measured that was not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sekisho.metering.accounts.cloud_events import (
    CSV_COLUMNS,
    UsageEvent,
    check_cloud_event,
    usage_events,
)
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from tests.metering.accounts.made import entry


def event(work: int | None = 100, **more: Any) -> UsageEvent:
    (made,) = usage_events(
        [entry(0, 1, work, site="tokyo", **more)], origin="provider.example", counting="format-used"
    )
    return made


def test_each_event_has_the_required_attributes() -> None:
    """By the specification, and as our own checker of it sees them."""
    made = event().to_json()
    check_cloud_event(made)
    assert made["specversion"] == "1.0"
    assert made["type"] == "org.sekisho.usage.v1"
    assert made["source"] == "sekisho://provider.example/tokyo"
    assert made["subject"] == "acme"
    assert Instant.parse(str(made["time"])) == Instant.parse("2026-01-02T00:00:00Z")
    assert json.loads(json.dumps(made)) == made


def test_a_retry_gives_the_same_id_and_another_figure_another_one() -> None:
    """A receiver that compares source and id counts each event once."""
    assert event().id == event().id
    others = [event(101), event(None), event(customer="beta"), event(name="other")]
    assert len({event().id, *(other.id for other in others)}) == 5


def test_flop_are_decimal_strings_and_what_was_not_measured_is_left_out() -> None:
    """JSON numbers lose digits beyond 2^53; zero would be a claim."""
    data: Any = event(10**30).to_json()["data"]
    assert data["bound_high"] == "1" + "0" * 30
    unmeasured: Any = event(None).to_json()["data"]
    assert "bound_high" not in unmeasured
    assert event(None).to_row()[CSV_COLUMNS.index("bound_high")] == ""


def test_a_customer_that_nobody_names_has_no_subject() -> None:
    """The format lets it out; an empty one would be wrong."""
    made = event(customer="").to_json()
    assert "subject" not in made
    check_cloud_event(made)


def test_foreign_names_make_no_other_source() -> None:
    """A site with a slash or a space is quoted."""
    check_cloud_event(event(customer="株式会社 ?&#").to_json())
    (made,) = usage_events([entry(0, 1, 1, site="a/b c")], origin="x y/z", counting="format-used")
    assert made.source == "sekisho://x%20y%2Fz/a%2Fb%20c"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"id": ""}, "id"),
        ({"source": "a b"}, "source"),
        ({"specversion": "0.3"}, "specversion"),
        ({"type": 5}, "type"),
        ({"time": "yesterday"}, "time"),
        ({"Upper": "x"}, "Upper"),
        ({"subject": ""}, "subject"),
        ({"data_base64": "AA=="}, "data_base64"),
    ],
)
def test_what_is_no_cloud_event_is_refused_with_its_attribute(
    change: dict[str, object], where: str
) -> None:
    """One wrong attribute at a time."""
    with pytest.raises(InvalidInput) as caught:
        check_cloud_event({**event().to_json(), **change})
    assert caught.value.path == where


def test_a_row_has_every_column() -> None:
    """In the order of the header."""
    row = event().to_row()
    assert len(row) == len(CSV_COLUMNS)
    assert row[CSV_COLUMNS.index("chip_seconds")] == "86400"
