"""Readings made to hide work: what each rule does of them, what it cannot see, and that none becomes a measured zero.

The bound does not read any of this: it is device time x peak, whatever telemetry says. What is attacked here is the
estimate and the account of device time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pytest

from sekisho.adapters.telemetry.limits import LIMITS
from sekisho.adapters.telemetry.readings import COUNTER_RESET, DOUBTFUL
from sekisho.adapters.telemetry.roll_up import find_gaps, minutes_of
from sekisho.adapters.telemetry.sentinels import sentinels
from sekisho.adapters.telemetry.series_rules import settle
from sekisho.metering.allotment import DeviceAccount, allot
from sekisho.model.instants import Instant, Period
from sekisho.model.telemetry import Allocation, DeviceSeen
from tests.telemetry_rows import NOON, Row, S, cleaned, incoming, readings, row_dicts, steady

BUSY: Mapping[str, Any] = {"tensor_ppm": 900_000, "sm_clock_khz": 1_980_000, "power_mw": 700_000}
IDLE: Mapping[str, Any] = {"tensor_ppm": 0, "sm_clock_khz": 1_980_000, "power_mw": 70_000}
DAY = Period(Instant(NOON), Instant(NOON + 43_200 * S))


def sums(rows: Sequence[Row]) -> dict[str, int]:
    """The minutes of all rows together."""
    table = minutes_of(settle(incoming(rows)))
    return {name: sum(table.column(name).to_pylist()) for name in table.column_names[2:]}


def measured_zeros(rows: Sequence[Row]) -> int:
    """Milliseconds in which the device counts as measured and idle."""
    return sum(
        row["span_ms"]
        for row in readings(rows)
        if row.get("tensor_ppm") == 0 and "sm_clock_khz" in row and not row["flags"] & DOUBTFUL
    )


def seen(name: str = "GPU-a", **changes: Any) -> DeviceSeen:
    fields = {"site": "osaka-1", "host": "n1", "first": DAY.start, "last": DAY.end}
    return DeviceSeen(device=name, **{**fields, **changes})


def total(account: DeviceAccount) -> Fraction:
    return (
        account.leased_ms
        + account.exempt_ms
        + account.undecided_ms
        + account.unattributed_ms
        + account.not_seen_ms
    )


def test_backdated_samples_do_not_hide_a_burst() -> None:
    """Zeros for the burst's own instants change nothing; between them they are doubted by the power around them."""
    burst = steady(60, **BUSY)
    again = [{**row, "tensor_ppm": 0, "power_mw": 70_000} for row in burst]
    assert readings([*burst, *again]) == readings(burst)
    for every in (1, 2, 3):
        between = steady(
            60 // every,
            tensor_ppm=0,
            sm_clock_khz=1_980_000,
            start=NOON + 1000,
            period=every * 10 * S,
        )
        assert measured_zeros([*burst, *between]) == 0


def test_backdated_idle_readings_are_contradicted_by_the_energy_counter() -> None:
    """A whole idle reading after each busy one: without a counter it is not told from the truth, and takes time away.

    The store marks such rows LATE where their day was closed; a reading every few milliseconds shortens the usual
    period, so that most of the hour becomes *not measured*.
    """
    lies = steady(59, **IDLE, start=NOON + 1000)
    counted = steady(60, **BUSY, energy_mj=lambda n: 7_000_000 * n)
    assert measured_zeros([*counted, *lies]) == 0
    silent = [*steady(60, **BUSY), *lies]
    assert measured_zeros(silent) == 59
    assert sums(silent)["span_ms"] == 59 + 60


def test_samples_from_the_future_do_not_shift_a_window() -> None:
    """Beyond five minutes they are refused, within they keep their time and the host is named."""
    far = cleaned([("GPU-a", "tensor_ppm", NOON + (LIMITS.ahead_s + 1) * S, 0.9)])
    assert [refusal.reason for refusal in far.intake.refused] == ["in the future"]
    assert far.table.num_rows == 0
    near = cleaned([("GPU-a", "tensor_ppm", NOON + LIMITS.ahead_s * S, 0.9)])
    assert row_dicts(near.table)[0]["at_us"] == NOON + LIMITS.ahead_s * S
    assert "its clock is ahead" in near.intake.notes[0]


@pytest.mark.parametrize("field", ["tensor_ppm", "sm_clock_khz@1000", "power_mw"])
def test_a_sentinel_does_not_look_idle(field: str) -> None:
    """A blank among busy readings is a hole in them: refused as blank, null in the row, absent from every sum."""
    for blank in sentinels():
        got = cleaned([("GPU-a", field, NOON, blank), ("GPU-a", "util_ppm", NOON, 1.0)])
        assert got.intake.refused_count == 1
        assert [set(row) for row in row_dicts(got.table)] == [{"device", "at_us", "util_ppm"}]
    hole = steady(6, **{**BUSY, "tensor_ppm": lambda n: None if n == 3 else 900_000})
    assert sums(hole)["tensor_ms"] == 50_000
    assert measured_zeros(hole) == 0


def test_zeros_at_high_power_are_not_idle() -> None:
    """By power, by utilisation, by energy: any one of them is enough."""
    assert measured_zeros(steady(60, **{**BUSY, "tensor_ppm": 0})) == 0
    assert measured_zeros(steady(60, **{**IDLE, "util_ppm": 900_000})) == 0
    assert measured_zeros(steady(60, **IDLE, energy_mj=lambda n: 6_000_000 * n)) == 0
    told = sums(steady(60, **{**BUSY, "tensor_ppm": 0}))
    assert (told["tensor_ms"], told["doubtful_ms"]) == (0, 600_000)


def test_a_clock_or_power_of_zero_is_no_measurement() -> None:
    """Activity x a clock of zero would be a measured nothing: what answers has a clock and draws power."""
    said = [("GPU-a", "sm_clock_khz@1000", NOON, 0.0), ("GPU-a", "power_mw", NOON, 0.0)]
    got = cleaned([*said, ("GPU-a", "tensor_ppm", NOON, 0.9)])
    assert [(r.reason, r.count) for r in got.intake.refused] == [("out of range", 2)]
    assert sums(row_dicts(got.table))["tensor_ms"] == 0


def test_a_device_at_two_sites_is_counted_once() -> None:
    """Under the site that saw it first; that it is at two places is a finding, and neither can lease it away."""
    twice = [seen(), seen(site="tokyo-1", host="t1", first=Instant(DAY.start.us + S))]
    job = Allocation(
        job="j", site="tokyo-1", start=DAY.start, end=DAY.end, chips=1, devices=("GPU-a",)
    )
    found = allot(DAY, twice, [job])
    (account,) = found.accounts
    assert account.unattributed_ms == account.device_ms == total(account)
    assert {finding.kind for finding in found.findings} == {"two places", "another site"}
    assert found.verdict == "fails"


def test_a_counter_that_is_set_back_hides_no_energy() -> None:
    """The step is not known, never negative and never zero; power x time goes on counting; the fall is marked."""
    counts = [70_000_000, 77_000_000, 0, 7_000_000, 0, 0]
    rows = steady(6, **BUSY, energy_mj=counts.__getitem__)
    got = readings(rows)
    assert [row.get("energy_step_mj") for row in got] == [
        None,
        7_000_000,
        None,
        7_000_000,
        None,
        None,
    ]
    assert [bool(row["flags"] & COUNTER_RESET) for row in got] == [
        False,
        False,
        True,
        False,
        True,
        False,
    ]
    assert sums(rows)["energy_mj"] == 6 * 7_000_000


def test_a_counter_that_is_set_back_does_not_make_zeros_believed_under_load() -> None:
    """A fall ends the doubt that an error began, as a restart of the driver does; power keeps up its own."""
    counts = [70_000_000, 77_000_000, 0, 7_000_000, 14_000_000, 21_000_000]
    rows = steady(6, **{**BUSY, "tensor_ppm": 0}, xid=31, energy_mj=counts.__getitem__)
    assert measured_zeros(rows) == 0


def test_other_uuids_do_not_hide_a_device() -> None:
    """Each name is a device of its own, unattributed while it reports and not seen when it is gone; none vanishes."""
    hour = 3600 * S
    names = [
        seen(
            f"GPU-{n}",
            slot="0",
            first=Instant(NOON + n * hour),
            last=Instant(NOON + (n + 1) * hour),
        )
        for n in range(12)
    ]
    found = allot(DAY, names, [])
    assert sum(account.unattributed_ms for account in found.accounts) == 12 * 3_600_000
    assert sum(account.not_seen_ms for account in found.accounts) == 66 * 3_600_000
    assert all(total(account) == account.device_ms for account in found.accounts)
    assert [finding.kind for finding in found.findings] == ["uuid changed"] * 11
    assert found.verdict == "unverifiable"


def test_slices_of_more_than_seven_do_not_make_a_second_device() -> None:
    """Eight leased sevenths are one device leased, with a finding; nothing of the rest turns idle."""
    slices = [seen(f"GPU-a/{n}", parent="GPU-a", slices_of=7) for n in range(8)]
    jobs = [
        Allocation(
            job=f"j{n}",
            site="osaka-1",
            start=DAY.start,
            end=DAY.end,
            chips=1,
            devices=(f"GPU-a/{n}",),
        )
        for n in range(8)
    ]
    found = allot(DAY, slices, jobs)
    (account,) = found.accounts
    assert account.leased_ms == account.device_ms == total(account)
    assert [finding.kind for finding in found.findings] == ["slices over whole"]


def test_a_slice_that_claims_little_leaves_the_rest_of_its_device_open() -> None:
    """One seventh of a device reports: six sevenths are not seen, which is not idle."""
    (account,) = allot(DAY, [seen("GPU-a/1", parent="GPU-a", slices_of=7)], []).accounts
    assert account.not_seen_ms == Fraction(6 * account.device_ms, 7)
    assert total(account) == account.device_ms


def test_sampling_between_bursts_is_seen_by_the_energy_counter_only() -> None:
    """Readings that always find the device idle are believed, unless a counter says what it drew in between.

    What cannot be seen: without an energy counter, work that begins and ends between two readings. The bound holds
    it; the estimate does not. Readings at least every second, or integrating counters, are the remedy.
    """
    idle = {**IDLE, "util_ppm": 0}
    assert measured_zeros(steady(60, **idle, energy_mj=lambda n: 3_500_000 * n)) == 0
    unseen = sums(steady(60, **idle))
    assert (unseen["tensor_ms"], unseen["tensor_work"]) == (600_000, 0)


def test_readings_that_are_held_back_are_a_gap_and_not_idle() -> None:
    """Ten minutes of silence over a burst: the reading before them stands for one period."""
    rows = [*steady(60, **IDLE), *steady(60, **IDLE, start=NOON + 1200 * S)]
    table = settle(incoming(rows))
    (gap,) = find_gaps(table, site="osaka-1")
    assert (gap.start.us, gap.end.us) == (NOON + 600 * S, NOON + 1200 * S)
    assert sums(rows)["span_ms"] == 1_200_000
