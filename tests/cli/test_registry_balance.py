"""`sekisho registry balance`, `transit`, `mirror`, `production`: forms, verdicts, files, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace

from sekisho.cli.main import call
from sekisho.model.statements import parse_payload
from sekisho.model.statements.shapes import Span
from sekisho.model.wire import canonical, to_plain
from sekisho.registry.balance import Trade, TradeDeclaration
from sekisho.registry.production import Quota
from sekisho.settings import Settings
from tests.balanced import Ledger
from tests.registered import movement
from tests.registry.balance.test_sigma import book, day
from tests.registry.balance.test_stock import GERMANY, JAPAN
from tests.registry.balance.worlds import TERMS, at, counted, row
from tests.registry.production.test_account import REPORT, TABLE

Say: TypeAlias = Callable[..., tuple[int, str, str]]
MADE = [row("CM", "a", 1), row("RF", "b", 2), row("SD", "b", 4)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Ledger]:
    (tmp_path / "register.json").write_bytes(canonical(TERMS))
    ledger = Ledger(tmp_path)
    ledger.write(MADE)
    yield ledger
    ledger.store.close()


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def say(*words: str, language: str = "en") -> tuple[int, str, str]:
        settings = Settings(home=tmp_path, trust_file=tmp_path / "t", language=language)  # type: ignore[arg-type]  # a test's own word
        code = call(["registry", *words], settings)
        told = capsys.readouterr()
        return code, told.out, told.err

    return say


def told(answer: tuple[int, str, str]) -> tuple[int, Any]:
    return answer[0], json.loads(answer[1])


def put(folder: Path, name: str, value: object) -> str:
    path = folder / name
    path.write_bytes(value if isinstance(value, bytes) else canonical(value))
    return str(path)


@pytest.mark.usefixtures("home")
class TestOfAHome:
    """Balances of a home's register."""

    def test_areas_are_shown_and_unverifiable_while_nobody_counted(self, said: Say) -> None:
        """Exit 3; one area by name, all without."""
        code, answer = told(said("balance", "show", "osaka", "--at", str(at(3)), "--json"))
        assert (code, answer["areas"][0]["held"]) == (3, 2)
        assert answer["areas"][0]["last"] is None
        _, answer = told(said("balance", "show", "--json"))
        assert [area["area"] for area in answer["areas"]] == [
            "berlin",
            "cold",
            "fab",
            "osaka",
            "tokyo",
        ]
        assert "osaka: 帳簿在庫 1 個" in said("balance", "show", "osaka", language="ja")[1]

    def test_a_period_is_closed_and_its_reports_read_back(self, said: Say, tmp_path: Path) -> None:
        """Exit 0; the sheet in both languages, the forms, drafts that say what was closed."""
        count = put(tmp_path, "count.json", counted(["a"], 10))
        close = ("balance", "close", "osaka", "--party", "cloud", "--until", str(at(10)))
        out = str(tmp_path / "drafts")
        code, text, _ = said(*close, "--inventory", count, "--out", out)
        assert code == 0
        assert "MF  Unaccounted for (+ = loss)" in text
        kinds = [
            parse_payload((tmp_path / "drafts" / f"{kind}.json").read_bytes()).kind
            for kind in ("inventory-taken", "balance-closed")
        ]
        assert kinds == ["inventory-taken", "balance-closed"]
        assert len(json.loads((tmp_path / "drafts" / "disclosures.json").read_bytes())) == 2
        code, reports = told(said("balance", "report", "osaka", "--json"))
        assert [r["header"]["type"] for r in reports] == ["ICR", "PIL", "MBR"]
        form = said("balance", "report", "osaka", "--type", "MBR", language="ja")[1]
        assert "物質収支報告" in form
        assert "未計量差" in form
        assert told(said("balance", "check", "--area", "osaka", "--json"))[0] == 0
        assert told(said("balance", "check", f"{out}/reports.json", "--json"))[1]["reports"] == 3

    def test_a_table_counts_as_well_and_a_loss_is_exit_1(self, said: Say, tmp_path: Path) -> None:
        """With the missing one's name."""
        count = put(tmp_path, "count.csv", b"epc\nx\n")
        answer = said(
            "balance", "close", "osaka", "--party", "cloud", "--until", str(at(10)), "--inventory", count
        )  # fmt: skip
        assert answer[0] == 1
        assert "Missing: a\n" in answer[1]
        assert "Counted and not in the book: x\n" in answer[1]

    def test_without_a_count_nothing_is_nought(self, said: Say) -> None:
        """Exit 3, figures null."""
        code, answer = told(
            said("balance", "close", "osaka", "--party", "cloud", "--until", str(at(10)), "--json")
        )
        assert (code, answer["verdict"], answer["counted"]) == (3, "unverifiable", None)
        assert told(said("balance", "check", "--area", "osaka", "--json"))[0] == 3

    def test_bad_asking_is_exit_2(self, said: Say, tmp_path: Path) -> None:
        """An unknown area, a report that there is not, a folder that is there, two sources."""
        for words in (
            ("balance", "show", "nowhere"),
            ("balance", "report", "osaka"),
            ("balance", "report", "osaka", "--type", "XXX"),
            ("balance", "check"),
            ("balance", "close", "osaka", "--party", "cloud", "--until", "2030-01-01", "--out", str(tmp_path)),
        ):  # fmt: skip
            assert said(*words)[0] == 2, words

    def test_a_country_is_held_against_its_declaration(self, said: Say, tmp_path: Path) -> None:
        """One import more than the register knows fails."""
        period = Span(start=at(0), end=at(9))
        declared = {
            "country": "JP", "period": to_plain(period), "opening": 0, "production": 1,
            "imports": 2, "exports": 0, "destroyed": 0, "other": -1, "closing": 2,
        }  # fmt: skip
        span = ("--from", str(at(0)), "--until", str(at(9)))
        code, answer = told(said("balance", "stock", "JP", *span, "--json"))
        assert (code, answer["stock"]["imports"], answer["difference"]) == (0, 1, 0)
        path = put(tmp_path, "jp.json", declared)
        code, answer = told(said("balance", "stock", "JP", *span, "--declared", path, "--json"))
        verdicts = {row["flow"]: row["verdict"] for row in answer["checks"]}
        assert (code, verdicts["identity"], verdicts["imports"]) == (1, "holds", "fails")
        text = said("balance", "stock", "JP", *span, "--declared", path)[1]
        assert "imports: declared 2, found 1: fails" in text


def test_what_is_overdue_is_a_finding(home: Ledger, said: Say) -> None:
    """Exit 1, oldest first; nothing open is exit 0."""
    assert told(said("transit", "--json")) == (0, {"movements": []})
    home.write(movements=[movement("26JPA", epcs=("a",), shipped=at(0), due=at(5))])
    code, answer = told(said("transit", "--json"))
    assert (code, answer["movements"][0]["state"]) == (1, "overdue")
    assert "受領期限超過" in said("transit", language="ja")[1]


def test_two_sides_reports_are_matched(said: Say, tmp_path: Path) -> None:
    """Without any home."""
    one = {"reference": "m1", "party": "cloud", "at": str(at(1)), "items": 5}
    sides = {"shipments": [one], "receipts": [{**one, "party": "lab", "items": 4}]}
    code, answer = told(said("transit", "--declared", put(tmp_path, "s.json", sides), "--json"))
    assert (code, answer["movements"][0]["difference"]) == (1, 1)


def test_mirrors_are_flagged_and_silence_is_not_measured(said: Say, tmp_path: Path) -> None:
    """Exit 3 for a silent side, 1 for a gap, 0 for none."""
    a, b = put(tmp_path, "a.json", JAPAN), put(tmp_path, "b.json", GERMANY)
    code, answer = told(said("mirror", a, b, "--json"))
    assert (code, [m["gap"] for m in answer["mirrors"]]) == (3, ["0.02", None])
    whole: TradeDeclaration = replace(GERMANY, exports=())
    assert said("mirror", a, put(tmp_path, "c.json", whole))[0] == 0
    short = replace(whole, imports=(Trade(partner="JP", model="H100", items=40),))
    code, text, _ = said("mirror", a, put(tmp_path, "d.json", short))
    assert code == 1
    assert "gap 20.0%: fails" in text


def test_a_bulk_area_is_judged_with_its_sigma(said: Say, tmp_path: Path) -> None:
    """FLOP are decimal strings; exit 1 with an alarm, 0 without."""
    quiet = put(tmp_path, "quiet.json", book(day(0), significant=10**24))
    code, answer = told(said("balance", "bulk", quiet, "--json"))
    assert (code, answer["periods"][0]["unaccounted"]) == (0, "0")
    assert answer["periods"][0]["sigma"].isdigit()
    loud = put(tmp_path, "loud.json", book(day(0, 50)))
    code, text, _ = said("balance", "bulk", loud, language="ja")
    assert code == 1
    assert "当期の差が 3σ を超過" in text


def test_production_is_checked_with_its_quota(said: Say, tmp_path: Path) -> None:
    """Exit 0 for a sound report, 1 beyond the quota, 3 for a figure left out; CSV as well."""
    sound = put(tmp_path, "p.json", REPORT)
    assert said("production", "check", sound)[0] == 0
    quota = put(
        tmp_path, "q.json", [to_plain(Quota(fab="fab-18", period=REPORT.period, dies=38_000))]
    )
    code, answer = told(said("production", "check", sound, "--quota", quota, "--json"))
    assert (code, answer["quotas"][0]["over"]) == (1, 500)
    code, text, _ = said("production", "check", put(tmp_path, "p.csv", TABLE.encode()))
    assert code == 3
    assert "not reported: gross_dies_per_wafer, good_dies" in text


@pytest.mark.usefixtures("home")
def test_a_home_counts_dies_and_keeps_reports(said: Say, tmp_path: Path) -> None:
    """The register knows of none of these dies; the same report again is refused; drafts are written."""
    sound = put(tmp_path, "p.json", REPORT)
    out = str(tmp_path / "drafts")
    words = ("production", "check", sound, "--home", str(tmp_path), "--keep")
    code, answer = told(said(*words, "--out", out, "--json"))
    registered = next(c for c in answer["reports"][0]["checks"] if c["name"] == "dies-registered")
    assert (code, registered["stated"], registered["verdict"]) == (1, "0", "fails")
    kind = parse_payload((tmp_path / "drafts" / "production-reported.json").read_bytes()).kind
    assert kind == "production-reported"
    assert said(*words)[0] == 2
    assert said("production", "check", sound, "--keep")[0] == 2
