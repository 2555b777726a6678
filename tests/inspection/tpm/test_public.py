"""Public parts of keys and NV indices, and what may stand for a counter."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from sekisho.inspection.tpm import MalformedTpmData
from sekisho.inspection.tpm.public import (
    NV_WRITTEN,
    NotACounter,
    NotAttestationKey,
    parse_nv_public,
    parse_public,
    verify_attestation_key,
    verify_counter,
)
from tests.tpm_words import WordyTpm, number

# A key on P-256 and a counter of swtpm 0.7.1, with the names that the TPM itself gave them.
KEY = bytes.fromhex(
    "0023000b00050472000000100018000b0003001000206894d07b12f2aa02a0d4e2d5003a451852f31b079fce20599b4b8387f0a3e49b"
    "00200f62f506b2a9b490810846d1f8e32d640345d88f5d26a14fec08af1dcba8dd81"
)
KEY_NAME = "000b07ccda51a8bdd071882cbab6cc34cb9f4a9b1971f96b857aaa5cbc2a8f54cffb"
COUNTER = bytes.fromhex("01805e51000b2206001400000008")
COUNTER_NAME = "000b6c9be5f5ab3940ca7388203cc98c624b81737a519b71c0b88324654e63fdcab3"


def test_names_are_those_that_the_tpm_gives() -> None:
    """The name of a key and of an index, computed here, equal what a TPM said of them."""
    key, counter = parse_public(KEY), parse_nv_public(COUNTER)

    assert isinstance(key.key, EllipticCurvePublicKey)
    assert key.name.hex() == KEY_NAME
    assert counter.name.hex() == COUNTER_NAME
    verify_attestation_key(key)
    verify_counter(counter)


@pytest.mark.parametrize("attributes", [0x00040472, 0x00050470, 0x00070472, 0x00050452, 0x00050462])
def test_only_a_restricted_signing_key_of_one_tpm_attests(attributes: int) -> None:
    """A key that signs foreign bytes, moves, decrypts or was made elsewhere is refused."""
    with pytest.raises(NotAttestationKey):
        verify_attestation_key(parse_public(WordyTpm(key_attributes=attributes).public))


@pytest.mark.parametrize(
    "change",
    [1 << 1, 1, 1 << 3, 1 << 26, 1 << 27, 1 << 4, NV_WRITTEN, 1 << 5],
    ids=["owner writes", "platform", "policy", "orderly", "cleared", "ordinary", "fresh", "bits"],
)
def test_only_a_counter_that_keeps_its_steps_counts(change: int) -> None:
    """An index that others step, that loses steps, that was never stepped or is no counter is refused."""
    bent = parse_nv_public(WordyTpm(attributes=WordyTpm.attributes ^ change).nv_public)
    with pytest.raises(NotACounter):
        verify_counter(bent)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (number(8, 2) + KEY[2:], "neither RSA nor"),
        (KEY[:2] + number(4, 2) + KEY[4:], "not SHA-256"),
        (KEY[:-1] + bytes([KEY[-1] ^ 1]), "no point"),
        (KEY.replace(bytes.fromhex("00030010"), bytes.fromhex("00050010")), "curve"),
        (KEY + b"\0", "left over"),
        (KEY[:10] + number(1, 2) + KEY[12:], "AES in CFB"),
    ],
)
def test_a_malformed_key_is_refused_by_name(data: bytes, words: str) -> None:
    """Foreign types, weak hashes, points off the curve and trailing bytes raise the one named error."""
    with pytest.raises(MalformedTpmData, match=words):
        parse_public(data)
