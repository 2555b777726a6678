"""Keys that sign notes, in files: a log's or a witness's, Ed25519 or ML-DSA-44, and how one follows another.

A rotation has three states, told by files alone: `k.pem` (nothing under way), `k.pem` and `k-next.pem` (both sign),
`k.pem` with the new key in it (the old one is gone).
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sekisho.adapters.durable_files import OsDisk
from sekisho.adapters.keys.secret_files import create_secret_file, load_secret_file
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.signing.notes import NoteKey

__all__ = [
    "begin_rotation",
    "create_note_key",
    "finish_rotation",
    "load_note_key",
    "load_note_keys",
    "next_of",
    "post_quantum_of",
]

_DISK = OsDisk()


def next_of(path: Path) -> Path:
    """Where the key that follows this one lies."""
    return path.with_name(f"{path.stem}-next{path.suffix}")


def post_quantum_of(path: Path) -> Path:
    """Where the ML-DSA-44 key beside an Ed25519 one lies."""
    return path.with_name(f"{path.stem}-mldsa44{path.suffix}")


def create_note_key(path: Path, *, post_quantum: bool = False) -> NoteKey:
    """Draw a key and write it, for its owner's eyes only. Raises StateConflict where a file is there already."""
    key: NoteKey = MLDSA44PrivateKey.generate() if post_quantum else Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}", remedy="check space and rights"
        ) from None
    create_secret_file(path, pem)
    return key


def load_note_key(path: Path) -> NoteKey:
    """Read a key file. Raises InvalidInput naming the file where it is no such key, or not its owner's alone."""
    pem = load_secret_file(path)
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput("is not an unencrypted private key", path=str(path)) from None
    if not isinstance(key, Ed25519PrivateKey | MLDSA44PrivateKey):
        raise InvalidInput("is neither an Ed25519 nor an ML-DSA-44 key", path=str(path))
    return key


def load_note_keys(path: Path, *, post_quantum: bool = False) -> tuple[NoteKey, ...]:
    """Every key that signs now; the one at `path` is drawn at the first call.

    With it its ML-DSA-44 sister, if there is one or `post_quantum` asks for it, and the keys that follow them while
    a rotation lasts.
    """
    if not path.exists():
        create_note_key(path)
    sister = post_quantum_of(path)
    if post_quantum and not sister.exists():
        create_note_key(sister, post_quantum=True)
    files = [path, next_of(path), sister, next_of(sister)]
    return tuple(load_note_key(file) for file in files if file.exists())


def begin_rotation(path: Path) -> tuple[NoteKey, ...]:
    """Draw the key that follows each key of `path`, beside it; the new keys. Raises StateConflict if under way."""
    load_note_key(path)
    sister = post_quantum_of(path)
    kinds = [(path, False), *([(sister, True)] if sister.exists() else [])]
    missing = [(next_of(old), mldsa) for old, mldsa in kinds if not next_of(old).exists()]
    if not missing:
        raise StateConflict(
            f"a rotation of {path} is under way already", remedy="finish it with --finish"
        )
    # Crash between two: whoever asks again draws the one that is missing.
    return tuple(create_note_key(new, post_quantum=mldsa) for new, mldsa in missing)


def finish_rotation(path: Path) -> tuple[NoteKey, ...]:
    """Put each new key in the old one's place, which ends the old one; the keys left. Raises StateConflict if none."""
    pairs = [(next_of(old), old) for old in (path, post_quantum_of(path)) if next_of(old).exists()]
    if not pairs:
        raise StateConflict(
            f"no rotation of {path} is under way", remedy="begin one without --finish"
        )
    for new, _ in pairs:
        load_note_key(new)
    try:
        for new, old in pairs:
            # Crash here: the old key or the new one stands at its place, whole; asked again, the rest follows.
            new.replace(old)
        _DISK.sync_folder(path.parent)
    except OSError as error:
        raise Unavailable(f"{path} cannot be replaced: {error.strerror}") from None
    return load_note_keys(path)
