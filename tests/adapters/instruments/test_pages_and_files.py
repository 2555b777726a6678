"""DCGM's page, a collector's power file and a facility meter's rows, as files that something else writes."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from sekisho.adapters.instruments.bmc import PowerFile, parse_redfish_power
from sekisho.adapters.instruments.dcgm_page import DcgmPage, parse_dcgm_page
from sekisho.adapters.instruments.figures import parse_figure, round_figure
from sekisho.adapters.instruments.meter_file import FacilityMeter
from sekisho.adapters.instruments.nvml_rest import NvmlInstrument
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.instants import Instant
from sekisho.ports.device_census import SeenDevice, SeenProcess

T0 = Instant.parse("2026-01-31T10:00:00Z")
PAGE = b"""# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",device="nvidia0",Hostname="h"} 0
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",device="nvidia1",Hostname="h"} 97
DCGM_FI_PROF_PIPE_TENSOR_ACTIVE{gpu="1",UUID="GPU-b",device="nvidia1",Hostname="h"} 0.41207
DCGM_FI_PROF_SM_ACTIVE{gpu="1",UUID="GPU-b",device="nvidia1",Hostname="h"} 0.9
DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-b",device="nvidia1",Hostname="h"} 412.5
DCGM_FI_DEV_SM_CLOCK{gpu="1",UUID="GPU-b",device="nvidia1",Hostname="h"} 1980
"""


def test_a_dcgm_page_gives_shares_in_percent_and_power_in_watts() -> None:
    """By the names and units of the telemetry's table; what does not speak of work is passed over."""
    shown = parse_dcgm_page(PAGE, measured=T0, version="", path="page")
    assert [(s.quantity, s.device, s.value) for s in shown] == [
        ("gpu-util", "GPU-a", Decimal("0.000")),
        ("gpu-util", "GPU-b", Decimal("97.000")),
        ("tensor-active", "GPU-b", Decimal("41.207")),
        ("sm-active", "GPU-b", Decimal("90.000")),
        ("power", "GPU-b", Decimal("412.500")),
    ]
    assert {s.measured for s in shown} == {T0}


def test_each_whole_percent_is_read_as_itself() -> None:
    """What an exporter prints at the very level of rest is not read as just above it."""
    for percent in range(101):
        page = b'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-a"} %d\n' % percent
        (shown,) = parse_dcgm_page(page, measured=T0, version="", path="page")
        assert shown.value == percent


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"up 1\n",
        b'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-a"} NaN\n',
        b'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-a"} -3\n',
        b"DCGM_FI_DEV_GPU_UTIL 3\n",
        b'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-a" 3\n',
        PAGE + b'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-a"} +Inf\n',
    ],
    ids=["empty", "another exporter", "NaN", "below zero", "no device", "broken", "infinite"],
)
def test_a_page_that_cannot_be_read_is_no_page_at_rest(body: bytes) -> None:
    """One bad line makes all of it unreadable: it might be the one that shows work."""
    with pytest.raises(InvalidInput):
        parse_dcgm_page(body, measured=T0, version="", path="page")


def test_a_dcgm_file_speaks_of_when_it_was_written(tmp_path: Path) -> None:
    """A collector that stopped leaves an old file, and its age is what is judged."""
    file = tmp_path / "dcgm.prom"
    file.write_bytes(PAGE)
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert DcgmPage(file=file).read(T0)[0].measured == Instant.from_seconds(1_000_000_000)
    with pytest.raises(Unavailable):
        DcgmPage(file=tmp_path / "gone").read(T0)


def test_a_dcgm_page_of_another_machine_is_refused() -> None:
    """Plain HTTP over a network is anybody's word."""
    for url in ("http://10.0.0.7:9400/metrics", "https://127.0.0.1/metrics", "file:///x"):
        with pytest.raises(InvalidInput, match="not on this machine"):
            DcgmPage(url=url)


def test_a_collectors_power_file_gives_watts_and_their_time(tmp_path: Path) -> None:
    """And says which field cannot be read."""
    file = tmp_path / "bmc.json"
    file.write_text('{"at": "2026-01-31T10:00:00Z", "watts": 412.5}')
    (shown,) = PowerFile(file).read(T0)
    assert (shown.value, shown.measured, shown.device) == (Decimal("412.500"), T0, None)
    for bad in ("{}", "[]", '{"at": "now", "watts": 1}', '{"at": "2026-01-31T10:00:00Z"}', "{"):
        file.write_text(bad)
        with pytest.raises(InvalidInput):
            PowerFile(file).read(T0)
    file.write_text('{"at": "2026-01-31T10:00:00Z", "watts": true}')
    with pytest.raises(InvalidInput, match="no number of watts"):
        PowerFile(file).read(T0)


def test_both_forms_of_redfish_power_are_read() -> None:
    """Of several controls the largest counts: they are parts, or one repeats the whole."""
    metrics = b'{"PowerWatts": {"Reading": 374.25}}'
    power = b'{"PowerControl": [{"PowerConsumedWatts": 344}, {"PowerConsumedWatts": 500}]}'
    assert parse_redfish_power(metrics, path="x")[0].value == Decimal("374.250")
    assert parse_redfish_power(power, path="x")[0].value == Decimal("500.000")
    for bad in (b"{}", b'{"PowerControl": []}', b'{"PowerWatts": {"Reading": null}}', b"[]"):
        with pytest.raises(InvalidInput):
            parse_redfish_power(bad, path="x")


ROWS = """at,site,watts
2026-01-31T09:59:00Z,a,9000
2026-01-31T10:01:00Z,a,350
2026-01-31T10:02:00Z,a,8000
2026-01-31T10:03:00Z,a,340
2026-01-31T10:04:00Z,a,77"""


def test_a_meter_shows_every_whole_row_since_the_halt(tmp_path: Path) -> None:
    """Work between two observations shows; a row that is still being written is not read."""
    file = tmp_path / "meter.csv"
    file.write_text(ROWS)
    shown = FacilityMeter(file).read(T0)
    assert [s.value for s in shown] == [350, 8000, 340]
    kilo = FacilityMeter(file, unit="kW").read(T0)
    assert kilo[1].value == Decimal(8_000_000)
    with pytest.raises(Unavailable, match="no sample since"):
        FacilityMeter(file).read(T0.plus(3_600))


@pytest.mark.parametrize(
    "text",
    [
        "at,site\n2026-01-31T10:01:00Z,a\n",
        "at,watts\n2026-01-31T10:01:00Z,many\n",
        "at,watts\nyesterday,350\n",
        "at,watts\n2026-01-31T10:01:00Z\n",
        "at,watts\n2026-01-31T10:01:00Z,1e400\n",
        "at,watts\n2026-01-31T10:01:00Z,nan\n",
    ],
)
def test_a_meter_with_one_bad_row_shows_nothing(tmp_path: Path, text: str) -> None:
    """It might be the row that shows work."""
    file = tmp_path / "meter.csv"
    file.write_text(text)
    with pytest.raises(InvalidInput):
        FacilityMeter(file).read(T0)


class Census:
    """Devices as a driver might show them."""

    def __init__(self, *devices: SeenDevice) -> None:
        self._devices = devices

    def seen(self) -> tuple[SeenDevice, ...]:
        return self._devices


def test_nvml_shows_utilisation_power_and_holders() -> None:
    """Percent and watts from millionths and milliwatts."""
    device = SeenDevice(
        device="GPU-a", util_ppm=970_000, power_mw=412_500, processes=(SeenProcess(pid=77),)
    )
    util, power = NvmlInstrument(Census(device)).read(T0)
    assert (util.quantity, str(util.value), util.holders) == ("gpu-util", "97", (77,))
    assert (power.quantity, power.value) == ("power", Decimal("412.5"))


@pytest.mark.parametrize(
    "devices",
    [(), (SeenDevice(device="GPU-a", lost="fell off"),), (SeenDevice(device="GPU-a"),)],
    ids=["none", "lost", "shows nothing"],
)
def test_nvml_without_an_answer_is_unavailable(devices: tuple[SeenDevice, ...]) -> None:
    """One silent device makes the whole reading unavailable: it might be the busy one."""
    with pytest.raises(Unavailable):
        NvmlInstrument(Census(*devices)).read(T0)


def test_a_figure_is_never_rounded_down_to_rest() -> None:
    """A thousandth is the finest step, and everything above counts as the next one."""
    assert parse_figure("2.0001", path="x") == Decimal("2.001")
    assert round_figure(2.0000001, path="x") == Decimal("2.001")
    for bad in ("", "x", "-1", "1" * 41, "inf"):
        with pytest.raises(SekishoError):
            parse_figure(bad, path="x")
