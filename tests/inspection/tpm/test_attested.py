"""TPMS_ATTEST, read to its last byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspection.tpm import MalformedTpmData
from sekisho.inspection.tpm.attested import NvCertified, Quoted, parse_attested
from sekisho.inspection.tpm.octets import sized
from sekisho.inspection.tpm.public import parse_nv_public, parse_public
from sekisho.inspection.tpm.signature import parse_signature
from tests.tpm_words import WordyTpm, number

GOOD = WordyTpm().attest()
# TPM2_NV_Certify and TPM2_Quote of swtpm 0.7.1, as they came.
QUOTE_HEAD = bytes.fromhex("ff5443478018") + sized(b"\0\x0b" + bytes(32)) + sized(b"q" * 32)


def test_a_certified_counter_is_read_whole() -> None:
    """Name, offset, content, clock and firmware come out as they went in."""
    attested = parse_attested(GOOD)

    assert isinstance(attested.body, NvCertified)
    assert (attested.body.offset, attested.body.contents) == (0, number(12, 8))
    assert (attested.clock.clock_ms, attested.clock.reset_count) == (90_000, 3)
    assert (attested.clock.restart_count, attested.clock.safe) == (1, True)
    assert attested.firmware == 0x1122


def test_a_quote_is_read_whole() -> None:
    """Registers and digest of TPM2_Quote come out, for the checks that will need them."""
    tail = number(5, 8) + number(1, 4) + number(0, 4) + b"\1" + number(9, 8)
    banks = number(1, 4) + number(0xB, 2) + b"\3\xff\0\0"
    attested = parse_attested(QUOTE_HEAD + tail + banks + sized(b"d" * 32))

    assert attested.body == Quoted(registers=((0xB, b"\xff\0\0"),), digest=b"d" * 32)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "ends at byte 0"),
        (b"\xff\x54\x43\x46" + GOOD[4:], "not made by a TPM"),
        (GOOD[:4] + b"\x80\x17" + GOOD[6:], "neither an NV index nor a quote"),
        (GOOD[:-1], "ends at byte"),
        (GOOD + b"\0", "left over"),
        (GOOD[:6] + b"\xff\xff" + GOOD[8:], "are allowed"),
        (b"\xff" * 5000, "more than"),
        (WordyTpm(safe=2).attest(), "neither yes nor no"),
        (QUOTE_HEAD + bytes(25) + number(17, 4), "17 banks"),
    ],
)
def test_anything_else_is_refused_by_name(data: bytes, words: str) -> None:
    """Short, long, foreign or oversized parts raise the one named error."""
    with pytest.raises(MalformedTpmData, match=words):
        parse_attested(data)


@given(st.binary(max_size=300), st.integers(0, len(GOOD)), st.integers(0, len(GOOD)))
def test_no_bytes_do_more_than_raise_that_error(noise: bytes, start: int, end: int) -> None:
    """Noise, alone or inside a good structure, is read or refused; nothing else ever comes out."""
    for parse in (parse_attested, parse_signature, parse_public, parse_nv_public):
        for data in (noise, GOOD[:start] + noise + GOOD[end:]):
            try:
                parse(data)
            except MalformedTpmData:
                continue


@given(st.integers(0, 8 * len(GOOD) - 1))
def test_every_flipped_bit_changes_what_is_read(bit: int) -> None:
    """No bit of an attestation goes unread: a flip is refused or gives another value."""
    flipped = bytearray(GOOD)
    flipped[bit // 8] ^= 1 << (bit % 8)
    try:
        assert parse_attested(bytes(flipped)) != parse_attested(GOOD)
    except MalformedTpmData:
        return
