from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import encode_base64, sha256_hex
from sekisho.signing import Ed25519Signer, PublicKey, distinct_signers, pae, parse_envelope
from sekisho.signing.keys import Signer
from tests.factory import AUTHORITY, NOW, host_enrolled, signed, signer

P = 2**255 - 19
CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}


class EcdsaSigner:
    """A key in a module, as an HSM would hold it."""

    def __init__(self, curve: ec.EllipticCurve, secret: int = 7) -> None:
        self._key = ec.derive_private_key(secret, curve)
        self._hash = hashes.SHA256() if curve.key_size == 256 else hashes.SHA384()
        self.public = PublicKey(spki_of(self._key.public_key()))

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data, ec.ECDSA(self._hash))


def spki_of(
    key: ec.EllipticCurvePublicKey
    | ed25519.Ed25519PublicKey
    | ed448.Ed448PublicKey
    | x25519.X25519PublicKey
    | rsa.RSAPublicKey
    | dsa.DSAPublicKey,
) -> bytes:
    """The DER SubjectPublicKeyInfo of any public key."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES.keys())
def test_ecdsa_keys_of_hardware_modules_sign_statements(curve: ec.EllipticCurve) -> None:
    """P-256 and P-384 keys verify, and are found among others by their signature alone."""
    module: Signer = EcdsaSigner(curve)
    envelope = signed(host_enrolled(), module, AUTHORITY[0])
    keys = [module.public, AUTHORITY[0].public, AUTHORITY[1].public]
    assert distinct_signers(parse_envelope(envelope.raw), keys) == {
        module.public.key_id,
        AUTHORITY[0].public.key_id,
    }
    assert not module.public.is_signed_by(module.sign(b"one"), b"two")
    assert not module.public.is_signed_by(b"no DER at all", b"one")


def test_two_signatures_of_one_ecdsa_key_count_once() -> None:
    """ECDSA signs the same bytes differently each time; it is one key all the same."""
    module = EcdsaSigner(ec.SECP256R1())
    envelope = signed(host_enrolled(), module, module)
    assert len({s.sig for s in envelope.signatures}) == 2
    assert distinct_signers(envelope, [module.public]) == {module.public.key_id}


def test_a_key_is_named_by_the_digest_of_its_spki() -> None:
    """The id is SHA-256 over the SPKI's DER bytes, and text goes there and back."""
    key = AUTHORITY[0].public
    assert key.key_id == sha256_hex(key.spki)
    assert PublicKey.from_text(key.to_text()) == key
    assert PublicKey.from_ed25519_raw(key.spki[-32:]) == key
    assert len({key, PublicKey(key.spki)}) == 1


@pytest.mark.parametrize(
    "key",
    [
        ed448.Ed448PrivateKey.generate().public_key(),
        x25519.X25519PrivateKey.generate().public_key(),
        ec.derive_private_key(7, ec.SECP521R1()).public_key(),
        ec.derive_private_key(7, ec.SECP256K1()).public_key(),
        rsa.generate_private_key(65_537, 1_024).public_key(),
    ],
    ids=["Ed448", "X25519", "P-521", "secp256k1", "RSA"],
)
def test_keys_of_other_algorithms_are_refused(
    key: ed448.Ed448PublicKey
    | x25519.X25519PublicKey
    | ec.EllipticCurvePublicKey
    | rsa.RSAPublicKey,
) -> None:
    """Only Ed25519, P-256 and P-384 may speak."""
    with pytest.raises(InvalidInput):
        PublicKey(spki_of(key))


def test_a_second_encoding_of_a_key_is_refused() -> None:
    """A compressed point, trailing bytes or other base64 would give one key two ids."""
    point = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    short = point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    compressed = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + short
    for spki in (compressed, AUTHORITY[0].public.spki + b"\0", b"", b"\x30\x00"):
        with pytest.raises(InvalidInput):
            PublicKey(spki)
    with pytest.raises(InvalidInput) as refused:
        PublicKey.from_text(AUTHORITY[0].public.to_text() + "\n", path="keys[0]")
    assert refused.value.path == "keys[0]"
    with pytest.raises(InvalidInput):
        PublicKey.from_ed25519_raw(b"short")


def small_order_points() -> list[bytes]:
    """The points of small order, computed: y of order 1, 2, 4 and 8, and what is equal to them modulo p."""
    d = -121665 * pow(121666, -1, P) % P
    ys = {0, 1, P - 1}
    # A point of order 8 doubles to one of order 4, (x, 0): there y^2 = x^2 * -1, so d*y^4 + 2*y^2 - 1 = 0.
    for root in (square_root((1 + d) % P), -square_root((1 + d) % P)):
        square = (root - 1) * pow(d, -1, P) % P
        if pow(square, (P - 1) // 2, P) == 1:
            y = square_root(square)
            ys |= {y, P - y}
    encoded = {y.to_bytes(32, "little") for y in ys}
    return sorted(encoded | {(y + P).to_bytes(32, "little") for y in ys if y + P < 2**255})


def square_root(value: int) -> int:
    """A root of a square modulo p."""
    root = pow(value, (P + 3) // 8, P)
    if root * root % P != value:
        root = root * pow(2, (P - 1) // 4, P) % P
    assert root * root % P == value
    return root


def test_an_ed25519_key_under_which_anybody_can_sign_is_refused() -> None:
    """All seven encodings of small order are refused, with either sign bit; the identity shows why."""
    points = small_order_points()
    assert len(points) == 7
    head = AUTHORITY[0].public.spki[:-32]
    for point in points:
        for sign in (0, 0x80):
            spelt = point[:31] + bytes([point[31] | sign])
            with pytest.raises(InvalidInput, match="small order"):
                PublicKey(head + spelt)
    identity = ed25519.Ed25519PublicKey.from_public_bytes((1).to_bytes(32, "little"))
    identity.verify((1).to_bytes(32, "little") + bytes(32), pae("any", b"text at all"))


def test_a_signer_shows_no_secret() -> None:
    """What is printed or logged of a signer is the public key's id."""
    shown = repr(signer("authority-1"))
    assert shown == f"Ed25519Signer({AUTHORITY[0].public.key_id[:16]})"
    private = Ed25519Signer(AUTHORITY[0].private).private.private_bytes_raw()
    assert private.hex() not in shown
    assert encode_base64(private) not in shown
    assert NOW.us > 0
