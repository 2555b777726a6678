"""Telemetry through its port: a delivery goes in, the same usage comes out; gaps, repeats, records of jobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sekisho.adapters.telemetry.parquet_telemetry import ParquetTelemetry, TelemetrySettings
from sekisho.adapters.telemetry.store import StoreSettings
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, DeviceSeen, Usage
from sekisho.ports.telemetry import Telemetry, UsageQuery

NOON = Instant.parse("2026-03-14T12:00:00Z")
HOUR = UsageQuery(start=NOON, end=NOON.plus(3600))
SOON = NOON.plus(700)
CHIP = "NVIDIA H100 80GB HBM3"
HEAD = "timestamp,device,chip,power_w,gpu_util,tensor_active,sm_clock_mhz"


def table(devices: int = 2, first: int = 0, count: int = 60) -> bytes:
    """A reading of each device every ten seconds."""
    rows = [
        f"{NOON.plus(10 * number)},GPU-{device},{CHIP},{400 + number},97,0.5,1980"
        for number in range(first, first + count)
        for device in range(devices)
    ]
    return "\n".join([HEAD, *rows, ""]).encode()


def page(power: float) -> bytes:
    """What dcgm-exporter shows."""
    labels = f'gpu="0",UUID="GPU-0",modelName="{CHIP}",Hostname="n1"'
    return f"DCGM_FI_DEV_POWER_USAGE{{{labels}}} {power}\n".encode()


def opened(root: Path, **settings: object) -> ParquetTelemetry:
    quick = StoreSettings(gather_s=0.0)
    return ParquetTelemetry(str(root), TelemetrySettings(store=quick, **settings))  # type: ignore[arg-type]  # by name


@pytest.fixture
def telemetry(tmp_path: Path) -> ParquetTelemetry:
    return opened(tmp_path / "t")


def take(telemetry: Telemetry, body: bytes, at: Instant = SOON) -> int:
    return telemetry.take("csv", body, site="osaka", received=at, name="a.csv").taken


def bare(usages: list[Usage]) -> list[tuple[str, int, int, int]]:
    return [(u.job, u.chip_ms, u.power_ms, u.energy_mj) for u in usages]


def test_usage_is_that_of_what_was_taken(telemetry: ParquetTelemetry) -> None:
    """Two devices of which a job had one for five minutes: its sums, and those that nobody claims."""
    assert take(telemetry, table()) == 480
    job = Allocation(
        job="7", site="osaka", start=NOON, end=NOON.plus(300), chips=1, devices=("GPU-0",)
    )
    telemetry.take_allocations([job])
    unclaimed, claimed = telemetry.sum_usage(HOUR)
    assert (unclaimed.job, claimed.job) == ("", "7")
    assert (claimed.chip_ms, claimed.power_ms) == (300_000, 300_000)
    assert claimed.energy_mj == sum(range(400, 430)) * 10 * 1000
    assert claimed.evidence == unclaimed.evidence != ""


def test_raw_rows_and_minutes_say_the_same(tmp_path: Path) -> None:
    """Over whole minutes the two sources differ in the digest of their files and in nothing else."""
    answers = []
    for source in ("readings", "minutes"):
        telemetry = opened(tmp_path / "t", source=source)
        take(telemetry, table())
        answers.append(list(telemetry.sum_usage(HOUR)))
    assert bare(answers[0]) == bare(answers[1])
    assert answers[0][0].evidence != answers[1][0].evidence


def test_same_bytes_again_are_duplicates(telemetry: ParquetTelemetry, tmp_path: Path) -> None:
    """In this process they are known at once; another finds out row by row, and the sums stay the same."""
    take(telemetry, table())
    before = bare(list(telemetry.sum_usage(HOUR)))
    again = telemetry.take("csv", table(), site="osaka", received=NOON.plus(800), name="a.csv")
    assert (again.taken, again.duplicates) == (0, 480)
    other = opened(tmp_path / "t")
    take(other, table())
    assert bare(list(other.sum_usage(HOUR))) == before


def test_delivery_that_was_not_kept_is_no_repeat(
    telemetry: ParquetTelemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk refused, the sender's next try is taken."""
    with monkeypatch.context() as broken:
        broken.setattr(telemetry.store, "append", _refuse)
        with pytest.raises(StateConflict):
            take(telemetry, table())
    assert take(telemetry, table()) == 480


def _refuse(*_: object, **__: object) -> None:
    raise StateConflict("full")


def test_same_page_later_is_another_reading(telemetry: ParquetTelemetry) -> None:
    """An exporter's page has no times: the same bytes after ten seconds say that nothing changed."""
    for number in range(4):
        at = NOON.plus(10 * number)
        intake = telemetry.take("prometheus", page(300), site="osaka", received=at)
        assert (intake.taken, intake.duplicates) == (1, 0)
    (usage,) = telemetry.sum_usage(HOUR)
    assert usage.readings == 4


def test_gap_inside_and_silence_at_the_end_are_found(telemetry: ParquetTelemetry) -> None:
    """Not measured for five minutes, and not since: two gaps of one device, across midnight as well."""
    take(telemetry, table(1, 0, 30))
    take(telemetry, table(1, 60, 30))
    gaps = list(telemetry.find_gaps(NOON, NOON.plus(2_000)))
    assert [(gap.start, gap.end) for gap in gaps] == [
        (NOON.plus(300), NOON.plus(600)),
        (NOON.plus(900), NOON.plus(2_000)),
    ]
    take(telemetry, table(1, 9_000, 3), NOON.plus(90_100))
    crossing = list(telemetry.find_gaps(NOON.plus(1_000), NOON.plus(90_020)))
    assert [(gap.start, gap.end) for gap in crossing] == [(NOON.plus(1_000), NOON.plus(90_000))]


def test_question_settles_what_it_touches_unless_told_that_it_is_fresh_enough(
    tmp_path: Path,
) -> None:
    """Everything taken counts at once; with `fresh_s` what came within it counts only later."""
    exact, lazy = opened(tmp_path / "t"), opened(tmp_path / "t", fresh_s=3_600.0)
    take(exact, table(1, 0, 30))
    first = next(exact.sum_usage(HOUR))
    take(exact, table(1, 30, 30))
    assert next(lazy.sum_usage(HOUR)).power_ms == first.power_ms
    assert next(exact.sum_usage(HOUR)).power_ms == 600_000


def test_devices_are_known_before_and_after_a_restart(
    telemetry: ParquetTelemetry, tmp_path: Path
) -> None:
    """A name that was learned once is kept, whoever opens the store next; chips that change are told."""
    take(telemetry, table())
    telemetry.compact(only_due=False)
    known = {device.device: device for device in opened(tmp_path / "t").load_devices()}
    assert known["GPU-0"].chip == CHIP
    assert (known["GPU-0"].first, known["GPU-0"].last) == (NOON, NOON.plus(590))
    telemetry.take("prometheus", page(300), site="osaka", received=NOON)
    (again,) = [d for d in telemetry.load_devices() if d.device == "GPU-0"]
    assert isinstance(again, DeviceSeen)
    assert again.host == "n1"


def test_bad_delivery_keeps_nothing(telemetry: ParquetTelemetry, tmp_path: Path) -> None:
    """What cannot be read as a whole raises and leaves no file; an unknown format and site too."""
    cases = [("otlp", b"\x0a\xff"), ("parquet", b"PAR1"), ("csv", b"a,b\n1,2\n"), ("xml", b"")]
    for kind, body in cases:
        with pytest.raises(InvalidInput):
            telemetry.take(kind, body, site="osaka", received=NOON)  # type: ignore[arg-type]  # as HTTP could
    with pytest.raises(InvalidInput):
        telemetry.take("csv", table(), site="../x", received=NOON)
    assert not (tmp_path / "t").exists()


def test_many_threads_deliver_at_once(telemetry: ParquetTelemetry) -> None:
    """Sixteen senders of one site share a book and a file; every sample of theirs is there."""
    bodies = [table(2, first, 5) for first in range(0, 80, 5)]
    with ThreadPoolExecutor(16) as pool:
        taken = sum(pool.map(lambda body: take(telemetry, body), bodies))
    assert taken == 16 * 5 * 2 * 4
    (usage,) = telemetry.sum_usage(HOUR)
    assert usage.readings == 160


def test_loop_of_compactions_writes_a_day_when_it_is_worth_it(telemetry: ParquetTelemetry) -> None:
    """A few rows for a large open day wait; told to, they are settled at once."""
    today = Instant.parse("2126-03-14T12:00:00Z")  # its day is not over for a while
    rows = [f"{today.plus(-n)},GPU-0,{CHIP},400,97,0.5,1980" for n in range(200)]
    telemetry.store.append("osaka", _read(telemetry, rows[:190]), received_us=_now())
    assert telemetry.compact()[0].rows_in == 190
    telemetry.store.append("osaka", _read(telemetry, rows[190:]), received_us=_now())
    assert telemetry.compact()[0].days == ()
    assert telemetry.compact(only_due=False)[0].rows_in == 10


def _read(telemetry: ParquetTelemetry, rows: list[str]) -> object:
    from sekisho.adapters.telemetry.cleaning import clean
    from sekisho.adapters.telemetry.columns import SeriesBook
    from sekisho.adapters.telemetry.csv_samples import parse_csv
    from sekisho.adapters.telemetry.names_table import table_mapper

    book = SeriesBook(table_mapper(site="osaka"), "osaka")
    samples = parse_csv("\n".join([HEAD, *rows, ""]).encode(), book)
    return clean(samples, book, received_us=Instant.parse("2126-03-14T13:00:00Z").us).table


def _now() -> int:
    import time

    return time.time_ns() // 1000


def test_evidence_of_a_sum_is_kept_on_demand(telemetry: ParquetTelemetry) -> None:
    """The files of a sum that entered the log survive retention; those of a sum that nobody made cannot be kept."""
    take(telemetry, table())
    (usage,) = telemetry.sum_usage(HOUR)
    telemetry.keep_evidence(usage.evidence, why="entry 17")
    assert telemetry.store.plan_drops("2026-03-15")[0].held_by == (usage.evidence,)
    with pytest.raises(StateConflict):
        telemetry.keep_evidence("sha256:" + "0" * 64, why="entry 18")


def test_dropped_raw_rows_leave_the_same_sums(telemetry: ParquetTelemetry) -> None:
    """After retention the minute sums answer."""
    take(telemetry, table())
    before = bare(list(telemetry.sum_usage(HOUR)))
    telemetry.store.drop(telemetry.store.plan_drops("2026-03-15"), now=NOON.plus(9e6))
    assert bare(list(telemetry.sum_usage(HOUR))) == before
