"""A key holder's desk in a folder: a public log, a trust file, key files, a clock that stands, and the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sekisho.catalogue import Language
from sekisho.cli import main
from sekisho.model.instants import Instant
from sekisho.model.statements import OrderIssued, make_payload
from sekisho.model.wire import sha256_hex
from sekisho.settings import Settings
from sekisho.signing import TrustRoot, format_trust
from sekisho.signing.phrase import digest_phrase
from tests import factory
from tests.factory_bundle import Cast, Sealed, honest_story, seal, write_folder

__all__ = ["LICENSED", "PAUSED", "RESUMED", "T0", "KeyHolder", "phrase_of", "sealed_until"]

T0 = factory.NOW
LICENSED, PAUSED, RESUMED = 19, 40, 80  # seconds into the honest story
_SEALED: dict[tuple[float, Cast], Sealed] = {}


def sealed_until(second: float, cast: Cast | None = None) -> Sealed:
    """The honest story as far as it had come, played once."""
    cast = cast or Cast()
    if (second, cast) not in _SEALED:
        story = honest_story(cast)
        story.batches = [batch for batch in story.batches if batch[0] <= second]
        _SEALED[second, cast] = seal(story, cast)
    return _SEALED[second, cast]


def phrase_of(payload: bytes) -> str:
    return digest_phrase(sha256_hex(payload))


class KeyHolder:
    """One person's machine, with the log as it stood at `second` of the honest story, and that as the time."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        second: float = LICENSED,
        cast: Cast | None = None,
    ) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self.sealed = sealed_until(second, cast)
        write_folder(folder / "bundle", self.sealed.files)
        self.log = str(folder / "bundle" / "log")
        self.cast = cast or Cast()
        self.language: Language = "en"
        self.pkcs11_lib = ""
        self.trust(self.sealed.root)
        self.set_clock(T0.plus(second))

    @property
    def charter_digest(self) -> str:
        return self.sealed.root.charter_digest

    def trust(self, *roots: TrustRoot) -> None:
        self.path("trust.json").write_bytes(format_trust(roots))

    def set_clock(self, at: Instant) -> None:
        class Clock:
            def now(self) -> Instant:
                return at

        self.now = at
        self._monkeypatch.setattr("sekisho.ceremony.SystemClock", Clock)

    def path(self, name: str) -> Path:
        return self.folder / name

    def key(self, name: str = "authority-1", *, file: str = "") -> str:
        """A private key's file, readable by its owner only."""
        path = self.path(file or f"{name}.pem")
        if not path.exists():
            key = self.cast.signer(name).private
            path.touch(mode=0o600)
            path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return str(path)

    def public(self, name: str) -> str:
        """A public key's file."""
        path = self.path(f"{name}.pub")
        path.write_text(self.cast.signer(name).public.to_text() + "\n")
        return str(path)

    def order(self, name: str = "order.json", **changes: Any) -> Path:
        """A draft of pause 1, written as `order draft` writes it."""
        fields: dict[str, Any] = {"charter_digest": self.charter_digest, "now": self.now}
        return self.draft(factory.order_issued(**{**fields, **changes}), name)

    def draft(self, order: OrderIssued, name: str = "order.json") -> Path:
        path = self.path(name)
        path.write_bytes(make_payload(order))
        return path

    def call(self, *arguments: str | Path, typed: str = "") -> int:
        """The exit code of `sekisho ARGUMENTS`, with what a person types."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        settings = Settings(
            home=self.path("no-home"),
            trust_file=self.path("trust.json"),
            language=self.language,
            pkcs11_lib=self.pkcs11_lib,
        )
        return main.call([str(argument) for argument in arguments], settings)

    def answer(
        self, capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0
    ) -> Any:
        """The JSON document of a call that must end with `code`."""
        capsys.readouterr()
        assert self.call(*arguments, "--json") == code, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)
