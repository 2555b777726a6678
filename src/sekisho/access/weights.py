"""Weights under lock: a file encrypted in chunks that cannot be changed, reordered or cut off unseen.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar, CRYPTO 2015) over AES-256-GCM: each chunk's nonce is its
number and whether it is the last one. The file's key is derived (HKDF-SHA256) from the weights' key, a salt of the
file's own, and the very bytes of the header, so a changed header opens nothing. The header carries the commitment to
the key, which is compared before anything is decrypted. A chunk is written only once it is authenticated; that a file
was cut off is known at its end, so whoever decrypts throws away what came before.

Layout: the magic line, the header's length (4 bytes, big endian), the header (canonical JSON), the chunks.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from typing import Annotated, BinaryIO, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.statements.shapes import Digest, Name, Reference
from sekisho.model.wire import canonical, decode_hex, from_json, parse_canonical
from sekisho.signing.weights import SALT_BYTES, WrongWeightsKey, commit_key

__all__ = [
    "CHUNK",
    "LockHeader",
    "LockedFile",
    "WeightsBroken",
    "lock_stream",
    "read_header",
    "unlock_stream",
]

MAGIC: Final = b"sekisho locked weights 1\n"
CHUNK: Final = 1 << 20
TAG: Final = 16
MAX_HEADER: Final = 4_096
FILE_SALT: Final = 32
_LENGTH: Final = struct.Struct(">I")
_NOTHING: Final[Callable[[int], None]] = lambda _: None  # noqa: E731


class WeightsBroken(VerificationError):
    """The locked file is not as it was made: a changed, reordered, missing or added chunk, or another key."""

    code = "weights-broken"


class LockHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands before the chunks: which model, under which licence, with which key. `salt` is hexadecimal."""

    model: Name
    licence: Reference
    key: Digest
    key_salt: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}(?!\n)$")]
    file_salt: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
    chunk: Annotated[int, msgspec.Meta(ge=1, le=1 << 26)] = CHUNK


class LockedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was read and written: SHA-256 of the plain bytes and of the locked ones, and how many plain bytes."""

    plaintext: str
    ciphertext: str
    size: int


def lock_stream(
    source: BinaryIO,
    target: BinaryIO,
    header: LockHeader,
    key: bytes,
    progress: Callable[[int], None] = _NOTHING,
) -> LockedFile:
    """Encrypt `source` into `target`; a chunk at a time is in memory. Raises WrongWeightsKey, OSError."""
    _verify_key(header, key)
    head = _head(header)
    cipher = _cipher(header, head, key)
    plain, locked = hashlib.sha256(), hashlib.sha256(head)
    target.write(head)
    size = 0
    for number, (chunk, is_last) in enumerate(_chunks(source, header.chunk)):
        sealed = cipher.encrypt(_nonce(number, is_last=is_last), chunk, None)
        plain.update(chunk)
        locked.update(sealed)
        target.write(sealed)
        size += len(chunk)
        progress(size)
    return LockedFile(plaintext=plain.hexdigest(), ciphertext=locked.hexdigest(), size=size)


def unlock_stream(
    source: BinaryIO,
    target: BinaryIO,
    key: bytes,
    progress: Callable[[int], None] = _NOTHING,
) -> LockedFile:
    """Decrypt `source` into `target`, each chunk once it is authenticated.

    Raises InvalidInput for no locked file, WrongWeightsKey before anything is written, WeightsBroken where the file is
    not as it was made: then what was written is worth nothing and is to be thrown away.
    """
    header = read_header(source)
    _verify_key(header, key)
    head = _head(header)
    cipher = _cipher(header, head, key)
    plain, locked = hashlib.sha256(), hashlib.sha256(head)
    size = 0
    for number, (sealed, is_last) in enumerate(_chunks(source, header.chunk + TAG)):
        try:
            chunk = cipher.decrypt(_nonce(number, is_last=is_last), sealed, None)
        except (InvalidTag, ValueError):
            raise WeightsBroken(
                f"chunk {number} is not what was locked there",
                remedy="fetch the file again; throw away what was decrypted",
            ) from None
        plain.update(chunk)
        locked.update(sealed)
        target.write(chunk)
        size += len(chunk)
        progress(size)
    return LockedFile(plaintext=plain.hexdigest(), ciphertext=locked.hexdigest(), size=size)


def read_header(source: BinaryIO, *, path: str = "") -> LockHeader:
    """The header of a locked file; the chunks follow. Raises InvalidInput."""
    if source.read(len(MAGIC)) != MAGIC:
        raise InvalidInput("is no locked weights", path=path)
    raw = source.read(_LENGTH.size)
    length = _LENGTH.unpack(raw)[0] if len(raw) == _LENGTH.size else 0
    if not 0 < length <= MAX_HEADER:
        raise InvalidInput("has no header", path=path)
    told = source.read(length)
    if len(told) != length:
        raise InvalidInput("is cut off in its header", path=path)
    return from_json(LockHeader, parse_canonical(told, path=path), path=path)


def _verify_key(header: LockHeader, key: bytes) -> None:
    salt = decode_hex(header.key_salt, size=SALT_BYTES, path="key_salt")
    if commit_key(key, salt) != header.key:
        raise WrongWeightsKey("this is not the key that locked the file")


def _head(header: LockHeader) -> bytes:
    told = canonical(header)
    return MAGIC + _LENGTH.pack(len(told)) + told


def _cipher(header: LockHeader, head: bytes, key: bytes) -> AESGCM:
    salt = decode_hex(header.file_salt, size=FILE_SALT, path="file_salt")
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=head)
    return AESGCM(derive.derive(key))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if is_last else b"\0")


def _chunks(source: BinaryIO, size: int) -> Iterator[tuple[bytes, bool]]:
    """Chunks of just this size, and at the end one that is shorter, or empty only where there is nothing at all."""
    chunk = _read(source, size)
    while True:
        following = _read(source, size)
        yield chunk, not following
        if not following:
            return
        chunk = following


def _read(source: BinaryIO, size: int) -> bytes:
    """As many bytes as asked for, fewer only at the end; a pipe gives them piecemeal."""
    parts: list[bytes] = []
    left = size
    while left and (part := source.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
