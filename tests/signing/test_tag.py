from __future__ import annotations

import hashlib
import hmac
import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.signing.tag import TagKey, normalise_identifier, unique_key

KEY = TagKey(bytes(range(32)))
PLAIN = st.text(string.ascii_letters + string.digits + "-._/:+#", min_size=1, max_size=60)


def test_a_tag_is_what_a_stranger_computes() -> None:
    """HMAC-SHA-256 over three lines: domain, scheme, identifier as it is normalised."""
    text = b"sekisho identifier tag v1\nnvidia-serial\nSN-0042\n"
    tag = hmac.new(bytes(range(32)), text, hashlib.sha256).hexdigest()
    assert KEY.tag("nvidia-serial", "sn-0042") == tag


@pytest.mark.parametrize(
    "spelling",
    [
        "SN-0042",
        "sn-0042",
        " SN-0042\n",
        "SN - 0042",
        "\uff33\uff2e\uff0d\uff10\uff10\uff14\uff12",  # full-width
        "SN\u20110042",  # non-breaking hyphen
        "SN\u22120042",  # minus sign
        "SN\u20130042",  # en dash
        "S\u200bN-\u00ad0042",  # zero-width space, soft hyphen
        "\ufeffSN-0042\u2028",
    ],
)
def test_one_serial_in_two_spellings_has_one_tag(spelling: str) -> None:
    """What a person takes for the same number cannot be registered twice."""
    assert KEY.tag("serial", spelling) == KEY.tag("serial", "SN-0042")


@pytest.mark.parametrize("other", ["SN0042", "SN-42", "SN-0042.", "SN_0042", "SN-O042"])
def test_what_makers_use_to_tell_apart_stays_apart(other: str) -> None:
    """Dashes, dots, leading zeros, and a letter that looks like a digit."""
    assert KEY.tag("serial", other) != KEY.tag("serial", "SN-0042")


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        " \t\u200b",
        "\u0421N-0042",  # Cyrillic
        "\u0391-1",  # Greek
        "stra\u00dfe",  # its upper case would be SS
        "\u0131d",  # dotless i: its upper case would be I
        "e\u0301",
        "\u6771\u4eac",
        "\ud800",
        "A" * 257,
    ],
)
def test_an_identifier_that_could_be_read_in_two_ways_is_refused(identifier: str) -> None:
    """Look-alikes of other scripts, letters whose upper case is another's, nothing at all, too much."""
    with pytest.raises(InvalidInput, match="identifier"):
        KEY.tag("serial", identifier)


@given(PLAIN)
def test_normalising_twice_changes_nothing(identifier: str) -> None:
    """The normal spelling is its own normal spelling, in printable upper-case ASCII."""
    normal = normalise_identifier(identifier)
    assert normalise_identifier(normal) == normal == identifier.upper()


@given(st.text(max_size=40))
def test_any_text_is_refused_or_normal(text: str) -> None:
    """No text slips through with a character that two readers could take differently."""
    try:
        normal = normalise_identifier(text)
    except InvalidInput:
        return
    assert normal.isascii()
    assert normal.isprintable()
    assert " " not in normal
    assert normal == normal.upper() == unicodedata.normalize("NFKC", normal)


@given(PLAIN, PLAIN)
def test_two_identifiers_have_two_tags(one: str, other: str) -> None:
    """And one has the same tag each time."""
    same = one.upper() == other.upper()
    assert (KEY.tag("serial", one) == KEY.tag("serial", other)) is same


def test_one_number_in_two_schemes_has_two_tags() -> None:
    """Also where scheme and identifier, written one after the other, read the same."""
    assert KEY.tag("serial", "A1") != KEY.tag("uuid", "A1")
    assert KEY.tag("a", "b1") != KEY.tag("ab", "1")


@pytest.mark.parametrize("scheme", ["", "Serial", "se rial", "serial\n", "-a", "a-", "a" * 33, "é"])
def test_a_scheme_is_one_plain_word(scheme: str) -> None:
    """Nothing that could move the border between scheme and identifier."""
    with pytest.raises(InvalidInput, match="scheme"):
        KEY.tag(scheme, "1")
    with pytest.raises(InvalidInput, match="scheme"):
        unique_key(scheme, "0" * 64)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_tag_key_of_another_length_is_refused(size: int) -> None:
    """Keys have 256 bits."""
    with pytest.raises(InvalidInput, match="32 bytes"):
        TagKey(bytes(size))


def test_a_tag_is_checked_under_its_own_key_only() -> None:
    """Another key, another scheme, another identifier, or no tag at all: no."""
    tag = KEY.tag("serial", "A1")
    assert KEY.is_tag(tag, "serial", "a1")
    assert not TagKey(bytes(32)).is_tag(tag, "serial", "A1")
    assert not KEY.is_tag(tag, "uuid", "A1")
    assert not KEY.is_tag(tag, "serial", "A2")
    for wrong in ("", tag.upper(), tag[:-1], f"{tag}0", "\ud800"):
        assert not KEY.is_tag(wrong, "serial", "A1")


def test_a_tag_becomes_a_key_of_the_log() -> None:
    """In one form, which only a tag can have."""
    tag = KEY.tag("serial", "A1")
    assert unique_key("serial", tag) == f"tag:serial:{tag}"
    for wrong in (tag.upper(), tag[:-1], f"{tag}\n", "x" * 64):
        with pytest.raises(InvalidInput, match="tag"):
            unique_key("serial", wrong)


def test_a_tag_key_shows_nothing_of_itself() -> None:
    """Not in a representation that ends up in some log."""
    assert repr(TagKey(b"k" * 32)) == "TagKey(...)"
