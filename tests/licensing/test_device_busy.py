"""When a device counts as busy, over readings that may be noise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.licensing.device_busy import IN_A_ROW, BusyBook, Busyness, judge_busy
from sekisho.ports.device_census import SeenDevice, SeenProcess
from tests.devices import seen

P = (SeenProcess(pid=7),)


@pytest.mark.parametrize(
    ("device", "said"),
    [
        (seen("G"), "quiet"),
        (seen("G", util_ppm=40_000), "quiet"),
        (seen("G", util_ppm=50_000), "busy"),
        (seen("G", processes=P), "quiet"),  # memory that is held is no work
        (seen("G", power_mw=420_000), "quiet"),
        (seen("G", power_mw=420_001), "stuck"),
        (seen("G", power_mw=700_000, power_limit_mw=None), "quiet"),
        (seen("G", util_ppm=None, power_mw=600_000), "busy"),
        (seen("G", util_ppm=None, processes=P), "busy"),
        (seen("G", util_ppm=None), "quiet"),
        (seen("G", util_ppm=None, power_mw=None), "not-read"),
        (seen("G", util_ppm=None, processes=None), "not-read"),
        (seen("G", util_ppm=900_000, lost="GPU is lost"), "not-read"),
    ],
)
def test_what_one_reading_says(device: SeenDevice, said: Busyness) -> None:
    """Activity first, then power, then processes; what is not readable is not quiet."""
    assert judge_busy(device) == said


def after(*readings: str) -> BusyBook:
    shown = {
        "b": seen("G", util_ppm=900_000),
        "s": seen("G", power_mw=600_000),
        "q": seen("G"),
        "?": seen("G", lost="lost"),
    }
    book = BusyBook()
    for reading in readings:
        book = book.after((shown[reading],))
    return book


@pytest.mark.parametrize(
    ("readings", "busy"),
    [
        ("b", False),
        ("bb", False),
        ("bbb", True),
        ("bqbqbqb", False),
        ("bbqbb", False),
        ("bb?b", True),
        ("bbbqq", True),
        ("bbbqqq", False),
        ("bbb???", True),
        ("sss", True),
    ],
)
def test_three_readings_in_a_row_and_not_one(readings: str, busy: bool) -> None:
    """One noisy reading does not make a device busy, nor quiet; one that failed makes it neither."""
    assert after(*readings).busy() == (("G",) if busy else ())


def test_counters_at_zero_under_power_are_told_apart() -> None:
    """A device that is busy by its power alone has counters that nobody can believe."""
    assert after(*"sss").stuck() == ("G",)
    assert after(*"bbb").stuck() == ()
    assert after(*"sssb").stuck() == ()


def test_a_device_that_is_gone_is_forgotten() -> None:
    """One that comes back begins anew."""
    assert after(*"bbb").after(()).after((seen("G", util_ppm=900_000),)).busy() == ()


@given(st.lists(st.sampled_from("bsq?"), max_size=40))
def test_nothing_is_busy_without_that_many_busy_readings(readings: list[str]) -> None:
    """Whatever came before: a busy device had as many busy readings in a row, none quiet between."""
    heard = [r for r in readings if r != "?"]
    runs = "".join("q" if r == "q" else "b" for r in heard)
    if after(*readings).busy():
        assert "b" * IN_A_ROW in runs
    if runs.endswith("q" * IN_A_ROW):
        assert not after(*readings).busy()
