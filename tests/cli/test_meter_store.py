"""`sekisho meter ingest`, `jobs`, `compact`, `devices`, `gaps`, `retain`, `check`: outputs and exit codes."""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from sekisho.catalogue import say
from sekisho.cli import main
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Reason
from sekisho.settings import Settings

NOON = Instant.parse("2026-03-14T12:00:00Z")
HEAD = "timestamp,device,chip,power_w,gpu_util,tensor_active,sm_clock_mhz"
GOOD = [f"{NOON.plus(10 * n)},GPU-{n % 2},H100,400,97,0.5,1980" for n in range(40)]
SACCT = (
    "JobID|Start|End|AllocTRES|NodeList|State|Account\n"
    "7|2026-03-14T12:00:00|2026-03-14T12:10:00|gres/gpu=8,gres/gpu:h100=8|n1|COMPLETED|lab\n"
)
Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command on a store of this test's own and gives its code and document."""
    settings = Settings(home=tmp_path / "home", trust_file=tmp_path / "trust.json")

    def run(command: str, *arguments: str, store: str = "") -> tuple[int, Any]:
        place = ["--store", store or str(tmp_path / "store")]
        code = main.call(["meter", command, *arguments, *place, "--json"], settings)
        out = capsys.readouterr().out
        return code, json.loads(out)

    return run


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., str]:
    def write(*rows: str) -> str:
        path = tmp_path / "rows.csv"
        path.write_text("\n".join([HEAD, *rows, ""]), encoding="utf-8")
        return str(path)

    return write


def test_file_is_taken_in_and_told(call: Call, csv: Callable[..., str]) -> None:
    """What was taken by quantity, for which time, without gaps; the same again are duplicates."""
    code, told = call("ingest", "--format", "csv", csv(*GOOD), "--site", "osaka")
    assert code == 0
    assert (told["taken"], told["refused_count"], told["gaps"]) == (160, 0, [])
    assert (told["start"], told["end"]) == (str(NOON), str(Instant(NOON.plus(390).us + 1)))
    assert told["fields"]["power_mw"] == 40
    code, told = call("compact", "--site", "osaka")
    assert (code, told["days"]) == (0, [])


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (GOOD, 0),
        ([*GOOD, f"{NOON},GPU-0,H100,-5,97,0.5,1980"], 2),
        ([*GOOD, f"{NOON},GPU-0,H100,9223372036854775794,97,0.5,1980"], 3),
        (["1970-01-01T00:00:00Z,GPU-0,H100,400,97,0.5,1980"], 2),
        ([f"{NOON},GPU-0,H100,9223372036854775794,,,"], 2),
    ],
    ids=["all taken", "one bad", "one blank", "all bad", "all blank"],
)
def test_exit_code_says_what_was_refused(
    call: Call, csv: Callable[..., str], rows: list[str], code: int
) -> None:
    """2 for what is wrong, 3 for what the exporter did not measure, 2 where nothing was taken."""
    found, told = call("ingest", "--format", "csv", csv(*rows))
    assert (found, told["site"]) == (code, "local")
    assert bool(told["refused"]) == bool(code)
    assert all(refusal["first"] for refusal in told["refused"])


def test_gaps_are_listed_where_they_are(call: Call, csv: Callable[..., str]) -> None:
    """A hole in the file is told with its file; asked for, it ends with 3."""
    rows = [f"{NOON.plus(10 * n)},GPU-0,H100,400,97,0.5,1980" for n in (0, 1, 2, 3, 60, 61, 62)]
    code, told = call("ingest", "--format", "csv", csv(*rows))
    hole = {"device": "GPU-0", "start": str(NOON.plus(40)), "end": str(NOON.plus(600))}
    assert (code, told["gaps"], told["gaps_found"]) == (0, [hole], 1)
    span = ("--from", str(NOON), "--until", str(NOON.plus(630)))
    code, told = call("gaps", *span)
    assert (code, told["gaps"]) == (3, [{"site": "local", "energy_mj": None, **hole}])
    assert call("gaps", *span, "--site", "kobe") == (0, {"gaps": []})
    assert call("gaps", "--from", "2026-03-15", "--until", "2026-03-14")[0] == 2


def test_a_page_of_one_instant_has_no_gap_and_a_file_of_no_use_says_so(
    call: Call, csv: Callable[..., str], tmp_path: Path
) -> None:
    """Another device's silence is no gap of a page; columns that nobody knows end with 3."""
    call("ingest", "--format", "csv", csv(*GOOD))
    page = tmp_path / "page.prom"
    page.write_text('DCGM_FI_DEV_SM_CLOCK{gpu="0",UUID="GPU-9",modelName="H100"} 1980\n')
    code, told = call("ingest", "--format", "prometheus", str(page))
    assert (code, told["taken"], told["gaps"]) == (0, 1, [])
    idle = tmp_path / "idle.csv"
    idle.write_text(f"time,uuid,model,watt\n{NOON},GPU-0,H100,7\n")
    code, told = call("ingest", "--format", "csv", str(idle))
    assert (code, told["passed_over"]) == (3, 2)
    assert told["notes"][0] == "columns that metering does not use: model, watt"


def test_records_of_jobs_are_taken(call: Call, tmp_path: Path) -> None:
    """Sacct's text needs the zone of its clock; a second time nothing is new."""
    path = tmp_path / "jobs.txt"
    path.write_text(SACCT, encoding="utf-8")
    arguments = ("--format", "sacct", str(path), "--site", "osaka")
    assert call("jobs", *arguments, "--zone", "Asia/Tokyo")[1]["taken"] == 1
    code, told = call("jobs", *arguments, "--zone", "Asia/Tokyo")
    assert (code, told["taken"], told["duplicates"]) == (0, 0, 1)


def test_devices_are_listed(call: Call, csv: Callable[..., str]) -> None:
    """What telemetry named, with its chip and the time in which it was seen; by site."""
    call("ingest", "--format", "csv", csv(*GOOD), "--site", "osaka")
    code, told = call("devices")
    assert code == 0
    assert [(d["device"], d["chip"]) for d in told["devices"]] == [
        ("GPU-0", "H100"),
        ("GPU-1", "H100"),
    ]
    assert told["devices"][0]["first"] == str(NOON)
    assert call("devices", "--site", "kobe") == (0, {"devices": []})


def test_raw_rows_are_dropped_seen_in_the_trash_and_brought_back(
    call: Call, csv: Callable[..., str]
) -> None:
    """A dry run takes nothing; what was dropped is listed, undone, dropped again and emptied."""
    call("ingest", "--format", "csv", csv(*GOOD), "--site", "osaka")
    call("compact")
    code, told = call("retain", "--before", "2026-03-15", "--dry-run")
    assert (code, told["dry_run"], told["days"][0]["rows"]) == (0, True, 40)
    assert call("retain")[1] == {"trash": []}
    code, told = call("retain", "--before", "2026-03-15")
    assert (code, call("retain")[1]) == (0, {"trash": [told["trash"]]})
    assert call("retain", "--undo", told["trash"])[1]["days"] == [
        {"site": "osaka", "day": "2026-03-14"}
    ]
    _, told = call("retain", "--before", "2026-03-15")
    assert call("retain", "--empty", told["trash"])[1]["files"] == 1
    assert call("retain", "--empty", "../..")[0] == 2
    assert call("retain", "--before", "2026-03-15", "--undo", "x")[0] == 2
    assert call("check")[1]["verdict"] == "holds"


def test_held_days_end_with_one(call: Call, csv: Callable[..., str], tmp_path: Path) -> None:
    """What a sum in the log rests on is kept, and the command says so."""
    from sekisho.app.telemetry import open_telemetry
    from sekisho.ports.telemetry import UsageQuery

    call("ingest", "--format", "csv", csv(*GOOD), "--site", "osaka")
    telemetry = open_telemetry(str(tmp_path / "store"))
    usage = next(telemetry.sum_usage(UsageQuery(start=NOON, end=NOON.plus(3600))))
    telemetry.keep_evidence(usage.evidence, why="entry 17")
    code, told = call("retain", "--before", "2026-03-15")
    assert (code, told["days"], told["held"][0]["held_by"]) == (1, [], [usage.evidence])
    assert call("retain", "--before", "2026-03-15", "--even-held")[0] == 0


def test_changed_file_is_found(call: Call, csv: Callable[..., str], tmp_path: Path) -> None:
    """One changed byte fails the check, by name."""
    call("ingest", "--format", "csv", csv(*GOOD), "--site", "osaka")
    assert call("check")[0] == 0
    part = next((tmp_path / "store" / "minutes").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    code, told = call("check")
    assert (code, told["verdict"]) == (1, "fails")
    assert told["faults"][0]["path"] == str(part.relative_to(tmp_path / "store"))


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("ingest", ("--format", "xml", "F")),
        ("jobs", ("--format", "pbs", "F")),
        ("gaps", ("--from", "yesterday")),
        ("compact", ("--day", "today")),
        ("compact", ("--site", "../x")),
        ("retain", ("--before", "last year")),
    ],
)
def test_bad_input_ends_with_two(
    call: Call, csv: Callable[..., str], command: str, arguments: tuple[str, ...]
) -> None:
    """Words that mean nothing here are refused, with what to write instead."""
    file = csv(*GOOD)
    code, told = call(command, *(file if word == "F" else word for word in arguments))
    assert code == 2
    assert told["error"]["message"]


def test_person_is_told_in_both_languages(
    csv: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command has words for a person, in English and in Japanese."""
    store = ["--store", str(tmp_path / "store")]
    file = csv(*GOOD[:3], *GOOD[30:], f"{NOON},GPU-0,H100,-5,97,0.5,1980")
    for language, words in (("en", "samples taken"), ("ja", "取り込み")):
        home = tmp_path / "home"
        settings = Settings(home=home, trust_file=home / "t", language=language)  # type: ignore[arg-type]  # both are
        for command in (
            ["ingest", "--format", "csv", file],
            ["compact"],
            ["devices"],
            ["gaps", "--from", str(NOON), "--until", str(NOON.plus(400))],
            ["retain", "--before", "2026-03-15"],
            ["retain"],
            ["check"],
        ):
            main.call(["meter", *command, *store], settings)
        out = capsys.readouterr().out
        assert words in out
        assert "GPU-0" in out


def test_home_that_is_founded_has_a_store_of_its_own(
    csv: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --store the home's folder is meant, and without a home ./telemetry."""
    home = tmp_path / "home"
    settings = Settings(home=home, trust_file=tmp_path / "t")
    monkeypatch.chdir(tmp_path)
    command = ["meter", "ingest", "--format", "csv", csv(*GOOD)]
    assert main.call(command, settings) == 0
    assert (tmp_path / "telemetry" / "manifests").is_dir()
    home.mkdir()
    (home / "trust.json").write_text("{}", encoding="utf-8")
    assert main.call(command, settings) == 0
    assert (home / "telemetry" / "manifests").is_dir()


def test_missing_extra_is_told_with_what_to_install(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the packages of the extra the command says which one lacks and how to get it."""
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("sekisho.adapters.telemetry.parquet_telemetry"):
            raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "sekisho.adapters.telemetry.parquet_telemetry", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    code, told = call("devices")
    assert code == 2
    assert "pyarrow" in told["error"]["message"]
    assert "sekisho[analytics]" in told["error"]["remedy"]


def test_every_reason_has_words_on_the_command_line_and_on_the_console() -> None:
    """A reason that is added to the model breaks neither."""
    for reason in get_args(Reason):
        for room in ("meter", "web.metering"):
            assert say(f"{room}.reason.{reason}", "ja") != reason
