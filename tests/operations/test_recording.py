"""The recorder's pace, on a meter and a clock of the test's own."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import DeviceSeen
from sekisho.operations.recording import HEADER, Pace, Recorder
from sekisho.ports.device_meter import DeviceReading


class Meter:
    """Two devices; each read takes `takes` seconds of the test's clock."""

    def __init__(self, time: Time, takes: float = 0.0, lost: str = "") -> None:
        self.time, self.takes, self.lost = time, takes, lost

    def devices(self) -> tuple[DeviceSeen, ...]:
        return tuple(DeviceSeen(device=name, site="s", chip="c", host="h") for name in "ab")

    def unreadable(self) -> Mapping[str, str]:
        return {"xid": "no events"}

    def read(self) -> tuple[DeviceReading, ...]:
        self.time.at += self.takes
        return (
            DeviceReading(device="a", values={"power_mw": 5}),
            DeviceReading(device="b", values={}, lost=self.lost),
        )

    def close(self) -> None: ...


class Time:
    at = 100.0

    def elapsed(self) -> float:
        return self.at

    def wait(self, seconds: float) -> bool:
        self.at += seconds
        return False

    def now(self) -> Instant:
        return Instant(round(self.at * 1_000_000))


def _record(pace: Pace, takes: float = 0.0) -> tuple[Recorder, list[str], Time]:
    time = Time()
    recorder = Recorder(Meter(time, takes, lost="gone"), pace, elapsed=time.elapsed)
    stamps = [rows[0][0] for rows in recorder.rows(time.now, time.wait)]
    return recorder, stamps, time


def test_ticks_lie_on_a_grid_however_long_a_read_takes() -> None:
    """A read of 30 ms at ten a second shifts no tick that follows."""
    recorder, stamps, _ = _record(Pace(hz=10, seconds=1), takes=0.03)
    assert len(stamps) == 10
    assert stamps[0] == "1970-01-01T00:01:40.100Z"
    assert stamps[-1] == "1970-01-01T00:01:41Z"
    assert recorder.summary().late == 0


def test_ticks_that_are_over_are_left_out_and_counted() -> None:
    """Reads of 250 ms at ten a second make fewer readings, none at the same instant, the rest counted as late."""
    recorder, stamps, _ = _record(Pace(hz=10, seconds=2), takes=0.25)
    found = recorder.summary()
    assert len(set(stamps)) == len(stamps) == found.ticks
    assert found.ticks + found.late == 20
    assert found.late > 8


def test_a_row_has_the_field_that_was_read_and_blanks_for_the_rest() -> None:
    """One value stands in its own column, and what was not read is blank."""
    time = Time()
    recorder = Recorder(Meter(time), Pace(hz=1, seconds=1), elapsed=time.elapsed)
    (rows,) = recorder.rows(time.now, time.wait)
    row = dict(zip(HEADER, rows[0], strict=True))
    assert (row["device"], row["chip"], row["power_mw"], row["tensor_ppm"]) == ("a", "c", "5", "")


def test_a_device_that_does_not_answer_has_no_row() -> None:
    """The silent device is counted with its reason and writes nothing."""
    recorder, _, _ = _record(Pace(hz=1, seconds=3))
    found = recorder.summary()
    assert (found.rows, dict(found.lost)) == (3, {"gone": 3})


def test_a_wait_that_is_told_to_stop_ends_it() -> None:
    """Nothing more is read once the wait says so."""
    time = Time()
    recorder = Recorder(Meter(time), Pace(hz=1), elapsed=time.elapsed)
    assert list(recorder.rows(time.now, lambda _: True)) == []


@pytest.mark.parametrize("hz", [0, 11])
def test_a_pace_out_of_range_is_no_pace(hz: int) -> None:
    """One to ten readings a second."""
    with pytest.raises(InvalidInput, match="readings a second"):
        Pace(hz=hz)
