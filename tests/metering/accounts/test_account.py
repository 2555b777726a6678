"""The account as a whole: figures by key and window, crossings, shares that were not measured."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering.accounts import (
    Entry,
    KeyKind,
    Ownership,
    OwnerTable,
    Question,
    Rate,
    account,
    identify,
    parse_window,
)
from sekisho.model.errors import InvalidInput
from tests.metering.accounts.made import T0, answer, at, entry, job, only, question


def test_a_burst_over_the_turn_of_a_month_crosses_in_no_month_and_in_a_sliding_one() -> None:
    """The reason for sliding windows: half before the first of February, half after it."""
    entries = [entry(21, 31, 600), entry(31, 41, 600)]
    sliding = only(answer(entries, question("30d", thresholds=(1_000,), style="sliding")))
    ups = [c for c in sliding.crossings if (c.reading, c.direction) == ("bound", "up")]
    assert [c.at for c in ups] == [at(31 + 400 / 60)]
    months = only(answer(entries, question("month", thresholds=(1_000,), style="calendar")))
    assert months.crossings == ()
    assert [w.figures.bound_high for w in months.windows] == [600, 600]


def test_a_calendar_crossing_names_its_window_and_instant() -> None:
    """Met within January, at the very instant; February begins with nothing."""
    found = only(answer([entry(0, 60, 6_000)], question("month", thresholds=(1_000,))))
    first, second = (c for c in found.crossings if c.reading == "bound")
    assert (first.at, str(getattr(first.window, "start", ""))) == (at(10), str(T0))
    assert second.at == at(31 + 10)


def test_the_estimate_is_held_against_the_threshold_apart() -> None:
    """The bound meets it first; both are said."""
    found = only(answer([entry(0, 10, 1_000)], question(thresholds=(400,), style="sliding")))
    ups = {c.reading: c.at for c in found.crossings if c.direction == "up"}
    assert ups == {"bound": at(4), "estimate": at(8)}


def test_what_has_no_bound_is_a_share_that_was_not_measured_and_never_zero() -> None:
    """The total says how much of the time it leaves out, and crossings that they may be late."""
    entries = [entry(0, 1, 100), entry(1, 4, None, job="other")]
    found = only(answer(entries, question(thresholds=(50,), style="sliding")))
    assert not found.total.is_whole
    assert (found.total.unbounded, found.total.entries) == (1, 2)
    assert Fraction(found.total.unbounded_ms, found.total.chip_ms) == Fraction(3, 4)
    assert not any(c.is_whole for c in found.crossings)


def test_a_key_of_which_nothing_was_measured_has_no_figure() -> None:
    """It is there, with its time."""
    found = only(answer([entry(0, 1, None)], question(thresholds=(1,))))
    assert not found.total.is_measured
    assert not found.total.is_estimated
    assert found.crossings == ()
    assert found.peaks == ()


def test_bounds_round_outwards_and_the_estimate_stays_between() -> None:
    """A third of a window holds a third of the work, and no bound is lost by rounding."""
    found = only(answer([entry(0, 3, 100)], question("1d", style="calendar")))
    highs = [w.figures.bound_high for w in found.windows]
    assert highs == [34, 34, 34]
    for window in found.windows:
        figures = window.figures
        assert figures.estimate_low <= figures.estimate_best <= figures.estimate_high


@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(1, 20), st.integers(0, 10**6)), max_size=8),
    st.sampled_from(["7d", "30d", "day", "month"]),
)
def test_calendar_windows_add_up_to_the_total(
    jobs: list[tuple[int, int, int]], window: str
) -> None:
    """But for rounding outwards, at most one for each window."""
    entries = [
        entry(start, start + length, work, name=str(n))
        for n, (start, length, work) in enumerate(jobs)
    ]
    if not entries:
        return
    found = only(answer(entries, question(window, style="calendar")))
    total = sum(w.figures.bound_high for w in found.windows)
    assert found.total.bound_high <= total <= found.total.bound_high + len(found.windows)


def test_every_key_is_cut_as_it_is_named() -> None:
    """By job, run, customer, owner and site, from the same entries."""
    entries = [
        entry(0, 1, 10, job="1", site="east", customer="acme"),
        entry(1, 2, 20, job="2", site="west", customer="beta"),
        entry(2, 3, 40, job="", site="west", customer=""),
    ]
    jobs = (
        job("1", 0, site="east", run="gpt"),
        job("2", 1, site="west", customer="beta", run="gpt"),
    )
    owners = OwnerTable(
        Ownership(customer=customer, owner="holding") for customer in ("acme", "beta")
    )

    def keys(by: KeyKind) -> dict[str, int]:
        found = answer(entries, question(by=by), jobs=jobs, owners=owners)
        return {row.key: row.total.bound_high for row in found.keys}

    assert keys("job") == {"": 40, "1": 10, "2": 20}
    assert keys("run") == {"": 40, "gpt": 30}
    assert keys("customer") == {"": 40, "acme": 10, "beta": 20}
    assert keys("owner") == {"": 40, "holding": 30}
    assert keys("site") == {"east": 10, "west": 60}


def test_jobs_of_one_name_at_two_sites_are_two_jobs() -> None:
    """Schedulers number from one everywhere."""
    entries = [entry(0, 1, 1, job="1", site="a"), entry(0, 1, 2, job="1", site="b", name="x")]
    found = answer(entries, question(by="job"))
    assert [row.key for row in found.keys] == ["a/1", "b/1"]


def test_a_sale_in_mid_run_divides_the_work_at_its_instant() -> None:
    """Three quarters before the sale stay the seller's."""
    owners = OwnerTable(
        [
            Ownership(customer="acme", owner="x", end=at(3).us),
            Ownership(customer="acme", owner="y", start=at(3).us),
        ]
    )
    found = answer([entry(0, 4, 100)], question(by="owner"), owners=owners)
    assert {row.key: row.total.bound_high for row in found.keys} == {"x": 75, "y": 25}


def test_what_runs_now_is_foreseen_by_bound_and_estimate() -> None:
    """Earliest by the bound's rate, expected by the estimate's, each key its own."""
    asked = question(thresholds=(1_000,), style="sliding", now=at(10), horizon=at(90))
    day = 86_400 * 10**6
    rate = Rate(job="job", bound=Fraction(100, day), estimate=Fraction(20, day))
    carrier = Entry(id="now", job="job", customer="acme", start=at(10), end=at(10))
    found = account([entry(0, 10, 500)], asked, identify([]), [(carrier, rate)])
    (foreseen,) = only(found).foreseen
    assert (foreseen.earliest.outlook, foreseen.earliest.at) == ("will be met", at(15))
    assert foreseen.expected.outlook == "not within the horizon"


def test_who_runs_without_a_past_has_an_account_too() -> None:
    """A job that began this minute can still meet a threshold."""
    asked = question(thresholds=(10,), style="sliding", now=at(10), horizon=at(90))
    rate = Rate(job="new", bound=Fraction(1, 86_400 * 10**6), estimate=None)
    carrier = Entry(id="now", job="new", customer="fresh", start=at(10), end=at(10))
    (foreseen,) = only(account([], asked, identify([]), [(carrier, rate)])).foreseen
    assert foreseen.earliest.at == at(20)
    assert foreseen.expected.outlook == "not measured"


def test_a_calendar_forecast_is_of_the_window_that_is_open() -> None:
    """What was done last month does not count, and what comes next month does not either."""
    asked = question(
        "month", thresholds=(1_000,), style="calendar", now=at(20), horizon=at(90), end=at(20)
    )
    rate = Rate(job="job", bound=Fraction(90, 86_400 * 10**6), estimate=None)
    carrier = Entry(id="now", job="job", customer="acme", start=at(20), end=at(20))
    (foreseen,) = only(
        account([entry(-5, 0, 900)], asked, identify([]), [(carrier, rate)])
    ).foreseen
    assert foreseen.earliest.outlook == "not within the horizon"


@pytest.mark.parametrize(
    "fields",
    [
        {"start": at(2), "end": at(2)},
        {"thresholds": (0,)},
        {"window": parse_window("month"), "style": "sliding"},
    ],
)
def test_a_question_without_sense_is_refused(fields: dict[str, object]) -> None:
    """Time backwards, a threshold of nothing, a month that slides."""
    sound: dict[str, object] = {
        "by": "job",
        "window": parse_window("1d"),
        "start": T0,
        "end": at(1),
    }
    with pytest.raises(InvalidInput):
        Question(**{**sound, **fields})  # type: ignore[arg-type]  # one wrong field at a time


def test_a_window_that_holds_the_threshold_exactly_meets_it_at_its_end() -> None:
    """At least means at least: the last microsecond of January makes it full."""
    found = only(answer([entry(0, 31, 1_000)], question("month", thresholds=(1_000,))))
    (crossing,) = [c for c in found.crossings if c.reading == "bound"]
    assert crossing.at == at(31)
