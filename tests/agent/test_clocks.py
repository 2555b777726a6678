"""Earliest and latest: whoever sets the system clock can only make things stricter."""

from __future__ import annotations

from sekisho.following.clocks import BEGINNING, TwoClocks
from tests.factory import NOW


def test_earliest_runs_on_from_the_signed_time() -> None:
    """The median of the cosignatures plus what has elapsed since it was heard."""
    clocks = TwoClocks().heard(NOW, 100.0)

    assert clocks.earliest(107.5) == NOW.plus(7.5)


def test_before_any_witness_spoke_nothing_has_ended() -> None:
    """Without a signed time the earliest is the beginning of time."""
    assert TwoClocks().earliest(100.0) == BEGINNING
    assert TwoClocks().latest(100.0, NOW) == NOW


def test_an_old_checkpoint_does_not_turn_the_clock_back() -> None:
    """A replayed cosignature is older than what is known by now and changes nothing."""
    clocks = TwoClocks().heard(NOW, 100.0).heard(NOW.plus(-60), 110.0)

    assert clocks.earliest(110.0) == NOW.plus(10)


def test_a_system_clock_set_back_does_not_lengthen_a_lease() -> None:
    """Latest is never before earliest."""
    clocks = TwoClocks().heard(NOW, 100.0)

    assert clocks.latest(100.0, NOW.plus(-3600)) == NOW
    assert clocks.latest(100.0, NOW.plus(9)) == NOW.plus(9)


def test_an_elapsed_source_that_went_back_counts_as_none_elapsed() -> None:
    """The earliest clock never runs backwards from its anchor."""
    assert TwoClocks().heard(NOW, 100.0).earliest(50.0) == NOW


def test_a_clock_that_is_off_is_found() -> None:
    """Behind by seconds, ahead by more than an hour; nothing where no witness spoke."""
    clocks = TwoClocks().heard(NOW, 100.0)

    assert clocks.check(100.0, NOW.plus(-6)) == "clock-behind"
    assert clocks.check(100.0, NOW.plus(-4)) is None
    assert clocks.check(100.0, NOW.plus(3_601)) == "clock-ahead"
    assert TwoClocks().check(100.0, NOW.plus(-6)) is None
