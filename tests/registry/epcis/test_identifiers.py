"""GS1 identifiers: EPC URNs and Digital Links to one spelling, check digits, and what is none of GS1's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.registry.epcis.identifiers import canonical_identifier, check_digit, is_uri

HOME = "https://id.gs1.org"


@pytest.mark.parametrize(
    ("digits", "check"), [("0401234511111", "8"), ("629104150021", "3"), ("37610425002123456", "9")]
)
def test_check_digits_are_those_of_gs1(digits: str, check: str) -> None:
    """Weights 3 and 1 from the right, for every length of key."""
    assert check_digit(digits) == check


@pytest.mark.parametrize(
    ("urn", "body", "link"),
    [
        ("id:sgtin:950000.1012345.S1", "1950000012345", "/01/1950000012345#/21/S1"),
        ("id:sgtin:950000123456.0.S1", "0950000123456", "/01/0950000123456#/21/S1"),
        ("id:upui:9500001.012345.A)B", "0950000112345", "/01/0950000112345#/235/A%29B"),
        ("id:itip:9500001.012345.01.02.S.1", "0950000112345", "/8006/0950000112345#0102/21/S.1"),
        ("id:sscc:9500001.1234567890", "19500001234567890", "/00/19500001234567890#"),
        ("id:sgln:9500001.12345.0", "950000112345", "/414/950000112345#"),
        ("id:sgln:9500001.12345.A%2F1", "950000112345", "/414/950000112345#/254/A%2F1"),
        ("id:pgln:950000112345.", "950000112345", "/417/950000112345#"),
        ("id:grai:9500001.12345.R1", "950000112345", "/8003/0950000112345#R1"),
        ("id:giai:9500001.GPU.1", "0", "/8004/9500001GPU.1"),
        ("id:gsrn:9500001.1234567890", "95000011234567890", "/8018/95000011234567890#"),
        ("id:gsrnp:9500001.1234567890", "95000011234567890", "/8017/95000011234567890#"),
        ("id:gdti:9500001.12345.D-1", "950000112345", "/253/950000112345#D-1"),
        ("id:gdti:950000112345..9", "950000112345", "/253/950000112345#9"),
        ("id:cpi:9500001.PART%2F1.42", "0", "/8010/9500001PART%2F1/8011/42"),
        ("id:sgcn:9500001.12345.42", "950000112345", "/255/950000112345#42"),
        ("id:ginc:9500001.C%2F1", "0", "/401/9500001C%2F1"),
        ("id:gsin:9500001.123456789", "9500001123456789", "/402/9500001123456789#"),
        ("class:lgtin:9500001.012345.LOT", "0950000112345", "/01/0950000112345#/10/LOT"),
        ("idpat:sgtin:9500001.012345.*", "0950000112345", "/01/0950000112345#"),
        ("idpat:upui:9500001.012345.*", "0950000112345", "/01/0950000112345#"),
        ("idpat:itip:9500001.012345.01.02.*", "0950000112345", "/8006/0950000112345#0102"),
        ("idpat:grai:9500001.12345.*", "950000112345", "/8003/0950000112345#"),
        ("idpat:gdti:9500001.12345.*", "950000112345", "/253/950000112345#"),
        ("idpat:sgcn:9500001.12345.*", "950000112345", "/255/950000112345#"),
        ("idpat:cpi:9500001.PART.*", "0", "/8010/9500001PART"),
    ],
)
def test_an_epc_urn_becomes_its_digital_link(urn: str, body: str, link: str) -> None:
    """Every key of GS1 that an EPC can bear, with the digit that the standard's formula gives; the link stays."""
    weighed = sum(int(digit) * (3, 1)[at % 2] for at, digit in enumerate(reversed(body)))
    whole = HOME + link.replace("#", str((10 - weighed % 10) % 10))
    assert canonical_identifier(f"urn:epc:{urn}") == whole
    assert canonical_identifier(whole) == whole


@pytest.mark.parametrize(
    "uri",
    [
        "urn:epc:id:sgtin:9500001.12345.S1",
        "urn:epc:id:sgtin:9500001.0123456.S1",
        "urn:epc:id:sgtin:9500001.01234a.S1",
        "urn:epc:id:sgtin:9500001.012345." + "S" * 21,
        "urn:epc:id:sgtin:9500001.012345.",
        "urn:epc:id:sgtin:9500001.012345",
        "urn:epc:id:itip:9500001.012345.1.02.S",
        "urn:epc:id:sgcn:9500001.12345.A",
        "urn:epc:id:cpi:9500001.PART.X",
        "urn:epc:id:gid:95100000.12345.400",
        "urn:epc:idpat:sgtin:9500001.*.*",
        "urn:epc:idpat:sgtin:9500001.012345.S1",
        "urn:epc:class:sgtin:9500001.012345.S1",
        "urn:epc:id:giai:95.X",
        "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
        "geo:50.94,6.92",
        "https://chips.example.org/id/gpu/GPU-0001",
        "https://chips.example.org/01/1234",
        "https://chips.example.org/party/acme",
        "https://id.gs1.org/01/09500001123452/99/x",
        "https://id.gs1.org/01/09500001123452/21",
        "https://id.gs1.org/414/9500001123458/21/x",
        "ftp://id.gs1.org/01/09500001123452",
    ],
)
def test_what_is_no_gs1_identifier_stays_as_it_stands(uri: str) -> None:
    """Wrong lengths, unknown kinds, private addresses."""
    assert canonical_identifier(uri) == uri


@pytest.mark.parametrize(
    ("uri", "link"),
    [
        ("https://firm.example.org/01/09500001123452/21/S1", "/01/09500001123452/21/S1"),
        (
            "http://firm.example.org/shop/gtin/9500001123452/ser/S1?x=1#y",
            "/01/09500001123452/21/S1",
        ),
        ("https://firm.example.org/01/09500001123452/10/L/21/S1", "/01/09500001123452/21/S1"),
        ("https://firm.example.org/01/09500001123452/22/V/10/L/", "/01/09500001123452/10/L"),
        ("https://firm.example.org/01/09500001123452/22/V", "/01/09500001123452"),
        ("https://firm.example.org/01/95000017", "/01/00000095000017"),
        ("https://firm.example.org/gln/9500001123458/254/D1", "/414/9500001123458/254/D1"),
        ("https://firm.example.org/sscc/195000012345678901", "/00/195000012345678901"),
        ("https://firm.example.org/8004/9500001%47PU", "/8004/9500001GPU"),
        ("https://firm.example.org/01/09500001123452/21/a%2fb", "/01/09500001123452/21/a%2Fb"),
    ],
)
def test_a_digital_link_of_any_domain_is_that_of_gs1(uri: str, link: str) -> None:
    """Short names, other domains, queries, coarser qualifiers and variants go."""
    assert canonical_identifier(uri) == HOME + link


@given(st.text(alphabet="abcXYZ019!'()*+,.:;=_-", min_size=1, max_size=20))
def test_urn_and_link_of_one_serial_are_one(serial: str) -> None:
    """Whatever characters a serial may have, and however the link spells them."""
    of_urn = canonical_identifier(f"urn:epc:id:sgtin:9500001.012345.{serial}")
    spelled = "".join(f"%{ord(character):02x}" for character in serial)
    of_link = canonical_identifier(f"https://firm.example.org/01/09500001123452/21/{spelled}")
    assert of_urn == of_link
    assert canonical_identifier(of_urn) == of_urn
    assert is_uri(of_urn)


@pytest.mark.parametrize(
    "text",
    ["", "x", "gpu 1", "https://a b", "urn:a:\n", "urn:é", "urn:a{b}", "1a:b", "a:", None, 7],
)
def test_what_is_no_uri_is_refused(text: object) -> None:
    """Relative ones, spaces, braces, letters beyond ASCII, other types."""
    assert not is_uri(text)
    assert not is_uri("urn:" + "a" * 2048)
