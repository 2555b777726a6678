"""`sekisho charter drill`: it holds, it says so in both languages, and nothing of it can pass for a real regime."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sekisho.catalogue import Language
from sekisho.rehearsal import charter_drill
from sekisho.rehearsal.charter_scene import CharterScene, NotAsAnnounced
from tests.cli.ceremonies import KeyHolder

Capture = pytest.CaptureFixture[str]
STEPS = [name for name, _ in charter_drill.STEPS]


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch)


def test_the_drill_holds_and_its_home_can_be_read(holder: KeyHolder, capsys: Capture) -> None:
    """Every step, in order; the kept home is a log under its own root; the user's trust file is not touched."""
    trusted = holder.path("trust.json").read_bytes()
    home = holder.path("drilled")
    found = holder.answer(capsys, "charter", "drill", "--home", home)
    assert found["verdict"] == "holds"
    assert [(step["name"], step["ok"]) for step in found["steps"]] == [(n, True) for n in STEPS]
    shown = holder.answer(capsys, "charter", "show", "--home", home)
    assert shown["predicate"]["version"] == 4
    assert holder.path("trust.json").read_bytes() == trusted


def test_nothing_of_it_can_pass_for_a_real_regime(holder: KeyHolder, capsys: Capture) -> None:
    """Another origin, of a name that cannot exist; DRILL before every organisation and holder; keys named so."""
    home = holder.path("drilled")
    found = holder.answer(capsys, "charter", "drill", "--home", home)
    assert found["origin"].startswith("drill.invalid/")
    shown = holder.answer(capsys, "charter", "show", "--home", home)["predicate"]
    people = [key for group in shown["constituencies"] for key in group["keys"]]
    people += shown["recovery"]["keys"]
    assert all(p["organisation"].startswith("DRILL ") for p in people)
    assert all(p["holder"].startswith("DRILL ") for p in people)
    assert shown["name"].startswith("DRILL")
    assert all(path.name.startswith("DRILL-") for path in (home / "keys").iterdir())
    again = holder.answer(capsys, "charter", "drill")
    assert again["origin"] != found["origin"]


@pytest.mark.parametrize(("language", "word"), [("en", "holds"), ("ja", "成立")])
def test_it_is_narrated_in_either_language(
    holder: KeyHolder, capsys: Capture, language: Language, word: str
) -> None:
    """Each step by its number, each refusal by its code, the verdict at the end; the home is gone."""
    holder.language = language
    assert holder.call("charter", "drill") == 0
    told = capsys.readouterr().out
    assert [f"{n}/{len(STEPS)} " in told for n in range(1, len(STEPS) + 1)] == [True] * len(STEPS)
    assert told.count("(recovery-break)") + told.count("（recovery-break）") == 2
    assert word in told.splitlines()[-2]


def test_a_step_that_is_not_as_announced_fails_the_drill(
    holder: KeyHolder, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The drill ends there with 1 and says why; a refusal that does not come is such a step."""

    def lax(scene: CharterScene) -> None:
        scene.must_refuse("early", lambda: None)

    steps = (charter_drill.STEPS[0], ("prove", lax), charter_drill.STEPS[2])
    monkeypatch.setattr(charter_drill, "STEPS", steps)
    assert holder.call("charter", "drill", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], len(found["steps"])) == ("fails", 2)
    assert "not refused" in found["steps"][-1]["problem"]


def test_a_folder_with_something_in_it_is_left_alone(holder: KeyHolder, capsys: Capture) -> None:
    """A drill never writes into somebody's home."""
    home = holder.path("mine")
    home.mkdir()
    (home / "file").write_text("mine")
    assert holder.call("charter", "drill", "--home", home) == 1
    assert [path.name for path in home.iterdir()] == ["file"]


def test_a_scene_without_a_log_says_so(tmp_path: Path, holder: KeyHolder) -> None:
    """Nothing can be read before the regime is founded."""
    scene = CharterScene(tmp_path / "scene", holder.now, "en", lambda _: None)
    with pytest.raises(NotAsAnnounced):
        _ = scene.state
