"""Weights under lock: there and back, bounded memory, and nothing changed unseen."""

from __future__ import annotations

import hashlib
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.access.weights import (
    CHUNK,
    WeightsBroken,
    lock_stream,
    read_header,
    unlock_stream,
)
from sekisho.model.errors import InvalidInput
from sekisho.signing.weights import WrongWeightsKey
from tests.access.locks import KEY, header_of, locked_bytes


def unlocked(raw: bytes, key: bytes = KEY) -> bytes:
    target = io.BytesIO()
    unlock_stream(io.BytesIO(raw), target, key)
    return target.getvalue()


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33, 1000])
def test_weights_there_and_back(size: int) -> None:
    """Whatever their length, to the byte; also an empty file and whole chunks."""
    plain = bytes(number % 251 for number in range(size))
    assert unlocked(locked_bytes(plain)) == plain


def test_both_sides_tell_the_same_digests() -> None:
    """What the statement says of plain and locked bytes is what the host finds."""
    plain, target = b"weights" * 10, io.BytesIO()
    made = lock_stream(io.BytesIO(plain), target, header_of(), KEY)
    assert made.plaintext == hashlib.sha256(plain).hexdigest()
    assert made.ciphertext == hashlib.sha256(target.getvalue()).hexdigest()
    assert made.size == len(plain)
    assert unlock_stream(io.BytesIO(target.getvalue()), io.BytesIO(), KEY) == made


@given(st.binary(max_size=100), st.integers(0, 2_000), st.integers(1, 255))
def test_one_changed_byte_anywhere_is_found(plain: bytes, place: int, change: int) -> None:
    """In the header, a chunk or a tag: nothing is decrypted to something else."""
    raw = bytearray(locked_bytes(plain))
    raw[place % len(raw)] ^= change
    with pytest.raises((InvalidInput, WrongWeightsKey, WeightsBroken)):
        unlocked(bytes(raw))


@given(st.binary(max_size=100), st.integers(1, 200))
def test_a_file_cut_off_or_grown_is_found(plain: bytes, missing: int) -> None:
    """Also where it is cut between two chunks, and where one is added."""
    raw = locked_bytes(plain)
    with pytest.raises((InvalidInput, WeightsBroken)):
        unlocked(raw[: -min(missing, len(raw))])
    with pytest.raises(WeightsBroken):
        unlocked(raw + raw[-missing:])


def test_the_header_is_read_before_any_key_is_asked_for() -> None:
    """Which model, which licence, which key."""
    header = read_header(io.BytesIO(locked_bytes(b"")))
    assert header == header_of()
    with pytest.raises(InvalidInput):
        read_header(io.BytesIO(b"no locked weights at all, but long enough"))


def test_a_large_file_goes_through_a_small_memory() -> None:
    """Forty chunks of a megabyte in a few megabytes."""

    class Zeros(io.RawIOBase):
        left = 40 * CHUNK

        def read(self, size: int = -1) -> bytes:
            given = min(size, self.left)
            self.left -= given
            return bytes(given)

    class Nowhere(io.RawIOBase):
        def write(self, data: object) -> int:
            return len(data)  # type: ignore[arg-type]  # bytes

    tracemalloc.start()
    lock_stream(Zeros(), Nowhere(), header_of(chunk=CHUNK), KEY)  # type: ignore[arg-type]  # streams
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * CHUNK
