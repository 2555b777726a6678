"""The key under which a registry tags identifiers, in a file of its own."""

from __future__ import annotations

import secrets
from pathlib import Path

from sekisho.adapters.keys.secret_files import create_secret_file, load_secret_file
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import decode_base64, encode_base64
from sekisho.signing.tag import KEY_BYTES, TagKey

__all__ = ["create_tag_key", "load_tag_key"]

_TAG_WORD = "sekisho-tag-key-v1"


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
