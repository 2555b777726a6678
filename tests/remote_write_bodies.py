"""Remote-write bodies written by hand: 1.0's WriteRequest, packed in snappy."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

import cramjam

__all__ = ["pack_snappy", "write_request"]


def write_request(labels: Mapping[str, str], samples: Iterable[tuple[float, int]]) -> bytes:
    """One series with its samples (value, milliseconds); several joined are one request, as protobuf has it."""
    series = b"".join(
        _text(1, _text(1, name.encode()) + _text(2, text.encode()))
        for name, text in sorted(labels.items())
    )
    series += b"".join(
        _text(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(at))
        for value, at in samples
    )
    return _text(1, series)


def pack_snappy(body: bytes) -> bytes:
    """Snappy's block format, as the specification asks."""
    return bytes(cramjam.snappy.compress_raw(body))


def _text(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
