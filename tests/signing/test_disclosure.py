from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.signing import (
    ForgedDisclosure,
    conceal,
    parse_disclosure,
    reveal_field,
    verify_disclosure,
)
from sekisho.signing.disclosure import digest_of
from tests.factory import SALT

OTHER_SALT = bytes(range(16))


def encoded(value: object) -> str:
    """A disclosure text as anybody could write it."""
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def test_the_worked_example_of_rfc_9901_has_its_digest() -> None:
    """The `family_name` disclosure of RFC 9901 section 4.2.1, digested as its section 4.2.3 says."""
    text = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert digest_of(text) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    disclosure = parse_disclosure(text)
    assert (disclosure.name, disclosure.value) == ("family_name", "M\u00f6bius")


@given(st.text(max_size=40), st.text(max_size=200), st.binary(min_size=16, max_size=16))
def test_what_was_concealed_is_revealed(name: str, value: str, salt: bytes) -> None:
    """Digest and disclosure belong together, whatever the field says."""
    digest, disclosure = conceal(name, value, salt)
    assert verify_disclosure(disclosure.text, ("A" * 43, digest)) == disclosure
    assert reveal_field(name, [disclosure.text], (digest,)) == value
    assert value not in digest or len(value) < 5


def test_another_salt_gives_another_digest() -> None:
    """Without the salt a low-entropy value cannot be guessed by its digest."""
    assert conceal("allowance_flop", "1", SALT)[0] != conceal("allowance_flop", "1", OTHER_SALT)[0]


@pytest.mark.parametrize("salt", [b"", b"short", bytes(15), bytes(17)])
def test_a_salt_of_another_length_is_refused(salt: bytes) -> None:
    """Salts have 128 bits."""
    with pytest.raises(InvalidInput, match="salt"):
        conceal("allowance_flop", "1", salt)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%%%%",
        "AAA=",
        encoded(["AAAAAAAAAAAAAAAAAAAAAA", "name", "value"]) + "=",
        encoded(["AAAAAAAAAAAAAAAAAAAA", "name", "value"]),
        encoded(["AAAAAAAAAAAAAAAAAAAAAA", "value"]),
        encoded(["AAAAAAAAAAAAAAAAAAAAAA", "name", 5]),
        encoded(["AAAAAAAAAAAAAAAAAAAAAA", "name", "value", "more"]),
        encoded(["AAAAAAAAAAAAAAAAAAAAAB", "name", "value"]),
        encoded({"salt": "AAAAAAAAAAAAAAAAAAAAAA"}),
        "\u00e9" * 8,
        "A" * 20_001,
    ],
)
def test_a_malformed_disclosure_is_refused(text: str) -> None:
    """Short salts, other shapes and second spellings of base64url are refused."""
    with pytest.raises(InvalidInput):
        parse_disclosure(text, path="disclosures[0]")


def test_a_disclosure_that_no_digest_stands_for_is_forged() -> None:
    """The right name with another value does not open the field."""
    digest, _ = conceal("allowance_flop", "100", SALT)
    _, forged = conceal("allowance_flop", "999", SALT)
    for concealed in ((digest,), ()):
        with pytest.raises(ForgedDisclosure, match="allowance_flop"):
            verify_disclosure(forged.text, concealed)
        with pytest.raises(ForgedDisclosure):
            reveal_field("allowance_flop", [forged.text], concealed)


def test_a_field_with_two_values_is_never_believed() -> None:
    """An issuer that conceals a small and a large allowance cannot show each to another reader."""
    small, small_text = conceal("allowance_flop", "1", SALT)
    large, large_text = conceal("allowance_flop", "999", OTHER_SALT)
    both = (small, large)
    assert reveal_field("allowance_flop", [small_text.text], both) is None
    assert reveal_field("allowance_flop", [large_text.text], both) is None
    with pytest.raises(ForgedDisclosure, match="two values"):
        reveal_field("allowance_flop", [small_text.text, large_text.text], both)


def test_an_undisclosed_field_is_unknown_and_never_zero() -> None:
    """No text, or only other fields' texts: no value."""
    digest, disclosure = conceal("consumed_flop", "5", SALT)
    assert reveal_field("consumed_flop", [], (digest,)) is None
    assert reveal_field("allowance_flop", [disclosure.text], (digest,)) is None
    assert reveal_field("consumed_flop", [disclosure.text] * 2, (digest,)) == "5"
