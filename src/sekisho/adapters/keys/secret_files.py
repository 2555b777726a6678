"""Small files that hold a secret: made once, for their owner alone, and refused where anybody else may read them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.wire import decode_base64, encode_base64
from sekisho.signing.tag import KEY_BYTES, TagKey

__all__ = ["create_secret_file", "create_tag_key", "load_secret_file", "load_tag_key"]

MAX_SECRET_FILE = 16_384
_TAG_WORD = "sekisho-tag-key-v1"


def create_secret_file(path: Path, data: bytes) -> None:
    """Write a new file of mode 0600, durably. Raises StateConflict where one is there: none is overwritten."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise StateConflict(
            f"{path}: a file is already there", remedy="name another file"
        ) from None
    # Crash before the fsyncs: an empty or short file, or none. Reading refuses it, and nobody was told of it yet.
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load_secret_file(path: Path) -> bytes:
    """The bytes of a secret's file. Raises InvalidInput naming it where others can read it, or it is too long."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_SECRET_FILE + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None
    if mode & 0o077:
        raise InvalidInput("others can read this key", path=str(path), remedy=f"chmod 600 {path}")
    if len(data) > MAX_SECRET_FILE:
        raise InvalidInput("is too long for a key", path=str(path))
    return data


def create_tag_key(path: Path) -> TagKey:
    """Draw the key under which a registry tags identifiers, and write it: one line, its use named before it."""
    secret = secrets.token_bytes(KEY_BYTES)
    create_secret_file(path, f"{_TAG_WORD} {encode_base64(secret)}\n".encode())
    return TagKey(secret)


def load_tag_key(path: Path) -> TagKey:
    """Read a tag key's file. Raises InvalidInput naming the file; the message never quotes what is in it."""
    word, _, rest = load_secret_file(path).decode("ascii", "replace").partition(" ")
    if word != _TAG_WORD or not rest.endswith("\n"):
        raise InvalidInput("is not a tag key, or is cut off", path=str(path))
    try:
        return TagKey(decode_base64(rest.removesuffix("\n")))
    except InvalidInput:
        raise InvalidInput("is not a tag key, or is damaged", path=str(path)) from None
