"""Keys in a hardware module, with SoftHSM in its place: drawn there, used there, every fault in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from tests.softhsm import Token, softhsm

pytestmark = pytest.mark.hsm


@pytest.fixture
def token() -> Token:
    return softhsm()


def never() -> str:
    pytest.fail("the PIN was asked for")


class Asked:
    """Gives a PIN, and counts how often it was asked for."""

    def __init__(self, pin: str) -> None:
        self.pin, self.times = pin, 0

    def __call__(self) -> str:
        self.times += 1
        return self.pin


@pytest.mark.parametrize(("curve", "bits"), [("p256", 256), ("p384", 384)])
def test_a_key_drawn_on_a_token_signs_as_our_verifier_wants(
    token: Token, curve: Any, bits: int
) -> None:
    """The signature is DER over the very bytes, on either curve, and the next open finds the same key."""
    from sekisho.adapters.keys.hsm import HsmAddress, HsmSigner, create_hsm_key, open_hsm_key

    address = HsmAddress.from_text(token.place())
    made = create_hsm_key(address, token.library, curve, Asked(token.pin))
    found = open_hsm_key(address, token.library, never)
    assert found.public == made.public
    signature = HsmSigner(found, Asked(token.pin)).sign(b"the very bytes")
    assert signature[0] == 0x30
    assert found.public.is_signed_by(signature, b"the very bytes")
    assert not found.public.is_signed_by(signature, b"other bytes")
    assert len(found.public.spki) == {256: 91, 384: 120}[bits]


def test_the_pin_is_asked_for_once_and_only_to_sign(token: Token) -> None:
    """Whose key it is, is known without; two signatures take one question."""
    from sekisho.adapters.keys.hsm import HsmAddress, HsmSigner, create_hsm_key, open_hsm_key

    address = HsmAddress.from_text(token.place())
    create_hsm_key(address, token.library, "p256", Asked(token.pin))
    asked = Asked(token.pin)
    signer = HsmSigner(open_hsm_key(address, token.library, asked), asked)
    assert asked.times == 0
    assert {signer.public.is_signed_by(signer.sign(b"x"), b"x") for _ in range(2)} == {True}
    assert asked.times == 1
    assert token.pin not in repr(signer)


def test_a_wrong_pin_is_tried_once(token: Token) -> None:
    """A token counts wrong PINs: one call, one try, and the error says that it locks itself."""
    from sekisho.adapters.keys.hsm import HsmAddress, HsmSigner, WrongPin, create_hsm_key

    address = HsmAddress.from_text(token.place())
    key = create_hsm_key(address, token.library, "p256", Asked(token.pin))
    asked = Asked("0000")
    with pytest.raises(WrongPin, match="locks itself"):
        HsmSigner(key, asked).sign(b"x")
    assert asked.times == 1
    with pytest.raises(WrongPin, match="no PIN"):
        HsmSigner(key, Asked("")).sign(b"x")


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("USER_PIN_LOCKED", "has locked itself"),
        ("USER_PIN_FINAL_TRY", "one more wrong PIN would lock"),
    ],
)
def test_a_token_at_its_last_try_is_left_alone(flag: str, words: str) -> None:
    """No PIN reaches a token that would lock itself, or has."""
    import pkcs11

    from sekisho.adapters.keys import hsm
    from sekisho.adapters.keys.hsm import HsmAddress, WrongPin

    class Slot:
        def get_token(self) -> Any:
            return self

        label = "charter-1"
        flags = pkcs11.TokenFlag.TOKEN_INITIALIZED | pkcs11.TokenFlag[flag]

    class Library:
        def get_slots(self, *, token_present: bool) -> list[Slot]:
            return [Slot()]

    with pytest.raises(WrongPin, match=words):
        hsm._find_token(Library(), HsmAddress(token="charter-1", key_id=2))


def test_an_id_is_drawn_once(token: Token) -> None:
    """A key on a token is never written over."""
    from sekisho.adapters.keys.hsm import HsmAddress, create_hsm_key, open_hsm_key

    address = HsmAddress.from_text(token.place())
    made = create_hsm_key(address, token.library, "p256", Asked(token.pin))
    with pytest.raises(StateConflict, match="already there"):
        create_hsm_key(address, token.library, "p256", Asked(token.pin))
    assert open_hsm_key(address, token.library, never).public == made.public


def test_what_is_missing_is_named(token: Token, tmp_path: Path) -> None:
    """No library, a library that is none, no token, no key: each says what to set or to plug in."""
    from sekisho.adapters.keys.hsm import HsmAddress, open_hsm_key

    address = HsmAddress.from_text(token.place())
    other = HsmAddress(token="charter-9", key_id=2)
    no_library = tmp_path / "none.so"
    no_library.write_bytes(b"no library")
    cases: list[tuple[Any, str, Callable[[], str], str]] = [
        (address, "", never, "SEKISHO_PKCS11_LIB: no PKCS #11 library"),
        (address, str(tmp_path / "gone.so"), never, "SEKISHO_PKCS11_LIB: .*no such file"),
        (address, str(no_library), never, "SEKISHO_PKCS11_LIB: .*cannot be used"),
        (other, token.library, never, "hsm:charter-9/02: 0 tokens.*seen: 'charter-1'"),
        (address, token.library, Asked(token.pin), "no ECDSA key with this id"),
    ]
    for place, library, ask, words in cases:
        with pytest.raises(InvalidInput, match=words):
            open_hsm_key(place, library, ask)


def test_a_token_that_does_not_answer_is_unavailable(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the device is one to try again, with the fault named."""
    import pkcs11

    from sekisho.adapters.keys.hsm import HsmAddress, open_hsm_key

    def removed(*_: object, **__: object) -> None:
        raise pkcs11.DeviceRemoved

    monkeypatch.setattr("sekisho.adapters.keys.hsm.HSMSigner.import_", removed)
    with pytest.raises(Unavailable, match="DeviceRemoved"):
        open_hsm_key(HsmAddress(token=token.label, key_id=2), token.library, never)


@pytest.mark.parametrize("text", ["hsm:charter-1/02", "hsm:Yubi Key #1/0a0b", "hsm:t/ff"])
def test_an_address_reads_back(text: str) -> None:
    """Label and id, there and back."""
    from sekisho.adapters.keys.hsm import HsmAddress

    assert HsmAddress.from_text(text).to_text() == text


@pytest.mark.parametrize(
    "text",
    ["hsm:", "hsm:t", "hsm:t/", "hsm:t/2", "hsm:t/0002", "hsm:t/XY", "hsm:/02", "hsm:a/b/02"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """With how to write one; an id with leading zero bytes could name another key."""
    from sekisho.adapters.keys.hsm import HsmAddress

    with pytest.raises(InvalidInput, match="TOKEN/ID"):
        HsmAddress.from_text(text)
