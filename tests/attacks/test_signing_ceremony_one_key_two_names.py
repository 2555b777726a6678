"""Attack: one key signs under two names, and is to count twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sekisho.model.wire import canonical
from tests.cli.ceremonies import KeyHolder, phrase_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch)


def sign(holder: KeyHolder, path: Path, key: str, phrase: str, capsys: Capture) -> tuple[bool, int]:
    done = holder.answer(
        capsys,
        *("order", "sign", path, "--key", key, "--phrase", phrase, "--log", holder.log),
    )
    return done["fresh"], done["signatures"]


def test_one_key_in_two_files_adds_one_signature(holder: KeyHolder, capsys: Capture) -> None:
    """A copy of a key file under another name changes nothing, and the command says that it had signed."""
    path = holder.order()
    phrase = phrase_of(path.read_bytes())
    key = holder.key()
    copy = str(holder.path("somebody-else.pem"))
    shutil.copy2(key, copy)
    assert sign(holder, path, key, phrase, capsys) == (True, 1)
    before = path.read_bytes()
    assert sign(holder, path, copy, phrase, capsys) == (False, 1)
    assert path.read_bytes() == before


def test_a_signature_relabelled_under_another_key_id_counts_once(
    holder: KeyHolder, capsys: Capture
) -> None:
    """The same signature again under another member's key id: loud, one of three, and signing again adds nothing."""
    path = holder.order()
    phrase = phrase_of(path.read_bytes())
    sign(holder, path, holder.key(), phrase, capsys)
    form = json.loads(path.read_bytes())
    other = holder.cast.signer("authority-2").public.key_id
    form["signatures"].append({"keyid": other, "sig": form["signatures"][0]["sig"]})
    path.write_bytes(canonical(form))
    shown = holder.answer(capsys, "show", path, "--log", holder.log)
    assert shown["standing"][0]["have"] == 1
    assert [row["code"] for row in shown["warnings"]] == ["doubled"]
    assert sign(holder, path, holder.key(), phrase, capsys)[0] is False


def test_a_signature_that_only_claims_a_key_does_not_stop_that_key_from_signing(
    holder: KeyHolder, capsys: Capture
) -> None:
    """A forged line under a signer's key id is no signature of theirs: theirs is added and counts."""
    path = holder.order()
    phrase = phrase_of(path.read_bytes())
    sign(holder, path, holder.key("authority-2"), phrase, capsys)
    form = json.loads(path.read_bytes())
    form["signatures"][0]["keyid"] = holder.cast.signer("authority-1").public.key_id
    path.write_bytes(canonical(form))
    assert sign(holder, path, holder.key("authority-1"), phrase, capsys) == (True, 2)
    shown = holder.answer(capsys, "show", path, "--log", holder.log)
    assert shown["standing"][0]["have"] == 2
