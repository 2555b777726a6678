"""`sekisho registry chips`, `passport`, `holdings`, `clusters` beside a running register, and the guide's commands."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sekisho.catalogue import Language
from sekisho.cli.main import call
from sekisho.settings import Settings
from tests.chip_stories import GPU, chip_regime

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "passport.md"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("chips")
    with chip_regime(made):
        yield made


class Reader:
    """Somebody at a command line, with nothing of their own."""

    def __init__(self, folder: Path, capsys: Capture) -> None:
        self._folder = folder
        self._capsys = capsys

    def say(self, *words: str, language: Language = "en") -> tuple[int, str, str]:
        settings = Settings(
            home=self._folder / "none", trust_file=self._folder / "trust", language=language
        )
        code = call(["registry", *words], settings)
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def ask(self, *words: str) -> tuple[int, Any]:
        code, out, _ = self.say(*words, "--json")
        return code, json.loads(out)


@pytest.fixture
def reader(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.chdir(folder)
    return Reader(folder, capsys)


def test_the_commands_of_the_guide_run_as_they_stand(reader: Reader, folder: Path) -> None:
    """Every command of the page answers, in its order; the figures of the story are not all measured."""
    (folder / "passport.json").unlink(missing_ok=True)
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if line]
    assert len(lines) >= 8
    for line in lines:
        program, group, *words = shlex.split(line)
        assert (program, group) == ("sekisho", "registry")
        code, _, err = reader.say(*words)
        assert code == (3 if words[0] in ("holdings", "clusters") else 0), (line, err)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_passport_is_told_in_words(reader: Reader, language: Language) -> None:
    """Lines, corrections, gaps, evidence and verdict are said in the reader's language."""
    code, out, _ = reader.say("passport", GPU[0], "--home", "home", language=language)
    assert code == 0
    said = {
        "en": ("Signed by cloud-x", "~~Put to use~~ (Struck out)", "! A claim that nobody signed"),
        "ja": ("cloud-x が署名", "~~使用開始~~ (取り消し)", "! 署名のない申告"),
    }[language]
    for words in said:
        assert words in out


def test_the_document_is_the_passport(reader: Reader) -> None:
    """The JSON is the whole passport, and exit 0 says that every line holds."""
    code, document = reader.ask("passport", "fab/GPU-0000", "--home", "home")
    assert (code, document["format"], document["epc"]) == (0, "sekisho-passport/v1", GPU[0])
    assert len(document["lines"]) == 8


def test_a_changed_file_fails_and_an_unknown_log_is_unverifiable(
    reader: Reader, folder: Path
) -> None:
    """0, 1 and 3: as issued, with one custodian changed, and under no root of the reader's."""
    (folder / "p.json").unlink(missing_ok=True)
    assert reader.say("passport", GPU[0], "--out", "p.json", "--home", "home")[0] == 0
    assert reader.ask("passport", "verify", "p.json", "--policy", "home/trust.json")[0] == 0
    document = json.loads((folder / "p.json").read_bytes())
    document["standing"]["custodian"] = "mallory"
    (folder / "forged.json").write_text(json.dumps(document), "utf-8")
    code, said = reader.ask("passport", "verify", "forged.json", "--policy", "home/trust.json")
    assert (code, said["verdict"]) == (1, "fails")
    assert [c["name"] for c in said["checks"] if c["verdict"] == "fails"] == ["standing"]
    code, said = reader.ask("passport", "verify", "p.json")
    assert (code, said["verdict"]) == (3, "unverifiable")


def test_reading_the_whole_log_leaves_one_limit_less(reader: Reader, folder: Path) -> None:
    """By a policy alone the answer says that who states batches was not checked; by the log it is checked."""
    (folder / "l.json").unlink(missing_ok=True)
    reader.say("passport", GPU[2], "--out", "l.json", "--home", "home")
    _, alone = reader.ask("passport", "verify", "l.json", "--policy", "home/trust.json")
    _, read = reader.ask(
        "passport", "verify", "l.json", "--policy", "home/trust.json", "--log", "home/public/log"
    )
    assert (alone["verdict"], read["verdict"]) == ("holds", "holds")
    assert len(alone["limits"]) == len(read["limits"]) + 1


def test_a_file_is_never_written_over(reader: Reader, folder: Path) -> None:
    """Where a file is, nothing is written, and the command says so."""
    (folder / "taken.json").write_text("mine", "utf-8")
    code, _, err = reader.say("passport", GPU[0], "--out", "taken.json", "--home", "home")
    assert (code, (folder / "taken.json").read_text("utf-8")) == (1, "mine")
    assert "already there" in err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("passport", "nobody", "--home", "home"), 2, "no chip bears"),
        (("passport", "a", "b", "--home", "home"), 2, "name one chip"),
        (("passport", GPU[0], "--at", "noon", "--home", "home"), 2, "--at"),
        (("passport", GPU[0], "--home", "empty"), 2, "no regime is founded here"),
        (("passport", "verify", "absent.json"), 2, "absent.json"),
        (("passport", "verify"), 2, "name the passport's file"),
        (("holdings", "--by", "colour", "--home", "home"), 2, "is no dimension"),
        (("chips", "--state", "broken", "--home", "home"), 2, "is no state"),
    ],
)
def test_bad_input_is_named(reader: Reader, words: tuple[str, ...], code: int, told: str) -> None:
    """What was wrong, and where, in one line; exit 2."""
    answered, _, err = reader.say(*words)
    assert answered == code
    assert told in err


def test_what_is_no_passport_is_refused_with_the_field(reader: Reader, folder: Path) -> None:
    """A file of another kind names what does not fit."""
    (folder / "other.json").write_text('{"format":"sekisho-passport/v1","log":1}', "utf-8")
    code, _, err = reader.say("passport", "verify", "other.json", "--policy", "home/trust.json")
    assert code == 2
    assert "other.json" in err


def test_chips_are_found_and_paged(reader: Reader) -> None:
    """A page ends with where to go on, and the next page goes on there."""
    _, first = reader.ask("chips", "--party", "cloud-x", "--limit", "5", "--home", "home")
    _, second = reader.ask(
        "chips", "--party", "cloud-x", "--limit", "50", "--after", first["next"], "--home", "home"
    )
    found = [row["epc"] for row in (*first["chips"], *second["chips"])]
    assert found == sorted(set(found))
    assert len(found) == 18
    assert second["next"] is None


def test_holdings_name_unit_source_and_constants(reader: Reader) -> None:
    """Every figure bears its unit, its source and what an H100 is taken to be; FLOP are text."""
    code, document = reader.ask("holdings", "--by", "country", "--home", "home")
    assert code == 3
    assert document["unit"] == "H100e"
    assert document["constants"]["flop_per_s"] == "989000000000000"
    assert document["total"]["verdict"] == "not measured"
    assert document["total"]["unmeasured"] == [
        {"model": "Abacus <b>9000</b>", "component": "package", "count": 1}
    ]
    assert document["total"]["retired"] == 1


def test_clusters_tell_each_limb(reader: Reader) -> None:
    """Each limb has its figure, exactly too, its limit, and whether it alone covers."""
    _, document = reader.ask("clusters", "--home", "home")
    campus = next(c for c in document["clusters"] if c["network"] == "campus")
    assert campus["covered"] == "covered"
    assert {limb["name"]: limb["high_exact"] for limb in campus["limbs"]} == {
        "rate": str(17 * 989),
        "tpp": str(17 * 15_824),
        "memory": "1360",
    }
    fab = next(c for c in document["clusters"] if c["network"] == "fab-1")
    assert fab["covered"] == "unverifiable"
    assert not fab["limbs"][0]["complete"]


def test_a_hostile_name_moves_no_cursor(reader: Reader) -> None:
    """Names and details of strangers are printed as text."""
    for words in (("chips",), ("clusters",), ("holdings",), ("passport", GPU[0] + "-L")):
        _, out, _ = reader.say(*words, "--home", "home")
        assert "\x1b" not in out
