"""`sekisho tables`: a home's tables made again, or compared; beside a running control plane too."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sekisho.app import Home
from sekisho.cli import progress
from sekisho.cli.main import call
from sekisho.settings import Settings
from tests import factory as f
from tests.desks import MovingClock
from tests.projected import Projected


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose desk has worked and rests."""
    with Projected(tmp_path, clock=MovingClock()) as at:
        for step in ("license", "lease", "pause", "accuse", "finish", "beat"):
            assert at.story.go(step)
        at.settle()
        Home(path=tmp_path).save_root(at.desk.root)
    return tmp_path


def say(
    home: Path, capsys: pytest.CaptureFixture[str], *words: str, language: str = "en"
) -> tuple[int, str]:
    settings = Settings(home=home, trust_file=home / "trust", language=language)  # type: ignore[arg-type]  # a test's own word
    code = call(["tables", *words], settings)
    return code, capsys.readouterr().out


def answer(home: Path, capsys: pytest.CaptureFixture[str], words: Sequence[str]) -> tuple[int, Any]:
    code, out = say(home, capsys, *words, "--json")
    return code, json.loads(out)


def spoil(home: Path, statement: str) -> None:
    other = sqlite3.connect(home / "projections.sqlite", isolation_level=None)
    other.execute(statement)
    other.close()


def test_it_says_how_many_rows_each_table_has(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made again from log and private store, with nothing there before."""
    for path in home.glob("projections.sqlite*"):
        path.unlink()
    code, document = answer(home, capsys, ["rebuild"])
    assert code == 0
    assert document["tables"]["leases"] == document["tables"]["licences"] == 1
    assert document["tables"]["findings"] == 1
    assert document["unverifiable"] == 0
    assert answer(home, capsys, ["check"])[1]["size"] == document["size"]


def test_a_check_holds_and_changes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0, and the file is the same byte for byte."""
    before = (home / "projections.sqlite").read_bytes()
    code, document = answer(home, capsys, ["check"])
    assert (code, document["verdict"], document["first"]) == (0, "holds", None)
    assert (document["behind"], document["differences"]) == (0, 0)
    assert (home / "projections.sqlite").read_bytes() == before


def test_a_changed_row_fails_and_is_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Table, key and both documents; what somebody wrote into it moves no cursor. Then it is made right."""
    spoil(home, "UPDATE projections SET document = x'1b5b324a' WHERE name = 'findings'")
    code, document = answer(home, capsys, ["check"])
    assert (code, document["verdict"], document["differences"]) == (1, "fails", 1)
    assert document["first"]["table"] == "findings"
    assert document["first"]["kept"]["document"] == "\x1b[2J"
    assert '"finding":"odd"' in document["first"]["made"]["document"]
    code, out = say(home, capsys, "check")
    assert code == 1
    assert "table findings" in out
    assert "\x1b" not in out
    assert answer(home, capsys, ["rebuild"])[0] == 0
    assert answer(home, capsys, ["check"])[0] == 0


def test_nothing_to_compare_is_unverifiable(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 3, and no table comes into being by looking."""
    for path in home.glob("projections.sqlite*"):
        path.unlink()
    code, document = answer(home, capsys, ["check"])
    assert (code, document["verdict"]) == (3, "unverifiable")
    assert document["behind"] > 0
    assert not (home / "projections.sqlite").exists()


def test_an_unreadable_file_is_left_by_a_check_and_replaced_by_a_rebuild(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Looking destroys no evidence; asked to make it again, it does."""
    for path in home.glob("projections.sqlite*"):
        path.unlink()
    (home / "projections.sqlite").write_bytes(b"no database" * 200)
    assert say(home, capsys, "check")[0] == 1
    assert (home / "projections.sqlite").read_bytes() == b"no database" * 200
    assert say(home, capsys, "rebuild")[0] == 0
    assert say(home, capsys, "check")[0] == 0


def test_a_lost_disclosure_is_counted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check fails at what rests on it; made again, the amount is unverifiable."""
    with sqlite3.connect(home / "private.sqlite") as private:
        private.execute("DELETE FROM disclosures")
    private.close()
    code, document = answer(home, capsys, ["check"])
    assert (code, document["verdict"]) == (1, "fails")
    assert "disclosures" in document["why"]
    code, document = answer(home, capsys, ["rebuild"])
    assert (code, document["unverifiable"]) == (0, 2)
    code, out = say(home, capsys, "check")
    assert code == 0
    assert "nobody here can open: 2" in out


def test_a_folder_that_is_no_home_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, and nothing is made there."""
    assert say(tmp_path, capsys, "rebuild", "--home", str(tmp_path / "x"))[0] == 2
    assert not (tmp_path / "x").exists()
    (tmp_path / "trust.json").write_text("{}")
    assert say(tmp_path, capsys, "rebuild", "--home", str(tmp_path))[0] == 2


def test_a_home_without_its_log_is_bad_input(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is nothing to make anything from; the tables stay."""
    before = (home / "projections.sqlite").read_bytes()
    for path in home.glob("log.sqlite*"):
        path.unlink()
    assert say(home, capsys, "rebuild")[0] == 2
    assert (home / "projections.sqlite").read_bytes() == before


def test_it_speaks_japanese(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As every command does."""
    assert "全バイト一致" in say(home, capsys, "check", language="ja")[1]


def test_it_works_beside_a_running_control_plane(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has to be stopped to check, nor to make them again; the running one goes on from there."""
    with Projected(tmp_path) as at:
        Home(path=tmp_path).save_root(at.desk.root)
        assert at.story.go("accuse")
        at.settle()
        assert answer(tmp_path, capsys, ["check"])[1]["verdict"] == "holds"
        assert answer(tmp_path, capsys, ["rebuild"])[0] == 0
        assert at.story.go("accuse")
        assert at.check().verdict == "holds"
        assert at.check().tables["findings"] == 2


def test_a_long_log_shows_how_far_it_is(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal, after two seconds; the answer's own output is untouched."""
    monkeypatch.setattr(progress, "PATIENCE_S", -1.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert answer(home, capsys, ["check"])[0] == 0


def test_the_roots_log_is_the_one_that_is_read(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database of another log is not taken for this one's."""
    with sqlite3.connect(home / "log.sqlite") as log:
        log.execute("UPDATE log SET origin = 'other.example/log'")
    log.close()
    code = say(home, capsys, "check")[0]
    assert code == 2
    assert f.ORIGIN != "other.example/log"
