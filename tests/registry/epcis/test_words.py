"""CBV 2.0's words in all their spellings, and moments and numbers in theirs."""

from __future__ import annotations

import pytest

from sekisho.model.instants import Instant
from sekisho.registry.custody.acts import OWN_WORDS
from sekisho.registry.epcis.moments import canonical_moment, is_zone, parse_moment
from sekisho.registry.epcis.numbers import number_text
from sekisho.registry.epcis.words import (
    OWN_ACTS,
    Kind,
    canonical_term,
    find_word,
    refuse_word,
    word_address,
)


@pytest.mark.parametrize(
    ("kind", "word", "address", "name"),
    [
        ("bizStep", "shipping", "cbv/BizStep-shipping", "bizstep:shipping"),
        ("disposition", "in_transit", "cbv/Disp-in_transit", "disp:in_transit"),
        ("bizTransaction type", "po", "cbv/BTT-po", "btt:po"),
        ("source or destination type", "location", "cbv/SDT-location", "sdt:location"),
        ("reason", "incorrect_data", "cbv/ER-incorrect_data", "er:incorrect_data"),
    ],
)
def test_every_spelling_of_a_word_is_the_bare_word(
    kind: Kind, word: str, address: str, name: str
) -> None:
    """Bare, by web address, by the name that CBV 1 had; and the address is what is hashed."""
    whole = f"https://ref.gs1.org/{address}"
    assert {find_word(kind, one) for one in (word, whole, f"urn:epcglobal:cbv:{name}")} == {word}
    assert word_address(kind, word) == whole
    assert canonical_term(f"urn:epcglobal:cbv:{name}") == whole


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Shipping", "write shipping"),
        ("cycle-counting", "write cycle_counting"),
        ("departed", "write a word of its list"),
        ("https://ref.gs1.org/cbv/BizStep-departed", "is no bizStep"),
        ("https://ref.gs1.org/cbv/Disp-active", "is a disposition, not a bizStep"),
        ("urn:epcglobal:cbv:bizstep:Shipping", "write shipping"),
        ("https://ns.sekisho.example/epcis/act/refuse", "is no act of ours; write one of"),
        ("https://ns.sekisho.example/epcis/act/refused", ""),
        ("https://firm.example.org/steps/burning", ""),
        ("https://ref.gs1.org/cbv/my_own_step", ""),
    ],
)
def test_a_word_that_cbv_does_not_have_is_refused_unless_it_is_of_another_vocabulary(
    text: str, said: str
) -> None:
    """What claims to be CBV's and is not would otherwise mean nothing, silently."""
    assert find_word("bizStep", text) is None
    assert said in refuse_word("bizStep", text)
    assert bool(refuse_word("bizStep", text)) == bool(said)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2026-05-01T10:00:00+09:00", "2026-05-01T01:00:00.000Z"),
        ("2026-05-01T01:00:00.1414Z", "2026-05-01T01:00:00.141Z"),
        ("2026-05-01T01:00:00.1415Z", "2026-05-01T01:00:00.142Z"),
        ("2026-05-01T01:00:00.1425Z", "2026-05-01T01:00:00.143Z"),
        ("2026-12-31T23:59:59.9995Z", "2027-01-01T00:00:00.000Z"),
        ("2026-05-01T01:00:00.1414999999Z", "2026-05-01T01:00:00.141Z"),
        ("2024-02-29T00:00:00-14:00", "2024-02-29T14:00:00.000Z"),
        ("1969-12-31T23:59:59.9994Z", "1969-12-31T23:59:59.999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_moment_is_hashed_in_utc_with_milliseconds(text: str, canonical: str) -> None:
    """The fourth digit rounds half up, also over the turn of a year."""
    found = parse_moment(text)
    assert found is not None
    assert canonical_moment(found) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30T10:00:00Z",
        "2023-02-29T10:00:00Z",
        "2026-05-01T24:00:00Z",
        "2026-05-01T10:00:60Z",
        "2026-05-01T10:00:00",
        "2026-05-01T10:00:00+15:00",
        "2026-05-01T10:00:00+14:01",
        "2026-05-01T10:00:00+09:60",
        "2026-05-01 10:00:00Z",
        "2026-05-01T10:00:00z",
        "2026-5-1T10:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59.9Z",
        "٢٠٢٦-05-01T10:00:00Z",
        "2026-05-01T10:00:00Z\n",
    ],
)
def test_what_is_no_real_date_time_is_none(text: str) -> None:
    """Days and times that do not exist, zones that nobody has or nobody gave, other digits."""
    assert parse_moment(text) is None


def test_microseconds_are_kept() -> None:
    """The event's own instant is not rounded; digits beyond are cut off."""
    assert parse_moment("2026-05-01T01:00:00.1234567Z") == Instant.parse(
        "2026-05-01T01:00:00.123456Z"
    )


def test_zones_are_those_of_the_schema() -> None:
    """Hours to 14, minutes to 59, the sign always there."""
    assert all(map(is_zone, ("+09:00", "-03:30", "+14:00", "-00:00")))
    assert not any(map(is_zone, ("09:00", "+9:00", "+14:01", "+15:00", "Z", "+09:60", 9, None)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (26, "26"),
        (26.0, "26"),
        (0.1, "0.1"),
        (-477979.89, "-477979.89"),
        (1e-7, "0.0000001"),
        (-0.0, "0"),
        (1e15, "1000000000000000"),
        (0.1 + 0.2, "0.30000000000000004"),
    ],
)
def test_a_number_has_one_text(value: float, text: str) -> None:
    """Plain decimals, no zeros behind, no exponent."""
    assert number_text(value) == text


def test_the_acts_that_are_read_are_the_acts_that_custody_knows() -> None:
    """One list: else a word would be refused that means something, or taken that means nothing."""
    assert [address.rpartition("/")[2] for address in OWN_WORDS] == list(OWN_ACTS)
