"""Selective disclosure: a statement carries a salted digest, the salt and value travel to those who may know.

The encoding is SD-JWT's (RFC 9901): a disclosure is base64url of the JSON array [salt, name, value]; its digest is
base64url of the SHA-256 over the disclosure's ASCII text. Salts are 128 bits and arguments: this module draws none.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable

import msgspec

from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.wire import parse_json

__all__ = [
    "Disclosure",
    "ForgedDisclosure",
    "conceal",
    "digest_of",
    "parse_disclosure",
    "reveal_field",
    "verify_disclosure",
]

SALT_BYTES = 16


class ForgedDisclosure(VerificationError):
    """A disclosure that no digest in the statement stands for."""

    code = "forged-disclosure"


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """One revealed field: `text` is the wire form whose digest the statement carries."""

    name: str
    value: str
    text: str


def conceal(name: str, value: str, salt: bytes) -> tuple[str, Disclosure]:
    """The digest to put under `_sd`, and the disclosure to keep. Raises InvalidInput for a short salt."""
    if len(salt) != SALT_BYTES:
        raise InvalidInput(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    array = json.dumps([_encode(salt), name, value], ensure_ascii=False, separators=(",", ":"))
    text = _encode(array.encode())
    return digest_of(text), Disclosure(name=name, value=value, text=text)


def digest_of(text: str) -> str:
    """The digest that stands for a disclosure's text."""
    return _encode(hashlib.sha256(text.encode("ascii")).digest())


def parse_disclosure(text: str, *, path: str = "") -> Disclosure:
    """Read a disclosure's wire form: three strings, a salt of at least 128 bits, canonical base64url."""
    if len(text) > 20_000:
        raise InvalidInput("a disclosure is at most 20,000 characters", path=path)
    array = parse_json(_decode(text, path), path=path)
    if not (
        isinstance(array, list) and len(array) == 3 and all(isinstance(part, str) for part in array)
    ):
        raise InvalidInput("a disclosure is an array of salt, name and value", path=path)
    salt, name, value = (str(part) for part in array)
    if len(_decode(salt, path)) < SALT_BYTES:
        raise InvalidInput("the salt is shorter than 128 bits", path=path)
    return Disclosure(name=name, value=value, text=text)


def verify_disclosure(text: str, concealed: tuple[str, ...]) -> Disclosure:
    """The disclosure, if one of the statement's digests stands for it; raises ForgedDisclosure if none does."""
    disclosure = parse_disclosure(text)
    digest = digest_of(text)
    if not any(hmac.compare_digest(digest, known) for known in concealed):
        raise ForgedDisclosure(
            f"no digest in the statement stands for this value of {disclosure.name!r}"
        )
    return disclosure


def reveal_field(name: str, texts: Iterable[str], concealed: tuple[str, ...]) -> str | None:
    """The one value of a concealed field; None where it is not known for certain.

    Every text must be stood for by a digest of the statement. While any digest stays unopened, or stands twice, an
    issuer could hold a second value of the same name for other readers: then the field counts as unknown. Two
    opened values of one name raise ForgedDisclosure.
    """
    opened = {text: verify_disclosure(text, concealed) for text in texts}
    values = [disclosure.value for disclosure in opened.values() if disclosure.name == name]
    if len(values) > 1:
        raise ForgedDisclosure(f"the statement carries two values of {name!r}")
    return values[0] if values and len(opened) == len(concealed) else None


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str, path: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise InvalidInput("not base64url", path=path) from None
    if _encode(data) != text:
        raise InvalidInput("base64url is not in its canonical form", path=path)
    return data
