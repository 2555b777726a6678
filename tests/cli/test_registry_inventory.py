"""`sekisho registry import`, `map`, `reconcile` and `fleet`: outputs and exit codes that people script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sekisho.adapters.storage.fleet_sqlite import FleetSqlite
from sekisho.adapters.storage.inventories_file import InventoriesFile
from sekisho.adapters.storage.register_sql import open_register
from sekisho.cli import main
from sekisho.model.instants import Instant
from sekisho.ports.fleet_store import MessageRow
from sekisho.registry.epcis import parse_document
from sekisho.settings import Settings
from tests.inventoried import H100, SITE, encoded, serial, standing
from tests.registered import registering

Call: TypeAlias = Callable[..., tuple[int, Any]]
HEADINGS = "シリアル番号,型番,設置場所"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose register has boards 1 to 3 at the site."""
    folder = tmp_path / "home"
    folder.mkdir()
    register = open_register(folder / "register.sqlite")
    register.save(registering(1, {n: standing(n) for n in (1, 2, 3)}))
    register.close()
    return folder


@pytest.fixture
def call(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls `registry ...` beside the home, in a folder of its own; code and JSON document."""
    monkeypatch.chdir(home.parent)
    settings = Settings(home=home, trust_file=home / "trust.json")

    def ask(*words: str) -> tuple[int, Any]:
        code = main.call(["registry", *words, "--json"], settings)
        return code, json.loads(capsys.readouterr().out)

    return ask


@pytest.fixture
def say(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same as a person calls it, in a language; code and text."""
    monkeypatch.chdir(home.parent)

    def ask(*words: str, language: Any = "en") -> tuple[int, str]:
        settings = Settings(home=home, trust_file=home / "trust.json", language=language)
        code = main.call(["registry", *words], settings)
        return code, capsys.readouterr().out

    return ask


def write(home: Path, *rows: str, name: str = "list.csv", encoding: str = "cp932") -> str:
    (home.parent / name).write_bytes("\r\n".join([*rows, ""]).encode(encoding))
    return name


def register_list(home: Path, *numbers: int) -> str:
    return write(home, HEADINGS, *(f"{serial(n)},{H100},{SITE}" for n in numbers))


def report(home: Path, *numbers: int) -> None:
    """A node reported these boards just now."""
    file = InventoriesFile(home / "inventories.sqlite")
    now = Instant.from_seconds(__import__("time").time())
    message = MessageRow(
        node="node-1",
        site=SITE,
        sha256="ab" * 32,
        first=now.plus(-60),
        last=now,
        booted=None,
        body=encoded(numbers),
    )
    FleetSqlite(file).save_message(message, [])
    file.close()


def test_import_answers_each_row_and_the_bad_one_with_its_line(call: Call, home: Path) -> None:
    """Exit 2 for the bad row, the rest is answered; the encoding is said."""
    name = write(home, HEADINGS, f"{serial(1)},{H100},大阪", "1.6E+12,x,大阪", f"{serial(2)},x,")
    code, document = call("import", name, "--site", SITE)
    assert code == 2
    assert (document["encoding"], document["kind"]) == ("cp932", "asset-register")
    assert (document["taken"], document["refused"], document["confirmed"]) == (2, 1, False)
    first, bad, last = document["rows"]
    assert (first["line"], first["serial"], first["site"]) == (2, serial(1), "大阪")
    assert bad["line"] == 3
    assert "rounded by a spreadsheet" in bad["error"]
    assert last["site"] == SITE
    assert call("import", register_list(home, 1))[0] == 0


def test_map_proposes_and_keeps_a_mapping(call: Call, home: Path) -> None:
    """Written once, and the import then is confirmed; an existing file is not written over."""
    name = register_list(home, 1, 2)
    code, document = call("map", name, "--out", "m.json", "--name", "acme")
    assert code == 0
    assert document["mapping"]["name"] == "acme"
    assert call("import", name, "--mapping", "m.json")[1]["confirmed"] is True
    assert call("map", name, "--out", "m.json")[0] == 2


def test_map_of_swapped_columns_ends_with_two_and_proposes_what_fits(
    call: Call, home: Path
) -> None:
    """The file that it writes then reads the table."""
    name = write(home, HEADINGS, *(f"{H100},{serial(n)},大阪" for n in range(3)))
    assert call("import", name)[0] == 2
    code, document = call("map", name, "--out", "m.json")
    assert code == 2
    assert "are swapped" in document["problem"]
    assert call("import", name, "--mapping", "m.json")[0] == 0


def test_only_a_confirmed_table_is_kept(call: Call, home: Path) -> None:
    """A guess at columns must not become a site's declaration."""
    name = register_list(home, 1, 2, 3)
    assert call("import", name, "--keep")[0] == 2
    call("map", name, "--out", "m.json")
    code, document = call("import", name, "--mapping", "m.json", "--keep")
    assert (code, document["kept"]) == (0, True)
    report(home, 1, 2, 3)
    assert call("reconcile", "--site", SITE)[1]["declared"] == 3


def test_reconcile_has_the_codes_of_the_contract(call: Call, home: Path) -> None:
    """3 while nobody reported, 0 where all agree, 1 for a difference, 2 for a bad row of a table."""
    assert call("reconcile", "--site", SITE)[0] == 3
    report(home, 1, 2, 3)
    code, document = call("reconcile", "--site", SITE)
    assert (code, document["verdict"], document["holds"]) == (0, "holds", 3)
    name = register_list(home, 1, 2, 3, 9)
    code, document = call("reconcile", "--site", SITE, "--declared", name)
    assert (code, document["differences"][0]["code"]) == (1, "unregistered")
    assert document["differences"][0]["sources"] == ["list.csv:5"]
    name = write(home, HEADINGS, f"{serial(9)},{H100},{SITE}", "1.6E+12,x,y", name="bad.csv")
    code, document = call("reconcile", "--site", SITE, "--declared", name)
    assert code == 2
    assert [row["line"] for row in document["refused"]] == [3]


@pytest.mark.parametrize(("encoding", "codec"), [("utf-8-sig", "utf-8-sig"), ("cp932", "cp932")])
def test_reconcile_writes_a_table_for_spreadsheets(
    call: Call, home: Path, encoding: str, codec: str
) -> None:
    """With a byte-order mark, or in cp932."""
    code, _ = call("reconcile", "--site", SITE, "--csv", "out.csv", "--csv-encoding", encoding)
    assert code == 3
    data = (home.parent / "out.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf") is (encoding == "utf-8-sig")
    assert len(data.decode(codec).splitlines()) == 4
    assert call("reconcile", "--site", SITE, "--csv", "o2", "--csv-encoding", "latin-1")[0] == 2


def test_a_packing_list_is_drafted_as_events(call: Call, home: Path) -> None:
    """Lines whose serial nobody registered are told, with exit 2."""
    name = write(
        home,
        "Serial,Model,Ship To",
        *(f"{serial(n)},H100,cloud-b" for n in (1, 2, 9)),
        encoding="utf-8",
    )
    code, document = call("import", name, "--draft", "ship.json", "--party", "cloud-a")
    assert code == 2
    assert (document["draft"]["events"], document["draft"]["items"]) == (1, 2)
    assert document["draft"]["left_out"][0]["line"] == 4
    (event,) = parse_document((home.parent / "ship.json").read_bytes()).events
    assert event.biz_step == "shipping"
    assert call("import", name, "--draft", "x.json", "--act", "sell")[0] == 2


def test_words_are_for_people_in_both_languages(say: Any, home: Path) -> None:
    """The verdict first, then a line for each difference; what a firm wrote moves no cursor."""
    report(home, 1, 2)
    name = write(home, HEADINGS, f"A\x1b9,{H100},{SITE}", encoding="utf-8")
    code, text = say("reconcile", "--site", SITE)
    assert code == 3
    assert text.startswith(f"{SITE} is unverifiable: nobody observed 1 items")
    assert f"UNVERIFIABLE  {serial(3)}" in text
    assert "検証不能" in say("reconcile", "--site", SITE, language="ja")[1]
    assert "\x1b" not in say("import", name)[1]
    code, text = say("map", register_list(home, 1), language="ja")
    assert "シリアル番号 = serial" in text
    assert "見出しは 1 行目" in text


@pytest.mark.parametrize(
    "words",
    [
        ("import", "gone.csv"),
        ("import", "list.csv", "--as", "menu"),
        ("import", "list.csv", "--delimiter", "ab"),
        ("import", "list.csv", "--encoding", "ebcdic"),
        ("reconcile", "--site", ""),
        ("reconcile", "--site", "x", "--window", "soon"),
        ("reconcile", "--site", "x", "--home", "nowhere"),
        ("fleet", "token", "--site", "has space"),
        ("fleet", "token", "--site", "x", "--lasts", "1s"),
        ("fleet", "token", "--site", "x", "--nodes", "0"),
        ("fleet", "revoke", "abc"),
        ("fleet", "release", "nobody"),
    ],
)
def test_bad_input_ends_with_two_and_says_where(
    call: Call, home: Path, words: tuple[str, ...]
) -> None:
    """A missing file, a word that is none, a length that is none, a home that is none."""
    register_list(home, 1)
    code, document = call(*words)
    assert code == 2
    assert document["error"]["message"]


def test_a_fleet_token_is_shown_once(call: Call, say: Any, home: Path) -> None:
    """Afterwards only its digest; it can be revoked by the beginning of that."""
    code, made = call("fleet", "token", "--site", "site-1", "--nodes", "5", "--lasts", "24h")
    assert code == 0
    assert made["token"].startswith("skf_")
    code, (listed,) = call("fleet", "tokens")
    assert (listed["digest"], listed["most"], listed["used"]) == (made["digest"], 5, 0)
    assert "token" not in listed
    assert call("fleet", "revoke", made["digest"][:8])[0] == 0
    assert call("fleet", "tokens")[1][0]["revoked"] is True
    assert call("fleet", "nodes") == (0, [])
    assert made["digest"][:16] in say("fleet", "tokens", language="ja")[1]
    assert "None." in say("fleet", "nodes")[1]
