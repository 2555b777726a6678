"""Settling: how long readings stand, what counters say, which zeros are believed; and the same in any order."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.adapters.telemetry.limits import LIMITS, Limits
from sekisho.adapters.telemetry.readings import (
    CATCH_UP,
    COUNTER_RESET,
    DOUBTFUL,
    READINGS,
)
from sekisho.adapters.telemetry.roll_up import find_gaps
from sekisho.adapters.telemetry.series_rules import settle
from tests.telemetry_rows import DAY_US, NOON, Row, S, incoming, readings, row_dicts, steady

MIDNIGHT = NOON + DAY_US // 2


def spans(rows: Sequence[Row], **options: Any) -> list[int]:
    """How long each reading stands, in milliseconds."""
    return [row["span_ms"] for row in readings(rows, **options)]


def flags(rows: Sequence[Row]) -> list[int]:
    return [row["flags"] for row in readings(rows)]


def steps(rows: Sequence[Row]) -> list[int | None]:
    return [row.get("energy_step_mj") for row in readings(rows)]


# --- order ------------------------------------------------------------------------------------


def test_partial_rows_of_one_instant_become_one() -> None:
    """A segment with the clock, another with the power, a third with both again."""
    got = readings(
        [
            {"device": "GPU-a", "at_us": NOON, "sm_clock_khz": 1_980_000},
            {"device": "GPU-a", "at_us": NOON, "power_mw": 700_000},
            {"device": "GPU-a", "at_us": NOON, "sm_clock_khz": 1_980_000, "power_mw": 700_000},
        ]
    )
    assert got == [
        {
            "device": "GPU-a",
            "at_us": NOON,
            "span_ms": 0,
            "flags": 0,
            "sm_clock_khz": 1_980_000,
            "power_mw": 700_000,
        }
    ]


def test_of_two_values_for_one_instant_the_higher_stands() -> None:
    """Whichever came first: nobody takes back what was measured."""
    burst, quiet = (
        {"device": "GPU-a", "at_us": NOON, "tensor_ppm": value} for value in (900_000, 0)
    )
    for rows in ([burst, quiet], [quiet, burst]):
        assert readings(rows)[0]["tensor_ppm"] == 900_000


def test_devices_come_in_the_order_of_their_names() -> None:
    """Whatever numbers a dictionary gave them."""
    rows = [*steady(2, device="GPU-b"), *steady(2, device="GPU-a"), *steady(1, device="GPU-c")]
    table = settle(incoming(rows))
    assert table.schema.equals(READINGS)
    assert [row["device"] for row in table.to_pylist()] == ["GPU-a"] * 2 + ["GPU-b"] * 2 + ["GPU-c"]
    assert table.column("device").combine_chunks().dictionary.to_pylist() == [
        "GPU-a",
        "GPU-b",
        "GPU-c",
    ]


def test_no_rows_are_no_readings() -> None:
    """An empty table with the columns of READINGS."""
    table = settle(incoming([]))
    assert (table.num_rows, table.schema) == (0, READINGS)


# --- spans ------------------------------------------------------------------------------------


def test_a_reading_stands_to_the_next_one_and_the_last_for_one_period() -> None:
    """Ten seconds each."""
    assert spans(steady(4)) == [10_000] * 4


def test_a_lone_reading_stands_for_nothing_unless_its_period_is_known() -> None:
    """One reading says nothing about before and after."""
    assert spans(steady(1)) == [0]
    assert spans(steady(1), usual_period_us=10 * S) == [10_000]


def test_up_to_three_periods_are_bridged_and_more_is_a_gap() -> None:
    """A missed reading or two are bridged; before a gap a reading stands for one period and no longer."""
    rows = steady(8)
    bridged = [*rows, *steady(3, start=rows[-1]["at_us"] + 30 * S)]
    assert spans(bridged) == [10_000] * 7 + [30_000] + [10_000] * 3
    assert not any(flags(bridged))
    gap = [*rows, *steady(3, start=rows[-1]["at_us"] + 30 * S + 1)]
    assert spans(gap) == [10_000] * 11
    assert flags(gap) == [0] * 8 + [CATCH_UP, 0, 0]


def test_spans_of_a_stretch_add_up_to_it() -> None:
    """Instants with microseconds are cut to their milliseconds before they are subtracted."""
    rows = steady(100, period=333_333)
    assert sum(spans(rows)[:-1]) == 99 * 333_333 // 1000


def test_each_hour_has_its_own_period() -> None:
    """A scrape interval that is changed from 1 s to 30 s at two o'clock makes no gaps."""
    quick = steady(1800, period=S, start=NOON + 3600 * S)
    slow = steady(60, period=30 * S, start=NOON + 7200 * S)
    got = readings([*quick, *slow])
    assert [row["span_ms"] for row in got[1800:]] == [30_000] * 60
    assert got[1799]["span_ms"] == 1_000
    assert [row["flags"] for row in got[1800:]] == [CATCH_UP] + [0] * 59


def test_an_hour_with_few_readings_has_the_period_of_its_day() -> None:
    """Two readings half an hour apart in an hour of their own are no half-hourly scrape."""
    rows = [*steady(100), *steady(2, start=NOON + 3600 * S, period=1800 * S)]
    assert spans(rows)[-2:] == [10_000, 10_000]


def test_rare_readings_stand_for_a_quarter_of_an_hour_at_most() -> None:
    """Whoever reads once an hour has measured five minutes of it."""
    rows = steady(10, period=3600 * S)
    assert spans(rows) == [300_000] * 10
    assert spans(steady(10, period=900 * S)) == [900_000] * 9 + [300_000]


def test_no_reading_stands_past_midnight() -> None:
    """A day is settled from its own rows alone: what crosses into it is not its."""
    rows = steady(4, start=MIDNIGHT - 15 * S)
    assert spans(rows) == [10_000, 5_000, 10_000, 10_000]
    assert not any(flags(rows))


def test_a_clock_that_is_set_back_makes_no_negative_span() -> None:
    """Rows that come out of order are put in order."""
    rows = [*steady(5), *steady(5, start=NOON + 5 * S)]
    assert spans(rows) == [5_000] * 10


# --- counters ---------------------------------------------------------------------------------


def test_energy_steps_are_differences_within_a_stretch() -> None:
    """None for the first reading, which has none before it."""
    rows = steady(4, energy_mj=lambda n: 5_000_000 + 7_000_000 * n)
    assert steps(rows) == [None, 7_000_000, 7_000_000, 7_000_000]


def test_a_counter_that_falls_begins_a_new_epoch() -> None:
    """A driver was loaded again, or the counter ran over: the step is not known, and never negative."""
    counts = [10_000_000, 17_000_000, 3_000_000, 10_000_000]
    rows = steady(4, energy_mj=counts.__getitem__)
    assert steps(rows) == [None, 7_000_000, None, 7_000_000]
    assert flags(rows) == [0, 0, COUNTER_RESET, 0]


def test_the_first_reading_after_a_gap_carries_no_step() -> None:
    """Its counter has grown by the whole gap, which is not one period's power."""
    rows = [
        *steady(10, energy_mj=lambda n: 7_000_000 * n),
        *steady(3, start=NOON + 340 * S, energy_mj=lambda n: 238_000_000 + 7_000_000 * n),
    ]
    assert steps(rows)[9:] == [7_000_000, None, 7_000_000, 7_000_000]
    assert flags(rows)[9:] == [0, CATCH_UP, 0, 0]


def test_readings_without_the_counter_are_stepped_over() -> None:
    """A partial reading between two with the counter: the step stands at the second."""
    rows = steady(5, energy_mj=lambda n: None if n in {1, 2} else 7_000_000 * n)
    assert steps(rows) == [None, None, None, 21_000_000, 7_000_000]


def test_a_counter_that_stands_still_says_nothing() -> None:
    """A device that answers draws power: no growth over a second is no measurement of zero."""
    rows = steady(4, energy_mj=lambda n: 7_000_000 if n < 3 else 28_000_000)
    assert steps(rows) == [None, None, None, 21_000_000]
    quick = steady(3, period=S // 10, energy_mj=lambda n: 7_000_000)
    assert steps(quick) == [None, 0, 0]


def test_a_jump_that_no_device_could_draw_says_nothing() -> None:
    """More than five kilowatts since the counter last changed."""
    possible = LIMITS.highest_power_w * 10_000
    rows = steady(3, energy_mj=[0, possible, 2 * possible + 1].__getitem__)
    assert steps(rows) == [None, possible, None]


def test_a_counter_that_an_exporter_refreshes_rarely_keeps_its_sum() -> None:
    """Scraped every second, refreshed every thirty: one step of thirty seconds' energy is no jump."""
    rows = steady(91, period=S, energy_mj=lambda n: 700_000 * (n // 30 * 30))
    got = [step for step in steps(rows) if step is not None]
    assert got == [21_000_000] * 3


# --- doubt ------------------------------------------------------------------------------------


def test_a_zero_under_utilisation_is_doubtful() -> None:
    """Half of the time with a kernel running and no tensor activity at all: set aside, not idle."""
    rows = steady(3, tensor_ppm=0, util_ppm=[490_000, 500_000, 1_000_000].__getitem__)
    assert flags(rows) == [0, DOUBTFUL, DOUBTFUL]
    assert readings(rows)[1]["tensor_ppm"] == 0


def test_a_zero_at_more_than_two_fifths_of_the_days_power_is_doubtful() -> None:
    """On a day on which power swings."""
    power = [500_000, 100_000, 200_000, 200_001]
    rows = steady(4, tensor_ppm=[900_000, 0, 0, 0].__getitem__, power_mw=power.__getitem__)
    assert flags(rows) == [0, 0, 0, DOUBTFUL]


def test_a_device_that_idles_all_day_is_idle() -> None:
    """Its highest power is its idle power: that says nothing, and utilisation says nothing runs."""
    rows = steady(6, tensor_ppm=0, util_ppm=0, power_mw=lambda n: 70_000 + n)
    assert not any(flags(rows))


def test_no_device_idles_at_a_quarter_of_a_kilowatt() -> None:
    """Zeros all day long at full power are doubtful, though power never swings."""
    rows = steady(6, tensor_ppm=0, util_ppm=0, power_mw=[650_000, 700_000].__getitem__(0))
    assert flags(rows) == [DOUBTFUL] * 6


def test_power_of_another_day_and_of_another_device_does_not_matter() -> None:
    """Each day of each device is judged by itself."""
    rows = [
        *steady(1, tensor_ppm=900_000, power_mw=400_000, start=MIDNIGHT - 10 * S),
        *steady(2, tensor_ppm=0, power_mw=170_000, start=MIDNIGHT),
        *steady(1, tensor_ppm=900_000, power_mw=400_000, device="GPU-b", start=MIDNIGHT),
    ]
    assert not any(flags(rows))


def test_after_an_error_zeros_are_doubtful_until_activity_is_seen() -> None:
    """The code stays up long after; what counts is when it appeared."""
    tensor = [0, 0, 0, 500_000, 0, 0]
    xid = [0, 31, 31, 31, 31, 43]
    rows = steady(6, tensor_ppm=tensor.__getitem__, xid=xid.__getitem__)
    assert flags(rows) == [0, DOUBTFUL, DOUBTFUL, 0, 0, DOUBTFUL]


def test_a_restart_of_the_driver_ends_the_doubt() -> None:
    """Its energy counter begins again."""
    energy = [7_000_000, 7_700_000, 100_000, 800_000]
    rows = steady(4, tensor_ppm=0, xid=lambda n: 31 if n else 0, energy_mj=energy.__getitem__)
    assert flags(rows) == [0, DOUBTFUL, COUNTER_RESET, 0]


def test_an_error_known_at_the_days_beginning_counts_from_there() -> None:
    """Nobody knows what the day before made of it."""
    rows = steady(3, start=MIDNIGHT, tensor_ppm=0, xid=31)
    assert flags(rows) == [DOUBTFUL] * 3
    other = steady(3, start=MIDNIGHT, tensor_ppm=0, xid=0, device="GPU-b")
    assert flags([*rows, *other]) == [DOUBTFUL] * 3 + [0] * 3


def test_an_error_is_remembered_where_the_code_is_not_reported_again() -> None:
    """Partial readings without the code do not end the doubt, nor does the same code begin a new one."""
    xid = [0, 31, None, None, 31, 31]
    tensor = [0, 0, 0, 700_000, 0, 0]
    rows = steady(6, tensor_ppm=tensor.__getitem__, xid=xid.__getitem__)
    assert flags(rows) == [0, DOUBTFUL, DOUBTFUL, 0, 0, 0]


def test_a_reading_without_power_has_that_of_the_reading_before() -> None:
    """Two exporters that report at different moments; five minutes later it is too old to say anything."""
    activity = steady(40, tensor_ppm=0)
    power = [{"device": "GPU-a", "at_us": NOON, "power_mw": 700_000}]
    got = readings([*activity, *power])
    doubted = [row["at_us"] for row in got if row["flags"] & DOUBTFUL]
    assert doubted == [NOON + seconds * S for seconds in range(0, 310, 10)]


def test_work_between_two_readings_shows_in_the_energy_counter() -> None:
    """Each reading finds the device idle; the counter says that it drew half a kilowatt in between."""
    idle: dict[str, Any] = {"tensor_ppm": 0, "util_ppm": 0, "power_mw": 70_000}
    assert flags(steady(4, **idle, energy_mj=lambda n: 5_000_000 * n)) == [DOUBTFUL] * 4
    assert flags(steady(4, **idle, energy_mj=lambda n: 700_000 * n)) == [0] * 4


def test_zeros_without_power_utilisation_or_error_are_believed() -> None:
    """There is nothing to doubt them by."""
    assert not any(flags(steady(3, tensor_ppm=0)))


# --- the same in any order, against a plain computation -----------------------------------------

FIELD = st.none() | st.sampled_from([0, 1, 400_000, 900_000])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "device": st.sampled_from(["GPU-a", "GPU-b"]),
            "at_us": st.integers(-40, 40).map(lambda n: MIDNIGHT + n * 7 * S + 123)
            | st.integers(0, 5).map(lambda n: MIDNIGHT + n * 1800 * S),
            "tensor_ppm": FIELD,
            "util_ppm": FIELD,
            "power_mw": st.none() | st.sampled_from([70_000, 150_000, 200_000, 600_000]),
            "energy_mj": st.none() | st.integers(0, 60).map(lambda n: n * 3_000_000),
            "xid": st.sampled_from([None, 0, 0, 31, 43]),
        }
    ),
    max_size=30,
)


@given(ROWS)
def test_settling_agrees_with_a_plain_computation(rows: list[dict[str, Any]]) -> None:
    """One device's day after the other, in loops."""
    assert readings(rows) == plain(rows)


@settings(max_examples=40)
@given(ROWS, st.randoms(), st.integers(0, 30))
def test_order_repeats_and_deliveries_do_not_matter(
    rows: list[dict[str, Any]], random: Any, cut: int
) -> None:
    """Shuffled, doubled, or settled in two goes: the same readings."""
    want = readings(rows)
    shuffled = [*rows, *rows[: cut // 2]]
    random.shuffle(shuffled)
    assert readings(shuffled) == want
    before = settle(incoming(rows[:cut]))
    assert row_dicts(settle(incoming(rows[cut:]), already=before)) == want


@settings(max_examples=40)
@given(ROWS)
def test_settled_devices_and_days_are_independent(rows: list[dict[str, Any]]) -> None:
    """Each device's day by itself gives what all together give."""
    keys = sorted({(row["device"], row["at_us"] // DAY_US) for row in rows})
    apart = [
        reading
        for device, day in keys
        for reading in readings(
            [r for r in rows if (r["device"], r["at_us"] // DAY_US) == (device, day)]
        )
    ]
    assert apart == readings(rows)


@settings(max_examples=40)
@given(ROWS)
def test_no_time_is_counted_twice(rows: list[dict[str, Any]]) -> None:
    """The spans of a device never overlap."""
    got = readings(rows)
    for one, other in pairwise(got):
        if one["device"] == other["device"]:
            assert one["at_us"] // 1000 + one["span_ms"] <= other["at_us"] // 1000


def plain(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rules again, slowly."""
    merged: dict[tuple[str, int], dict[str, Any]] = {}
    for row in rows:
        into = merged.setdefault((row["device"], row["at_us"]), {})
        for name, value in row.items():
            if name in {"device", "at_us"} or (
                value is not None and value >= (into.get(name) or 0)
            ):
                into[name] = value
    days: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for (device, at), row in sorted(merged.items()):
        days.setdefault((device, at // DAY_US), []).append(row)
    return [reading for day in days.values() for reading in plain_day(day)]


def plain_day(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    error, counter = PlainError(), PlainCounter()
    said, gap = [], False
    for row, (span_ms, is_before_gap) in zip(
        rows, plain_spans([r["at_us"] for r in rows]), strict=True
    ):
        one = {**row, "span_ms": span_ms, "flags": CATCH_UP if gap else 0}
        counter.say(one, is_after_gap=gap)
        one["in_error"] = error.holds(one)
        said.append(one)
        gap = is_before_gap
    limit, power = plain_limit(said)
    for number, one in enumerate(said):
        is_busy = plain_carried(said, number, "util_ppm") >= 500_000
        if one.get("tensor_ppm") == 0 and (is_busy or power(number) > limit or one["in_error"]):
            one["flags"] |= DOUBTFUL
    names = READINGS.names
    return [{n: one[n] for n in names if one.get(n) is not None} for one in said]


def plain_limit(said: list[dict[str, Any]]) -> tuple[float, Any]:
    """The power above which the day's zeros are doubtful, and the power at each reading by gauge and counter."""

    def powers(number: int) -> list[int]:
        mean, following = said[number].get("mean_mw"), None
        for later in said[number + 1 :]:
            if (following := later.get("mean_mw")) is not None:
                break
        gauge = plain_carried(said, number, "power_mw")
        return [p for p in (mean, following, gauge) if p is not None and p >= 0]

    every = [p for number in range(len(said)) for p in powers(number)]
    swings = every and max(every) >= 2 * min(every)
    limit = min(250_000.0, max(every) * 0.4) if swings else 250_000.0
    return limit, lambda number: max(powers(number), default=-1)


def plain_carried(said: list[dict[str, Any]], number: int, name: str) -> int:
    """A field's number at a reading, or at the last one before it in its stretch, up to five minutes ago."""
    now = said[number]["at_us"] // 1000
    for one in reversed(said[: number + 1]):
        if one.get(name) is not None:
            return int(one[name]) if now - one["at_us"] // 1000 <= 300_000 else -1
        if one["flags"] & CATCH_UP:
            return -1
    return -1


def plain_spans(at: list[int]) -> list[tuple[int, bool]]:
    """How long each reading stands, and whether a gap follows it."""
    found = []
    for number, now in enumerate(at):
        hour = now // (3600 * S)
        of_hour = [b - a for a, b in pairwise(at) if a // (3600 * S) == hour]
        apart = of_hour if len(of_hour) >= 5 else [b - a for a, b in pairwise(at)]
        usual = min(median_low(apart), 300 * S) if apart else 0
        following = at[number + 1] if number + 1 < len(at) else None
        is_before_gap = following is not None and following - now > 3 * usual
        midnight = (now // DAY_US + 1) * DAY_US
        goes_on = following is not None and not is_before_gap
        end = following if goes_on and following else min(now + usual, midnight)
        found.append((end // 1000 - now // 1000, is_before_gap))
    return found


class PlainCounter:
    def __init__(self) -> None:
        self.last: tuple[int, int] | None = None  # the counter as last read, and when
        self.since = 0  # since when it has that value
        self.has_gap = False  # since it was last read

    def say(self, one: dict[str, Any], *, is_after_gap: bool) -> None:
        self.has_gap |= is_after_gap
        if "energy_mj" not in one:
            return
        energy, at_ms = one["energy_mj"], one["at_us"] // 1000
        step = 1
        if self.last is not None:
            step, held = energy - self.last[0], at_ms - self.last[1]
            if step < 0:
                one["flags"] |= COUNTER_RESET
            elif (step or held < 1000) and step <= 5000 * (at_ms - self.since):
                one["mean_mw"] = step * 1000 // max(1, at_ms - self.since)
                if not self.has_gap:
                    one["energy_step_mj"] = step
        self.last, self.has_gap = (energy, at_ms), False
        self.since = at_ms if step else self.since


class PlainError:
    def __init__(self) -> None:
        self.code, self.is_open = 0, False

    def holds(self, said: dict[str, Any]) -> bool:
        if said.get("tensor_ppm") or said["flags"] & COUNTER_RESET:
            self.is_open = False
        if said.get("xid") is not None:
            self.is_open |= said["xid"] not in {0, self.code}
            self.code = said["xid"]
        return self.is_open


# --- real records -------------------------------------------------------------------------------


@pytest.mark.testdata
def test_the_gap_of_four_minutes_and_its_catch_up_are_seen(public_records: Path) -> None:
    """A switch port's octets as a running counter: one gap, and the spike after it is no period's rate."""
    with (public_records / "zhejiang" / "raw_counters_one_server.csv").open() as lines:
        raw = list(csv.DictReader(lines))
    rows, octets = [], {}
    for port in sorted({row["port_id"] for row in raw}):
        total = 0
        for row in (row for row in raw if row["port_id"] == port):
            at_us = int(row["time_ms_utc"]) * 1000
            octets[port, at_us] = int(row["out_octets"])
            total += octets[port, at_us]
            rows.append({"device": port, "at_us": at_us, "energy_mj": total})
    table = settle(incoming(rows), limits=Limits(highest_power_w=10**10))
    got = row_dicts(table)
    caught = {(row["device"], row["at_us"]): row for row in got if row["flags"] & CATCH_UP}
    gaps = [gap for gap in find_gaps(table, site="zj") if gap.end.us - gap.start.us > 60 * S]
    assert len(gaps) == 4
    for gap in gaps:
        assert 240 * S < gap.end.us - gap.start.us < 256 * S
        assert "energy_step_mj" not in caught[gap.device, gap.end.us]
        assert gap.energy_mj == octets[gap.device, gap.end.us]
    usual = [row["energy_step_mj"] for row in got if "energy_step_mj" in row]
    assert max(gap.energy_mj or 0 for gap in gaps) > max(usual) > 0
