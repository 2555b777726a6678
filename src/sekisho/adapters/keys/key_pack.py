"""Key files together under a passphrase: scrypt, then AES-256-GCM over names and bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import decode_base64, encode_base64

__all__ = ["MAX_PACK", "open_key_pack", "seal_key_pack"]

MAX_PACK: Final = 16 * 1024 * 1024
MIN_PASSPHRASE: Final = 12
_MAGIC: Final = b"sekisho-keys/v1\n"
_SALT, _NONCE = 16, 12
_COST: Final = 2**17  # 128 MiB and a third of a second for each guess


class _Packed(msgspec.Struct, frozen=True, kw_only=True):
    files: Annotated[dict[str, str], msgspec.Meta(max_length=4_096)]


def seal_key_pack(files: Mapping[str, bytes], passphrase: bytes) -> bytes:
    """Raises InvalidInput for a passphrase under 12 bytes."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise InvalidInput(
            f"a passphrase of {len(passphrase)} bytes is too short",
            path="--passphrase-file",
            remedy=f"{MIN_PASSPHRASE} at least; six random words are better",
        )
    packed = _Packed(files={name: encode_base64(data) for name, data in files.items()})
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, msgspec.json.encode(packed), _MAGIC)
    return _MAGIC + salt + nonce + sealed


def open_key_pack(data: bytes, passphrase: bytes, *, path: str) -> dict[str, bytes]:
    """Files by name. Raises InvalidInput where it is no pack, is damaged, or the passphrase is another."""
    if not data.startswith(_MAGIC) or len(data) > MAX_PACK:
        raise InvalidInput("is no pack of keys", path=path)
    salt, rest = data[len(_MAGIC) :][:_SALT], data[len(_MAGIC) + _SALT :]
    try:
        opened = AESGCM(_key(passphrase, salt)).decrypt(rest[:_NONCE], rest[_NONCE:], _MAGIC)
    except (InvalidTag, ValueError):
        raise InvalidInput(
            "cannot be opened: another passphrase, or damaged", path=path, remedy="check both"
        ) from None
    packed = msgspec.json.decode(opened, type=_Packed)
    return {name: decode_base64(text) for name, text in packed.files.items()}


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(passphrase)
