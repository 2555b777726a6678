"""The digest phrase: eight words that two signers can say to each other over a telephone, in any language.

Each word has three syllables of one consonant and one vowel, chosen so that Japanese and English speakers hear the
same thing; 15 bits a word, the first 120 bits of a SHA-256 in all.
"""

from __future__ import annotations

import hmac

from sekisho.model.wire import decode_hex

__all__ = ["digest_phrase", "is_phrase_of"]

_SYLLABLES = tuple(f"{c}{v}" for c in "ksnmrgbp" for v in "aueo")


def digest_phrase(digest: str) -> str:
    """Eight words for a SHA-256 in hexadecimal."""
    bits = int.from_bytes(decode_hex(digest, size=32)[:15], "big")
    words = [_word((bits >> shift) & 0x7FFF) for shift in range(105, -1, -15)]
    return " ".join(words)


def is_phrase_of(typed: str, digest: str) -> bool:
    """Whether somebody typed the phrase of this SHA-256; case and spacing are free, every word counts."""
    words = " ".join(typed.lower().split())
    return hmac.compare_digest(words.encode(), digest_phrase(digest).encode())


def _word(value: int) -> str:
    return "".join(_SYLLABLES[(value >> shift) & 31] for shift in (10, 5, 0))
