"""Attacks on whole fleets: names, records and makes that would lower a bound, raise it, or stop every sum."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from sekisho.adapters.telemetry import columns
from sekisho.adapters.telemetry.columns import SeriesBook
from sekisho.adapters.telemetry.engines import open_engine, sum_usage
from sekisho.adapters.telemetry.job_records.table import parse_allocations_csv
from sekisho.adapters.telemetry.names_dcgm import dcgm_mapper
from sekisho.adapters.telemetry.parquet_telemetry import ParquetTelemetry
from sekisho.adapters.telemetry.store import devices as device_records
from sekisho.adapters.telemetry.store.devices import join_seen
from sekisho.ceremony import SystemClock
from sekisho.cli.main import call
from sekisho.metering import meter_usage
from sekisho.model.chips import faster_name, known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation, DeviceSeen, Usage
from sekisho.ports.telemetry import UsageQuery
from sekisho.settings import Settings
from tests.adapters.telemetry.store.keeping import NOON, local_store

H100 = "NVIDIA H100 80GB HBM3"
HOUR = UsageQuery(start=NOON, end=NOON.plus(3600))


def device(name: str, chip: str = H100, **more: Any) -> DeviceSeen:
    said: dict[str, Any] = {"first": NOON, "last": NOON.plus(3600), **more}
    return DeviceSeen(device=name, site="s", chip=chip, **said)


def record(job: str = "j", chips: int = 1, **more: Any) -> Allocation:
    said: dict[str, Any] = {"start": NOON, "end": NOON.plus(3600), **more}
    return Allocation(job=job, site="s", chips=chips, **said)


@pytest.fixture
def summed() -> Callable[..., dict[str, list[Usage]]]:
    """The sums of an hour by job, of devices and records alone: what a bound rests on."""

    def sum_them(seen: list[DeviceSeen], records: list[Allocation]) -> dict[str, list[Usage]]:
        found: dict[str, list[Usage]] = {}
        with open_engine() as engine:
            for usage in sum_usage(engine, [], records, seen, HOUR):
                found.setdefault(usage.job, []).append(usage)
        return found

    return sum_them


def test_naming_an_h100_a_t4_afterwards_does_not_lower_its_past() -> None:
    """The faster of two names that one device was given stands, in whatever order they came."""
    fast, slow = device("GPU-a"), device("GPU-a", "Tesla T4")
    assert join_seen(fast, slow).chip == H100
    assert join_seen(slow, fast).chip == H100


def test_a_nonsense_name_does_not_make_a_known_chip_unknown() -> None:
    """A known name stands over one that no table has; of two unknown ones the first that is asked for."""
    assert faster_name("Mystery", H100) == faster_name(H100, "Mystery") == H100
    assert faster_name("", H100) == faster_name(H100, "") == H100
    assert faster_name("Mystery", "Riddle") == "Mystery"


def test_telemetry_that_calls_an_h100_a_t4_does_not_lower_a_job_whose_record_says_h100(
    summed: Callable[..., dict[str, list[Usage]]],
) -> None:
    """Where the scheduler's record names a faster chip than the exporter, the bound is at the record's peak."""
    records = [record(devices=("GPU-a",), chip=H100)]
    (usage,) = summed([device("GPU-a", "Tesla T4")], records)["j"]
    chip = known_chips().find(H100)
    bound = meter_usage(usage).bound
    assert chip is not None
    assert bound is not None
    assert bound.high == 3600 * chip.fastest_peak_flop_per_s


def test_a_slice_made_smaller_afterwards_does_not_lower_its_past() -> None:
    """The greater of two shares that one instance was given stands."""
    shares: dict[str, Any] = {"parent": "GPU-a", "slices_of": 7}
    large, small = device("GPU-a/0", slices=7, **shares), device("GPU-a/0", slices=1, **shares)
    assert join_seen(large, small).slices == join_seen(small, large).slices == 7


def test_a_record_that_names_one_device_of_eight_chips_is_bound_for_eight(
    summed: Callable[..., dict[str, list[Usage]]],
) -> None:
    """Chips beyond the named devices count by their number."""
    found = summed([device("GPU-a")], [record(chips=8, devices=("GPU-a",), chip=H100)])["j"]
    assert sum(usage.chip_ms for usage in found) == 8 * 3_600_000


def test_chips_beyond_the_named_devices_of_no_known_make_have_no_bound(
    summed: Callable[..., dict[str, list[Usage]]],
) -> None:
    """What nobody names is not measured, and never zero."""
    found = summed([device("GPU-a")], [record(chips=8, devices=("GPU-a",))])["j"]
    assert [meter_usage(usage).bound is None for usage in found] == [True, False]
    assert sum(usage.chip_ms for usage in found) == 8 * 3_600_000


def test_a_second_part_of_a_job_does_not_silently_replace_the_first() -> None:
    """Two records of one job and start on other devices: the second is refused by its line, never `known already`."""
    table = (
        b"job,start,end,chips,devices\n"
        b"j,2026-11-01T00:00:00Z,2026-11-01T01:00:00Z,1,GPU-a\n"
        b"j,2026-11-01T00:00:00Z,2026-11-01T01:00:00Z,1,GPU-b\n"
        b"j,2026-11-01T00:00:00Z,2026-11-01T02:00:00Z,1,GPU-a\n"
    )
    found = parse_allocations_csv(table, site="s")
    assert [one.devices for one in found.allocations] == [("GPU-a",), ("GPU-a",)]
    (refusal,) = found.refused
    assert refusal.count == 1
    assert refusal.first.startswith("line 3, job j: another record")


def test_one_record_of_nine_million_chips_does_not_stop_every_account() -> None:
    """What the engines would not count is refused where it comes in."""
    table = b"job,start,chips,chip\nj,2026-11-01T00:00:00Z,9000000,H100\n"
    found = parse_allocations_csv(table, site="s")
    assert not found.allocations
    assert found.refused[0].reason == "out of range"


def test_jobs_without_hosts_take_time_in_proportion(
    summed: Callable[..., dict[str, list[Usage]]],
) -> None:
    """Ten thousand jobs of which nobody says where they ran, in seconds and not in minutes."""
    began = time.monotonic()
    found = summed([], [record(job=f"j{n}", chip=H100) for n in range(10_000)])
    assert len(found) == 10_000
    assert time.monotonic() - began < 60


def test_made_up_devices_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A book learns so many devices and no more; further ones are refused and the known go on."""
    monkeypatch.setattr(columns, "MAX_DEVICES", 3)
    book = SeriesBook(dcgm_mapper(site="s"), "s")

    def learn(number: int, metric: str) -> int:
        labels = {"UUID": f"GPU-{number}", "modelName": H100, "Hostname": "n", "gpu": "0"}
        return book.learn((number, metric), metric, labels)

    numbers = [learn(number, "DCGM_FI_DEV_GPU_UTIL") for number in range(5)]
    assert [number >= 0 for number in numbers] == [True, True, True, False, False]
    assert book.why(numbers[-1]).reason == "too many series"
    assert learn(0, "DCGM_FI_DEV_SM_CLOCK") >= 0
    assert len(book.devices) == 3


def test_made_up_devices_of_many_deliveries_fill_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site has so many devices over all its senders; the one too many is refused, and the store stays readable."""
    monkeypatch.setattr(device_records, "MAX_DEVICES", 3)
    store = local_store(tmp_path / "t")
    assert store.devices.save("s", [device(f"GPU-{n}") for n in range(3)], recorded_us=NOON.us) == 3
    with pytest.raises(InvalidInput, match="more than 3 devices"):
        store.devices.save("s", [device("GPU-3")], recorded_us=NOON.us)
    later = device("GPU-0", last=Instant(NOON.us + 10**10))
    assert store.devices.save("s", [later], recorded_us=NOON.us) == 1
    assert len(store.devices.load("s")) == 3


FUTURE = "job,start,end,chips,chip,customer\nj,{start},2100-01-01T00:00:00Z,100,H100,victim\n"


@pytest.fixture
def booked(tmp_path: Path) -> Callable[..., int]:
    """A store in which a victim has a hundred chips until the year 2100, and a command line."""
    (tmp_path / "jobs.csv").write_text(FUTURE.format(start=SystemClock().now().plus(-3600)))
    settings = Settings(home=tmp_path / "home", trust_file=tmp_path / "trust", language="en")

    def say(*words: str) -> int:
        return call(["meter", *words, "--store", str(tmp_path / "st")], settings)

    assert say("jobs", str(tmp_path / "jobs.csv"), "--format", "csv") == 0
    return say


def test_an_allocation_of_the_future_crosses_nothing_today(
    booked: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Time that is ahead is nobody's use, however far --to reaches: it is forecast, and not met."""
    capsys.readouterr()
    now = SystemClock().now()
    span = ("--from", str(now.plus(-7200)), "--to", str(now.plus(30 * 86_400)))
    booked("account", *span, "--threshold", "1e23", "--json")
    (found,) = json.loads(capsys.readouterr().out)["keys"]
    assert 3_600 * 100 <= float(found["total"]["chip_seconds"]) < 4_600 * 100
    assert found["crossings"] == []
    assert found["forecast"]


def test_time_that_is_ahead_is_not_exported_as_used(
    booked: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """An export beyond now is refused: whoever takes its events in would bill what never happened."""
    now = SystemClock().now()
    assert booked("export", "--from", str(now.plus(-7200)), "--to", str(now.plus(86_400))) == 2
    assert "ahead of now" in capsys.readouterr().err


SILENT: dict[str, Any] = {"first": NOON, "last": NOON.plus(600)}
OPEN: dict[str, Any] = {"end": None, "chip": H100}


def test_withheld_telemetry_does_not_lower_the_bound_of_a_job_without_an_end(
    summed: Callable[..., dict[str, list[Usage]]],
) -> None:
    """An exporter that falls silent after ten minutes: the bound is of the hour, and fifty minutes of it are open."""
    (usage,) = summed([device("GPU-a", **SILENT)], [record(devices=("GPU-a",), **OPEN)])["j"]
    assert (usage.chip_ms, usage.open_ms) == (3_600_000, 3_000_000)
    chip, bound = known_chips().find(H100), meter_usage(usage).bound
    assert chip is not None
    assert bound is not None
    assert bound.high == 3600 * chip.fastest_peak_flop_per_s


def test_withheld_telemetry_of_a_host_opens_the_chips_that_nobody_names(
    summed: Callable[..., dict[str, list[Usage]]],
) -> None:
    """One chip of two on a silent host, and two that no telemetry knows: the latter are open from the start."""
    seen = [device(f"GPU-{n}", host="n", **SILENT) for n in "ab"]
    (some,) = summed(seen, [record(hosts=("n",), **OPEN)])["j"]
    assert (some.chip_ms, some.open_ms) == (3_600_000, 3_000_000)
    (unknown,) = summed([], [record(chips=2, hosts=("m",), **OPEN)])["j"]
    assert unknown.chip_ms == unknown.open_ms == 2 * 3_600_000


def test_a_job_that_runs_and_reports_is_not_open(
    summed: Callable[..., dict[str, list[Usage]]],
) -> None:
    """Readings that are a few minutes late are no silence; nor is a record that says its end."""
    late = device("GPU-a", first=NOON, last=NOON.plus(3000))
    (running,) = summed([late], [record(devices=("GPU-a",), **OPEN)])["j"]
    assert (running.chip_ms, running.open_ms) == (3_600_000, 0)
    (ended,) = summed([device("GPU-a", **SILENT)], [record(devices=("GPU-a",), chip=H100)])["j"]
    assert (ended.chip_ms, ended.open_ms) == (3_600_000, 0)


def test_two_records_of_one_job_are_one_where_one_is_open_and_silent(
    summed: Callable[..., dict[str, list[Usage]]],
) -> None:
    """The time is counted once, and not as open: a record with an end covers it."""
    first = record(devices=("GPU-a",), chip=H100)
    again = record(devices=("GPU-a",), start=NOON.plus(-60), **OPEN)
    (usage,) = summed([device("GPU-a", **SILENT)], [first, again])["j"]
    assert (usage.chip_ms, usage.open_ms, usage.overlapped_ms) == (3_600_000, 0, 0)


def clocked(chip: str, clock_khz: int) -> Usage:
    """An hour with one reading of a second at this clock."""
    return Usage(
        job="j",
        site="s",
        chip=chip,
        start=NOON,
        end=NOON.plus(3600),
        devices=1,
        chip_ms=3_600_000,
        readings=1,
        clock_ms=1000,
        clock_work=clock_khz * 1000,
        clock_max_khz=clock_khz,
    )


@pytest.mark.parametrize(
    ("chip", "most"), [(H100, Fraction(1980 * 11, 1830 * 10)), ("RTX 6000 Ada", Fraction(5, 4))]
)
def test_one_sample_of_5_ghz_does_not_scale_the_bound_of_an_hour(chip: str, most: Fraction) -> None:
    """What a part cannot run at is set aside: the bound goes no further than it can, with a note and a finding."""
    level, fast = (meter_usage(clocked(chip, khz)) for khz in (1_000_000, 5_000_000))
    assert level.bound is not None
    assert fast.bound is not None
    assert Fraction(fast.bound.high, level.bound.high) == pytest.approx(most, rel=1e-6)
    assert fast.findings == ("a clock above what the chip can run at",)
    assert any("set aside as doubtful" in note for note in fast.notes)
    assert level.findings == ()


def test_an_account_of_the_year_one_names_the_flag(
    booked: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The flag and what to write; a window that reaches before all readings is just long."""
    assert booked("account", "--from", "0001-01-01") == 2
    told = capsys.readouterr().err
    assert "--from" in told
    assert "write 1970-01-01" in told
    assert booked("account", "--window", "9999d") == 0


def test_a_second_record_without_any_place_does_not_replace_the_first() -> None:
    """Two records of one job and start with neither devices nor hosts: nobody can say that they are one."""
    table = (
        b"job,start,end,chips\n"
        b"j,2026-11-01T00:00:00Z,2026-11-01T01:00:00Z,8\n"
        b"j,2026-11-01T00:00:00Z,2026-11-01T01:00:00Z,1\n"
    )
    found = parse_allocations_csv(table, site="s")
    assert [one.chips for one in found.allocations] == [8]
    assert found.refused[0].first.startswith("line 3, job j: another record")


def test_a_device_of_refused_samples_alone_takes_no_time(tmp_path: Path) -> None:
    """It is kept with its first reading that stands, also where that comes in a later delivery, and not before."""
    telemetry = ParquetTelemetry(str(tmp_path / "t"))

    def take(power: float) -> list[str]:
        row = f"{NOON.us // 1_000_000},GPU-a,H100,{power}\n"
        body = f"timestamp,device,chip,power_w\n{row}".encode()
        telemetry.take("csv", body, site="s", received=NOON)
        return [one.device for one in telemetry.load_devices()]

    assert take(-5) == take(-6) == []
    assert take(500) == ["GPU-a"]


@pytest.fixture
def silenced(tmp_path: Path) -> Callable[..., int]:
    """A store in which a device with an open job reported for ten minutes, two hours ago."""
    settings = Settings(home=tmp_path / "home", trust_file=tmp_path / "trust", language="en")
    start = SystemClock().now().us // 1_000_000 - 7_200
    rows = [f"{start + at},GPU-a,H100,500" for at in range(0, 600, 10)]
    tables = {
        "t.csv": ["timestamp,device,chip,power_w", *rows],
        "j.csv": ["job,start,chips,devices", f"j,{start},1,GPU-a"],
    }
    for name, lines in tables.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")

    def say(*words: str) -> int:
        return call(["meter", *words, "--store", str(tmp_path / "st")], settings)

    where = ("--format", "csv", "--site", "s")
    assert say("ingest", str(tmp_path / "t.csv"), *where) == 0
    assert say("jobs", str(tmp_path / "j.csv"), *where) == 0
    return say


def test_an_exporter_that_is_stopped_is_said_beside_the_account(
    silenced: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Two hours are bounded, what no reading shows is named, and the account is not settled."""
    capsys.readouterr()
    assert silenced("account") == 3
    assert "open record: 1.8" in capsys.readouterr().out
    assert silenced("account", "--json") == 3
    (found,) = json.loads(capsys.readouterr().out)["keys"]
    assert 7_200 <= float(found["total"]["chip_seconds"]) < 7_300
    assert 6_600 <= float(found["total"]["open_chip_seconds"]) < 6_700


def test_a_job_that_just_runs_fails_no_account_of_whole_devices(
    silenced: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """While its device still reports an open record is unverifiable, and never a failure."""
    capsys.readouterr()
    end = SystemClock().now().plus(-7_200 + 300)
    assert silenced("whole", "--from", str(end.plus(-120)), "--to", str(end), "--json") == 3
    told = json.loads(capsys.readouterr().out)
    assert [row["kind"] for row in told["findings"]] == ["open allocation"]
