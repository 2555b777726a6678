"""Countries: ISO 3166-1 alpha-2, names in two languages, remedies for what people write instead."""

from __future__ import annotations

import pytest

from sekisho.model.countries import (
    COUNTRY_CODES,
    check_country,
    check_jurisdiction,
    country_name,
    is_country,
)
from sekisho.model.errors import InvalidInput


def test_there_are_249_codes_in_order_and_no_name_stands_twice() -> None:
    """As many as ISO 3166-1 has officially assigned; sorted, so that a doubled row would be seen."""
    assert len(COUNTRY_CODES) == 249
    assert list(COUNTRY_CODES) == sorted(set(COUNTRY_CODES))
    for language in ("en", "ja"):
        names = [country_name(code, language) for code in COUNTRY_CODES]
        assert len(set(names)) == 249
        assert all(name.strip() == name != "" for name in names)


def test_every_code_is_two_capitals_and_every_japanese_name_is_japanese() -> None:
    """No name slipped into the other column."""
    for code in COUNTRY_CODES:
        assert len(code) == 2
        assert code.isascii()
        assert code.isupper()
        assert any(ord(letter) > 0x3000 for letter in country_name(code, "ja"))
        assert all(ord(letter) < 0x3000 for letter in country_name(code))


@pytest.mark.parametrize(
    ("code", "english", "japanese"),
    [
        ("JP", "Japan", "日本"),
        ("NO", "Norway", "ノルウェー"),
        ("NA", "Namibia", "ナミビア"),
        ("TW", "Taiwan", "台湾"),
        ("MO", "Macao", "マカオ"),
        ("EU", "European Union", "欧州連合"),
    ],
)
def test_a_country_has_its_name(code: str, english: str, japanese: str) -> None:
    """Also those whose code spreadsheets take for no or not available."""
    assert (country_name(code), country_name(code, "ja")) == (english, japanese)


@pytest.mark.parametrize("code", ["", "XX", "ZZ", "jp", "JPN", "EU", "UK", "US-CA", "JP\n"])
def test_what_is_no_code_is_no_country(code: str) -> None:
    """Reserved, user-assigned, lower-case and longer codes are none."""
    assert not is_country(code)
    with pytest.raises(InvalidInput, match="no country") as caught:
        check_country(code, path="F.destination")
    assert caught.value.path == "F.destination"


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("jp", "capitals: JP"),
        ("Jp", "capitals: JP"),
        ("UK", "GB"),
        ("usa", "US"),
        ("Japan", "JP"),
        ("中国", "CN"),
        ("EU", "member state"),
        ("Atlantis", "ISO 3166-1"),
    ],
)
def test_a_remedy_says_what_to_write(written: str, remedy: str) -> None:
    """Capitals, the usual slips, names in both languages."""
    with pytest.raises(InvalidInput) as caught:
        check_country(written)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("code", ["JP", "US-CA", "EU", "GB-SCT"])
def test_law_also_reaches_unions_and_parts_of_countries(code: str) -> None:
    """A jurisdiction is more than a country."""
    check_jurisdiction(code, path="F")


@pytest.mark.parametrize("code", ["XX", "XX-CA", "us-CA", ""])
def test_a_part_of_no_country_is_no_jurisdiction(code: str) -> None:
    """What stands before the dash has to be a country."""
    with pytest.raises(InvalidInput, match="no jurisdiction") as caught:
        check_jurisdiction(code, path="F")
    assert caught.value.path == "F"


def test_a_name_is_asked_of_a_country_only() -> None:
    """No name is made up for what is none."""
    with pytest.raises(InvalidInput):
        country_name("XX")
