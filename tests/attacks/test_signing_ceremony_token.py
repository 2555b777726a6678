"""Attack: the token is not the one that it seems to be, or what it is to sign is exchanged on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def new_key(holder: KeyHolder, token: Token, name: str) -> str:
    """A key on the token; its place, with the public part in NAME.pub."""
    place = token.place()
    pin = ("--passphrase-file", holder.path("pin"))
    assert holder.call("key", "new", holder.path(f"{name}.pub"), "--hsm", place, *pin) == 0
    return place


def charter_of(holder: KeyHolder, name: str) -> Path:
    flags = founding(holder)
    flags[flags.index("--key") + 1] = f"authority:Ministry:member 1:{holder.path(f'{name}.pub')}"
    out = holder.path("charter.json")
    assert holder.call("charter", "init", *flags, "--out", out) == 0
    return out


def sign(holder: KeyHolder, path: Path, place: str, phrase: str = "") -> int:
    typed = phrase or phrase_of(path.read_bytes())
    command = ("charter", "sign", path, "--key", place, "--phrase", typed)
    return holder.call(*command, "--passphrase-file", holder.path("pin"))


def test_another_key_at_the_same_place_is_refused_by_the_charter(
    holder: KeyHolder, token: Token, capsys: Capture
) -> None:
    """Whoever swaps the card: its public key is not the charter's, so it signs nothing."""
    new_key(holder, token, "honest")
    swapped = new_key(holder, token, "swapped")
    path = charter_of(holder, "honest")
    before = path.read_bytes()
    assert sign(holder, path, swapped) == 1
    assert "key-without-power" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_token_that_shows_one_key_and_signs_with_another_is_found_out(
    holder: KeyHolder, token: Token, capsys: Capture
) -> None:
    """The charter's public key put over a private key of somebody else: the signature does not fit, none is written."""
    honest = new_key(holder, token, "honest")
    other = new_key(holder, token, "other")
    _show_public_of(token, honest, at=other)
    path = charter_of(holder, "honest")
    before = path.read_bytes()
    assert sign(holder, path, other) == 1
    assert "another key than the one that it shows" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_bytes_swapped_between_show_and_token_are_not_signed(
    holder: KeyHolder, token: Token, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The file is exchanged while the question stands: the token's signature is over what was shown, and stays out."""
    place = new_key(holder, token, "honest")
    path = charter_of(holder, "honest")
    phrase = phrase_of(path.read_bytes())

    def swap(*_: object, **__: object) -> str:
        path.unlink()
        flags = [*founding(holder), "--max-lease", "23h"]
        assert holder.call("charter", "init", *flags, "--out", path) == 0
        return phrase

    monkeypatch.setattr("typer.prompt", swap)
    command = ("charter", "sign", path, "--key", place)
    assert holder.call(*command, "--passphrase-file", holder.path("pin")) == 1
    assert "another statement" in capsys.readouterr().err
    assert b'"signatures"' not in path.read_bytes()


def test_the_phrase_of_another_document_reaches_no_token(
    holder: KeyHolder, token: Token, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Without the right phrase the token is not even asked."""
    place = new_key(holder, token, "honest")
    path = charter_of(holder, "honest")

    from sekisho.adapters.keys import hsm

    def asked(*_: object) -> bytes:
        pytest.fail("the token was asked to sign")

    monkeypatch.setattr(hsm.HsmSigner, "sign", asked)
    assert sign(holder, path, place, phrase_of(b"another document")) == 1
    assert "phrase-missing" in capsys.readouterr().err


def _show_public_of(token: Token, honest: str, *, at: str) -> None:
    """Put the public key of one place over the private key of another, as a thief of the card could."""
    import pkcs11

    from sekisho.adapters.keys import hsm

    source, target = (hsm._id_bytes(hsm.HsmAddress.from_text(place)) for place in (honest, at))
    card = pkcs11.lib(token.library).get_token(token_label=token.label)
    public = pkcs11.ObjectClass.PUBLIC_KEY
    with card.open(rw=True, user_pin=token.pin) as session:
        shown = session.get_key(public, pkcs11.KeyType.EC, id=source)
        names = (pkcs11.Attribute.EC_PARAMS, pkcs11.Attribute.EC_POINT)
        values = {name: shown[name] for name in names}
        session.get_key(public, pkcs11.KeyType.EC, id=target).destroy()
        session.create_object(
            {
                **values,
                pkcs11.Attribute.CLASS: public,
                pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.EC,
                pkcs11.Attribute.ID: target,
                pkcs11.Attribute.TOKEN: True,
                pkcs11.Attribute.PRIVATE: False,
                pkcs11.Attribute.VERIFY: True,
            }
        )
