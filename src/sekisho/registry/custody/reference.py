"""The Chip Movement Reference: `YY CC`, 15 characters, a check character; 20 in all, written without spaces.

YY is the year of the shipment, CC the country that it left (ZZ where the register does not know it), after the
example of the EMCS reference code. The check character is ISO/IEC 7064 MOD 37,36 (the hybrid system over A-Z0-9): it
finds every single wrong character and every swap of neighbours.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from sekisho.model.instants import Instant

__all__ = ["check_character", "derive_reference", "is_reference"]

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_DIGITS: Final = bytes(ord(_ALPHABET[byte % 36]) for byte in range(256))
_COUNTRY = re.compile(r"[A-Z]{2}")
_BODY = re.compile(r"[0-9]{2}[A-Z]{2}[A-Z0-9]{15}")


def check_character(body: str) -> str:
    """The ISO/IEC 7064 MOD 37,36 check character of A-Z0-9 text. Raises KeyError at any other character."""
    rest = 36
    for character in body:
        rest = (rest + _VALUES[character]) % 36 or 36
        rest = rest * 2 % 37
    return _ALPHABET[(37 - rest) % 36]


def is_reference(text: str) -> bool:
    """Whether a text has the form of a reference and its check character is right."""
    return bool(_BODY.fullmatch(text[:-1])) and text[-1:] == check_character(text[:-1])


def derive_reference(hash_id: str, shipped: Instant, country: str) -> str:
    """The reference of a shipment that names none: from its event hash id, so that whoever has the event has it too.

    The 15 characters are the first 15 bytes of the hash id's SHA-256, each modulo 36.
    """
    digest = hashlib.sha256(hash_id.encode()).digest()
    digits = digest[:15].translate(_DIGITS).decode()
    year = str(shipped.to_datetime().year % 100).zfill(2)
    known = country[:2] if _COUNTRY.match(country) else "ZZ"
    body = f"{year}{known}{digits}"
    return body + check_character(body)
