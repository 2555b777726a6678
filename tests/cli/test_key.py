"""`sekisho key`: keys that only their owner can read, and their public parts."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sekisho.adapters.keys import load_key
from sekisho.signing import PublicKey
from sekisho.signing.notes import VerifierKey
from tests.cli.ceremonies import KeyHolder, phrase_of
from tests.cli.foundings import founding

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch)


def test_a_new_key_is_its_owners_alone(holder: KeyHolder, capsys: Capture) -> None:
    """The private file has mode 0600, the public one beside it is the same key, and the id has its phrase."""
    path = holder.path("alice.pem")
    made = holder.answer(capsys, "key", "new", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path).public.key_id == made["key"]
    assert holder.answer(capsys, "key", "show", f"{path}.pub")["key"] == made["key"]
    assert holder.answer(capsys, "key", "show", path)["phrase"] == made["phrase"]
    assert PublicKey.from_text(made["public"]).key_id == made["key"]


def test_a_key_is_never_overwritten(holder: KeyHolder) -> None:
    """Neither the private nor the public file of another key is touched."""
    path = holder.path("alice.pem")
    assert holder.call("key", "new", path) == 0
    before = path.read_bytes()
    assert holder.call("key", "new", path) == 2
    holder.path("alice.pem.pub").unlink()
    assert holder.call("key", "new", path) == 1
    assert path.read_bytes() == before


def test_a_passphrase_encrypts_the_file(holder: KeyHolder, capsys: Capture) -> None:
    """A key made with a passphrase opens with it only."""
    path, secret = holder.path("alice.pem"), holder.path("secret")
    secret.write_text("correct horse\n")
    made = holder.answer(capsys, "key", "new", path, "--passphrase-file", secret)
    assert b"ENCRYPTED" in path.read_bytes()
    shown = holder.answer(capsys, "key", "show", path, "--passphrase-file", secret)
    assert shown["key"] == made["key"]
    secret.write_text("wrong horse\n")
    assert holder.call("key", "show", path, "--passphrase-file", secret) == 2


def test_a_key_as_verifier_key_of_a_log_or_witness(holder: KeyHolder, capsys: Capture) -> None:
    """`--vkey` gives the text that charters and policies name; a cosigner's differs from a log's."""
    path = holder.path("log.pem")
    made = holder.answer(capsys, "key", "new", path)
    texts = [
        holder.answer(capsys, "key", "show", f"{path}.pub", "--vkey", "log.example/one", *more)[
            "vkey"
        ]
        for more in ((), ("--cosigner",))
    ]
    keys = [VerifierKey.from_text(text) for text in texts]
    assert [key.algorithm.is_cosignature for key in keys] == [False, True]
    assert {PublicKey.from_ed25519_raw(key.public_key).key_id for key in keys} == {made["key"]}
    assert holder.call("key", "show", f"{path}.pub", "--vkey", "two words") == 2


def test_what_is_no_key_is_bad_input(holder: KeyHolder, capsys: Capture) -> None:
    """Another document where a key is expected names the file."""
    assert holder.call("key", "show", holder.order()) == 2
    assert "order.json" in capsys.readouterr().err


def test_a_verifier_key_is_written_to_a_new_file_only(holder: KeyHolder, capsys: Capture) -> None:
    """`--out` keeps the vkey for the commands that ask for its file; without --vkey there is none to write."""
    key, out = holder.key("authority-1"), holder.path("log.vkey")
    show = ("key", "show", key, "--vkey", "log.example/one", "--out", out)
    named = holder.answer(capsys, *show)["vkey"]
    assert out.read_text() == f"{named}\n"
    assert holder.call(*show) == 1
    assert holder.call("key", "show", key, "--out", holder.path("other")) == 2
    assert "--vkey" in capsys.readouterr().err


def test_a_public_key_given_as_private_is_called_one(holder: KeyHolder, capsys: Capture) -> None:
    """Not as a private key that others can read: chmod would mend nothing."""
    made = holder.path("new.pem")
    assert holder.call("key", "new", made) == 0
    public, draft = holder.path("new.pem.pub"), holder.path("charter.json")
    assert holder.call("charter", "init", *founding(holder), "--out", draft) == 0
    phrase = phrase_of(draft.read_bytes())
    assert holder.call("charter", "sign", draft, "--key", public, "--phrase", phrase) == 2
    told = capsys.readouterr().err
    assert "is a public key" in told
    assert "chmod" not in told
