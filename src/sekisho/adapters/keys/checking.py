"""`python -m sekisho.adapters.keys.checking`: tries signatures for the process at the other end of its pipes.

Standard input brings frames, each four bytes of length and then MessagePack: a list of (SPKI, signature, data).
Standard output answers each with one byte a row, 1 where the signature is that key's own. It ends with its input, so it
does not outlive its parent. It holds public keys alone, and reads no file.
"""

from __future__ import annotations

import signal
import sys
from functools import lru_cache
from typing import BinaryIO, Final

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.signing.keys import PublicKey

__all__ = ["LENGTH_BYTES", "MAX_FRAME", "answer", "main"]

LENGTH_BYTES: Final = 4
MAX_FRAME: Final = 16 * 1024 * 1024
_ROWS = msgspec.msgpack.Decoder(list[tuple[bytes, bytes, bytes]])


def main() -> int:
    """Answer until the input ends; 2 where it is not ours."""
    # An interrupt at a terminal reaches all who run there; this one ends when its parent lets go of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return answer(sys.stdin.buffer, sys.stdout.buffer)


def answer(asked: BinaryIO, told: BinaryIO) -> int:
    """Answer each frame; the exit code."""
    while head := asked.read(LENGTH_BYTES):
        size = int.from_bytes(head, "big")
        frame = asked.read(size) if len(head) == LENGTH_BYTES and size <= MAX_FRAME else b""
        if len(frame) != size:
            return 2
        try:
            rows = _ROWS.decode(frame)
        except msgspec.MsgspecError:
            return 2
        told.write(bytes(_is_signed(*row) for row in rows))
        told.flush()
    return 0


def _is_signed(spki: bytes, signature: bytes, data: bytes) -> bool:
    try:
        return _key(spki).is_signed_by(signature, data)
    except InvalidInput:
        return False


@lru_cache(maxsize=4096)
def _key(spki: bytes) -> PublicKey:
    return PublicKey(spki)


if __name__ == "__main__":
    sys.exit(main())
