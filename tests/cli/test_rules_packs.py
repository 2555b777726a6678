"""`sekisho rules packs`, `show`, `check` and `schema`: what they print and how they end."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest

from sekisho.cli import main
from sekisho.rules import pack_bytes, pack_names
from sekisho.settings import Settings
from tests.written_packs import FULL, overlay_text

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))
Call: TypeAlias = Callable[..., tuple[int, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs `sekisho rules ...` and gives its exit code and what it printed."""

    def run(*arguments: str, language: str = "en") -> tuple[int, str]:
        settings = msgspec.structs.replace(SETTINGS, language=language)
        code = main.call(["rules", *arguments], settings)
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A pack of one's own, with everything in it."""
    path = tmp_path / "full.yaml"
    path.write_text(FULL, encoding="utf-8")
    return path


def test_packs_are_listed_with_their_digests(call: Call) -> None:
    """Each by the SHA-256 of its bytes, with what it speaks about."""
    code, text = call("packs", "--json")
    rows = {row["name"]: row for row in json.loads(text)}
    assert code == 0
    assert list(rows) == pack_names()
    assert rows["loop-2026"]["sha256"] == hashlib.sha256(pack_bytes("loop-2026")).hexdigest()
    assert rows["loop-2026"]["about"] == ["training-run"]


def test_packs_are_listed_in_the_readers_language(call: Call) -> None:
    """Japanese by flag or by environment, where a pack has it."""
    assert "Japan" in call("packs")[1]
    japanese = call("packs", language="ja")[1]
    assert "日本" in japanese
    assert call("packs", "--lang", "ja") == (0, japanese)
    assert call("packs", "--lang", "fr")[0] == 2


def _shown(call: Call, file: Path, at: str) -> Any:
    code, text = call("show", str(file), "--at", at, "--json")
    assert code == 0
    return json.loads(text)


def test_show_says_what_counts_on_a_date(call: Call, file: Path) -> None:
    """Values exactly, members of sets, definitions in force, which rules act."""
    before, after = (_shown(call, file, day) for day in ("2022-03-01", "2026-06-01"))
    assert [row["value"] for row in before["parameters"]] == ["5.92", "2500000", "1/3"]
    assert [d["sets"][0]["members"] for d in (before, after)] == [
        ["CN", "HK", "MO"],
        ["CN", "HK", "MO", "RU"],
    ]
    assert [[d["in_force"] for d in document["definitions"]] for document in (before, after)] == [
        [True, True],
        [True, False],
    ]
    assert [d["rules"][0]["status"] for d in (before, after)] == ["announced", "enforced"]
    assert [d["rules"][0]["acts"] for d in (before, after)] == [False, True]
    assert before["rules"][0]["timeline"] == after["rules"][0]["timeline"]
    assert before["exceptions"][0]["status"] == "unknown"


def test_show_marks_the_status_of_the_date_in_the_timeline(call: Call, file: Path) -> None:
    """Every status with its days and its source; one of them is now."""
    text = call("show", str(file), "--at", "2022-03-01")[1]
    assert "> 2022-01-01 ..: announced, not applied (law, Art. 9; P)" in text
    assert "    2022-06-01 ..: enforced, acts (law, Art. 9; P)" in text
    assert "group-d: CN, HK, MO (law, Supp. 1; P)" in text


def test_show_writes_conditions_out_on_demand(call: Call, file: Path) -> None:
    """With the values of the date, the parameter's name beside them."""
    short = call("show", str(file), "--at", "2022-07-01")[1]
    text = call("show", str(file), "--at", "2022-07-01", "--text")[1]
    condition = "performance_density >= 5.92 TPP/mm2 (density)"
    assert condition in text
    assert condition not in short
    for part in (
        "destination is one of group-d (CN, HK, MO)",
        "not:",
        "presumption of denial",
        "30 days before the shipment",
        "each year on 07-15, 01-15",
        "about 6.5 h (S)",
        "route are all of JP, US",
        "controlled: yes",
        "attested: no",
        "48 hours before the shipment",
    ):
        assert part in text


def test_show_speaks_japanese_where_the_pack_does(call: Call, file: Path) -> None:
    """What has no Japanese stays English."""
    text = call("show", str(file), "--at", "2022-07-01", "--text", language="ja")[1]
    for part in (
        "すべてを含む規則集",
        "許可を申請する",
        "懸念国",
        "100個以下",
        "申請",
        "for tests",
    ):
        assert part in text
    assert "apply for a licence" not in text


def test_show_names_the_event_of_a_deadline_in_the_readers_language(call: Call) -> None:
    """Nobody reads "0 days before" or half a sentence in English."""
    japanese = call("show", "us-ca-sb53", "--at", "2026-06-01", "--text", "--lang", "ja")[1]
    assert "モデルの提供開始の前まで" in japanese
    assert "事案の発見から15日以内" in japanese
    english = call("show", "us-ca-sb53", "--at", "2026-06-01", "--text")[1]
    assert "before the model is deployed" in english
    assert "0 days" not in english


def test_an_overlay_in_a_file_finds_its_base_beside_it(call: Call, file: Path) -> None:
    """Or among the shipped packs, where that is the one with the digest."""
    reform = file.with_name("tighter.yaml")
    reform.write_text(overlay_text(""), encoding="utf-8")
    code, text = call("show", str(reform), "--at", "2026-02-01")
    assert code == 0
    assert f"laid over full 1 (sha256 {hashlib.sha256(FULL.encode()).hexdigest()})" in text.replace(
        "\n      ", " "
    ).replace("\n    ", " ")
    reform.write_text(overlay_text("", pack_bytes("loop-2026"), over="loop-2026"), encoding="utf-8")
    file.with_name("loop-2026.yaml").write_text("another text", encoding="utf-8")
    assert call("show", str(reform))[0] == 0


def test_check_ends_with_one_where_a_pack_has_errors(call: Call, file: Path) -> None:
    """And with nothing where it has warnings only."""
    assert call("check", str(file), "--at", "2026-05-01") == (0, f"{file}: 0 errors, 0 warnings\n")
    code, text = call("check", str(file), "--at", "2028-05-01")
    assert code == 0
    assert "knows nothing after 2027-01-01" in text
    file.write_text(FULL.replace("value: 1/3", "value: null"), encoding="utf-8")
    code, text = call("check", str(file), "--at", "2026-05-01")
    assert code == 1
    assert "error    rule modified: acts on 2022-01-01, when parameter third has no value" in text


def test_check_tells_a_pack_that_cannot_be_read_among_others(call: Call, file: Path) -> None:
    """With file, line and remedy; the others are checked all the same."""
    broken = file.with_name("broken.yaml")
    broken.write_text(FULL.replace("outcome: licence", "outcome: license"), encoding="utf-8")
    code, text = call("check", str(broken), str(file), "--at", "2026-05-01", "--json")
    first, second = json.loads(text)
    assert code == 2
    assert "broken.yaml:" in first["error"]
    assert "write one of permit, report, licence" in first["error"]
    assert second["problems"] == []


def test_check_tells_a_file_that_is_not_there_among_others(call: Call, file: Path) -> None:
    """A row of its own, exit code 2; what follows it is checked all the same."""
    absent = file.with_name("absent.yaml")
    code, text = call("check", str(absent), str(file), "us-nix", "--at", "2026-05-01", "--json")
    first, second, third = json.loads(text)
    assert code == 2
    assert first == {"pack": str(absent), "error": f"{absent}: No such file or directory"}
    assert second["problems"] == []
    assert "no rule pack 'us-nix'" in third["error"]
    lines = call("check", str(absent), str(file), "--at", "2026-05-01")[1].splitlines()
    assert lines[0] == f"{absent}: No such file or directory"


def test_check_reads_standard_input(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by a hyphen, as in every command."""
    for text, expected in ((FULL, 0), ("pack: [", 2)):
        stream = io.BytesIO(text.encode())
        monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": stream})())
        code, said = call("check", "-", "--at", "2026-05-01", "--json")
        assert (code, json.loads(said)[0]["pack"]) == (expected, "-")


def test_check_all_looks_at_every_shipped_pack(call: Call) -> None:
    """As they stand they have no errors."""
    code, text = call("check", "--all", "--at", "2026-05-01", "--json")
    assert code == 0
    assert [row["pack"] for row in json.loads(text)] == pack_names()
    assert call("check")[0] == 2


def test_the_schema_is_printed(call: Call) -> None:
    """As one JSON document, with and without --json."""
    printed = json.loads(call("schema")[1])
    assert printed == json.loads(call("schema", "--json")[1])
    assert printed["$schema"].endswith("2020-12/schema")
