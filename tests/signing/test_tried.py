"""Signatures found right are not tried twice, and nothing else is taken for them."""

from __future__ import annotations

import pytest

from sekisho.signing.keys import PublicKey
from sekisho.signing.tried import TriedSignatures
from tests import factory as f

SIGNER, OTHER = f.signer("tried"), f.signer("another")
DATA = b"what was said"
SIGNATURE = SIGNER.sign(DATA)


class Counted:
    """A key's stand-in that counts how often a signature is really tried."""

    def __init__(self, key: PublicKey) -> None:
        self.key_id, self._key, self.count = key.key_id, key, 0

    def is_signed_by(self, signature: bytes, data: bytes) -> bool:
        self.count += 1
        return self._key.is_signed_by(signature, data)


def test_a_right_signature_is_tried_once() -> None:
    """The second time it is known."""
    tried, key = TriedSignatures(), Counted(SIGNER.public)
    assert tried(key, SIGNATURE, DATA)  # type: ignore[arg-type]  # what a key is asked for
    assert tried(key, SIGNATURE, DATA)  # type: ignore[arg-type]
    assert key.count == 1


@pytest.mark.parametrize(
    ("key", "signature", "data"),
    [
        (OTHER.public, SIGNATURE, DATA),
        (SIGNER.public, SIGNATURE[:-1] + bytes([SIGNATURE[-1] ^ 1]), DATA),
        (SIGNER.public, SIGNATURE, DATA + b"!"),
    ],
    ids=["another key", "another signature", "other bytes"],
)
def test_what_differs_is_tried_anew(key: PublicKey, signature: bytes, data: bytes) -> None:
    """One that was found right speaks for nothing else, and one that is wrong stays wrong."""
    tried = TriedSignatures()
    assert tried(SIGNER.public, SIGNATURE, DATA)
    assert not tried(key, signature, data)
    assert not tried(key, signature, data)
    assert tried(SIGNER.public, SIGNATURE, DATA)


def test_only_the_last_are_remembered() -> None:
    """What a control plane sends does not fill a host's memory."""
    tried, key = TriedSignatures(most=2), Counted(SIGNER.public)
    texts = [b"one", b"two", b"three"]
    for text in texts:
        assert tried(key, SIGNER.sign(text), text)  # type: ignore[arg-type]  # what a key is asked for
    assert tried(key, SIGNER.sign(b"three"), b"three")  # type: ignore[arg-type]
    assert key.count == 3
    assert tried(key, SIGNER.sign(b"one"), b"one")  # type: ignore[arg-type]
    assert key.count == 4
