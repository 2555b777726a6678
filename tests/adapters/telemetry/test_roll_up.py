"""Minutes add up to the readings exactly, and gaps are where nothing was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.adapters.telemetry.readings import DOUBTFUL, MINUTES, READINGS
from sekisho.adapters.telemetry.roll_up import find_gaps, minutes_of
from sekisho.adapters.telemetry.series_rules import settle
from sekisho.model.instants import Instant
from sekisho.ports.telemetry import Gap
from tests.telemetry_rows import DAY_US, NOON, Row, S, incoming, row_dicts, steady


def minutes(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return row_dicts(minutes_of(settle(incoming(rows))))


def gaps(rows: Sequence[Row]) -> list[Gap]:
    return list(find_gaps(settle(incoming(rows)), site="osaka-1"))


def test_a_minute_sums_the_readings_that_began_in_it() -> None:
    """Six of ten seconds: share x clock x milliseconds, energy in whole millijoules."""
    rows = steady(
        7,
        tensor_ppm=500_000,
        util_ppm=1_000_000,
        sm_clock_khz=lambda n: 1_980_000 if n == 3 else 1_000_000,
        power_mw=700_001,
        fp16_ppm=1,
        fp32_ppm=2,
        fp64_ppm=3,
    )
    first, second = minutes(rows)
    clock_work = 50_000 * 1_000_000 + 10_000 * 1_980_000
    assert first == {
        "device": "GPU-a",
        "minute_us": NOON,
        "readings": 6,
        "span_ms": 60_000,
        "tensor_ms": 60_000,
        "tensor_work": 500_000 * clock_work,
        "util_ms": 60_000,
        "util_work": 1_000_000 * clock_work,
        "clock_ms": 60_000,
        "clock_work": clock_work,
        "clock_max_khz": 1_980_000,
        "power_ms": 60_000,
        "energy_mj": 42_000_060,
        "pipe_ms": 60_000,
        "pipe_work": 6 * clock_work,
        "doubtful_ms": 0,
    }
    assert (second["minute_us"], second["readings"]) == (NOON + 60 * S, 1)


def test_activity_without_a_clock_is_not_measured() -> None:
    """It would over-count under a power cap: no time, no work."""
    (minute,) = minutes(steady(3, tensor_ppm=900_000, util_ppm=1_000_000))
    assert (minute["tensor_ms"], minute["util_ms"], minute["clock_ms"]) == (0, 0, 0)
    assert (minute["tensor_work"], minute["readings"], minute["span_ms"]) == (0, 3, 30_000)


def test_a_doubtful_zero_is_neither_activity_nor_idling() -> None:
    """Its time stands beside, and pipes measured by the same profiling are set aside with it."""
    rows = steady(
        3,
        tensor_ppm=[500_000, 0, 500_000].__getitem__,
        sm_clock_khz=1_000_000,
        util_ppm=1_000_000,
        fp16_ppm=0,
        fp32_ppm=0,
        fp64_ppm=0,
    )
    (minute,) = minutes(rows)
    assert (minute["tensor_ms"], minute["pipe_ms"], minute["doubtful_ms"]) == (
        20_000,
        20_000,
        10_000,
    )
    assert (minute["util_ms"], minute["clock_ms"]) == (30_000, 30_000)


def test_pipes_count_only_where_all_three_are_known() -> None:
    """One that nobody reports might have run at its peak."""
    (minute,) = minutes(steady(3, sm_clock_khz=1_000_000, fp16_ppm=5, fp32_ppm=5))
    assert (minute["pipe_ms"], minute["pipe_work"]) == (0, 0)


def test_the_longest_reading_at_the_highest_values_fits_64_bits() -> None:
    """A quarter of an hour at full activity and five gigahertz."""
    rows = steady(10, period=900 * S, tensor_ppm=1_000_000, sm_clock_khz=5_000_000)
    assert minutes(rows)[0]["tensor_work"] == 10**6 * 5 * 10**6 * 900_000


def test_nothing_rolls_up_to_nothing() -> None:
    """An empty table with the columns of MINUTES."""
    table = minutes_of(READINGS.empty_table())
    assert (table.num_rows, table.schema) == (0, MINUTES)
    assert list(find_gaps(READINGS.empty_table(), site="s")) == []


VALUE = st.none() | st.integers(0, 1_000_000)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "device": st.sampled_from(["GPU-a", "GPU-b"]),
            "at_us": st.integers(0, 200).map(lambda n: NOON + n * 7_001_003),
            "tensor_ppm": VALUE,
            "util_ppm": VALUE,
            "sm_clock_khz": st.none() | st.integers(1, 5_000_000),
            "power_mw": st.none() | st.integers(1, 700_000),
            "fp16_ppm": VALUE,
            "fp32_ppm": VALUE,
            "fp64_ppm": VALUE,
        }
    ),
    max_size=25,
)


@settings(max_examples=50)
@given(ROWS)
def test_minutes_agree_with_a_plain_computation(rows: list[dict[str, Any]]) -> None:
    """Reading by reading, in loops."""
    table = settle(incoming(rows))
    want: dict[tuple[str, int], dict[str, int]] = {}
    for row in row_dicts(table):
        key = (row["device"], row["at_us"] // (60 * S) * 60 * S)
        sums = want.setdefault(key, dict.fromkeys(MINUTES.names[2:], 0))
        add_plainly(sums, row)
    for sums in want.values():
        sums["energy_mj"] //= 1000
    got = row_dicts(minutes_of(table))
    assert {(row.pop("device"), row.pop("minute_us")): row for row in got} == want


def add_plainly(sums: dict[str, int], row: dict[str, Any]) -> None:
    span, clock = row["span_ms"], row.get("sm_clock_khz")
    is_doubtful = bool(row["flags"] & DOUBTFUL)
    sums["readings"] += 1
    sums["span_ms"] += span
    sums["doubtful_ms"] += span * is_doubtful
    if "power_mw" in row:
        sums["power_ms"] += span
        sums["energy_mj"] += span * row["power_mw"]
    if clock is None:
        return
    sums["clock_ms"] += span
    sums["clock_work"] += span * clock
    sums["clock_max_khz"] = max(sums["clock_max_khz"], clock)
    if "util_ppm" in row:
        sums["util_ms"] += span
        sums["util_work"] += span * clock * row["util_ppm"]
    if "tensor_ppm" in row and not is_doubtful:
        sums["tensor_ms"] += span
        sums["tensor_work"] += span * clock * row["tensor_ppm"]
    pipes = [row[f"fp{bits}_ppm"] for bits in (16, 32, 64) if f"fp{bits}_ppm" in row]
    if len(pipes) == 3 and not is_doubtful:
        sums["pipe_ms"] += span
        sums["pipe_work"] += span * clock * sum(pipes)


def test_a_gap_begins_where_the_reading_before_ceases_to_stand() -> None:
    """One period after the last reading before it; spans and gaps make up all time between."""
    before, after = (
        steady(6, energy_mj=lambda n: n),
        steady(3, energy_mj=9_000_000, start=NOON + 300 * S),
    )
    rows = [*before, *after]
    assert gaps(rows) == [
        Gap(
            device="GPU-a",
            site="osaka-1",
            start=Instant(NOON + 60 * S),
            end=Instant(NOON + 300 * S),
            energy_mj=8_999_995,
        )
    ]


def test_a_gap_over_which_a_counter_fell_says_no_energy() -> None:
    """The driver started again meanwhile: what it counted before is lost, not zero."""
    rows = [*steady(6, energy_mj=5), *steady(3, start=NOON + 300 * S, energy_mj=lambda n: 4)]
    assert [gap.energy_mj for gap in gaps(rows)] == [None]
    without = [*steady(6), *steady(3, start=NOON + 300 * S)]
    assert [gap.energy_mj for gap in gaps(without)] == [None]


def test_midnight_is_no_gap() -> None:
    """The moments between a day's end and its first reading are shorter than a period; an hour is longer."""
    midnight = NOON + DAY_US // 2
    assert gaps(steady(20, start=midnight - 95 * S)) == []
    apart = [*steady(20, start=midnight - 195 * S), *steady(20, start=midnight + 3600 * S)]
    (gap,) = gaps(apart)
    assert (gap.start.us, gap.end.us) == (midnight, midnight + 3600 * S)


def test_devices_have_gaps_of_their_own() -> None:
    """One device's last reading and another's first are not neighbours."""
    rows = [*steady(6), *steady(6, device="GPU-b", start=NOON + 3600 * S)]
    assert gaps(rows) == []


def test_tables_of_several_days_and_chunks_are_read_as_one() -> None:
    """As the store hands them over: a table for each day with devices of its own, one after the other."""
    days = []
    for day, devices in enumerate(["ab", "bca"]):
        rows = [
            row for name in devices for row in steady(5, device=name, start=NOON + day * DAY_US)
        ]
        days.append(settle(incoming(rows)))
    table = pa.concat_tables(days)
    found = [(gap.device, gap.end.us) for gap in find_gaps(table, site="s")]
    assert sorted(found) == [("a", NOON + DAY_US), ("b", NOON + DAY_US)]
    assert sorted(row["device"] for row in row_dicts(minutes_of(table))) == list("aabbc")
