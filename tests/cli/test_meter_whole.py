"""`sekisho meter whole`: every device of a tiny fleet accounted to the millisecond, by figures worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sekisho.cli import main
from sekisho.settings import Settings
from tests.whole_fleet import HOUR, NOON, Fleet, readings

CALM = ("--from", "2026-03-14T12:40:00Z", "--to", "2026-03-14T13:00:00Z")
DARK = ("--from", "2026-03-14T12:31:00Z", "--to", "2026-03-14T13:00:00Z")


@pytest.fixture
def empty(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """GPU-0 reports for all of an hour, GPU-1 not from 12:30 to 12:40; two jobs share GPU-0 for a while.

    Built once: questions change nothing.
    """
    fleet = Fleet(tmp_path_factory.mktemp("whole"))
    fleet.report(
        *readings("GPU-0", 0, range(0, 3600, 10)),
        *readings("GPU-1", 1, [s for s in range(0, 3600, 10) if not 1800 <= s < 2400]),
    )
    fleet.lease(
        f"train,{NOON},{NOON.plus(1800.5)},1,GPU-0,",
        f"tune,{NOON.plus(1200.25)},{NOON.plus(2400)},1,GPU-0,",
        f"drill,{NOON.plus(600)},{NOON.plus(2100.125)},1,GPU-1,yes",
    )
    return fleet


def parts(row: dict[str, Any]) -> dict[str, int]:
    """What is not nothing, in milliseconds."""
    return {name[:-3]: row[name] for name in row if name.endswith("_ms") and row[name]}


def test_every_device_is_accounted_to_the_millisecond(fleet: Fleet) -> None:
    """Leased, exempt, unattributed and not seen are each device's hour; a job in a gap is dark beside it."""
    code, told = fleet.whole()
    assert code == 1
    first, second = told["devices"]
    assert (first["device"], first["site"], first["chip"]) == ("GPU-0", "osaka", "H100")
    assert parts(first) == {
        "device": 3_600_000,
        "leased": 2_400_000,
        "unattributed": 1_200_000,
        "overlapped": 600_250,
    }
    assert parts(second) == {
        "device": 3_600_000,
        "exempt": 1_500_125,
        "unattributed": 1_800_000,
        "not_seen": 299_875,
        "dark": 300_125,
    }
    assert (first["shares"]["leased"], second["shares"]["not_seen"]) == ("2/3", "2399/28800")


def test_total_is_the_sum_of_the_devices(fleet: Fleet) -> None:
    """Of two chip-hours, in milliseconds and as exact shares."""
    total = fleet.whole()[1]["total"]
    assert total["devices"] == 2
    assert parts(total) == {
        "device": 7_200_000,
        "leased": 2_400_000,
        "exempt": 1_500_125,
        "unattributed": 3_000_000,
        "not_seen": 299_875,
        "overlapped": 600_250,
        "dark": 300_125,
    }
    assert total["shares"]["leased"] == "1/3"


def test_overlap_is_a_finding_with_its_reason(fleet: Fleet) -> None:
    """Both jobs, the device, from when to when and what follows from it."""
    (finding,) = fleet.whole()[1]["findings"]
    assert (finding["kind"], finding["verdict"]) == ("overlap", "fails")
    assert (finding["device"], finding["jobs"]) == ("GPU-0", ["train", "tune"])
    assert (finding["start"], finding["end"]) == (
        "2026-03-14T12:20:00.250Z",
        "2026-03-14T12:30:00.500Z",
    )
    assert "counts to each one's bound" in finding["why"]


@pytest.mark.parametrize(
    ("span", "code", "verdict"), [(HOUR, 1, "fails"), (DARK, 3, "unverifiable"), (CALM, 0, "holds")]
)
def test_exit_code_says_the_worst(
    fleet: Fleet, span: tuple[str, ...], code: int, verdict: str
) -> None:
    """1 for a finding, 3 where something was not seen, 0 where every millisecond is accounted by evidence."""
    found, told = fleet.whole(*span)
    assert (found, told["verdict"]) == (code, verdict)


def test_enrolled_device_that_never_reported_is_not_seen(fleet: Fleet) -> None:
    """It is in the account for all of the period, and none of it is zero or idle."""
    register = ["GPU-0,osaka,H100,n1", "GPU-1,osaka,,", "GPU-2,osaka,H100,n2"]
    code, told = fleet.whole(*CALM, enrolled=register)
    assert (code, [row["device"] for row in told["devices"]]) == (3, ["GPU-0", "GPU-1", "GPU-2"])
    assert parts(told["devices"][2]) == {"device": 1_200_000, "not_seen": 1_200_000}
    assert told["findings"] == []


def test_enrolled_device_counts_from_the_start_of_the_period(empty: Fleet) -> None:
    """Its time before its first reading is not seen; without a register it begins with that reading."""
    empty.report(*readings("GPU-0", 0, range(600, 3600, 10)))
    assert parts(empty.whole()[1]["total"]) == {"device": 3_000_000, "unattributed": 3_000_000}
    told = empty.whole(enrolled=["GPU-0,osaka,H100,n1"])[1]
    assert parts(told["total"]) == {
        "device": 3_600_000,
        "unattributed": 3_000_000,
        "not_seen": 600_000,
    }


def test_register_and_telemetry_that_differ_are_a_finding(fleet: Fleet) -> None:
    """Another chip or host than enrolled fails; a device that nobody enrolled is named."""
    code, told = fleet.whole(*CALM, enrolled=["GPU-0,osaka,A100,n1"])
    assert code == 1
    assert [(f["kind"], f["verdict"], f["device"]) for f in told["findings"]] == [
        ("not as enrolled", "fails", "GPU-0"),
        ("not enrolled", "unverifiable", "GPU-1"),
    ]
    assert "the register says A100, telemetry says H100" in told["findings"][0]["why"]


def test_share_of_a_slice_is_exact(empty: Fleet) -> None:
    """Three of seven slices leased: whole milliseconds that add up, and the share without a rounding."""
    empty.report(*readings("GPU-0/1", 0, range(0, 3600, 10), profile="3g.40gb"))
    empty.lease(f"serve,{NOON},{NOON.plus(3600)},1,GPU-0/1,")
    code, told = empty.whole()
    assert (code, told["devices"][0]["shares"]["leased"]) == (3, "3/7")
    assert parts(told["total"]) == {
        "device": 3_600_000,
        "leased": 1_542_857,
        "not_seen": 2_057_143,
    }


def test_allocation_without_an_end_is_a_finding(empty: Fleet) -> None:
    """It counts to the device's last reading, and is named; that one is missing is unverifiable, and fails nothing."""
    empty.report(*readings("GPU-0", 0, range(0, 1800, 10)))
    empty.lease(f"train,{NOON.plus(600)},,1,GPU-0,")
    code, told = empty.whole()
    assert (code, [f["kind"] for f in told["findings"]]) == (3, ["open allocation"])
    assert parts(told["total"]) == {
        "device": 3_600_000,
        "leased": 1_200_000,
        "unattributed": 600_000,
        "not_seen": 1_800_000,
    }


def test_silence_of_days_is_not_seen(empty: Fleet) -> None:
    """A device that reported before and after the period and not within it was not seen in it."""
    empty.report(
        *readings("GPU-0", 0, [*range(-300_000, -299_900, 10), *range(300_000, 300_100, 10)])
    )
    code, told = empty.whole()
    assert (code, parts(told["total"])) == (3, {"device": 3_600_000, "not_seen": 3_600_000})


def test_empty_store_is_not_measured(empty: Fleet) -> None:
    """No device at all is no account that holds."""
    code, told = empty.whole()
    assert (code, told["verdict"], told["total"]["shares"]) == (3, "unverifiable", None)
    assert "nothing was measured" in empty.call("whole", *HOUR, as_json=False)[1]


def test_register_that_cannot_be_read_names_the_line(empty: Fleet) -> None:
    """Bad input ends with 2, also a MIG slice: the whole is what must be accounted."""
    empty.report(*readings("GPU-0/1", 0, range(0, 60, 10), profile="3g.40gb"))
    code, told = empty.whole(enrolled=["GPU-7,osaka,,", ",osaka,,"])
    assert (code, "register.csv:3, device" in str(told["error"])) == (2, True)
    code, told = empty.whole(enrolled=["GPU-0/1,osaka,,"])
    assert (code, "enrol the whole device" in str(told["error"])) == (2, True)


def test_period_that_is_empty_or_ahead_of_now_is_refused(empty: Fleet) -> None:
    """Nothing is accounted before it happened."""
    assert empty.whole("--from", "2026-03-15", "--to", "2026-03-14")[0] == 2
    assert empty.whole("--from", "9000-01-01", "--to", "9000-01-02")[0] == 2


def test_picture_shows_every_part_in_both_languages(fleet: Fleet) -> None:
    """Forty cells in proportion with their hours and shares, and the overlap in words."""
    code, text = fleet.call("whole", *HOUR, as_json=False)
    assert code == 1
    bars = {line[:42] for line in text.splitlines() if line.startswith("[")}
    assert bars == {
        f"[{'#' * 27}{'-' * 13}]",
        f"[{'=' * 17}{'-' * 20}{'.' * 3}]",
        f"[{'#' * 13}{'=' * 8}{'-' * 17}{'.' * 2}]",
    }
    assert "2 devices, 2.000 chip-hours" in text
    assert "leased 0.667 h (66.7 %)" in text
    assert "fails: overlap, GPU-0, train, tune, 2026-03-14T12:20:00.250Z to " in text


def test_words_are_japanese_where_asked(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """The same picture with Japanese words."""
    home = fleet.folder / "home"
    settings = Settings(home=home, trust_file=home / "t", language="ja")
    main.call(["meter", "whole", *HOUR, "--store", str(fleet.folder / "store")], settings)
    out = capsys.readouterr().out
    assert "観測なし" in out
    assert "帰属不明" in out


def test_small_part_is_neither_nothing_nor_lost(empty: Fleet) -> None:
    """A second of a device's hour has its cell, and reads as less than a tenth of a per cent."""
    empty.report(*readings("GPU-0", 0, range(0, 3600, 10)))
    empty.lease(f"train,{NOON},{NOON.plus(3599)},1,GPU-0,")
    _, text = empty.call("whole", *HOUR, as_json=False)
    assert f"[{'#' * 39}-]" in text
    assert "leased 1.000 h (>99.9 %), unattributed 0.000 h (<0.1 %)" in text


def test_refused_job_is_told_with_its_remedy(empty: Fleet) -> None:
    """What is wrong with a record, and what to write instead."""
    file = empty.write("jobs.csv", "job,start,end,chips,devices,exempt", ["a,soon,,1,GPU-0,"])
    code, text = empty.call("jobs", file, "--format", "csv", as_json=False)
    assert code == 2
    assert "remedy: write 2026-01-31T09:00:00Z" in text
