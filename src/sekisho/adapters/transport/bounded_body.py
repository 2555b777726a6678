"""An answer's body, whole, within a size and a time: unpacked by us, since a library unpacks before it counts."""

from __future__ import annotations

import time
import zlib

import httpx

from sekisho.model.errors import InvalidInput, Unavailable

__all__ = ["ACCEPTED", "read_body"]

ACCEPTED = {"accept-encoding": "gzip, identity"}
"""What a client that reads with `read_body` must say of itself."""

_GZIP_FRAME = 31
_PLAIN, _PACKED = ("", "identity"), ("gzip", "x-gzip")


def read_body(response: httpx.Response, limit: int, *, within_s: float, path: str) -> bytes:
    """The body of a streamed answer; at most `limit` bytes, plain or packed once with gzip.

    Bytes after unpacking are what counts, and none beyond the limit is ever made: packed twice, a small answer would
    fill the memory. Raises InvalidInput with `path` for what is longer or packed otherwise, Unavailable where it
    takes longer than `within_s`; what httpx raises is the caller's.
    """
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing not in (*_PLAIN, *_PACKED):
        raise InvalidInput(
            f"is packed as {packing[:60]!r}", path=path, remedy="serve it plain or with gzip"
        )
    unpack = zlib.decompressobj(_GZIP_FRAME) if packing in _PACKED else None
    body, ends = bytearray(), time.monotonic() + within_s
    for chunk in response.iter_raw():
        try:
            body += chunk if unpack is None else unpack.decompress(chunk, limit + 1 - len(body))
        except zlib.error:
            raise InvalidInput("is not packed as it says", path=path) from None
        if len(body) > limit:
            raise InvalidInput(f"longer than {limit} bytes", path=path)
        if time.monotonic() > ends:
            raise Unavailable(f"{path} did not arrive within {within_s:.0f} s")
    if unpack is not None and not unpack.eof and body:
        raise Unavailable(f"{path} was broken off")
    return bytes(body)
