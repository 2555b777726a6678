from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sekisho.registry.balance import close_balance, judge_bulk
from sekisho.web.balance_chart import HEIGHT, WIDTH, Point, draw_chart, points_of
from tests.registry.balance.test_sigma import book, day, figure, period
from tests.registry.balance.worlds import closing, counted, row

LEDGER = [row("CM", "a", 1), row("CM", "b", 2)]


def test_an_exact_balance_has_no_band() -> None:
    """Items have no error: the bar of a loss points up, one without stands on nought."""
    lost = close_balance(closing(0, 10), LEDGER, None, counted(["a"], 10))
    (mark,) = (drawn := draw_chart(points_of([lost]))).marks
    assert mark.top is not None
    assert mark.top < drawn.zero
    assert (mark.low, mark.high, mark.is_alarm) == (None, None, True)
    assert drawn.limit == 1
    assert {y for _, y in pairs(drawn.bands[0])} == {drawn.zero}


def test_a_period_without_a_count_is_a_gap_and_not_nought() -> None:
    """It has no bar, and the line stops."""
    blind = close_balance(closing(0, 10), LEDGER, None, None)
    drawn = draw_chart(points_of([blind]))
    assert (drawn.marks[0].top, drawn.lines, drawn.bands) == (None, (), ())


def test_the_band_grows_with_the_sum_and_stops_where_it_is_unknown() -> None:
    """Three sigma of the cumulated difference on both sides of nought."""
    blind = period(2, figure("capacity", 1), figure("declared", 1))
    results = judge_bulk(book(day(0, 50), day(1), blind, day(3)))
    drawn = draw_chart(points_of(results))
    assert len(drawn.lines) == len(drawn.bands) == 1
    upper = [y for _, y in pairs(drawn.bands[0])][:2]
    assert upper[1] < upper[0] < drawn.zero
    assert [mark.is_alarm for mark in drawn.marks] == [True, False, False, False]
    assert drawn.marks[2].top is None


def pairs(points: str) -> list[tuple[int, int]]:
    return [(int(x), int(y)) for x, y in (pair.split(",") for pair in points.split())]


figures = st.one_of(st.none(), st.integers(-(10**37), 10**37))
points = st.builds(
    Point,
    label=st.just("2026-01-01"),
    difference=figures,
    sigma=st.floats(0, 1e36),
    cumulated=figures,
    cumulated_sigma=st.floats(0, 1e36),
    is_alarm=st.booleans(),
)


@given(st.lists(points, max_size=40))
def test_nothing_is_drawn_outside_the_picture(found: list[Point]) -> None:
    """Whatever the figures; nor is anything lost."""
    drawn = draw_chart(found)
    assert len(drawn.marks) == len(found)
    heights = [y for run in (*drawn.lines, *drawn.bands) for _, y in pairs(run)]
    for mark in drawn.marks:
        assert 0 <= mark.x <= mark.x + mark.width <= WIDTH
        heights += [y for y in (mark.top, mark.low, mark.high) if y is not None]
    assert all(0 <= y <= HEIGHT for y in heights)
