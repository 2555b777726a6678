"""`sekisho registry drill`: told in both languages, its home kept, nothing of the user's touched."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from sekisho.catalogue import Language, say
from sekisho.cli.main import call
from sekisho.rehearsal import chip_drill
from sekisho.rehearsal.chip_scene import ChipScene
from sekisho.settings import Settings

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "chip-drill.md"
Capture = pytest.CaptureFixture[str]


class Typist:
    """Somebody at a command line in an empty folder, with nothing of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def type(self, *words: str, language: Language = "en") -> int:
        settings = Settings(
            home=self.folder / "none", trust_file=self.folder / "trust.json", language=language
        )
        return call(words, settings)


@pytest.fixture
def typist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typist:
    monkeypatch.chdir(tmp_path)
    return Typist(tmp_path)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first two steps alone, for tests of what stands around them."""
    monkeypatch.setattr(chip_drill, "STEPS", chip_drill.STEPS[:2])


def test_the_commands_of_the_guide_run_as_they_stand(typist: Typist, capsys: Capture) -> None:
    """The whole drill in Japanese, then every command that the page shows, with the exit codes that it names."""
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if line]
    for line in lines:
        named = re.search(r"# exit (\d)", line)
        words = shlex.split(line, comments=True)[1:]
        assert typist.type(*words, language="ja") == (int(named[1]) if named else 0), line
        told = capsys.readouterr().out
        if words[1] == "drill":
            steps = len(chip_drill.STEPS)
            assert [f"{n}/{steps} " in told for n in range(1, steps + 1)] == [True] * steps
            assert say("chip.drill.labels-pass", "ja") in told
            assert say("chip.drill.holds", "ja") in told
            assert f"sekisho up --home {typist.folder / 'drilled'}" in told
    assert not (typist.folder / "trust.json").exists()
    assert not (typist.folder / "none").exists()


@pytest.mark.usefixtures("short")
def test_json_gives_verdict_home_and_steps_alone(
    typist: Typist, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without --home a new folder that is kept, readable by its owner alone."""
    monkeypatch.setattr("tempfile.tempdir", str(typist.folder))
    assert typist.type("registry", "drill", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"verdict", "home", "steps"}
    assert [step.keys() for step in found["steps"]] == [{"name", "ok", "seconds"}] * 2
    home = Path(found["home"])
    assert (home / "trust.json").exists()
    assert home.stat().st_mode & 0o077 == 0


def test_a_step_that_is_not_as_announced_fails_the_drill(
    typist: Typist, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends there with 1, says why, and the home stays for whoever looks for the reason."""

    def wrong(scene: ChipScene) -> None:
        scene.expect(1, 2, "the sum")

    steps = (chip_drill.STEPS[0], ("enrol", wrong), chip_drill.STEPS[2])
    monkeypatch.setattr(chip_drill, "STEPS", steps)
    assert typist.type("registry", "drill", "--home", "drilled", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], len(found["steps"])) == ("fails", 2)
    assert "announced was 2" in found["steps"][-1]["problem"]
    assert typist.type("registry", "drill", "--home", "again") == 1
    assert "announced was 2" in capsys.readouterr().out
    assert (typist.folder / "drilled" / "trust.json").exists()


@pytest.mark.parametrize("is_file", [True, False])
def test_whatever_is_there_is_left_alone(typist: Typist, capsys: Capture, is_file: bool) -> None:
    """A drill never writes into somebody's home, nor over a file."""
    mine = typist.folder / "mine"
    kept = mine if is_file else mine / "file"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")
    assert typist.type("registry", "drill", "--home", "mine") == 1
    assert "--home" in capsys.readouterr().err
    assert kept.read_text() == "mine"
    assert list(typist.folder.iterdir()) == [mine]
