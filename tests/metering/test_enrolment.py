"""Devices that a register holds: read from a table, accounted whether they report or not, held against telemetry."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from sekisho.metering.allotment import Allotment, DeviceAccount, SeenSpan, allot
from sekisho.metering.enrolment import EnrolledDevice, enrol, hold_against, parse_register
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, Period
from sekisho.model.telemetry import DeviceSeen

DAY = Period(Instant(0), Instant(86_400_000_000))
LATER = Instant(3_600_000_000)


def seen(name: str = "GPU-a", **changes: Any) -> DeviceSeen:
    fields = {"site": "osaka", "host": "n1", "chip": "H100", "first": LATER, "last": DAY.end}
    return DeviceSeen(device=name, **{**fields, **changes})


def account(devices: list[DeviceSeen], *register: EnrolledDevice) -> Allotment:
    """The day, in which readings show each device from its first to its last."""
    shown = [SeenSpan(device=d.device, start=d.first or DAY.start, end=DAY.end) for d in devices]
    found = allot(DAY, enrol(devices, register), [], shown)
    return hold_against(found, DAY, devices, register)


def whole_and_not_seen(account: DeviceAccount) -> tuple[Fraction | int, Fraction | int]:
    return account.device_ms, account.not_seen_ms


def test_register_is_read_in_any_order_of_columns() -> None:
    """A byte-order mark, capitals in the header and blank lines are no harm."""
    rows = parse_register(
        b"\xef\xbb\xbfSite,device,from\n\nosaka, GPU-a ,2026-03-14\nosaka,GPU-b,\n", "r.csv"
    )
    assert rows == (
        EnrolledDevice(
            device="GPU-a", site="osaka", start=Instant.parse("2026-03-14T00:00:00Z"), line=3
        ),
        EnrolledDevice(device="GPU-b", site="osaka", line=4),
    )


@pytest.mark.parametrize(
    ("register", "where"),
    [
        (b"", "r.csv:1"),
        (b"device,chip\nGPU-0,H100\n", "r.csv:1"),
        (b"device,site,rack\nGPU-0,osaka,7\n", "r.csv:1"),
        (b"device,site,site\nGPU-0,osaka,7\n", "r.csv:1"),
        (b"device,site\nGPU-0\n", "r.csv:2"),
        (b"device,site\n,osaka\n", "r.csv:2, device"),
        (b"device,site\nGPU-0,\n", "r.csv:2, site"),
        (b"device,site\nGPU\x1b[2J,osaka\n", "r.csv:2, device"),
        (b"device,site\n" + b"G" * 257 + b",osaka\n", "r.csv:2, device"),
        (b"device,site\nGPU-0,osaka\nGPU-0,osaka\n", "r.csv:3"),
        (b"device,site,from\nGPU-0,osaka,soon\n", "r.csv:2, from"),
        (b'device,site\n"GPU-0,osaka\n', "r.csv:2"),
        (b"device,site\n", "r.csv"),
        (b"device,site\n\xff,osaka\n", "r.csv"),
    ],
)
def test_row_that_cannot_be_read_is_named(register: bytes, where: str) -> None:
    """File, line and column of the first that is wrong."""
    with pytest.raises(InvalidInput) as caught:
        parse_register(register, "r.csv")
    assert caught.value.path == where


def test_device_counts_from_its_enrolment() -> None:
    """From the register's time where it has one, else for all of the period; what was seen before counts too."""
    row = EnrolledDevice(device="GPU-a", site="osaka")
    late = EnrolledDevice(device="GPU-a", site="osaka", start=Instant(7_200_000_000))
    (one,) = account([seen()], row).accounts
    assert whole_and_not_seen(one) == (86_400_000, 3_600_000)
    (one,) = account([seen()], late).accounts
    assert whole_and_not_seen(one) == (82_800_000, 0)
    (one,) = account([], late).accounts
    assert whole_and_not_seen(one) == (79_200_000, 79_200_000)


def test_slices_stand_for_their_enrolled_whole() -> None:
    """Enrolled under the whole's name, a device that reports as slices is one that is enrolled."""
    cut = seen("GPU-a/1", parent="GPU-a", slices=7, slices_of=7)
    found = account([cut], EnrolledDevice(device="GPU-a", site="osaka", chip="H100"))
    (one,) = found.accounts
    assert one.device == "GPU-a"
    assert one.unattributed_ms == 82_800_000
    assert found.findings == ()


def test_slice_is_not_enrolled() -> None:
    """Its whole is: else its time would stand in two accounts."""
    cut = seen("GPU-a/1", parent="GPU-a", slices=3, slices_of=7)
    with pytest.raises(InvalidInput, match="slice of GPU-a"):
        enrol([cut], [EnrolledDevice(device="GPU-a/1", site="osaka")])


@pytest.mark.parametrize("column", ["site", "host", "chip"])
def test_what_is_not_as_enrolled_fails(column: str) -> None:
    """One finding for each difference and no second one for the same; blank in the register says nothing."""
    row = msgspec.structs.replace(EnrolledDevice(device="GPU-a", site="osaka"), **{column: "other"})
    (finding,) = account([seen()], row).findings
    assert (finding.kind, finding.verdict, finding.start) == ("not as enrolled", "fails", LATER)
    assert finding.why.startswith(f"{column}: the register says other")


def test_device_that_comes_after_the_period_is_no_finding() -> None:
    """Who reports for the first time tomorrow need not be enrolled today."""
    after = seen("GPU-b", first=DAY.end)
    row = EnrolledDevice(device="GPU-a", site="osaka")
    assert account([seen(), after], row).findings == ()
