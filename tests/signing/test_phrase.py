from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import sha256_hex
from sekisho.signing.phrase import digest_phrase


def test_known_digests_have_known_phrases() -> None:
    """The words are for ever: signers wrote them down."""
    assert digest_phrase("0" * 64) == " ".join(["kakaka"] * 8)
    assert digest_phrase("f" * 64) == " ".join(["popopo"] * 8)
    assert digest_phrase("08864298e84a96c6b95f0f3a2b0c1d" + "0" * 34).split()[0] == "kukeko"


@given(st.binary(min_size=32, max_size=32))
def test_a_phrase_carries_120_bits(digest: bytes) -> None:
    """Eight words of three syllables, from which the first fifteen bytes can be read again."""
    words = digest_phrase(digest.hex()).split()
    assert [len(word) for word in words] == [6] * 8
    syllables = [f"{c}{v}" for c in "ksnmrgbp" for v in "aueo"]
    number = 0
    for word in words:
        for start in (0, 2, 4):
            number = number * 32 + syllables.index(word[start : start + 2])
    assert number.to_bytes(15, "big") == digest[:15]


def test_one_changed_bit_changes_a_word() -> None:
    """Two signers who read out the same words have the same first 120 bits."""
    digest = sha256_hex(b"order")
    other = f"{int(digest[:30], 16) ^ 1:030x}{digest[30:]}"
    assert digest_phrase(digest).split()[:7] == digest_phrase(other).split()[:7]
    assert digest_phrase(digest) != digest_phrase(other)


@pytest.mark.parametrize("text", ["", "00", "0" * 63, "0" * 66, "G" * 64, "sha256:" + "0" * 64])
def test_what_is_no_digest_has_no_phrase(text: str) -> None:
    """Only a whole SHA-256 is spoken."""
    with pytest.raises(InvalidInput):
        digest_phrase(text)
