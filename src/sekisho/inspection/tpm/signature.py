"""TPMT_SIGNATURE: RSASSA, RSAPSS and ECDSA, checked under a key's SPKI.

Source: TPM 2.0 Library part 2 section 11.3.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sekisho.inspection.tpm.octets import MalformedTpmData, Octets
from sekisho.inspection.tpm.public import HASHES, TpmKey
from sekisho.model.errors import BadSignature

__all__ = ["TpmSignature", "load_key", "parse_signature", "verify_signature"]

_RSASSA, _RSAPSS, _ECDSA = 0x0014, 0x0016, 0x0018
_MAX_RSA, _MAX_COORDINATE = 512, 66
Hash: TypeAlias = SHA256 | SHA384 | SHA512
_HASH_TYPES: dict[str, type[Hash]] = {"sha256": SHA256, "sha384": SHA384, "sha512": SHA512}


class TpmSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature: its scheme, its hash, and its value as X.509 has it (RSA bytes, or r and s in DER)."""

    scheme: int
    hash_algorithm: int
    value: bytes


def parse_signature(data: bytes) -> TpmSignature:
    """Read a TPMT_SIGNATURE. Raises MalformedTpmData."""
    octets = Octets(data, "TPMT_SIGNATURE")
    scheme, algorithm = octets.number(2), octets.number(2)
    if algorithm not in HASHES:
        raise octets.fault(f"hash {algorithm:#06x} is not SHA-256, SHA-384 or SHA-512")
    if scheme in (_RSASSA, _RSAPSS):
        value = octets.sized(_MAX_RSA)
    elif scheme == _ECDSA:
        r, s = octets.sized(_MAX_COORDINATE), octets.sized(_MAX_COORDINATE)
        value = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    else:
        raise octets.fault(f"scheme {scheme:#06x} is not RSASSA, RSAPSS or ECDSA")
    octets.end()
    return TpmSignature(scheme=scheme, hash_algorithm=algorithm, value=value)


def load_key(spki: bytes) -> TpmKey:
    """The key of an SPKI, RSA or on an elliptic curve. Raises MalformedTpmData."""
    try:
        key = load_der_public_key(spki)
    except ValueError as error:
        raise MalformedTpmData(f"the attestation key: no SPKI: {error}") from None
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        raise MalformedTpmData("the attestation key is neither RSA nor on an elliptic curve")
    return key


def verify_signature(signature: TpmSignature, data: bytes, key: TpmKey) -> None:
    """Raise BadSignature unless `key` signed exactly these bytes."""
    name = HASHES[signature.hash_algorithm]
    digest, prehashed = hashlib.new(name, data).digest(), Prehashed(_HASH_TYPES[name]())
    try:
        if isinstance(key, EllipticCurvePublicKey) and signature.scheme == _ECDSA:
            key.verify(signature.value, digest, ECDSA(prehashed))
            return
        if isinstance(key, RSAPublicKey) and signature.scheme in (_RSASSA, _RSAPSS):
            key.verify(signature.value, digest, _padding(signature), prehashed)
            return
    except InvalidSignature:
        raise BadSignature(
            "the TPM's signature does not verify under the attestation key"
        ) from None
    raise BadSignature("the TPM's signature is of another kind than the attestation key")


def _padding(signature: TpmSignature) -> AsymmetricPadding:
    if signature.scheme == _RSASSA:
        return PKCS1v15()
    kind = _HASH_TYPES[HASHES[signature.hash_algorithm]]
    return PSS(
        MGF1(kind()), PSS.AUTO
    )  # a TPM takes the digest's length, or what the key has room for
