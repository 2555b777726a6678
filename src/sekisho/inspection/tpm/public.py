"""TPMT_PUBLIC and TPMS_NV_PUBLIC: keys and NV indices by what they are, and their names.

A name is the hash of the public part, so that whoever knows it knows the attributes too.
Source: TPM 2.0 Library part 1 section 16 (names), part 2 sections 8.3, 12.2 and 13.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from sekisho.inspection.tpm.octets import MalformedTpmData, Octets
from sekisho.model.errors import VerificationError

__all__ = [
    "HASHES",
    "NotACounter",
    "NotAttestationKey",
    "NvPublic",
    "TpmKey",
    "TpmPublic",
    "nv_name",
    "parse_nv_public",
    "parse_public",
    "qualified_name",
    "verify_attestation_key",
    "verify_counter",
]

HASHES = {0x000B: "sha256", 0x000C: "sha384", 0x000D: "sha512"}
_NULL, _AES, _CFB = 0x0010, 0x0006, 0x0043
_RSA, _ECC = 0x0001, 0x0023
_CURVES = {0x0003: SECP256R1, 0x0004: SECP384R1}
_MAX_DIGEST, _MAX_RSA, _MAX_COORDINATE = 64, 512, 66
_DEFAULT_EXPONENT = 65537
# RSASSA, RSAPSS, OAEP, ECDSA, ECDAA, SM2, ECSCHNORR name a hash; RSAES none; ECDAA a counter besides, and is refused.
_HASHED_SCHEMES = frozenset({0x0014, 0x0016, 0x0017, 0x0018, 0x001B, 0x001C})
_RH_ENDORSEMENT = bytes.fromhex("4000000b")

FIXED_TPM, FIXED_PARENT, DATA_ORIGIN = 1 << 1, 1 << 4, 1 << 5
RESTRICTED, DECRYPT, SIGN = 1 << 16, 1 << 17, 1 << 18
_ATTESTATION = FIXED_TPM | FIXED_PARENT | DATA_ORIGIN | RESTRICTED | SIGN

NV_WRITTEN, NV_COUNTER, NV_TYPE = 1 << 29, 1 << 4, 0xF << 4
_NV_OWNER_WRITE, _NV_PLATFORM_WRITE, _NV_POLICY_WRITE = 1 << 1, 1, 1 << 3
_NV_ORDERLY, _NV_CLEAR_ON_START = 1 << 26, 1 << 27
_NV_FORBIDDEN = (
    _NV_OWNER_WRITE | _NV_PLATFORM_WRITE | _NV_POLICY_WRITE | _NV_ORDERLY | _NV_CLEAR_ON_START
)

TpmKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey


class NotAttestationKey(VerificationError):
    """The key shown is not one that signs only what its TPM made itself."""

    code = "not-an-attestation-key"


class NotACounter(VerificationError):
    """The NV index shown is not a counter that keeps every step."""

    code = "not-a-tpm-counter"


class TpmPublic(msgspec.Struct, frozen=True, kw_only=True):
    """One key's public part: attributes, name, the key itself; `cipher_bits` of a storage key's AES, 0 without."""

    name_algorithm: int
    attributes: int
    name: bytes
    key: TpmKey
    cipher_bits: int


class NvPublic(msgspec.Struct, frozen=True, kw_only=True):
    """One NV index: its handle, attributes, policy, size, and its name."""

    index: int
    name_algorithm: int
    attributes: int
    policy: bytes
    size: int

    @property
    def name(self) -> bytes:
        return nv_name(self)


def parse_public(data: bytes) -> TpmPublic:
    """Read a TPMT_PUBLIC of an RSA key or one on P-256 or P-384. Raises MalformedTpmData for anything else."""
    octets = Octets(data, "TPMT_PUBLIC")
    kind, algorithm, attributes = octets.number(2), octets.number(2), octets.number(4)
    octets.sized(_MAX_DIGEST)  # the policy; the name covers it
    cipher_bits = _symmetric(octets)
    _scheme(octets)
    if kind == _RSA:
        key: TpmKey = _rsa(octets)
    elif kind == _ECC:
        key = _ecc(octets)
    else:
        raise octets.fault(f"type {kind:#06x} is neither RSA nor on an elliptic curve")
    octets.end()
    return TpmPublic(
        name_algorithm=algorithm,
        attributes=attributes,
        name=_name(algorithm, data),
        key=key,
        cipher_bits=cipher_bits,
    )


def parse_nv_public(data: bytes) -> NvPublic:
    """Read a TPMS_NV_PUBLIC. Raises MalformedTpmData."""
    octets = Octets(data, "TPMS_NV_PUBLIC")
    public = NvPublic(
        index=octets.number(4),
        name_algorithm=octets.number(2),
        attributes=octets.number(4),
        policy=octets.sized(_MAX_DIGEST),
        size=octets.number(2),
    )
    octets.end()
    return public


def nv_name(public: NvPublic) -> bytes:
    """An index's name: it changes once, when the index is first written."""
    data = b"".join(
        (
            public.index.to_bytes(4, "big"),
            public.name_algorithm.to_bytes(2, "big"),
            public.attributes.to_bytes(4, "big"),
            len(public.policy).to_bytes(2, "big"),
            public.policy,
            public.size.to_bytes(2, "big"),
        )
    )
    return _name(public.name_algorithm, data)


def qualified_name(name: bytes) -> bytes:
    """The qualified name of a primary key of the endorsement hierarchy, in which alone the clock's counts are plain."""
    return _name(int.from_bytes(name[:2], "big"), _RH_ENDORSEMENT + name)


def verify_attestation_key(public: TpmPublic) -> None:
    """Raise NotAttestationKey unless it never leaves its TPM, was made there, and signs nothing from outside."""
    if public.attributes & _ATTESTATION != _ATTESTATION or public.attributes & DECRYPT:
        raise NotAttestationKey(
            f"attributes {public.attributes:#010x} are not those of a restricted signing key of one TPM"
        )


def verify_counter(public: NvPublic) -> None:
    """Raise NotACounter unless it is a written counter of 8 bytes that only its own secret steps, each step kept."""
    attributes = public.attributes
    if attributes & NV_TYPE != NV_COUNTER or public.size != 8 or not attributes & NV_WRITTEN:
        raise NotACounter(f"NV index {public.index:#010x} is not a counter that was ever stepped")
    if attributes & _NV_FORBIDDEN:
        raise NotACounter(
            f"NV index {public.index:#010x} has attributes {attributes:#010x}: others may step it, or steps get lost"
        )


def _name(algorithm: int, data: bytes) -> bytes:
    if algorithm not in HASHES:
        raise MalformedTpmData(f"hash {algorithm:#06x} is not SHA-256, SHA-384 or SHA-512")
    return algorithm.to_bytes(2, "big") + hashlib.new(HASHES[algorithm], data).digest()


def _symmetric(octets: Octets) -> int:
    algorithm = octets.number(2)
    if algorithm == _NULL:
        return 0
    bits, mode = octets.number(2), octets.number(2)
    if (algorithm, mode) != (_AES, _CFB) or bits not in (128, 192, 256):
        raise octets.fault(f"cipher {algorithm:#06x} is not AES in CFB mode")
    return bits


def _scheme(octets: Octets) -> None:
    scheme = octets.number(2)
    if scheme in _HASHED_SCHEMES:
        octets.number(2)
    elif scheme not in (_NULL, 0x0015):
        raise octets.fault(f"scheme {scheme:#06x} is not known")


def _rsa(octets: Octets) -> RSAPublicKey:
    bits, exponent = octets.number(2), octets.number(4) or _DEFAULT_EXPONENT
    modulus = octets.sized(_MAX_RSA)
    number = int.from_bytes(modulus, "big")
    if number.bit_length() != bits or bits not in (2048, 3072, 4096):
        raise octets.fault(f"an RSA key of {number.bit_length()} bits that says {bits}")
    try:
        return RSAPublicNumbers(exponent, number).public_key()
    except ValueError as error:
        raise octets.fault(f"no RSA key: {error}") from None


def _ecc(octets: Octets) -> EllipticCurvePublicKey:
    curve = octets.number(2)
    if curve not in _CURVES:
        raise octets.fault(f"curve {curve:#06x} is neither P-256 nor P-384")
    derivation = octets.number(2)
    if derivation != _NULL:
        octets.number(2)
    x, y = octets.sized(_MAX_COORDINATE), octets.sized(_MAX_COORDINATE)
    numbers = EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), _CURVES[curve]()
    )
    try:
        return numbers.public_key()
    except ValueError as error:
        raise octets.fault(f"no point of its curve: {error}") from None
