from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.adapters.keys.deposit_keys import HpkeSealer
from sekisho.model.errors import InvalidInput
from sekisho.signing.sealing import DepositKey, SealBroken
from tests.by_hand import FixedSealer, hpke_seal, raw_public
from tests.deposited import HOLDERS, STRANGER
from tests.factory import AUTHORITY

ALICE = HOLDERS[0]
PREFIX = ALICE.key.spki[:-32]
# The points of small order on Curve25519, as RFC 7748 section 6.1 and D. J. Bernstein's page on ECDH list them.
SMALL_ORDER = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)


def test_the_vector_of_rfc_9180_is_made_by_hand() -> None:
    """RFC 9180 appendix A.2.1.1, so that what we write by hand is HPKE and our library is held to it."""
    ephemeral = X25519PrivateKey.from_private_bytes(
        bytes.fromhex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600")
    )
    assert raw_public(ephemeral).hex() == (
        "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"
    )
    receiver = X25519PublicKey.from_public_bytes(
        bytes.fromhex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a")
    )
    text, info = b"Beauty is truth, truth beauty", b"Ode on a Grecian Urn"
    sealed = hpke_seal(ephemeral, receiver, text, info, b"Count-0")
    assert sealed[32:].hex() == (
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"
    )


@settings(max_examples=25)
@given(st.binary(max_size=64), st.binary(max_size=64))
def test_what_is_sealed_is_opened_by_its_holder(data: bytes, info: bytes) -> None:
    """By the library and by hand alike; the length grows by a key and a tag."""
    for sealer in (HpkeSealer(), FixedSealer()):
        sealed = sealer.seal(ALICE.key, data, info)
        assert ALICE.open(sealed, info) == data
        assert len(sealed) == 32 + len(data) + 16


def test_the_library_seals_anew_each_time() -> None:
    """Two seals of one share are unlike, so nobody sees that they hold the same."""
    sealer = HpkeSealer()
    assert sealer.seal(ALICE.key, b"share", b"") != sealer.seal(ALICE.key, b"share", b"")


def test_nobody_else_opens_it_and_no_byte_may_change() -> None:
    """Another key, another context, a flipped bit anywhere, a cut: each is refused."""
    sealed = FixedSealer().seal(ALICE.key, b"share", b"context")
    with pytest.raises(SealBroken):
        STRANGER.open(sealed, b"context")
    with pytest.raises(SealBroken):
        ALICE.open(sealed, b"contexT")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            ALICE.open(bytes(changed), b"context")
    for cut in (b"", sealed[:31], sealed[:-1], sealed + b"\x00"):
        with pytest.raises(SealBroken):
            ALICE.open(cut, b"context")


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_key_that_anybody_opens_is_refused(point: str) -> None:
    """With a point of small order every exchange has one result; also with another spelling of it."""
    for top in (0, 0x80):
        raw = bytearray.fromhex(point)
        raw[31] |= top
        with pytest.raises(InvalidInput, match=r"small order|canonical"):
            DepositKey(PREFIX + bytes(raw))


def test_a_key_has_one_spelling() -> None:
    """The unused top bit, a number above the field's prime, base64 with free bits: each would be a second holder."""
    raw = bytearray(ALICE.key.spki[-32:])
    raw[31] |= 0x80
    above = (2**255 - 19 + 9).to_bytes(32, "little")
    for spelling in (bytes(raw), above):
        with pytest.raises(InvalidInput, match="canonical"):
            DepositKey(PREFIX + spelling)
    with pytest.raises(InvalidInput, match="deposit: base64"):
        DepositKey.from_text(ALICE.key.to_text()[:-2] + "B=", path="deposit")


def test_another_kind_of_key_is_no_deposit_key() -> None:
    """Signing keys are for signing."""
    ecdsa = generate_private_key(SECP256R1()).public_key()
    spki = ecdsa.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for other in (AUTHORITY[0].public.spki, spki):
        with pytest.raises(InvalidInput, match="X25519"):
            DepositKey(other)
    with pytest.raises(InvalidInput, match="DER"):
        DepositKey(b"nothing")


def test_a_deposit_key_is_its_bytes() -> None:
    """Equal by its SPKI, there and back as text, and its representation shows only its id."""
    again = DepositKey.from_text(ALICE.key.to_text())
    assert again == ALICE.key
    assert len({again, ALICE.key, STRANGER.key}) == 2
    assert repr(again) == f"DepositKey({again.key_id[:16]})"
    assert repr(ALICE) == f"X25519Opener({again.key_id[:16]})"
    assert again != "key"
