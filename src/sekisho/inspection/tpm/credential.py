"""MakeCredential without a TPM: a secret that only the TPM with this endorsement key opens, and only for that key.

A TPM opens it (ActivateCredential) only where an object of the very name lies in it: so the attestation key of that
name and the endorsement key are of one TPM. Source: TPM 2.0 Library part 1 section 24 and annexes B.10.4 and C.6.1,
part 1 section 11.4.10 (KDFa, KDFe).
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from sekisho.inspection.tpm.octets import sized
from sekisho.inspection.tpm.public import DECRYPT, HASHES, RESTRICTED, TpmPublic
from sekisho.model.errors import VerificationError

__all__ = ["NotEndorsementKey", "Sealed", "make_credential"]

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class NotEndorsementKey(VerificationError):
    """The key shown is not one that a TPM keeps to open credentials with."""

    code = "not-an-endorsement-key"


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed credential: the contents of TPM2B_ID_OBJECT and of TPM2B_ENCRYPTED_SECRET."""

    credential: bytes
    secret: bytes


def make_credential(endorsement: TpmPublic, name: bytes, content: bytes, *, seed: bytes) -> Sealed:
    """Seal `content` for the object of `name` beside an endorsement key.

    `seed` is random, as long as the key's hash; on an elliptic curve it is not used, since the exchange makes one.
    Raises NotEndorsementKey for a key that is not a restricted decryption key.
    """
    wanted = RESTRICTED | DECRYPT
    if endorsement.attributes & wanted != wanted or not endorsement.cipher_bits:
        raise NotEndorsementKey("the endorsement key shown is not a restricted decryption key")
    algorithm = HASHES[endorsement.name_algorithm]
    seed, secret = _share(endorsement, algorithm, seed)
    bits = 8 * hashlib.new(algorithm).digest_size
    cipher_key = _kdfa(algorithm, seed, b"STORAGE", name, endorsement.cipher_bits)
    # CFB with a zero vector, as part 1 prescribes: the key is used once.
    encryptor = Cipher(AES(cipher_key), CFB(bytes(16))).encryptor()
    hidden = encryptor.update(sized(content)) + encryptor.finalize()
    proof = hmac.digest(_kdfa(algorithm, seed, b"INTEGRITY", b"", bits), hidden + name, algorithm)
    return Sealed(credential=sized(proof) + hidden, secret=secret)


def _share(endorsement: TpmPublic, algorithm: str, seed: bytes) -> tuple[bytes, bytes]:
    """A seed that both sides will have, and what the TPM needs to have it."""
    kind, key = _HASHES[algorithm], endorsement.key
    if isinstance(key, RSAPublicKey):
        if len(seed) != kind.digest_size:
            raise NotEndorsementKey(
                f"the endorsement key shown takes a seed of {kind.digest_size} bytes, here are {len(seed)}"
            )
        padding = OAEP(mgf=MGF1(kind), algorithm=kind, label=b"IDENTITY\0")
        return seed, key.encrypt(seed, padding)
    return _exchange(key, algorithm)


def _exchange(key: EllipticCurvePublicKey, algorithm: str) -> tuple[bytes, bytes]:
    own = generate_private_key(key.curve)
    size = (key.curve.key_size + 7) // 8
    point, theirs = own.public_key().public_numbers(), key.public_numbers()
    x, y = point.x.to_bytes(size, "big"), point.y.to_bytes(size, "big")
    shared = own.exchange(ECDH(), key)
    seed = _kdfe(algorithm, shared, b"IDENTITY", x, theirs.x.to_bytes(size, "big"))
    return seed, sized(x) + sized(y)


def _kdfa(algorithm: str, key: bytes, label: bytes, context: bytes, bits: int) -> bytes:
    """SP 800-108 in counter mode; never more than one block is asked for here but by a cipher key of 256 bits."""
    made, counter = b"", 0
    while len(made) * 8 < bits:
        counter += 1
        block = counter.to_bytes(4, "big") + label + b"\0" + context + bits.to_bytes(4, "big")
        made += hmac.digest(key, block, algorithm)
    return made[: bits // 8]


def _kdfe(algorithm: str, shared: bytes, label: bytes, party_u: bytes, party_v: bytes) -> bytes:
    """SP 800-56A's concatenation, one block: as many bits as the hash has."""
    return hashlib.new(
        algorithm, (1).to_bytes(4, "big") + shared + label + b"\0" + party_u + party_v
    ).digest()
