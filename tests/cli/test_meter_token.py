"""`sekisho meter token`, `tokens`, `revoke`: a secret that is shown once, and exit codes that people script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sekisho.cli import main
from sekisho.settings import Settings

Call: TypeAlias = Callable[..., tuple[int, Any]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def call(home: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls `meter ... --json`; code and document."""
    settings = Settings(home=home, trust_file=home / "trust.json")

    def ask(*words: str) -> tuple[int, Any]:
        code = main.call(["meter", *words, "--json"], settings)
        return code, json.loads(capsys.readouterr().out)

    return ask


@pytest.fixture
def say(home: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """The same as a person calls it, in a language; code and text."""

    def ask(*words: str, language: Any = "en") -> tuple[int, str]:
        settings = Settings(home=home, trust_file=home / "trust.json", language=language)
        return main.call(["meter", *words], settings), capsys.readouterr().out

    return ask


def test_a_token_is_shown_once(call: Call, say: Any) -> None:
    """Afterwards only its digest; it can be revoked by the beginning of that."""
    code, made = call("token", "--site", "osaka-1", "--lasts", "24h")
    assert code == 0
    assert made["token"].startswith("skm_")
    code, (listed,) = call("tokens")
    assert (listed["digest"], listed["site"]) == (made["digest"], "osaka-1")
    assert "token" not in listed
    assert call("revoke", made["digest"][:8]) == (0, {"revoked": made["digest"]})
    assert call("tokens")[1][0]["revoked"] is True
    assert "revoked" in say("tokens")[1]
    assert "取り消し済み" in say("tokens", language="ja")[1]


def test_a_token_goes_into_a_file_for_its_owner_only(call: Call, say: Any, home: Path) -> None:
    """Then it stands nowhere in the output, and no file is written over."""
    code, made = call("token", "--site", "osaka-1", "--out", "push.token")
    place = home.parent / "push.token"
    text = place.read_text()
    assert (code, made["file"], place.stat().st_mode & 0o777) == (0, "push.token", 0o600)
    assert text.startswith("skm_")
    assert "token" not in made
    assert text.strip() not in say("token", "--site", "osaka-1", "--out", "other.token")[1]
    code, again = call("token", "--site", "osaka-1", "--out", "push.token")
    assert code == 2
    assert again["error"]["message"]
    assert place.read_text() == text
    assert len(call("tokens")[1]) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("token", "--site", "has space"),
        ("token", "--site", "a/b"),
        ("token", "--site", "x", "--lasts", "1s"),
        ("token", "--site", "x", "--lasts", "4000d"),
        ("token", "--site", "x", "--home", "nowhere"),
        ("token", "--site", "x", "--out", "no-folder/push.token"),
        ("revoke", "abc"),
        ("revoke", "0123456789"),
    ],
)
def test_bad_input_ends_with_two_and_leaves_nothing(
    call: Call, home: Path, words: tuple[str, ...]
) -> None:
    """A site that no folder can bear, a length that is none, a home that is none."""
    code, document = call(*words)
    assert code == 2
    assert document["error"]["message"]
    assert not (home / "inventories.sqlite").exists() or call("tokens") == (0, [])


def test_a_file_is_gone_again_where_no_token_came(call: Call, home: Path) -> None:
    """A site that is none leaves no empty file that somebody might configure."""
    assert call("token", "--site", "has space", "--out", "push.token")[0] == 2
    assert not (home.parent / "push.token").exists()
