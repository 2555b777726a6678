"""`sekisho meter account`, `windows` and `export`: figures, crossings, forecasts and events, for people and scripts."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.cli.main import call
from sekisho.metering.accounts.cloud_events import CSV_COLUMNS, check_cloud_event
from sekisho.settings import Settings

Capture = pytest.CaptureFixture[str]
DEVICES = ("GPU-0", "GPU-1")
JOBS = """job,start,end,chips,devices,customer,run
41,2026-02-01T00:00:00Z,2026-02-01T01:30:00Z,1,GPU-0,acme,gpt
42,2026-02-01T00:00:00Z,2026-02-01T02:00:00Z,1,GPU-1,beta,
"""
TABLE = """job,customer,start,end,chips,chip
a1,Acme,2026-01-20T00:00:00Z,2026-01-30T00:00:00Z,64,H100 SXM
a2,Acme,2026-01-28T00:00:00Z,2026-02-05T00:00:00Z,64,H100 SXM
b1,Beta,2026-01-01T00:00:00Z,2026-01-10T00:00:00Z,8,Nonesuch
"""


class Hand:
    """Somebody's command line in a folder of their own."""

    def __init__(self, folder: Path, capsys: Capture) -> None:
        self.folder, self._capsys = folder, capsys

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def say(self, *words: str, language: str = "en") -> tuple[int, str]:
        settings = Settings(
            home=self.folder / "home",
            trust_file=self.folder / "trust",
            language="ja" if language == "ja" else "en",
        )
        self._capsys.readouterr()
        code = call(["meter", *words], settings)
        captured = self._capsys.readouterr()
        return code, captured.out or captured.err

    def answer(self, *words: str, code: int = 0) -> Any:
        found, out = self.say(*words, "--json")
        assert found == code, out
        return json.loads(out)


@pytest.fixture
def hand(tmp_path: Path, capsys: Capture) -> Hand:
    return Hand(tmp_path, capsys)


@pytest.fixture
def store(hand: Hand) -> str:
    """Two hours of two H100 at half speed, and who had them."""
    rows = ["timestamp,device,chip,host,tensor_active,sm_clock_mhz,power_w,gpu_util"]
    rows += [
        f"2026-02-01T0{minute // 60}:{minute % 60:02d}:00Z,{device},NVIDIA H100 80GB HBM3,h1,0.45,1700,600,98"
        for minute in range(120)
        for device in DEVICES
    ]
    place = str(hand.folder / "store")
    telemetry, jobs = hand.file("t.csv", "\n".join(rows) + "\n"), hand.file("j.csv", JOBS)
    where = ("--site", "tokyo", "--store", place, "--format", "csv")
    assert hand.say("ingest", telemetry, *where)[0] == 0
    assert hand.say("jobs", jobs, *where)[0] == 0
    return place


FEBRUARY = ("--from", "2026-02-01", "--to", "2026-02-02")


def test_an_account_has_figures_by_key_and_window_and_crossings(hand: Hand, store: str) -> None:
    """Bound from allocation at peak, estimate from the tensor pipe, the time that nobody claims."""
    found = hand.answer(
        "account", "--store", store, *FEBRUARY, "--window", "1h", "--threshold", "7e18"
    )
    by_key = {row["key"]: row for row in found["keys"]}
    assert list(by_key) == ["", "acme", "beta"]
    acme = by_key["acme"]["total"]
    assert acme["bound_high"] == str(5_400 * 1_979 * 10**12)
    assert int(acme["estimate_low"]) <= int(acme["estimate_best"]) <= int(acme["bound_high"])
    assert acme["tiers"] == ["2"]
    assert acme["not_measured"] == {"entries": 0, "share": 0.0}
    sliding = [c for c in by_key["beta"]["crossings"] if c["window"] == "sliding"]
    assert [c["direction"] for c in sliding] == ["up", "down"]
    assert {c["figure"] for c in by_key["beta"]["crossings"]} == {"bound"}
    assert (found["unit"], found["counting"], found["engine"]) == (
        "FLOP",
        "max-over-formats",
        "duckdb",
    )


def test_an_account_for_a_person_shows_bars_and_instants(hand: Hand, store: str) -> None:
    """In both languages."""
    words = ("account", "--store", store, *FEBRUARY, "--window", "1h", "--threshold", "7e18")
    code, text = hand.say(*words)
    assert code == 0
    assert "acme: at most 1.07e19 FLOP" in text
    assert "█" in text
    assert "met 7.00e18 FLOP at" in text
    _, japanese = hand.say(*words, language="ja")
    assert "に到達" in japanese


def test_owners_are_those_of_the_table(hand: Hand, store: str) -> None:
    """Two customers of one holding are one."""
    owners = hand.file("owners.csv", "customer,owner\nacme,Holding\nbeta,Holding\n")
    words = ("account", "--store", store, *FEBRUARY, "--by", "owner", "--owners", owners)
    assert [row["key"] for row in hand.answer(*words)["keys"]] == ["", "Holding"]


def test_events_are_cloud_events_with_the_same_ids_again(hand: Hand, store: str) -> None:
    """One line each."""
    words = ("export", "--store", store, *FEBRUARY, "--origin", "provider.example")
    code, text = hand.say(*words)
    assert code == 0
    events = [json.loads(line) for line in text.splitlines()]
    for event in events:
        check_cloud_event(event)
    assert len(events) == len({event["id"] for event in events}) == 5
    assert hand.say(*words)[1] == text


def test_a_table_of_events_takes_no_formulas(hand: Hand, store: str) -> None:
    """A customer called =cmd is text in a spreadsheet."""
    jobs = JOBS.replace("acme", "=1+1").replace("01:30", "01:31")
    path = hand.file("evil.csv", jobs)
    hand.say("jobs", path, "--site", "tokyo", "--store", store, "--format", "csv")
    _, text = hand.say("export", "--store", store, *FEBRUARY, "--format", "csv")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == list(CSV_COLUMNS)
    customers = {row[CSV_COLUMNS.index("customer")] for row in rows[1:]}
    assert "'=1+1" in customers


def test_a_job_table_needs_no_store(hand: Hand) -> None:
    """The overlap of two jobs crosses in a sliding window and in no calendar one."""
    file = hand.file("jobs.csv", TABLE)
    words = ("windows", file, "--window", "14d", "--threshold", "1.6e23")
    found = hand.answer(*words, code=3)
    acme, beta = found["keys"]
    assert [c["window"] for c in acme["crossings"]] == ["sliding"]
    assert acme["crossings"][0]["is_whole"]
    assert beta["total"]["bound_high"] is None
    assert beta["total"]["not_measured"] == {"entries": 1, "share": 1.0}
    code, text = hand.say(*words)
    assert code == 3
    assert "NOT MEASURED: 1 of 1 entries have no bound" in text


def test_a_table_without_chips_is_in_chip_seconds(hand: Hand) -> None:
    """As the unit says; thresholds are in it too."""
    file = hand.file("jobs.csv", "job,start,end,chips\n1,0,100,4\n2,50,150,4\n")
    found = hand.answer("windows", file, "--window", "100s", "--threshold", "600")
    (key,) = found["keys"]
    assert (found["unit"], found["counting"]) == ("chip-second", None)
    assert key["total"]["bound_high"] == "800"
    ups = [c["at"] for c in key["crossings"] if c["window"] == "sliding"]
    assert ups[0] == "1970-01-01T00:01:40Z"


def test_a_bad_row_is_named_and_a_correction_is_shown(hand: Hand) -> None:
    """Exit 2 for the row; the lowering is said in the document and in words."""
    file = hand.file(
        "jobs.csv",
        "job,start,end,chips,id,recorded,replaces\n"
        "1,0,100,4,first,2026-01-01T00:00:00Z,\n"
        "1,0,100,1,second,2026-01-02T00:00:00Z,first\n"
        "2,9,8,1,third,2026-01-01T00:00:00Z,\n",
    )
    found = hand.answer("windows", file, "--window", "1d", code=2)
    assert found["errors"] == [{"line": 4, "error": "end: ends before it starts"}]
    (correction,) = found["corrections"]
    assert (correction["bound_change"], correction["lowers"]) == ("-300000000", True)
    _, text = hand.say("windows", file, "--window", "1d")
    assert "CORRECTED: entry second replaces first" in text
    before = hand.answer("windows", file, "--window", "1d", "--as-of", "2026-01-01", code=2)
    assert before["keys"][0]["total"]["bound_high"] == "400"
    assert before["corrections"] == []


@pytest.mark.parametrize(
    ("flags", "where"),
    [
        (["--by", "colour"], "--by"),
        (["--window", "30"], "--window"),
        (["--threshold", "many"], "--threshold"),
        (["--threshold", "0"], "threshold"),
        (["--window", "month", "--sliding"], "window"),
        (["--from", "2026-13-01"], "--from"),
        (["--counting", "guess"], "counting rule"),
        (["--owners", "missing.csv"], "missing.csv"),
    ],
)
def test_a_wrong_flag_is_named_with_its_remedy(hand: Hand, flags: list[str], where: str) -> None:
    """Exit 2."""
    file = hand.file("jobs.csv", TABLE)
    code, text = hand.say("windows", file, *flags)
    assert code == 2
    assert where in text


def test_a_forecast_reaches_from_now_and_says_what_it_rests_on(hand: Hand, store: str) -> None:
    """Nothing runs any more: not within the horizon."""
    words = ("account", "--store", store, "--from", "2026-02-01", "--window", "year")
    found = hand.answer(*words, "--threshold", "1e30")
    for row in found["keys"]:
        (foreseen,) = row["forecast"]
        assert foreseen["earliest"]["outlook"] == "not within the horizon"
        assert foreseen["earliest"]["rests_on"] == "nothing that runs now"


def test_a_time_of_which_nothing_is_known_is_not_measured(tmp_path: Path, capsys: Capture) -> None:
    """A store that was named wrongly is no account of nothing: 3, and what to check."""
    code, said = Hand(tmp_path, capsys).say("account", "--store", str(tmp_path / "nosuch"))
    assert (code, "not measured, which is not zero" in said) == (3, True)
