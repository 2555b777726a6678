"""Packed bodies unpacked, never beyond a limit: what a body says about its size is checked before memory is taken."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

import cramjam

from sekisho.model.errors import InvalidInput

__all__ = ["ENCODINGS", "Encoding", "decompress"]

Encoding: TypeAlias = Literal["identity", "snappy", "gzip", "zstd"]
ENCODINGS: Final[tuple[Encoding, ...]] = ("identity", "snappy", "gzip", "zstd")

# A snappy copy of three bytes yields at most 64: more than that a body cannot hold, whatever it states.
_SNAPPY_MOST: Final = 22
# What RFC 8878 section 3.1.1.1.2 asks every decoder to support, and no more.
_ZSTD_WINDOW: Final = 8 * 2**20
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """The bytes inside a packed body, at most `limit` of them.

    `encoding` is an HTTP content coding ("" is identity); snappy is the block format without frames, as remote-write
    uses it. Raises InvalidInput for a coding that we do not know, for broken or cut-off data, for bytes after the
    end, and for more than `limit` bytes.
    """
    unpack = _UNPACK.get(encoding.strip().lower())
    if unpack is None:
        raise InvalidInput(
            f"cannot unpack the content coding {encoding[:40]!a}",
            path="body",
            remedy=f"send one of {', '.join(ENCODINGS)}",
        )
    return unpack(body, limit)


def _take_as_is(body: bytes, limit: int) -> bytes:
    return _within(body, limit)


def _unpack_snappy(body: bytes, limit: int) -> bytes:
    stated = _snappy_length(body)
    if stated > limit:
        raise _too_long(limit)
    if stated > _SNAPPY_MOST * len(body):
        raise _broken("snappy", f"it states {stated:,} bytes, more than {len(body):,} can hold")
    try:
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise _broken("snappy", str(error)) from error


def _snappy_length(body: bytes) -> int:
    """The first field of a block: its length unpacked, a varint of at most 32 bits."""
    stated = 0
    for place, byte in enumerate(body[:5]):
        stated |= (byte & 0x7F) << (7 * place)
        if byte < 0x80 and stated < 2**32:
            return stated
    raise _broken("snappy", "no length at its beginning")


def _unpack_gzip(body: bytes, limit: int) -> bytes:
    """Every member of a gzip file, as RFC 1952 section 2.2 has it."""
    parts: list[bytes] = []
    left, room = body, limit
    while left or not parts:
        member = zlib.decompressobj(wbits=31)
        try:
            part = member.decompress(left, room + 1)
        except zlib.error as error:
            raise _broken("gzip", str(error)) from error
        if len(part) > room:
            raise _too_long(limit)
        if not member.eof:
            raise _broken("gzip", "it is cut off")
        parts.append(part)
        room -= len(part)
        left = member.unused_data
    return b"".join(parts)


def _unpack_zstd(body: bytes, limit: int) -> bytes:
    """A file of zstd frames. Asks for one byte more than allowed, so that a longer one shows."""
    window, stated = _zstd_sizes(body)
    if stated is not None and stated > limit:
        raise _too_long(limit)
    if window > max(_ZSTD_WINDOW, limit):
        raise _broken("zstd", f"it asks for a window of {window:,} bytes")
    room = memoryview(bytearray(limit + 1))
    try:
        length = int(cramjam.zstd.decompress_into(body, room))
    except cramjam.DecompressionError as error:
        if "failed to write" in str(error):
            raise _too_long(limit) from error
        raise _broken("zstd", str(error)) from error
    return _within(bytes(room[:length]), limit)


def _zstd_sizes(body: bytes) -> tuple[int, int | None]:
    """Window and stated content size of the first frame (RFC 8878 section 3.1.1.1)."""
    if body[:4] != _ZSTD_MAGIC or len(body) < 6:
        raise _broken("zstd", "no frame at its beginning")
    descriptor = body[4]
    is_single = bool(descriptor & 0x20)
    size_bytes = (1 if is_single else 0, 2, 4, 8)[descriptor >> 6]
    start = 5 + (not is_single) + (0, 1, 2, 4)[descriptor & 3]
    stated = int.from_bytes(body[start : start + size_bytes], "little") if size_bytes else None
    if stated is not None and size_bytes == 2:
        stated += 256
    if is_single:
        return stated or 0, stated
    exponent, mantissa = body[5] >> 3, body[5] & 7
    base = 1 << (10 + exponent)
    return base + (base >> 3) * mantissa, stated


def _within(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise _too_long(limit)
    return data


def _too_long(limit: int) -> InvalidInput:
    return InvalidInput(
        f"more than {limit:,} bytes when unpacked",
        path="body",
        remedy="send it in several smaller requests",
    )


def _broken(encoding: Encoding, why: str) -> InvalidInput:
    return InvalidInput(
        f"not {encoding} that can be unpacked: {why}",
        path="body",
        remedy="name in Content-Encoding what the sender really used; send the whole body again",
    )


_UNPACK: Final[Mapping[str, Callable[[bytes, int], bytes]]] = {
    "": _take_as_is,
    "identity": _take_as_is,
    "snappy": _unpack_snappy,
    "gzip": _unpack_gzip,
    "zstd": _unpack_zstd,
}
