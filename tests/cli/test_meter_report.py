"""`sekisho meter report` and `verify-report`: shown first, stated once, corrected by name, checked by a stranger."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sekisho.metering.accounts.roll_up import RollUp
from sekisho.model.wire import canonical
from tests.cli.test_meter_account import JOBS, Hand
from tests.reported import PERIOD, Reporting
from tests.revealed import make_home

Capture = pytest.CaptureFixture[str]
DAY = ("--day", "2026-02-01")


@pytest.fixture
def hand(tmp_path: Path, capsys: Capture) -> Hand:
    made = Hand(tmp_path, capsys)
    make_home(tmp_path / "home")
    rows = ["timestamp,device,chip,host,tensor_active,sm_clock_mhz,power_w,gpu_util"]
    rows += [
        f"2026-02-01T00:{minute:02d}:00Z,GPU-{n},NVIDIA H100 80GB HBM3,h1,0.45,1700,600,98"
        for minute in range(60)
        for n in range(2)
    ]
    telemetry = made.file("t.csv", "\n".join(rows) + "\n")
    jobs = made.file("j.csv", JOBS.replace("beta", "party-1"))
    assert made.say("ingest", telemetry, "--site", "tokyo", "--format", "csv")[0] == 0
    assert made.say("jobs", jobs, "--site", "tokyo", "--format", "csv")[0] == 0
    return made


def kept(hand: Hand) -> list[Path]:
    return sorted((hand.folder / "home" / "reports").rglob("*.json"))


def test_a_report_is_shown_first_and_stated_on_demand(hand: Hand) -> None:
    """Without --yes nothing is kept; with it one statement for each customer; again, none."""
    shown = hand.answer("report", *DAY)
    assert shown["stated"] is False
    assert [row["kind"] for row in shown["reports"]] == ["new", "new"]
    assert kept(hand) == []
    stated = hand.answer("report", *DAY, "--yes")
    assert [row["fresh"] for row in stated["reports"]] == [True, True]
    names = [row["licensee"] for row in stated["reports"]]
    assert names[0].startswith("customer/")
    assert names[1] == "party-1"
    assert "acme" not in names[0]
    again = hand.answer("report", *DAY, "--yes")
    assert [row["fresh"] for row in again["reports"]] == [False, False]
    assert len(kept(hand)) == 2


def test_a_correction_is_shown_as_what_it_is_and_asks_for_a_reason(hand: Hand) -> None:
    """Readings that came later raise or lower a figure: it is said, and stated beside the old one."""
    hand.answer("report", *DAY, "--yes")
    shorter = JOBS.replace("beta", "party-1").replace("01:30:00Z", "00:30:00Z")
    jobs = hand.file("shorter.csv", shorter)
    assert hand.say("jobs", jobs, "--site", "tokyo", "--format", "csv")[0] == 0
    code, text = hand.say("report", *DAY)
    assert code == 0
    assert "CORRECTION" in text
    assert "this LOWERS what was reported" in text
    code, text = hand.say("report", *DAY, "--yes")
    assert code == 2
    assert "reason" in text
    stated = hand.answer("report", *DAY, "--yes", "--reason", "the job ended earlier")
    corrected = [row for row in stated["reports"] if row["kind"] == "correction"]
    assert any(row["lowers"] and row["corrects"] for row in corrected)


def test_a_day_without_usage_and_a_day_that_is_none(hand: Hand) -> None:
    """Nothing measured is no zero: exit 3; a moment is no day."""
    code, text = hand.say("report", "--day", "2026-01-01")
    assert (code, "nothing was measured" in text) == (3, True)
    code, text = hand.say("report", "--day", "2026-02-01T05:00:00Z")
    assert code == 2
    assert "--day" in text


def test_a_stranger_sums_the_readings_anew(hand: Hand) -> None:
    """With the document and the readings, and no log: figures and evidence hold, the rest cannot be told."""
    hand.answer("report", *DAY, "--yes")
    store = str(hand.folder / "home" / "telemetry")
    for path in kept(hand):
        no_home = ("--policy", hand.file("policy.json", _root(hand)), "--store", store)
        found = hand.answer("verify-report", str(path), *no_home, code=3)
        verdicts = {check["name"]: check["verdict"] for check in found["checks"]}
        assert verdicts == {
            "statement": "unverifiable",
            "current": "unverifiable",
            "figures": "holds",
            "evidence": "holds",
        }


def _root(hand: Hand) -> str:
    return (hand.folder / "home" / "trust.json").read_text(encoding="utf-8")


@pytest.fixture
def public(tmp_path: Path) -> tuple[Path, Path, RollUp]:
    """A public log with usage reports, its trust root, and one roll-up."""
    folder = tmp_path / "desk"
    folder.mkdir()
    with Reporting(folder) as desk:
        desk.report()
        desk.made.desk.mark_time()
        desk.made.cosigned()
        found = desk.shelf.find("party-1", PERIOD)
        assert isinstance(found, RollUp)
        policy = tmp_path / "policy.json"
        policy.write_bytes(canonical(desk.made.root))
    return folder / "log", policy, found


def test_a_stranger_finds_the_statement_in_the_log(
    tmp_path: Path, capsys: Capture, public: tuple[Path, Path, RollUp]
) -> None:
    """By a root of one's own; another figure is stated nowhere."""
    log, policy, roll_up = public
    hand = Hand(tmp_path, capsys)
    where = ("--log", str(log), "--policy", str(policy))
    honest = hand.file("r.json", canonical(roll_up).decode())
    found = hand.answer("verify-report", honest, *where, code=3)
    verdicts = {check["name"]: check["verdict"] for check in found["checks"]}
    assert (verdicts["statement"], verdicts["current"]) == ("holds", "holds")
    row = roll_up.rows[0]
    assert row.bound_high is not None
    lowered = msgspec.structs.replace(row, bound_high=str(int(row.bound_high) - 1))
    other = msgspec.structs.replace(roll_up, rows=(lowered, *roll_up.rows[1:]))
    forged = hand.file("f.json", canonical(other).decode())
    found = hand.answer("verify-report", forged, *where, code=1)
    assert found["verdict"] == "fails"
    code, words = hand.say("verify-report", forged, *where)
    assert code == 1
    assert "no usage report of the log" in words


def test_a_day_that_is_not_over_is_not_even_shown(hand: Hand) -> None:
    """What a running job will have been at midnight is no usage yet."""
    assert hand.say("report", "--day", "2999-01-01")[0] == 2
