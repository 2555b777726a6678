"""A device that an operator hides: its time shows as unattributed, as not seen, or as a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole_fleet import NOON, Fleet, readings

REGISTER = ["GPU-0,osaka,H100,n1", "GPU-1,osaka,H100,n1"]
ALL = range(0, 3600, 10)
LEASE = f"train,{NOON},{NOON.plus(3600)},1,GPU-0,"


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    fleet = Fleet(tmp_path)
    fleet.lease(LEASE)
    return fleet


def test_device_hidden_by_renaming_shows_as_unattributed_and_not_seen(fleet: Fleet) -> None:
    """From 12:30 on it reports under another name: the old name is not seen, the new one is nobody's."""
    fleet.report(
        *readings("GPU-0", 0, ALL),
        *readings("GPU-1", 1, range(0, 1800, 10)),
        *readings("GPU-9", 1, range(1800, 3600, 10)),
    )
    code, told = fleet.whole()
    rows = {row["device"]: row for row in told["devices"]}
    assert code == 1
    assert (rows["GPU-1"]["unattributed_ms"], rows["GPU-1"]["not_seen_ms"]) == (
        1_800_000,
        1_800_000,
    )
    assert (rows["GPU-9"]["device_ms"], rows["GPU-9"]["unattributed_ms"]) == (1_800_000, 1_800_000)
    (finding,) = told["findings"]
    assert (finding["kind"], finding["device"]) == ("uuid changed", "GPU-9")
    assert "GPU-1" in finding["why"]


def test_device_that_was_renamed_before_its_first_reading_is_missed_by_the_register(
    fleet: Fleet,
) -> None:
    """It never reported as enrolled: not seen for all of the period, and its new name is nobody's."""
    fleet.report(*readings("GPU-0", 0, ALL), *readings("GPU-9", 1, ALL))
    code, told = fleet.whole(enrolled=REGISTER)
    rows = {row["device"]: row for row in told["devices"]}
    assert code == 1
    assert rows["GPU-1"]["not_seen_ms"] == rows["GPU-1"]["device_ms"] == 3_600_000
    assert rows["GPU-9"]["unattributed_ms"] == 3_600_000
    assert [(f["kind"], f["device"]) for f in told["findings"]] == [("not enrolled", "GPU-9")]


def test_device_that_reports_as_a_slice_of_another_is_missed(fleet: Fleet) -> None:
    """Two devices posing as one are one in the account, and the second name stays not seen."""
    fleet.report(*readings("GPU-0", 0, ALL), *readings("GPU-0/1", 0, ALL, profile="7g.80gb"))
    code, told = fleet.whole(enrolled=REGISTER)
    rows = {row["device"]: row for row in told["devices"]}
    assert (code, set(rows)) == (3, {"GPU-0", "GPU-1"})
    assert rows["GPU-0"]["leased_ms"] == 3_600_000
    assert rows["GPU-1"]["not_seen_ms"] == 3_600_000


def test_device_leased_under_a_name_that_never_reports_is_named(fleet: Fleet) -> None:
    """A lease of an invented device covers nobody's time: the real one stays unattributed."""
    fleet.report(*readings("GPU-0", 0, ALL), *readings("GPU-1", 1, ALL))
    fleet.lease(LEASE, f"tune,{NOON},{NOON.plus(3600)},1,GPU-made-up,")
    code, told = fleet.whole()
    assert code == 1
    assert told["devices"][1]["unattributed_ms"] == 3_600_000
    assert [(f["kind"], f["device"]) for f in told["findings"]] == [
        ("unknown device", "GPU-made-up")
    ]
