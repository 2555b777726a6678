"""Devices and allocations: the newest word counts, every word is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.telemetry.store import ReadingStore
from sekisho.adapters.telemetry.store.devices import join_seen
from sekisho.adapters.telemetry.store.names import SegmentName, parse_segment
from sekisho.adapters.telemetry.store.records import MAX_RECORDS
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, DeviceSeen
from tests.adapters.telemetry.store.keeping import NOON, local_store

RUNNING = Allocation(job="7", site="osaka", start=NOON, end=None, chips=8, customer="a", line=3)
ENDED = Allocation(job="7", site="osaka", start=NOON, end=NOON.plus(60), chips=8, customer="a")
OTHER = Allocation(job="8", site="osaka", start=NOON.plus(90), end=NOON.plus(99), chips=1)


@pytest.fixture
def store(tmp_path: Path) -> ReadingStore:
    return local_store(tmp_path / "t")


def test_newer_record_of_a_job_and_start_replaces_the_older(store: ReadingStore) -> None:
    """What counts is the last word; the history has all of them, with when."""
    assert store.allocations.save("osaka", [RUNNING, OTHER], recorded_us=5) == 2
    assert store.allocations.save("osaka", [ENDED], recorded_us=5) == 1
    fresh = local_store(store.files.scratch.parent)
    assert fresh.allocations.load("osaka", NOON, NOON.plus(1_000)) == (ENDED, OTHER)
    history = fresh.allocations.history("osaka", "7")
    assert [allocation for _, allocation in history] == [RUNNING, ENDED]
    assert history[0][0] < history[1][0]


def test_repeated_record_is_not_kept_again(store: ReadingStore) -> None:
    """A scheduler is asked every minute and says the same, on another line of its file."""
    store.allocations.save("osaka", [RUNNING], recorded_us=5)
    again = Allocation(**{name: getattr(RUNNING, name) for name in RUNNING.__struct_fields__})
    assert store.allocations.save("osaka", [again, RUNNING], recorded_us=9) == 0
    assert len(store.files.list_files("allocations/site=osaka")) == 1


def test_restart_of_a_job_is_a_record_of_its_own(store: ReadingStore) -> None:
    """One job with two starts had its devices twice."""
    restart = Allocation(job="7", site="osaka", start=NOON.plus(500), end=None, chips=8)
    store.allocations.save("osaka", [ENDED, restart], recorded_us=5)
    assert len(store.allocations.load("osaka", NOON, NOON.plus(1_000))) == 2


def test_only_allocations_that_touch_the_time_are_given(store: ReadingStore) -> None:
    """An end is behind the last moment; without an end it goes on."""
    store.allocations.save("osaka", [ENDED, OTHER], recorded_us=5)
    load = store.allocations.load
    assert load("osaka", NOON.plus(60), NOON.plus(90)) == ()
    assert load("osaka", NOON.plus(59), NOON.plus(91)) == (ENDED, OTHER)
    store.allocations.save("osaka", [RUNNING], recorded_us=6)
    assert load("osaka", NOON.plus(900), NOON.plus(901)) == (RUNNING,)
    assert load("kobe", NOON, NOON.plus(900)) == ()


def test_many_records_go_into_several_files(store: ReadingStore) -> None:
    """More than fit in one file are all there again, in their order."""
    count = MAX_RECORDS + 10
    many = [
        Allocation(job=str(n), site="osaka", start=Instant(n), end=Instant(n + 1), chips=1)
        for n in range(count)
    ]
    store.allocations.save("osaka", many, recorded_us=5)
    assert len(store.files.list_files("allocations/site=osaka")) == 2
    fresh = local_store(store.files.scratch.parent)
    assert fresh.allocations.load("osaka", Instant(0), NOON) == tuple(many)


def test_two_words_on_one_device_are_joined() -> None:
    """Later words win where there are any, instants widen, slices stay."""
    first = DeviceSeen(device="G", site="s", chip="H100", slices=2, slices_of=7, first=NOON)
    later = DeviceSeen(device="G", site="s", host="n1", last=NOON.plus(9), period_us=5)
    joined = join_seen(first, later)
    assert joined == DeviceSeen(
        device="G",
        site="s",
        chip="H100",
        host="n1",
        slices=2,
        slices_of=7,
        first=NOON,
        last=NOON.plus(9),
        period_us=5,
    )
    assert join_seen(joined, first) == joined
    assert join_seen(None, first) == first


@given(
    received=st.integers(0, 10**16 - 1),
    day=st.dates().filter(lambda day: day.year < 9990),
    mask=st.integers(1, 2**32 - 1),
    rows=st.integers(0, 10**10 - 1),
    random=st.binary(min_size=8, max_size=8),
    digest=st.binary(min_size=32, max_size=32),
)
def test_segment_name_goes_there_and_back(
    received: int, day: object, mask: int, rows: int, random: bytes, digest: bytes
) -> None:
    """What a name says is read back from it; anything around it makes it none."""
    name = SegmentName(
        received_us=received,
        first=str(day),
        mask=mask,
        rows=rows,
        random=random.hex(),
        sha256=digest.hex(),
    )
    assert parse_segment(str(name)) == name
    assert name.days[0] == str(day) or not mask & 1
    assert len(name.days) == mask.bit_count()
    for other in (f"{name} ", f"x{name}", f"{name}.tmp", str(name).upper(), f"{name}\n"):
        assert parse_segment(other) is None
