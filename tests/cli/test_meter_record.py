"""The recorder as a user starts it, on a stand-in for NVML."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sekisho.model.telemetry import FIELDS
from tests.nvml_stubs import build_stub, environment, read_rows, record

pytestmark = pytest.mark.nvml


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_stub(tmp_path_factory.mktemp("nvml"))


def test_each_device_gives_one_row_for_each_reading(stub: Path, tmp_path: Path) -> None:
    """Two devices at ten readings a second for one second are twenty rows in the store's own units."""
    out = tmp_path / "a.csv"
    code, answer, _ = record(stub, "gpus=2", out, "--hz", "10", "--for", "1s")
    rows = read_rows(out)
    assert (code, answer["rows"], len(rows)) == (0, 20, 20)
    first = rows[0]
    assert first["chip"] == "NVIDIA H100 80GB HBM3"
    assert first["device"] == "GPU-00000000-0000-0000-0000-000000000000"
    assert (first["tensor_ppm"], first["sm_clock_khz"]) == ("555000", "1755000")
    assert (first["power_mw"], first["util_ppm"]) == ("600000", "900000")
    assert first["nvlink_tx"] == str(61 * 1024 * 1024)


def test_a_metric_that_the_part_lacks_stays_empty(stub: Path, tmp_path: Path) -> None:
    """What GPM answers as unsupported is an empty field, and no zero."""
    out = tmp_path / "a.csv"
    record(stub, "gpus=1", out, "--for", "1s")
    assert [row["fp64_ppm"] for row in read_rows(out)] == [""]


def test_before_hopper_activity_is_not_measured_and_said_so(stub: Path, tmp_path: Path) -> None:
    """Without GPM there is utilisation and clock, no tensor activity, and the answer names why."""
    out = tmp_path / "a.csv"
    code, answer, _ = record(stub, "gpus=1,no-gpm,no-energy", out, "--for", "1s")
    row = read_rows(out)[0]
    assert code == 0
    assert (row["tensor_ppm"], row["energy_mj"], row["util_ppm"]) == ("", "", "900000")
    assert set(answer["not_measured"]) == {"tensor_ppm", "energy_mj"}
    assert "Hopper" in answer["not_measured"]["tensor_ppm"]


def test_a_rented_container_without_permission_still_gives_the_nvml_tier(
    stub: Path, tmp_path: Path
) -> None:
    """Profiling that is not permitted leaves clock and utilisation, and names the fields that are missing."""
    out = tmp_path / "a.csv"
    _, answer, _ = record(stub, "gpus=1,no-permission", out, "--for", "1s")
    assert set(answer["not_measured"]) == {"tensor_ppm", "power_mw"}
    assert read_rows(out)[0]["sm_clock_khz"] == "1755000"


def test_a_device_that_falls_off_the_bus_leaves_a_gap(stub: Path, tmp_path: Path) -> None:
    """A lost device has no more rows, the other goes on, and the answer counts the silence."""
    out = tmp_path / "a.csv"
    _, answer, _ = record(stub, "gpus=2,lost-after=5", out, "--hz", "10", "--for", "1s")
    count = dict.fromkeys("01", 0)
    for row in read_rows(out):
        count[row["device"][-1]] += 1
    assert count["0"] == 10
    assert count["1"] < 10
    assert answer["lost"]["GPU is lost"] == 10 - count["1"]


def test_slices_are_read_one_by_one_and_the_whole_is_not(stub: Path, tmp_path: Path) -> None:
    """A device that is split gives a row for each slice, named after its instance, with its share."""
    out = tmp_path / "a.csv"
    _, answer, _ = record(stub, "gpus=1,mig=2", out, "--for", "1s")
    names = {row["device"].rpartition("/")[2] for row in read_rows(out)}
    assert names == {"3", "5"}
    assert {(d["slices"], d["slices_of"]) for d in answer["devices"]} == {(2, 7)}
    assert all(row["sm_clock_khz"] and not row["power_mw"] for row in read_rows(out))


def test_an_xid_error_stands_in_the_row_in_which_it_came(stub: Path, tmp_path: Path) -> None:
    """The error's code is in one row of its device, and in no row of another."""
    out = tmp_path / "a.csv"
    record(stub, "gpus=2,xid-after=4", out, "--hz", "10", "--for", "1s")
    assert [row["xid"] for row in read_rows(out) if row["xid"]] == ["31"]


def test_a_reading_that_takes_too_long_is_left_out_and_counted(stub: Path, tmp_path: Path) -> None:
    """A driver slower than the pace costs readings and repeats none."""
    out = tmp_path / "a.csv"
    _, answer, _ = record(stub, "gpus=1,slow-us=250000", out, "--hz", "10", "--for", "1s")
    stamps = [row["timestamp"] for row in read_rows(out)]
    assert answer["late"] > 0
    assert len(set(stamps)) == len(stamps) < 10


def test_a_host_without_driver_is_told_what_is_missing(stub: Path, tmp_path: Path) -> None:
    """No driver: exit 4 with a remedy, and no file is left behind."""
    out = tmp_path / "a.csv"
    code, _, said = record(stub, "no-driver", out, "--for", "1s")
    assert code == 4
    assert "driver" in said
    assert not out.exists()


def test_a_recording_is_never_written_over(stub: Path, tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    out = tmp_path / "a.csv"
    out.write_text("mine")
    code, _, said = record(stub, "gpus=1", out, "--for", "1s")
    assert (code, out.read_text()) == (2, "mine")
    assert "name a new file" in said


@pytest.mark.parametrize("hz", ["0", "11"])
def test_a_pace_out_of_range_is_refused(stub: Path, tmp_path: Path, hz: str) -> None:
    """Less than one and more than ten readings a second are refused with the range."""
    code, _, said = record(stub, "gpus=1", tmp_path / "a.csv", "--hz", hz, "--for", "1s")
    assert code == 2
    assert "1 to 10" in said


def test_an_interrupt_ends_the_recording_with_whole_lines(stub: Path, tmp_path: Path) -> None:
    """Ctrl-C answers like an end that was planned, and the last line is whole."""
    out = tmp_path / "a.csv"
    words = [
        sys.executable,
        "-m",
        "sekisho.cli",
        "meter",
        "record",
        "--out",
        str(out),
        "--hz",
        "10",
    ]
    with subprocess.Popen(
        words, env=environment(stub, "gpus=1"), stdout=subprocess.PIPE
    ) as running:
        until = time.monotonic() + 60
        while (not out.exists() or out.stat().st_size < 500) and time.monotonic() < until:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 0
    rows = read_rows(out)
    assert rows
    assert all(None not in row.values() and len(row) == 4 + len(FIELDS) for row in rows)
