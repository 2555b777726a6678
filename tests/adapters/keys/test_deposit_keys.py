from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from sekisho.adapters.keys import create_key
from sekisho.adapters.keys.deposit_keys import (
    HpkeSealer,
    ShamirSharing,
    create_deposit_key,
    load_deposit_key,
)
from sekisho.model.errors import InvalidInput, StateConflict


def test_a_deposit_key_comes_back_and_opens(tmp_path: Path) -> None:
    """Mode 0600; what was sealed to it before is opened by the key as read."""
    path = tmp_path / "verifier.x25519"
    made = create_deposit_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    sealed = HpkeSealer().seal(made.key, b"share", b"info")
    assert load_deposit_key(path).open(sealed, b"info") == b"share"


def test_a_passphrase_encrypts_a_deposit_key(tmp_path: Path) -> None:
    """It opens with its own passphrase and no other."""
    path = tmp_path / "verifier.x25519"
    made = create_deposit_key(path, passphrase=b"correct horse")
    assert b"ENCRYPTED" in path.read_bytes()
    assert load_deposit_key(path, passphrase=b"correct horse").key == made.key
    for wrong in (b"wrong horse", None):
        with pytest.raises(InvalidInput, match="passphrase"):
            load_deposit_key(path, passphrase=wrong)


def test_another_key_is_no_deposit_key(tmp_path: Path) -> None:
    """A signing key's file, and no key at all."""
    path = tmp_path / "alice.pem"
    create_key(path)
    with pytest.raises(InvalidInput, match="not an X25519 key"):
        load_deposit_key(path)
    with pytest.raises(StateConflict, match="already there"):
        create_deposit_key(path)


def test_a_deposit_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """Like every key."""
    path = tmp_path / "verifier.x25519"
    create_deposit_key(path)
    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="others can read"):
        load_deposit_key(path)


def test_without_the_extra_nobody_deposits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names what to install."""
    monkeypatch.setitem(sys.modules, "Crypto.Protocol.SecretSharing", None)
    for act in (
        lambda: ShamirSharing().split(bytes(16), 1, 1),
        lambda: ShamirSharing().combine([(1, bytes(16))]),
    ):
        with pytest.raises(StateConflict, match="pycryptodome") as caught:
            act()
        assert "sekisho[deposit]" in caught.value.remedy
