"""Packed bodies: there and back, cut off, too long, and lies about their length."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.telemetry.decompress import ENCODINGS, decompress
from sekisho.model.errors import InvalidInput

PACK: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "snappy": lambda body: bytes(cramjam.snappy.compress_raw(body)),
    "gzip": gzip.compress,
    "zstd": lambda body: bytes(cramjam.zstd.compress(body)),
}
PACKED = tuple(encoding for encoding in ENCODINGS if encoding != "identity")


@given(st.sampled_from(ENCODINGS), st.binary(max_size=2000), st.integers(0, 3))
def test_what_was_packed_is_unpacked(encoding: str, body: bytes, room: int) -> None:
    """At exactly the limit, or below it."""
    assert decompress(PACK[encoding](body), encoding, len(body) + room) == body


@given(st.sampled_from(ENCODINGS), st.binary(min_size=1, max_size=2000))
def test_one_byte_over_the_limit_is_refused(encoding: str, body: bytes) -> None:
    """Whichever way it is packed."""
    with pytest.raises(InvalidInput, match="bytes when unpacked"):
        decompress(PACK[encoding](body), encoding, len(body) - 1)


@given(st.sampled_from(PACKED), st.binary(min_size=1, max_size=500), st.data())
def test_a_body_cut_off_is_refused(encoding: str, body: bytes, data: st.DataObject) -> None:
    """At any byte; half a body is never read as a short one."""
    packed = PACK[encoding](body)
    cut = packed[: data.draw(st.integers(0, len(packed) - 1))]
    with pytest.raises(InvalidInput) as caught:
        decompress(cut, encoding, 10_000)
    assert caught.value.remedy


@given(st.sampled_from(PACKED), st.binary(max_size=300))
def test_other_bytes_are_refused_or_within_the_limit(encoding: str, body: bytes) -> None:
    """Nothing but InvalidInput comes out, and never more than was allowed."""
    with suppress(InvalidInput):
        assert len(decompress(body, encoding, 1000)) <= 1000


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_members_one_after_another_are_one_body(encoding: str) -> None:
    """As both formats have it, and the limit holds for all together."""
    packed = PACK[encoding](b"one") + PACK[encoding](b"two")
    assert decompress(packed, encoding, 6) == b"onetwo"
    with pytest.raises(InvalidInput, match="more than 5 bytes"):
        decompress(packed, encoding, 5)


@pytest.mark.parametrize("encoding", PACKED)
def test_bytes_after_the_end_are_refused(encoding: str) -> None:
    """They would be data that nobody reads."""
    with pytest.raises(InvalidInput):
        decompress(PACK[encoding](b"all of it") + b"more", encoding, 1000)


def test_the_name_of_a_coding_is_read_as_http_has_it() -> None:
    """Without regard to case; none at all is identity; one that we lack is named with what we have."""
    assert decompress(PACK["gzip"](b"x"), " GZip ", 10) == b"x"
    assert decompress(b"x", "", 10) == b"x"
    with pytest.raises(InvalidInput, match=r"'br'.*identity, snappy, gzip, zstd"):
        decompress(b"x", "br", 10)


def test_a_bomb_costs_no_memory() -> None:
    """A length that a body states is looked at before anything is set aside for it."""
    bombs = {
        "snappy": b"\xff\xff\xff\xff\x0f" + bytes(50),
        "gzip": gzip.compress(bytes(50_000_000)),
        "zstd": bytes(cramjam.zstd.compress(bytes(50_000_000))),
    }
    tracemalloc.start()
    try:
        for encoding, bomb in bombs.items():
            with pytest.raises(InvalidInput):
                decompress(bomb, encoding, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_length_that_the_bytes_cannot_hold_is_refused() -> None:
    """Snappy yields at most 64 bytes for three; 100 MB in 20 bytes is a lie even where 100 MB are allowed."""
    with pytest.raises(InvalidInput, match="more than 20 can hold"):
        decompress(b"\x80\xc2\xd7\x2f" + bytes(16), "snappy", 2**30)


def test_a_zstd_window_is_bounded() -> None:
    """A frame of a few bytes may ask for gigabytes to look back into."""
    with pytest.raises(InvalidInput, match="window"):
        decompress(b"\x28\xb5\x2f\xfd\x00\xa8" + bytes(16), "zstd", 1000)
