"""Tags: identifiers that must be unique in the log, without the log naming them.

A salted digest hides an identifier so well that nobody sees it twice. A tag is an HMAC-SHA-256 (RFC 2104) under a key
that only the registry's constituencies hold: the same identifier gives the same tag, and a stranger with a list of all
serial numbers learns nothing. Whoever holds the key can test guesses; protect it like the identifiers themselves.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Digest

__all__ = ["TagKey", "normalise_identifier", "unique_key"]

KEY_BYTES = 32
MAX_IDENTIFIER = 256
_DOMAIN = "sekisho identifier tag v1"
_SCHEME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_PLAIN = re.compile(r"[!-~]+")
_MINUS = "\N{MINUS SIGN}"


class TagKey:
    """The secret under which one registry's identifiers are tagged. Its representation shows nothing of it."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """Raises InvalidInput unless `secret` has 32 bytes."""
        if len(secret) != KEY_BYTES:
            raise InvalidInput(f"a tag key has {KEY_BYTES} bytes, not {len(secret)}")
        self._secret = secret

    def tag(self, scheme: str, identifier: str) -> Digest:
        """The tag of an identifier, in hexadecimal: the HMAC over three lines, domain, scheme and identifier.

        `scheme` says what kind of identifier it is (`nvidia-serial`, say): one number in two schemes has two tags.
        Spellings that a person takes for the same identifier have one tag (`normalise_identifier`).

        Raises InvalidInput.
        """
        lines = f"{_DOMAIN}\n{_checked(scheme)}\n{normalise_identifier(identifier)}\n"
        return hmac.new(self._secret, lines.encode("ascii"), hashlib.sha256).hexdigest()

    def is_tag(self, tag: str, scheme: str, identifier: str) -> bool:
        """Whether `tag` is this identifier's under this key; in constant time, since a tag near by is a hint."""
        return hmac.compare_digest(
            tag.encode("utf-8", "replace"), self.tag(scheme, identifier).encode()
        )

    def __repr__(self) -> str:
        return "TagKey(...)"


def unique_key(scheme: str, tag: str) -> str:
    """The key that the log keeps unique for a tag: `tag:<scheme>:<tag>`. Raises InvalidInput."""
    if re.fullmatch(r"[0-9a-f]{64}", tag) is None:
        raise InvalidInput("a tag is 64 lower-case hexadecimal digits", path="tag")
    return f"tag:{_checked(scheme)}:{tag}"


def normalise_identifier(identifier: str) -> str:
    """The one spelling under which an identifier is tagged.

    1. Unicode NFKC, which folds full-width and other compatibility forms; 2. every dash becomes `-`; 3. white space,
    control and format characters go; 4. what is left must be printable ASCII, so that no look-alike of another script
    makes a second identifier; 5. upper case. Dashes, dots and leading zeros stay: makers use them to tell apart.
    Raises InvalidInput for what is empty, longer than 256 characters, or not ASCII after step 3.
    """
    if len(identifier) > MAX_IDENTIFIER:
        raise InvalidInput(f"is longer than {MAX_IDENTIFIER} characters", path="identifier")
    kept = "".join(_kept(character) for character in unicodedata.normalize("NFKC", identifier))
    if not kept:
        raise InvalidInput("is empty", path="identifier")
    if _PLAIN.fullmatch(kept) is None:
        raise InvalidInput(
            "holds a character that is no ASCII letter, digit or sign",
            path="identifier",
            remedy="write it as its maker does, in ASCII",
        )
    return kept.upper()


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Pd" or character == _MINUS:
        return "-"
    return "" if category[0] == "Z" or category in ("Cc", "Cf") else character


def _checked(scheme: str) -> str:
    if _SCHEME.fullmatch(scheme) is None:
        raise InvalidInput(
            f"{scheme[:40]!r} is no scheme", path="scheme", remedy="lower-case letters, digits, -"
        )
    return scheme
