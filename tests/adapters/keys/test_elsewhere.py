"""A signature that was made elsewhere is taken only over the very bytes, by the very key."""

from __future__ import annotations

import pytest

from sekisho.adapters.keys.elsewhere import MadeElsewhere
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.model.wire import encode_base64
from tests import factory


def test_it_gives_the_signature_it_was_given() -> None:
    """As raw bytes, or as a line of base64 with or without its end."""
    signer = factory.signer("elsewhere")
    made = signer.sign(b"the very bytes")
    text = encode_base64(made).encode()
    for given in (made, text, text + b"\n", text + b"\r\n"):
        assert MadeElsewhere(signer.public, given).sign(b"the very bytes") == made


def test_it_signs_nothing_else() -> None:
    """Other bytes, another key, half a signature: refused by name."""
    signer = factory.signer("elsewhere")
    made = signer.sign(b"the very bytes")
    cases = [
        (signer, made, b"other bytes"),
        (factory.signer("another"), made, b"the very bytes"),
        (signer, made[:-1], b"the very bytes"),
        (signer, b"not a signature", b"the very bytes"),
    ]
    for who, given, data in cases:
        with pytest.raises(BadSignature, match="not one of key"):
            MadeElsewhere(who.public, given).sign(data)


@pytest.mark.parametrize("given", [b"", b"x" * 4097])
def test_what_cannot_be_a_signature_is_bad_input(given: bytes) -> None:
    """An empty file, and one that is far too long."""
    with pytest.raises(InvalidInput):
        MadeElsewhere(factory.signer("elsewhere").public, given)
