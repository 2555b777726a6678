"""Selective disclosure: a statement carries a salted digest, the salt and value travel to those who may know.

The encoding is SD-JWT's (RFC 9901): a disclosure is base64url of the JSON array [salt, name, value]; its digest is
base64url of the SHA-256 over the disclosure's ASCII text. Salts are 128 bits and arguments: this module draws none.

Narrower than the RFC, so that a reader needs no recursion: values are strings, a concealed field stands at the top
of its predicate, and there are no concealed array elements.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping

import msgspec

from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.statements import Predicate
from sekisho.model.wire import parse_json

__all__ = [
    "Disclosure",
    "ForgedDisclosure",
    "Opened",
    "conceal",
    "concealed_of",
    "digest_of",
    "open_fields",
    "parse_disclosure",
    "reveal_field",
    "verify_disclosure",
]

SALT_BYTES = 16
MAX_TEXT = 20_000
# RFC 9901, section 7.1: a claim of one of these names would be taken for the encoding itself.
_RESERVED = frozenset({"_sd", "..."})
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")
_WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_PARTS = msgspec.json.Decoder(tuple[str, str, str])


class ForgedDisclosure(VerificationError):
    """A disclosure that no digest in the statement stands for."""

    code = "forged-disclosure"


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """One revealed field: `text` is the wire form whose digest the statement carries."""

    name: str
    value: str
    text: str

    @property
    def salt(self) -> bytes:
        """The salt, of 16 bytes or more."""
        return _decode(str(json.loads(_decode(self.text, ""))[0]), "")


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a statement's concealed fields: values by name, and how many digests nobody opened."""

    fields: Mapping[str, str]
    unopened: int


def conceal(name: str, value: str, salt: bytes) -> tuple[str, Disclosure]:
    """The digest to put under `_sd`, and the disclosure to keep.

    Raises InvalidInput for a salt of another length, a reserved name, or what no reader would take back.
    """
    if len(salt) != SALT_BYTES:
        raise InvalidInput(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    if name in _RESERVED:
        raise InvalidInput(f"no field may be called {name!r}", path=name)
    array = _WRITER.encode([_encode(salt), name, value])
    try:
        text = _encode(array.encode())
    except UnicodeEncodeError:
        raise InvalidInput("holds a lone surrogate, which no encoding has", path=name) from None
    _check_length(text, name)
    return digest_of(text), Disclosure(name=name, value=value, text=text)


def concealed_of(predicate: Predicate) -> tuple[str, ...]:
    """The digests under a predicate's `_sd`; none where its kind conceals nothing."""
    concealed: tuple[str, ...] = getattr(predicate, "concealed", ())
    return concealed


def digest_of(text: str) -> str:
    """The digest that stands for a disclosure's text."""
    return _encode(hashlib.sha256(text.encode("ascii")).digest())


def parse_disclosure(text: str, *, path: str = "") -> Disclosure:
    """Read a disclosure's wire form: three strings, a salt of at least 128 bits, canonical base64url."""
    _check_length(text, path)
    salt, name, value = _read_parts(_decode(text, path), path)
    if len(_decode(salt, path)) < SALT_BYTES:
        raise InvalidInput("the salt is shorter than 128 bits", path=path)
    if name in _RESERVED:
        raise InvalidInput(f"no field may be called {name!r}", path=path)
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


def open_fields(texts: Iterable[str], concealed: tuple[str, ...]) -> Opened:
    """What these disclosures say of a statement that conceals these digests.

    Raises ForgedDisclosure for a text that no digest stands for, and for two texts of one name. A digest that stands
    twice is opened once.
    """
    opened = {text: verify_disclosure(text, concealed) for text in texts}
    fields: dict[str, str] = {}
    for disclosure in opened.values():
        if disclosure.name in fields:
            raise ForgedDisclosure(f"the statement carries two values of {disclosure.name!r}")
        fields[disclosure.name] = disclosure.value
    return Opened(fields=fields, unopened=len(concealed) - len(opened))


def reveal_field(name: str, texts: Iterable[str], concealed: tuple[str, ...]) -> str | None:
    """The one value of a concealed field; None where it is not known for certain.

    Every text must be stood for by a digest of the statement. While any digest stays unopened, or stands twice, an
    issuer could hold a second value of the same name for other readers: then the field counts as unknown. Two
    opened values of one name raise ForgedDisclosure.
    """
    opened = open_fields(texts, concealed)
    return opened.fields.get(name) if not opened.unopened else None


def _read_parts(data: bytes, path: str) -> tuple[str, str, str]:
    """Salt, name and value. Books fold thousands a second: the quick reader first, which takes nothing else."""
    try:
        return _PARTS.decode(data)
    except (msgspec.MsgspecError, ValueError):
        array = parse_json(data, path=path)  # which says what is wrong with it
    if not (
        isinstance(array, list) and len(array) == 3 and all(isinstance(part, str) for part in array)
    ):
        raise InvalidInput("a disclosure is an array of salt, name and value", path=path)
    salt, name, value = (str(part) for part in array)
    return salt, name, value


def _check_length(text: str, path: str) -> None:
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"a disclosure is at most {MAX_TEXT:,} characters", path=path)


# Straight to the C functions: the books open and write a disclosure with each lease, and `base64` wraps them thrice.
def _encode(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL).decode("ascii")


def _decode(text: str, path: str) -> bytes:
    try:
        plain = text.encode("ascii").translate(_FROM_URL)
        data = binascii.a2b_base64(plain + b"=" * (-len(text) % 4))
    except ValueError:  # binascii.Error and UnicodeEncodeError are two
        raise InvalidInput("not base64url", path=path) from None
    if _encode(data) != text:
        raise InvalidInput("base64url is not in its canonical form", path=path)
    return data
