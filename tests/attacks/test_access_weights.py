"""Attacks on a locked file by whoever stores or carries it: cut, reordered, repeated, mixed from two files."""

from __future__ import annotations

import io

import pytest

from sekisho.access.weights import TAG, WeightsBroken, read_header, unlock_stream
from sekisho.signing.weights import WrongWeightsKey
from tests.access.locks import KEY, header_of, locked_bytes

PLAIN = bytes(range(80))  # five whole chunks of sixteen
SEALED = 16 + TAG


def parts(raw: bytes) -> tuple[bytes, list[bytes]]:
    """The head of a locked file, and its chunks."""
    stream = io.BytesIO(raw)
    read_header(stream)
    start = stream.tell()
    return raw[:start], [raw[n : n + SEALED] for n in range(start, len(raw), SEALED)]


def refused(raw: bytes) -> None:
    target = io.BytesIO()
    with pytest.raises(WeightsBroken):
        unlock_stream(io.BytesIO(raw), target, KEY)
    assert PLAIN.startswith(target.getvalue())  # nothing false was written before it was found


@pytest.mark.parametrize("kept", range(5))
def test_truncated_between_chunks(kept: int) -> None:
    """Cut where a chunk ends, no tag is broken: the missing last chunk is what tells."""
    head, chunks = parts(locked_bytes(PLAIN))
    refused(head + b"".join(chunks[:kept]))


@pytest.mark.parametrize("order", [(1, 0, 2, 3, 4), (0, 1, 3, 2, 4), (4, 1, 2, 3, 0)])
def test_reordered_chunks(order: tuple[int, ...]) -> None:
    """Each chunk is good by itself, at its own place only."""
    head, chunks = parts(locked_bytes(PLAIN))
    refused(head + b"".join(chunks[n] for n in order))


@pytest.mark.parametrize("order", [(0, 0, 1, 2, 3, 4), (0, 1, 2, 3, 4, 4), (0, 2, 3, 4)])
def test_repeated_or_missing_chunks(order: tuple[int, ...]) -> None:
    """Neither twice nor left out."""
    head, chunks = parts(locked_bytes(PLAIN))
    refused(head + b"".join(chunks[n] for n in order))


def test_a_chunk_of_another_file_under_the_same_key() -> None:
    """Files share a key, not a cipher: each has a salt of its own."""
    head, chunks = parts(locked_bytes(PLAIN))
    _, others = parts(locked_bytes(PLAIN, header_of(file=1)))
    assert others[1] != chunks[1]
    refused(head + chunks[0] + others[1] + b"".join(chunks[2:]))


def test_a_header_that_names_another_licence_opens_nothing() -> None:
    """What the header says is bound to every chunk."""
    _, chunks = parts(locked_bytes(PLAIN))
    from sekisho.model.statements import Reference
    from tests.factory import ORIGIN

    head, _ = parts(locked_bytes(b"", header_of(licence=Reference(log=ORIGIN, leaf="7" * 64))))
    refused(head + b"".join(chunks))


def test_a_wrong_key_is_refused_before_a_byte_is_written() -> None:
    """By the commitment: no two keys open one file to two contents."""
    target = io.BytesIO()
    with pytest.raises(WrongWeightsKey):
        unlock_stream(io.BytesIO(locked_bytes(PLAIN)), target, bytes(32))
    assert target.getvalue() == b""
