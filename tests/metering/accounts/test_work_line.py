"""Work along the time: sums of windows, peaks and crossings against a slow oracle that shares no code."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.metering.accounts.work_line import Passing, Stretch, WorkLine

TIME = 60


@st.composite
def stretches(draw: st.DrawFn) -> list[Stretch]:
    """Up to six stretches on a short axis, so that touches and coincidences are common."""
    found = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, TIME - 1))
        end = draw(st.integers(start + 1, TIME))
        over = draw(st.sampled_from([end - start, end - start, 7, 13]))
        found.append(Stretch(start, end, draw(st.integers(0, 40)), over))
    return found


def held(line: list[Stretch], start: int, end: int) -> Fraction:
    """The work in [start, end), from its definition."""
    return sum(
        (Fraction(s.amount * max(0, min(s.end, end) - max(s.start, start)), s.over) for s in line),
        Fraction(0),
    )


def crossings(line: list[Stretch], levels: set[int], window: int | None) -> list[Passing]:
    """Every microsecond looked at in turn."""
    found, met = [], dict.fromkeys(sorted(levels), False)
    for at in range(2 * TIME + (window or 0) + 2):
        total = held(line, -TIME if window is None else at - window, at)
        now = {level: total >= level for level in met}
        found += [Passing(level, "up", at) for level in met if now[level] and not met[level]]
        found += [
            Passing(level, "down", at) for level in sorted(met) if met[level] and not now[level]
        ]
        met = now
    return found


@settings(max_examples=200)
@given(stretches(), st.sets(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 40))
def test_every_crossing_of_every_level_is_found_to_the_microsecond(
    line: list[Stretch], levels: set[int], window: int
) -> None:
    """Upwards and downwards, at one instant too: no more, no fewer than looking at each microsecond finds."""
    found = WorkLine(line).find_passings(levels, window)
    assert sorted(found) == sorted(crossings(line, levels, window))
    assert [passing.at for passing in found] == sorted(passing.at for passing in found)


@given(stretches(), st.sets(st.integers(1, 60), min_size=1, max_size=5))
def test_without_a_window_the_sum_only_grows(line: list[Stretch], levels: set[int]) -> None:
    """Each level is met at most once and never left."""
    found = WorkLine(line).find_passings(levels, None)
    assert sorted(found) == sorted(crossings(line, levels, None))
    assert {passing.direction for passing in found} <= {"up"}


@given(stretches(), st.integers(1, 40), st.integers(1, 60))
def test_just_before_a_crossing_the_sum_is_below_and_at_it_it_is_not(
    line: list[Stretch], window: int, level: int
) -> None:
    """The instant is exact: one microsecond earlier the answer is the other one."""
    for _, direction, at in WorkLine(line).find_passings([level], window):
        before, then = (held(line, t - window, t) for t in (at - 1, at))
        assert (before < level <= then) if direction == "up" else (then < level <= before)


@given(stretches(), st.integers(1, 40))
def test_the_peak_is_the_highest_of_all_windows_and_the_first_of_them(
    line: list[Stretch], window: int
) -> None:
    """No window that ends at any microsecond holds more."""
    end = 2 * TIME
    peak = WorkLine(line).find_peak(window, 0, end)
    sums = {at: held(line, at - window, at) for at in range(end + 1)}
    most = max(sums.values())
    if not most:
        assert peak is None
        return
    assert peak is not None
    assert peak.work == -(-most.numerator // most.denominator)
    assert sums[peak.at] == most


@given(stretches(), st.integers(1, 40))
def test_no_calendar_window_holds_more_than_some_sliding_one(
    line: list[Stretch], length: int
) -> None:
    """Calendar windows are sliding ones that begin at fixed times."""
    work = WorkLine(line)
    peak = work.find_peak(length, 0, 2 * TIME + length)
    most = 0 if peak is None else peak.work
    for start in range(0, TIME, length):
        assert work.sum_between(start, start + length).ceil() <= most


@given(stretches(), st.lists(st.integers(0, TIME), max_size=4))
def test_windows_that_share_no_time_add_up_to_the_whole(
    line: list[Stretch], cuts: list[int]
) -> None:
    """Nothing is lost or doubled at an edge; a clipped line holds what lies between its edges."""
    work = WorkLine(line)
    edges = [0, *sorted(cuts), TIME]
    pairs = list(pairwise(edges))
    whole = work.sum_between(0, TIME).value()
    assert sum((work.sum_between(a, b).value() for a, b in pairs), Fraction(0)) == whole
    assert whole == held(line, 0, TIME)
    clipped = [work.clip(a, b).sum_between(-1, 2 * TIME).value() for a, b in pairs]
    assert sum(clipped, Fraction(0)) == whole


def test_a_rate_that_no_decimal_holds_crosses_at_the_exact_instant() -> None:
    """A third of an operation a microsecond makes one after three, and no rounding moves that."""
    line = WorkLine([Stretch(0, 3 * 10**15, 10**15, 3 * 10**15)])
    assert line.find_passings([7], None) == [Passing(7, "up", 21)]
    assert line.find_passings([7], 21) == [
        Passing(7, "up", 21),
        Passing(7, "down", 3 * 10**15 + 1),
    ]


def test_a_sum_that_only_touches_the_level_crosses_it_for_one_microsecond() -> None:
    """Met is met: at the touch it is reached, a microsecond later it is not."""
    line = WorkLine([Stretch(0, 30, 10, 30), Stretch(0, 70, 10, 70)])
    assert line.find_passings([20], None) == [Passing(20, "up", 70)]
    touched = WorkLine([Stretch(0, 9, 10, 9)]).find_passings([10], 9)
    assert touched == [Passing(10, "up", 9), Passing(10, "down", 10)]


def test_levels_that_are_no_amount_and_levels_beyond_all_work_are_never_met() -> None:
    """Nothing is asked of a level of zero, and more than everything is never held."""
    line = WorkLine([Stretch(0, 10, 10, 10)])
    assert line.find_passings([0, 11], 5) == []
    assert WorkLine([]).find_passings([1], 5) == []
