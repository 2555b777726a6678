"""`sekisho registry validate` and `hash`: verdicts, places, ids and exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.cli.main import call
from sekisho.registry.epcis import hash_id
from sekisho.settings import Settings
from tests.registry.epcis.samples import document, event_from, fixed, made


def say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str, language: str = "en"
) -> tuple[int, str]:
    settings = Settings(home=tmp_path, trust_file=tmp_path / "t", language=language)  # type: ignore[arg-type]  # a test's own word
    code = call(["registry", *words], settings)
    return code, capsys.readouterr().out


@pytest.fixture
def sound(tmp_path: Path) -> str:
    path = tmp_path / "sound.json"
    path.write_text(json.dumps(document(made(), fixed())))
    return str(path)


@pytest.fixture
def spoiled(tmp_path: Path) -> str:
    path = tmp_path / "spoiled.json"
    path.write_text(json.dumps(document(made(), made(action="MOVE\x1b[2J"), fixed())))
    return str(path)


def test_a_sound_document_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sound: str
) -> None:
    """Exit 0, the count of events, no problem; in words for a person."""
    code, out = say(tmp_path, capsys, "validate", sound, "--json")
    assert (code, json.loads(out)) == (0, {"verdict": "holds", "events": 2, "problems": []})
    assert say(tmp_path, capsys, "validate", sound) == (0, "Sound: 2 events read, 0 problems.\n")
    assert say(tmp_path, capsys, "validate", sound, language="ja")[1].startswith("正常です")


def test_a_spoiled_document_fails_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoiled: str
) -> None:
    """Exit 1, each problem with its path."""
    code, out = say(tmp_path, capsys, "validate", spoiled, "--json")
    answer: dict[str, Any] = json.loads(out)
    assert (code, answer["verdict"], answer["events"]) == (1, "fails", 3)
    assert answer["problems"] == [
        {
            "path": "epcisBody.eventList[1].action",
            "problem": "is no action; write ADD, OBSERVE or DELETE",
        }
    ]
    code, out = say(tmp_path, capsys, "validate", spoiled)
    assert code == 1
    assert "  epcisBody.eventList[1].action  is no action" in out


def test_every_event_has_its_hash_id_in_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sound: str, spoiled: str
) -> None:
    """In order; an event that is not sound has none, and the exit is 1."""
    ids = [hash_id(event_from(value)) for value in (made(), fixed())]
    code, out = say(tmp_path, capsys, "hash", sound, "--json")
    assert (code, json.loads(out)) == (0, {"ids": ids})
    assert say(tmp_path, capsys, "hash", sound) == (0, "\n".join(ids) + "\n")
    code, out = say(tmp_path, capsys, "hash", spoiled, "--json")
    assert code == 1
    assert json.loads(out)["ids"] == [ids[0], None, ids[1]]
    assert json.loads(out)["problems"]
    assert "(not sound: no hash id)" in say(tmp_path, capsys, "hash", spoiled)[1]


def test_a_hyphen_is_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with every command that reads a file."""
    data = json.dumps([made(ilmd=None)]).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    code, out = say(tmp_path, capsys, "validate", "-", "--json")
    assert (code, json.loads(out)["events"]) == (0, 1)


@pytest.mark.parametrize("command", ["validate", "hash"])
def test_what_cannot_be_read_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """XML, no EPCIS at all, no file: exit 2."""
    path = tmp_path / "x"
    for text in ("<epcis/>", '{"a": 1}'):
        path.write_text(text)
        assert say(tmp_path, capsys, command, str(path))[0] == 2
    assert say(tmp_path, capsys, command, str(tmp_path / "none"))[0] == 2


def test_an_empty_list_has_no_ids_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not an empty line, which a script would count as one id."""
    path = tmp_path / "none.json"
    path.write_text("[]")
    assert say(tmp_path, capsys, "hash", str(path)) == (0, "Sound: 0 events read, 0 problems.\n")
    assert json.loads(say(tmp_path, capsys, "hash", str(path), "--json")[1]) == {"ids": []}
