"""Attack: the document is exchanged between showing and signing."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.model.statements import Scope
from tests.cli.ceremonies import KeyHolder, phrase_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch)


def test_bytes_swapped_after_show_are_not_signed(holder: KeyHolder, capsys: Capture) -> None:
    """The phrase that a signer took from `show` does not fit another document under the same name."""
    path = holder.order()
    phrase = phrase_of(path.read_bytes())
    swapped = holder.order(scope=Scope(everywhere=True)).read_bytes()
    command = (
        "order",
        "sign",
        path,
        "--key",
        holder.key(),
        "--phrase",
        phrase,
        "--log",
        holder.log,
    )
    assert holder.call(*command) == 1
    assert "phrase-missing" in capsys.readouterr().err
    assert path.read_bytes() == swapped


def test_bytes_swapped_while_the_question_stands_are_not_touched(
    holder: KeyHolder, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """What is signed is what was shown; a file that holds another statement by then gets no signature."""
    path = holder.order()
    phrase = phrase_of(path.read_bytes())

    def swap(*_: object, **__: object) -> str:
        holder.order(scope=Scope(everywhere=True))
        return phrase

    monkeypatch.setattr("typer.prompt", swap)
    assert holder.call("order", "sign", path, "--key", holder.key(), "--log", holder.log) == 1
    assert "another statement" in capsys.readouterr().err
    assert b"signatures" not in path.read_bytes()


def test_a_signature_that_came_meanwhile_is_kept(
    holder: KeyHolder, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Two signers at one file at once: the later write carries both signatures."""
    path = holder.order()
    phrase = phrase_of(path.read_bytes())
    command = ("order", "sign", path, "--log", holder.log)

    def sign_too(*_: object, **__: object) -> str:
        other = ("--key", holder.key("authority-2"), "--phrase", phrase)
        assert holder.call(*command, *other) == 0
        return phrase

    monkeypatch.setattr("typer.prompt", sign_too)
    capsys.readouterr()
    assert holder.call(*command, "--key", holder.key("authority-1")) == 0
    assert path.read_bytes().count(b'"keyid"') == 2


def test_an_envelope_with_another_payload_in_it_has_another_phrase(
    holder: KeyHolder, capsys: Capture
) -> None:
    """Signatures of one order carried over to another are shown as worthless, and its phrase is another."""
    import json

    from sekisho.model.wire import canonical, encode_base64

    path = holder.order()
    first = path.read_bytes()
    command = ("order", "sign", path, "--key", holder.key(), "--log", holder.log)
    assert holder.call(*command, "--phrase", phrase_of(first)) == 0
    form = json.loads(path.read_bytes())
    other = holder.order("other.json", grace_s=600).read_bytes()
    form["payload"] = encode_base64(other)
    path.write_bytes(canonical(form))
    shown = holder.answer(capsys, "show", path, "--log", holder.log)
    assert shown["phrase"] == phrase_of(other) != phrase_of(first)
    assert [row["code"] for row in shown["warnings"]] == ["bad-signature"]
