"""Device-seconds of a run's jobs: never less than the truth, and not counted twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.schedulers.slurm.device_book import DeviceBook
from sekisho.adapters.schedulers.slurm.jobs import Job, Phase
from sekisho.adapters.schedulers.slurm.records import JobSpan, SpanReader


def job(number: int, phase: Phase, start: int, end: int = 0, devices: int = 2) -> Job:
    return Job(number=number, phase=phase, start_s=start, end_s=end, devices=devices, asked=devices)


def span(number: int, start: int, end: int, devices: int = 2) -> JobSpan:
    return JobSpan(number=number, run="run-1", devices=devices, start_s=start, end_s=end)


def test_a_job_is_charged_from_its_start() -> None:
    """Two devices, seen ten seconds after the start and again five later."""
    book = DeviceBook().after([job(1, "running", 100)], [], now_s=110, gap_s=1)
    assert book.device_s == 20
    assert book.after([job(1, "running", 100)], [], now_s=115, gap_s=5).device_s == 30


def test_a_clock_that_is_set_back_makes_nothing_cheaper() -> None:
    """The elapsed time since the last look counts where the clock says less."""
    book = DeviceBook().after([job(1, "running", 100)], [], now_s=110, gap_s=1)

    assert book.after([job(1, "running", 100)], [], now_s=50, gap_s=7).device_s == 34


def test_a_job_between_two_looks_is_charged_once() -> None:
    """From Slurm's memory of it, and not again from the prolog's records."""
    book = DeviceBook().after([job(1, "ended", 100, 104)], [span(1, 101, 104)], now_s=110, gap_s=60)

    assert book.device_s == 2 * 5
    again = book.after([job(1, "ended", 100, 104)], [], now_s=120, gap_s=10)
    assert again.device_s == book.device_s


def test_a_job_that_slurm_forgot_is_charged_from_the_records() -> None:
    """It ran and was purged from the queue while nobody looked."""
    assert DeviceBook().after([], [span(1, 100, 109)], now_s=900, gap_s=800).device_s == 20


def test_a_requeued_job_is_charged_for_both_its_stays() -> None:
    """The number is the same, the start is another."""
    book = DeviceBook().after([job(1, "running", 100)], [], now_s=110, gap_s=1)
    book = book.after([job(1, "running", 120)], [], now_s=125, gap_s=15)

    assert book.device_s >= 2 * (20 + 5)


def test_a_suspended_job_holds_its_devices() -> None:
    """What is held is charged, whether it computes or not."""
    book = DeviceBook().after([job(1, "suspended", 100)], [], now_s=150, gap_s=1)

    assert book.device_s == 100


@given(
    looks=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    stays=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=6),
    devices=st.integers(1, 8),
    remembered=st.booleans(),
)
def test_never_less_than_the_truth(
    looks: list[int], stays: list[tuple[int, int]], devices: int, *, remembered: bool
) -> None:
    """Whenever it is looked at, and whether Slurm or only the records remember a job, all of it is charged."""
    jobs, at = [], 1000
    for number, (pause, length) in enumerate(stays, 1):
        jobs.append((number, at + pause, at + pause + length))
        at += pause + length
    book, now, told = DeviceBook(), 1000, set[int]()
    for gap in [*looks, at]:
        now += gap
        rows = [
            job(n, "running" if now < end else "ended", start, 0 if now < end else end, devices)
            for n, start, end in jobs
            if start <= now and (now < end or remembered)
        ]
        spans = [span(n, s, e, devices) for n, s, e in jobs if e <= now and n not in told]
        told |= {s.number for s in spans}
        book = book.after(rows, spans, now_s=now, gap_s=gap)
        truth = sum(devices * (min(end, now) - start) for _, start, end in jobs if start < now)
        assert book.device_s >= truth


def test_records_are_followed_line_by_line(tmp_path: Path) -> None:
    """Half a line waits, rubbish is passed over, a later reader knows what has not ended."""
    file = tmp_path / "jobs"
    file.write_text(
        "start\t1\t100\t2\trun-1\nrubbish\nstart\tx\t1\t1\t\nstart\t2\t101\t1\trun-2\nend\t1\t1"
    )
    reader = SpanReader(file)
    assert reader.read() == []
    assert (reader.run_of(1), reader.run_of(3)) == ("run-1", "")
    with file.open("a") as more:
        more.write("10\nrefused\t3\t111\tno-lease\n")

    assert reader.read() == [span(1, 100, 110)]
    assert reader.refused == {3}
    later = SpanReader(file, reader.offset)
    assert later.run_of(2) == "run-2"
    assert later.read() == []


def test_records_that_are_rotated_are_read_from_their_start(tmp_path: Path) -> None:
    """A file shorter than what was read is a new one."""
    file = tmp_path / "jobs"
    file.write_text("start\t1\t100\t2\trun-1\n" * 3)
    reader = SpanReader(file)
    reader.read()
    file.write_text("end\t1\t105\n")

    assert reader.read() == [span(1, 100, 105)]


def test_records_behind_a_link_are_not_read(tmp_path: Path) -> None:
    """Whoever can plant a link there decides nothing."""
    (tmp_path / "elsewhere").write_text("start\t1\t100\t2\trun-1\nend\t1\t900\n")
    (tmp_path / "jobs").symlink_to(tmp_path / "elsewhere")

    assert SpanReader(tmp_path / "jobs").read() == []


@pytest.mark.parametrize("line", ["end\t1\t105", "end\t-1\t105", "end\t1\t" + "9" * 30])
def test_an_end_without_a_start_charges_nothing(tmp_path: Path, line: str) -> None:
    """Nobody's devices."""
    (tmp_path / "jobs").write_text(line + "\n")

    assert SpanReader(tmp_path / "jobs").read() == []
