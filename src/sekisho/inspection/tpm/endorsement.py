"""From an endorsement key's certificate to a pinned root: that a TPM's maker answers for this key.

Endorsement certificates carry critical extensions that web verifiers refuse (a subjectAltName that names the TPM in a
directory name, an empty subject), so that the checks stand here, in the open. Revocation is not looked up: there is no
network here; `docs/untested.md` says so.
Source: TCG EK Credential Profile for TPM 2.0, section 3; RFC 5280 sections 4.2 and 6.1.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import TypeVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

from sekisho.inspection.tpm.public import TpmKey
from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.model.wire import sha256_hex

__all__ = ["Endorsement", "NotEndorsed", "verify_endorsement"]

MAX_CHAIN, MAX_CERTIFICATE = 8, 6000
_EK_PURPOSE = ObjectIdentifier("2.23.133.8.1")
_MAKER, _MODEL, _VERSION = (ObjectIdentifier(f"2.23.133.2.{n}") for n in (1, 2, 3))
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,  # any policy is accepted: the root is pinned by hand
    }
)
T = TypeVar("T", bound=x509.ExtensionType)
_STRONG = frozenset({"sha256", "sha384", "sha512"})


class NotEndorsed(VerificationError):
    """A chain of endorsement certificates does not lead from a TPM's key to a pinned root."""

    code = "not-endorsed"


class Endorsement(msgspec.Struct, frozen=True, kw_only=True):
    """Which TPM a chain speaks for: its maker, model and version as the certificate names them, and the root."""

    maker: str
    model: str
    version: str
    root: str


def verify_endorsement(
    chain: Sequence[bytes], roots: Collection[str], *, at: Instant, key: TpmKey | None = None
) -> Endorsement:
    """Check certificates (DER, leaf first, root last) against pinned roots (SHA-256 of DER) at an instant.

    1. Each is X.509 and within its dates. 2. Each is signed, with SHA-256 or stronger, by the next, which may sign
    certificates so far below it. 3. The last is a pinned root. 4. The first is an endorsement key's: no authority, for
    encipherment or key agreement, naming a TPM; and is `key`'s, where that is given. 5. No critical extension is left
    that is not understood. Raises NotEndorsed, naming certificate and reason.
    """
    certificates = _parse(chain)
    for number, certificate in enumerate(certificates):
        _check_dates(certificate, at, number)
        _check_extensions(certificate, number)
    for number, (lower, upper) in enumerate(pairwise(certificates)):
        _check_signature(lower, upper, number)
        _check_authority(upper, number)
    root = sha256_hex(chain[-1])
    if root not in roots:
        raise NotEndorsed(
            f"the chain ends in certificate {root[:16]}, which the charter does not name"
        )
    _check_leaf(certificates[0], key)
    maker, model, version = _named(certificates[0])
    return Endorsement(maker=maker, model=model, version=version, root=root)


def _parse(chain: Sequence[bytes]) -> list[x509.Certificate]:
    if not 2 <= len(chain) <= MAX_CHAIN:
        raise NotEndorsed(
            f"{len(chain)} certificates are no chain: the endorsement key's comes first, the root last",
            remedy="add the maker's certificates: --chain FILE",
        )
    certificates = []
    for number, der in enumerate(chain):
        try:
            if len(der) > MAX_CERTIFICATE:
                raise ValueError(f"{len(der)} bytes are more than {MAX_CERTIFICATE}")
            certificate = x509.load_der_x509_certificate(der)
            _ = certificate.extensions, certificate.subject, certificate.issuer
        except (ValueError, x509.DuplicateExtension) as error:
            raise _fault(number, f"cannot be read: {error}") from None
        certificates.append(certificate)
    return certificates


def _check_dates(certificate: x509.Certificate, at: Instant, number: int) -> None:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= at.to_datetime() <= last:
        raise _fault(number, f"is good from {first:%Y-%m-%d} to {last:%Y-%m-%d}, not at {at}")


def _check_extensions(certificate: x509.Certificate, number: int) -> None:
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise _fault(number, f"has a critical extension {extension.oid.dotted_string}")


def _check_signature(lower: x509.Certificate, upper: x509.Certificate, number: int) -> None:
    algorithm = lower.signature_hash_algorithm
    if algorithm is None or algorithm.name not in _STRONG:
        raise _fault(number, "is not signed over SHA-256 or stronger")
    try:
        lower.verify_directly_issued_by(upper)
    except (InvalidSignature, ValueError, TypeError):
        raise _fault(number, "is not signed by the one after it") from None


def _check_authority(certificate: x509.Certificate, below: int) -> None:
    """It may sign certificates, and `below` authorities may stand between it and the leaf."""
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise _fault(below + 1, "is no authority")
    if constraints.path_length is not None and constraints.path_length < below:
        raise _fault(below + 1, f"allows {constraints.path_length} authorities below it")
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None or not usage.key_cert_sign:
        raise _fault(below + 1, "may not sign certificates")


def _check_leaf(certificate: x509.Certificate, key: TpmKey | None) -> None:
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        raise _fault(0, "is an authority's, not an endorsement key's")
    own, usage = certificate.public_key(), _extension(certificate, x509.KeyUsage)
    if isinstance(own, RSAPublicKey):
        fits = usage is not None and usage.key_encipherment
    else:
        fits = isinstance(own, EllipticCurvePublicKey) and usage is not None and usage.key_agreement
    if not fits:
        raise _fault(0, "is not for encipherment (RSA) or key agreement (elliptic curve)")
    purposes = _extension(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and _EK_PURPOSE not in purposes:
        raise _fault(0, "is for another purpose than an endorsement key's")
    if key is not None and own != key:
        raise _fault(0, "is of another key than the TPM's endorsement key")


def _named(certificate: x509.Certificate) -> tuple[str, str, str]:
    """Maker, model and version from the subjectAltName, which the profile requires."""
    names = _extension(certificate, x509.SubjectAlternativeName)
    found = {
        part.oid: str(part.value)
        for name in (names.get_values_for_type(x509.DirectoryName) if names else ())
        for part in name
    }
    if not {_MAKER, _MODEL, _VERSION} <= set(found):
        raise _fault(0, "does not name a TPM's maker, model and version")
    return found[_MAKER], found[_MODEL], found[_VERSION]


def _extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _fault(number: int, what: str) -> NotEndorsed:
    return NotEndorsed(f"endorsement certificate {number + 1} {what}")
