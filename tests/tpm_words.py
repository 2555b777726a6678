"""What a TPM would say, made and signed in Python: for tests of the checks, on machines without any TPM."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from sekisho.inspection.tpm.octets import sized
from sekisho.inspection.tpm.public import (
    NV_COUNTER,
    NV_WRITTEN,
    nv_name,
    parse_nv_public,
    parse_public,
    qualified_name,
)
from sekisho.model.statements import CertifiedCounter, TpmEnrolled
from sekisho.model.tpm_papers import qualify_challenge
from sekisho.model.wire import encode_base64

__all__ = ["CHALLENGE", "EK_PURPOSE", "Maker", "WordyTpm", "number"]

CHALLENGE = "5a" * 16
EK_PURPOSE = ObjectIdentifier("2.23.133.8.1")
_NAMES = [(f"2.23.133.2.{n}", text) for n, text in ((1, "id:54455354"), (2, "Test"), (3, "id:1"))]
_FIRST, _LAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2040, 1, 1, tzinfo=dt.UTC)


def key_of(secret: int) -> EllipticCurvePrivateKey:
    """The same key each time."""
    return derive_private_key(secret, SECP256R1())


def number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")


def ecc_public(key: EllipticCurvePrivateKey, attributes: int, *, cipher: bool = False) -> bytes:
    """TPMT_PUBLIC of a key on P-256: ECDSA with SHA-256, or a storage key with AES-128."""
    point = key.public_key().public_numbers()
    symmetric = number(6, 2) + number(128, 2) + number(0x43, 2) if cipher else number(0x10, 2)
    scheme = number(0x10, 2) if cipher else number(0x18, 2) + number(0xB, 2)
    return b"".join(
        (
            number(0x23, 2) + number(0xB, 2) + number(attributes, 4) + sized(b""),
            symmetric + scheme + number(3, 2) + number(0x10, 2),
            sized(number(point.x, 32)) + sized(number(point.y, 32)),
        )
    )


@dataclass
class WordyTpm:
    """A TPM's attestation key, counter and clock; each may be set to what an attacker would want."""

    secret: int = 7
    counter: int = 12
    clock_ms: int = 90_000
    resets: int = 3
    restarts: int = 1
    safe: int = 1
    index: int = 0x01805E51
    attributes: int = 0x02060004 | NV_COUNTER | NV_WRITTEN
    key_attributes: int = 0x00050472
    endorsement: tuple[bytes, ...] = ()
    extra: bytes | None = None
    key: EllipticCurvePrivateKey = field(init=False)

    def __post_init__(self) -> None:
        self.key = key_of(self.secret)

    @property
    def public(self) -> bytes:
        return ecc_public(self.key, self.key_attributes)

    @property
    def nv_public(self) -> bytes:
        return (
            number(self.index, 4)
            + number(0xB, 2)
            + number(self.attributes, 4)
            + bytes(2)
            + number(8, 2)
        )

    @property
    def name(self) -> bytes:
        return parse_public(self.public).name

    def enrolled(self) -> TpmEnrolled:
        spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return TpmEnrolled(
            endorsement=tuple(encode_base64(der) for der in self.endorsement),
            attestation=encode_base64(spki),
            attestation_name=self.name.hex(),
            counter_index=self.index,
            counter_name=nv_name(parse_nv_public(self.nv_public)).hex(),
        )

    def attest(self, challenge: str = CHALLENGE) -> bytes:
        """TPMS_ATTEST of the counter."""
        extra = qualify_challenge(challenge) if self.extra is None else self.extra
        clock = number(self.clock_ms, 8) + number(self.resets, 4) + number(self.restarts, 4)
        body = (
            sized(nv_name(parse_nv_public(self.nv_public)))
            + bytes(2)
            + sized(number(self.counter, 8))
        )
        head = bytes.fromhex("ff5443478014") + sized(qualified_name(self.name)) + sized(extra)
        return head + clock + number(self.safe, 1) + number(0x1122, 8) + body

    def sign(self, data: bytes) -> bytes:
        """TPMT_SIGNATURE over any bytes at all: more than a TPM would do."""
        r, s = decode_dss_signature(self.key.sign(data, ECDSA(SHA256())))
        return number(0x18, 2) + number(0xB, 2) + sized(number(r, 32)) + sized(number(s, 32))

    def certify(self, challenge: str = CHALLENGE) -> CertifiedCounter:
        return self.wrap(self.attest(challenge), challenge)

    def wrap(self, attested: bytes, challenge: str = CHALLENGE) -> CertifiedCounter:
        """Any attestation, signed by this TPM's key."""
        return CertifiedCounter(
            challenge=challenge,
            attested=encode_base64(attested),
            signature=encode_base64(self.sign(attested)),
        )


@dataclass
class Maker:
    """A TPM maker's authority: a root and one that issues; what it writes may be bent for a test."""

    root_secret: int = 1001
    issuer_secret: int = 1002
    issuer_is_authority: bool = True
    issuer_may_sign: bool = True
    root_path_length: int | None = 1
    last: dt.datetime = _LAST
    purpose: ObjectIdentifier = EK_PURPOSE
    agreement: bool = True
    leaf_is_authority: bool = False
    named: bool = True
    stray: bool = False

    @property
    def root(self) -> bytes:
        key = key_of(self.root_secret)
        return self._authority("root", "root", key, key, (True, True, self.root_path_length))

    @property
    def issuer(self) -> bytes:
        own, upper = key_of(self.issuer_secret), key_of(self.root_secret)
        kind = (self.issuer_is_authority, self.issuer_may_sign, None)
        return self._authority("issuer", "root", own, upper, kind)

    def chain(self, key: EllipticCurvePrivateKey) -> tuple[bytes, ...]:
        """Endorsement certificate of a key, issuer, root."""
        return (self.endorse(key), self.issuer, self.root)

    def endorse(self, key: EllipticCurvePrivateKey) -> bytes:
        builder = _certificate("", "issuer", key, self.last)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=self.leaf_is_authority, path_length=None), critical=True
        )
        builder = builder.add_extension(_usage(key_agreement=self.agreement), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([self.purpose]), critical=False)
        if self.named:
            name = x509.Name(
                [x509.NameAttribute(ObjectIdentifier(oid), text) for oid, text in _NAMES]
            )
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DirectoryName(name)]), critical=True
            )
        if self.stray:
            odd = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
            builder = builder.add_extension(odd, critical=True)
        return _signed(builder, key_of(self.issuer_secret))

    def _authority(
        self,
        name: str,
        by: str,
        key: EllipticCurvePrivateKey,
        upper: EllipticCurvePrivateKey,
        kind: tuple[bool, bool, int | None],
    ) -> bytes:
        is_authority, may_sign, length = kind
        builder = _certificate(name, by, key, _LAST)
        constraints = x509.BasicConstraints(
            ca=is_authority, path_length=length if is_authority else None
        )
        builder = builder.add_extension(constraints, critical=True)
        builder = builder.add_extension(
            _usage(key_cert_sign=may_sign, crl_sign=not may_sign), critical=True
        )
        return _signed(builder, upper)


WEB_PURPOSE = ExtendedKeyUsageOID.SERVER_AUTH


def _certificate(
    name: str, by: str, key: EllipticCurvePrivateKey, last: dt.datetime
) -> x509.CertificateBuilder:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])

    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(by))
        .public_key(key.public_key())
        .serial_number(int.from_bytes((name + by).encode()[:8].ljust(8, b"x"), "big") >> 1)
        .not_valid_before(_FIRST)
        .not_valid_after(last)
    )


def _signed(builder: x509.CertificateBuilder, by: EllipticCurvePrivateKey) -> bytes:
    """The same bytes each time, since their digest is what a charter pins."""
    return builder.sign(by, SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def _usage(
    *, key_agreement: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not (key_agreement or key_cert_sign or crl_sign),
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=key_agreement,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
