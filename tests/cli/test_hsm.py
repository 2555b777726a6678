"""Keys on a token, through the command line: drawn there, written into a charter, used to sign it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.signing import parse_envelope
from tests.cli.ceremonies import KeyHolder, phrase_of
from tests.cli.foundings import founding
from tests.softhsm import Token, softhsm

pytestmark = pytest.mark.hsm
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def token() -> Token:
    return softhsm()


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: Token) -> KeyHolder:
    made = KeyHolder(tmp_path, monkeypatch)
    made.trust()
    made.pkcs11_lib = token.library
    made.path("pin").write_text(f"{token.pin}\n")
    return made


def draft_with(holder: KeyHolder, public: Path) -> Path:
    """A charter in which the key on the token is the first of the authority."""
    flags = founding(holder)
    first = flags.index("--key") + 1
    flags[first] = f"authority:Ministry:member 1:{public}"
    out = holder.path("charter.json")
    assert holder.call("charter", "init", *flags, "--out", out) == 0
    return out


@pytest.mark.parametrize("algorithm", ["p256", "p384"])
def test_a_key_on_a_token_is_made_shown_and_signs(
    holder: KeyHolder, token: Token, capsys: Capture, algorithm: str
) -> None:
    """Only its public part ever comes out; the PIN comes from a file or is typed unseen."""
    place, public = token.place(), holder.path("card.pub")
    pin = ("--passphrase-file", holder.path("pin"))
    command = ("key", "new", public, "--hsm", place, "--algorithm", algorithm)
    made = holder.answer(capsys, *command, *pin)
    assert made["file"] == place
    assert holder.answer(capsys, "key", "show", place)["key"] == made["key"]
    assert holder.answer(capsys, "key", "show", public)["phrase"] == made["phrase"]
    path = draft_with(holder, public)
    phrase = ("--phrase", phrase_of(path.read_bytes()))
    done = holder.answer(capsys, "charter", "sign", path, "--key", place, *phrase, *pin)
    assert (done["key"], done["fresh"], done["signatures"]) == (made["key"], True, 1)
    before = path.read_bytes()
    again = holder.answer(capsys, "charter", "sign", path, "--key", place, *phrase)
    assert (again["fresh"], path.read_bytes()) == (False, before)
    assert parse_envelope(before).signatures[0].keyid == made["key"]


def test_a_typed_pin_is_asked_for_after_the_phrase(
    holder: KeyHolder, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody gives a PIN under something that they have not agreed to."""
    place, public = token.place(), holder.path("card.pub")
    pin = ("--passphrase-file", holder.path("pin"))
    assert holder.call("key", "new", public, "--hsm", place, *pin) == 0
    path = draft_with(holder, public)
    asked: list[str] = []

    def answer(question: str, **_: object) -> str:
        asked.append(question)
        return phrase_of(path.read_bytes()) if "phrase" in question else token.pin

    monkeypatch.setattr("typer.prompt", answer)
    assert holder.call("charter", "sign", path, "--key", place) == 0
    assert [("PIN" in question) for question in asked] == [False, True]


def test_faults_of_a_token_are_told_in_words(
    holder: KeyHolder, token: Token, capsys: Capture
) -> None:
    """No library, no such token, an algorithm that tokens do not draw, a place that is none, a wrong PIN."""
    public, wrong = holder.path("card.pub"), holder.path("wrong-pin")
    wrong.write_text("0000\n")
    place = token.place()
    cases: list[tuple[tuple[str | Path, ...], int, str]] = [
        (("key", "show", "hsm:nowhere/02"), 2, "labelled 'nowhere'"),
        (("key", "show", "hsm:nowhere"), 2, "TOKEN/ID"),
        (("key", "new", public, "--hsm", place, "--algorithm", "ed25519"), 2, "--algorithm"),
        (("key", "new", public, "--hsm", "card"), 2, "--hsm"),
        (("key", "new", public, "--hsm", place, "--passphrase-file", wrong), 1, "wrong-pin"),
    ]
    for command, code, words in cases:
        assert holder.call(*command) == code
        assert words in capsys.readouterr().err
    holder.pkcs11_lib = ""
    assert holder.call("key", "show", place) == 2
    assert "SEKISHO_PKCS11_LIB" in capsys.readouterr().err
    assert not public.exists()


def test_without_the_packages_the_remedy_is_named(
    holder: KeyHolder, token: Token, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Whoever installed without the extra is told which one."""
    monkeypatch.delitem(__import__("sys").modules, "sekisho.adapters.keys.hsm", raising=False)
    monkeypatch.delattr("sekisho.adapters.keys.hsm", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "pkcs11", None)
    assert holder.call("key", "show", token.place()) == 2
    assert "sekisho[hsm]" in capsys.readouterr().err
