"""The key that a person signs with: a file, or a hardware module. Secrets come from files and prompts, never argv."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.reading import read_input
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.settings import Settings
    from sekisho.signing import PublicKey, Signer

__all__ = [
    "HSM",
    "KeyPlace",
    "PassphraseFile",
    "ask_pin_of",
    "load_public",
    "open_own_key",
    "passphrase_for",
    "public_of",
    "read_passphrase",
]

KeyPlace = Annotated[
    str, typer.Option("--key", help="Your private key: its file, or hsm:TOKEN/ID.")
]
PassphraseFile = Annotated[
    str,
    typer.Option(
        "--passphrase-file", help="A file with the key's passphrase or PIN; else asked for."
    ),
]
HSM = "hsm:"
MAX_PASSPHRASE = 4096
_MAX_KEY = 16_384


def open_own_key(settings: Settings, place: str, passphrase_file: str) -> Signer:
    """The signer at `place`. A token's PIN is asked for at its first signature, a file's passphrase at once.

    Raises InvalidInput, WrongPin, Unavailable.
    """
    from sekisho.ceremony import load_signer, open_hsm

    if place.startswith(HSM):
        ask = ask_pin_of(place, passphrase_file, settings.language)
        return open_hsm(place, library=settings.pkcs11_lib, ask_pin=ask)
    prompt = say("key.passphrase", settings.language, file=place)
    path = Path(place)
    return load_signer(path, passphrase=passphrase_for(path, passphrase_file, prompt))


def public_of(settings: Settings, place: str, passphrase_file: str) -> PublicKey:
    """The public key of a public or private key's file, or of a key on a token."""
    private = not place.startswith(HSM) and b"PRIVATE KEY" in (
        read_input(place, limit=_MAX_KEY)[:64] if place != "-" else b""
    )
    if private or place.startswith(HSM):
        return open_own_key(settings, place, passphrase_file).public
    return load_public(place)


def load_public(file: str) -> PublicKey:
    """A public key's file: PEM, or the base64 of its SPKI. Raises InvalidInput naming the file."""
    from sekisho.cli.documents import parse_document

    document = parse_document(read_input(file, limit=_MAX_KEY), path=file)
    if document.key is None:
        raise InvalidInput(
            f"is a {document.form}, expected a public key", path=file, remedy="give the .pub file"
        )
    return document.key


def ask_pin_of(place: str, passphrase_file: str, language: Language) -> Callable[[], str]:
    """Asks for a token's PIN when it is needed, and at most once: a token counts the wrong ones."""

    @lru_cache(maxsize=1)
    def ask() -> str:
        if passphrase_file:
            return read_passphrase(passphrase_file).decode("utf-8", "replace")
        return str(typer.prompt(say("key.pin", language, place=place), hide_input=True, err=True))

    return ask


def passphrase_for(path: Path, passphrase_file: str, prompt: str) -> bytes | None:
    """The passphrase of a key file: from a file, or typed unseen; None where the key is not encrypted."""
    if passphrase_file:
        return read_passphrase(passphrase_file)
    with path.open("rb") as stream:
        if b"ENCRYPTED" not in stream.read(64):
            return None
    return str(typer.prompt(prompt, hide_input=True, err=True)).encode()


def read_passphrase(path: str) -> bytes:
    """A passphrase is the file's first line. Raises InvalidInput where it is empty."""
    first = read_input(path, limit=MAX_PASSPHRASE).split(b"\n", 1)[0].rstrip(b"\r")
    if not first:
        raise InvalidInput("holds no passphrase", path=path, remedy="write it in the first line")
    return first
