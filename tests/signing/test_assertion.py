"""Assertions: written in one form, read back, over in time."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.instants import Instant
from sekisho.signing import Ed25519Signer
from sekisho.signing.assertion import (
    Assertion,
    AssertionExpired,
    verify_assertion,
    write_assertion,
)

SIGNER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SAID = Assertion(iss="log.example/a", sub="00ff", aud="fleet", iat=1_800_000_000, exp=1_800_003_600)
TEXT = write_assertion(SAID, SIGNER)
GOLDEN = (
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9"
    ".eyJhdWQiOiJmbGVldCIsImV4cCI6MTgwMDAwMzYwMCwiaWF0IjoxODAwMDAwMDAwLCJpc3MiOiJsb2cuZXhhbXBsZS9hIiwic3ViIjoiMDBmZiJ9"
)


def read(text: str, seconds: int = 1_800_000_000) -> Assertion:
    now = Instant.from_seconds(seconds)
    return verify_assertion(text, SIGNER.public, issuer="log.example/a", now=now)


def test_an_assertion_goes_there_and_back() -> None:
    """In the form that any reader of compact JWS with EdDSA knows."""
    assert read(TEXT) == SAID
    assert TEXT.rpartition(".")[0] == GOLDEN


@pytest.mark.parametrize("seconds", [1_800_003_600, 1_799_999_939])
def test_it_holds_only_in_its_time(seconds: int) -> None:
    """Its end does not belong to it; a minute before its beginning is a clock's difference."""
    with pytest.raises(AssertionExpired):
        read(TEXT, seconds)
    assert read(TEXT, 1_799_999_940) == read(TEXT, 1_800_003_599) == SAID


@given(st.integers(0, len(TEXT) - 1), st.characters(codec="ascii"))
def test_no_other_text_means_the_same(place: int, character: str) -> None:
    """Whichever character is changed to whatever else."""
    changed = TEXT[:place] + character + TEXT[place + 1 :]
    if changed != TEXT:
        with pytest.raises((VerificationError, InvalidInput)):
            read(changed)
