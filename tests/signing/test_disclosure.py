from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.signing import (
    ForgedDisclosure,
    Opened,
    conceal,
    concealed_of,
    open_fields,
    parse_disclosure,
    reveal_field,
    verify_disclosure,
)
from sekisho.signing.disclosure import digest_of
from tests.factory import REFERENCE, SALT, lease_closed, lease_granted, run_declared

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


# RFC 9901: section 4.2.1 prints several spellings of one disclosure, section 5.1 the main example.
SPELLINGS = (
    "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNXHUwMGY2Yml1cyJd",
    "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd",
)
MAIN_EXAMPLE = {
    "WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd": (
        "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4",
        "given_name",
        "John",
    ),
    "WyJlbHVWNU9nM2dTTklJOEVZbnN4QV9BIiwgImZhbWlseV9uYW1lIiwgIkRvZSJd": (
        "TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo",
        "family_name",
        "Doe",
    ),
    "WyI2SWo3dE0tYTVpVlBHYm9TNXRtdlZBIiwgImVtYWlsIiwgImpvaG5kb2VAZXhhbXBsZS5jb20iXQ": (
        "JzYjH4svliH0R3PyEMfeZu6Jt69u5qehZo7F7EPYlSE",
        "email",
        "johndoe@example.com",
    ),
    "WyJQYzMzSk0yTGNoY1VfbEhnZ3ZfdWZRIiwgImJpcnRoZGF0ZSIsICIxOTQwLTAxLTAxIl0": (
        "gbOsI4Edq2x2Kw-w5wPEzakob9hV1cRD0ATN3oQL9JM",
        "birthdate",
        "1940-01-01",
    ),
}
# Sound in the RFC, and not in our narrower form: a number, an object, and two elements of an array.
BEYOND_US = {
    "WyJHMDJOU3JRZmpGWFE3SW8wOXN5YWpBIiwgInVwZGF0ZWRfYXQiLCAxNTcwMDAwMDAwXQ": (
        "CrQe7S5kqBAHt-nMYXgc6bdt2SH5aTY1sU_M-PgkjPI"
    ),
    "WyJBSngtMDk1VlBycFR0TjRRTU9xUk9BIiwgImFkZHJlc3MiLCB7InN0cmVldF9hZGRyZXNzIjogIjEyMyBNYWluIFN0IiwgImxvY2FsaXR5"
    "IjogIkFueXRvd24iLCAicmVnaW9uIjogIkFueXN0YXRlIiwgImNvdW50cnkiOiAiVVMifV0": (
        "XzFrzwscM6Gn6CJDc6vVK8BkMnfG8vOSKfpPIZdAfdE"
    ),
    "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0": "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs",
    "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIlVTIl0": "pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo",
}


@pytest.mark.parametrize("text", MAIN_EXAMPLE)
def test_the_main_example_of_rfc_9901_opens_with_its_digests(text: str) -> None:
    """The string claims of RFC 9901 section 5.1, each by its own digest among all of them."""
    digest, name, value = MAIN_EXAMPLE[text]
    assert digest_of(text) == digest
    disclosure = verify_disclosure(text, tuple(row[0] for row in MAIN_EXAMPLE.values()))
    assert (disclosure.name, disclosure.value) == (name, value)


@pytest.mark.parametrize("text", SPELLINGS)
def test_another_spelling_of_the_same_field_has_another_digest(text: str) -> None:
    """RFC 9901 section 4.2.1: what is digested is the text as it was sent, not what it means."""
    disclosure = parse_disclosure(text)
    assert (disclosure.name, disclosure.value) == ("family_name", "M\u00f6bius")
    assert digest_of(text) != "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"


@pytest.mark.parametrize("text", BEYOND_US)
def test_what_the_rfc_allows_and_we_do_not_is_refused(text: str) -> None:
    """Numbers, objects and elements of arrays have their RFC digest, and are no disclosures here."""
    assert digest_of(text) == BEYOND_US[text]
    with pytest.raises(InvalidInput, match="array of salt, name and value"):
        verify_disclosure(text, (BEYOND_US[text],))


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
        encoded(["AAAAAAAAAAAAAAAAAAAAAA", "name", ["value"]]),
        encoded(["AAAAAAAAAAAAAAAAAAAAAA", "name", {"...": "value"}]),
        encoded(["AAAAAAAAAAAAAAAAAAAAAA", "name", None]),
        encoded(["AAAAAAAAAAAAAAAAAAAAAA", "name", True]),
        encoded(["AAAAAAAAAAAAAAAAAAAAAA", 1, "value"]),
        encoded(["AAAAAAAAAAAAAAAAAAAAAA==", "name", "value"]),
        encoded(["AAAAAAAAAAAAAAAAAAAA++", "name", "value"]),
        encoded(["AAAAAAAAAAAAAAAAAAAAAA", "_sd", "value"]),
        encoded(["AAAAAAAAAAAAAAAAAAAAAA", "...", "value"]),
        encoded("AAAAAAAAAAAAAAAAAAAAAA"),
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


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.text(max_size=20), max_size=6),
    st.sets(st.sampled_from("abcdef")),
)
def test_each_field_is_opened_alone(fields: dict[str, str], chosen: set[str]) -> None:
    """Any choice of fields gives those values, and counts the digests that nobody opened."""
    made = {name: conceal(name, value, name.encode() * 16) for name, value in fields.items()}
    concealed = tuple(sorted(digest for digest, _ in made.values()))
    texts = [disclosure.text for name, (_, disclosure) in made.items() if name in chosen]
    opened = open_fields(texts, concealed)
    shown = {name: value for name, value in fields.items() if name in chosen}
    assert opened == Opened(fields=shown, unopened=len(fields) - len(shown))
    for name, value in fields.items():
        known = reveal_field(name, texts, concealed)
        assert known == (value if chosen >= set(fields) else None)


def test_two_values_of_any_name_are_forged_whichever_is_asked_for() -> None:
    """RFC 9901 section 7.1: a statement that says one thing twice says nothing."""
    small, large = conceal("consumed_flop", "1", SALT), conceal("consumed_flop", "2", OTHER_SALT)
    asked = conceal("allowance_flop", "5", SALT)
    concealed, texts = zip(
        *((digest, made.text) for digest, made in (small, large, asked)), strict=True
    )
    with pytest.raises(ForgedDisclosure, match="two values of 'consumed_flop'"):
        reveal_field("allowance_flop", texts, concealed)


def test_a_digest_that_stands_twice_leaves_the_field_unknown() -> None:
    """One of the two may have been meant for another text that nobody shows."""
    digest, disclosure = conceal("allowance_flop", "5", SALT)
    assert open_fields([disclosure.text], (digest, digest)).unopened == 1
    assert reveal_field("allowance_flop", [disclosure.text], (digest, digest)) is None


@pytest.mark.parametrize("name", ["_sd", "..."])
def test_a_field_that_is_called_like_the_encoding_is_not_concealed(name: str) -> None:
    """RFC 9901 section 7.1: readers refuse it, so nobody may make it."""
    with pytest.raises(InvalidInput, match="may be called"):
        conceal(name, "1", SALT)


def test_what_no_reader_would_take_back_is_not_concealed() -> None:
    """A lone surrogate has no UTF-8, and a text has its limit."""
    with pytest.raises(InvalidInput, match="surrogate"):
        conceal("allowance_flop", "\ud800", SALT)
    with pytest.raises(InvalidInput, match=r"20,000"):
        conceal("allowance_flop", "1" * 20_000, SALT)


def test_the_digests_of_a_predicate_are_found_whatever_its_kind() -> None:
    """Leases and their ends conceal; a declaration does not."""
    assert len(concealed_of(lease_granted())) == len(concealed_of(lease_closed(REFERENCE))) == 1
    assert concealed_of(run_declared()) == ()
