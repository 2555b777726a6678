"""Assertions that a program carries from one call to the next: compact JWS with one algorithm, EdDSA (RFC 7515, 8037).

Only who signs them reads them, so nothing in them is negotiable: one header, byte for byte; claims in RFC 8785 form;
anything else is no assertion of ours. This is no general reader of JWTs.
"""

from __future__ import annotations

import binascii
import hmac

import msgspec

from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical, from_json, parse_canonical
from sekisho.signing.keys import PublicKey, Signer

__all__ = [
    "Assertion",
    "AssertionExpired",
    "ForgedAssertion",
    "verify_assertion",
    "write_assertion",
]

MAX_ASSERTION = 4096
_HEADER = b'{"alg":"EdDSA","typ":"JWT"}'


class ForgedAssertion(VerificationError):
    """An assertion that this key did not sign, or that was changed."""

    code = "forged-assertion"


class AssertionExpired(VerificationError):
    """An assertion that was signed here and is over, or not yet valid by the clock that reads it."""

    code = "assertion-expired"


class Assertion(msgspec.Struct, frozen=True, kw_only=True):
    """What is asserted: by which log's operator, about which enrolment, of which site, from when to when (seconds)."""

    iss: str
    sub: str
    aud: str
    iat: int
    exp: int


def write_assertion(assertion: Assertion, signer: Signer) -> str:
    """The text of an assertion: header, claims and signature in base64url without padding, joined by dots."""
    signed = f"{_encode(_HEADER)}.{_encode(canonical(assertion))}"
    return f"{signed}.{_encode(signer.sign(signed.encode('ascii')))}"


def verify_assertion(text: str, key: PublicKey, *, issuer: str, now: Instant) -> Assertion:
    """What an assertion says, once it is sure who said it.

    1. Three parts, at most 4 KiB. 2. The header is ours, byte for byte: no other algorithm, above all not `none`.
    3. The signature is the key's. 4. Only then are the claims read. 5. Issuer. 6. Not over, and not from the future
    by more than a minute. Raises ForgedAssertion, AssertionExpired; InvalidInput for what is no assertion at all.
    """
    parts = text.split(".") if len(text) <= MAX_ASSERTION and text.isascii() else []
    if len(parts) != 3:
        raise InvalidInput("is no assertion", path="token", remedy="enrol again")
    header, claims, signature = (_decode(part) for part in parts)
    if not hmac.compare_digest(header, _HEADER):
        raise ForgedAssertion("the assertion names another algorithm", remedy="enrol again")
    if not key.is_signed_by(signature, f"{parts[0]}.{parts[1]}".encode("ascii")):
        raise ForgedAssertion("the assertion is not signed by this server", remedy="enrol again")
    assertion = from_json(Assertion, parse_canonical(claims, path="token"), path="token")
    if assertion.iss != issuer:
        raise ForgedAssertion("the assertion is of another regime", remedy="enrol again")
    if not assertion.iat - 60 <= now.seconds < assertion.exp:
        raise AssertionExpired("the assertion is over", remedy="enrol again")
    return assertion


def _encode(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii").translate(_URL).rstrip("=")


def _decode(text: str) -> bytes:
    """Base64url that re-encodes to the same text."""
    padded = text.translate(_PLAIN) + "=" * (-len(text) % 4)
    try:
        data = binascii.a2b_base64(padded, strict_mode=True)
    except ValueError:
        raise InvalidInput("is no base64url", path="token", remedy="enrol again") from None
    if _encode(data) != text:
        raise InvalidInput("is no base64url in its one form", path="token", remedy="enrol again")
    return data


_URL = str.maketrans("+/", "-_")
_PLAIN = str.maketrans("-_", "+/")
