"""A key holder beside a log that takes what was signed by hand: real folds, cosigning witnesses, time moved by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest

from sekisho.model.statements import (
    CharterAdopted,
    CharterKey,
    CharterWitness,
    Predicate,
    Recovery,
)
from sekisho.operations.state import State, start_state
from sekisho.rehearsal.paper_log import PaperLog, PaperWitness
from sekisho.signing import Recorded, parse_envelope, root_of
from sekisho.signing.notes import NoteSigner
from tests import factory
from tests.cli.ceremonies import KeyHolder, phrase_of
from tests.factory_bundle import Cast

__all__ = ["DAY_S", "QUORUM", "Governor", "PlainFolder", "control_plane", "key_id", "payload_of"]

DAY_S = 86_400
QUORUM = ("authority-1", "authority-2", "authority-3", "verifier-1")
WITNESSES = tuple(
    NoteSigner.cosigner(f"{name}.example", factory.signer(name).private) for name in ("w1", "w2")
)


@contextmanager
def control_plane() -> Iterator[tuple[str, list[bytes]]]:
    """A control plane that takes whatever it is sent, and says where it stands; and what was sent."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["content-length"])))
            digest = parse_envelope(sent[-1]).digest
            place = {"index": 9, "leaf": "a" * 64, "digest": digest, "fresh": True}
            body = json.dumps(place).encode()
            self.send_response(201)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class PlainFolder:
    """A log's files written as tests can afford: without waiting for the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str, limit: int) -> bytes:
        return (self.root / path).read_bytes()[: limit + 1]

    def write(self, path: str, data: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        for path, data in files:
            self.write(path, data)

    def exists(self, path: str) -> bool:
        return (self.root / path).exists()

    def drop_folder(self, path: str) -> None:
        raise NotImplementedError


class Governor(KeyHolder):
    """Everybody's keys on one machine, and the log that they write by hand. Two of three recovery keys recover."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.cast = Cast()
        self.language = "en"
        self.pkcs11_lib = ""
        self._monkeypatch = monkeypatch
        self.log = str(folder / "log")
        witnesses = [PaperWitness(signer) for signer in WITNESSES]
        self.paper = PaperLog(factory.LOG, factory.ORIGIN, witnesses, PlainFolder(folder / "log"))
        self.now = factory.NOW
        terms = _founding()
        envelope = factory.charter_envelope(terms)
        self.root = root_of(terms, envelope.digest)
        self.trust(self.root)
        self.paper.open(start_state(self.root))
        self.enter(envelope.raw)

    @property
    def state(self) -> State:
        assert self.paper.state is not None
        return self.paper.state

    @property
    def charter_digest(self) -> str:
        return self.state.regime.in_force().digest

    def pass_time(self, seconds: float) -> None:
        """Time passes; the log quotes what witnesses signed before, and they sign again."""
        self.set_clock(self.now.plus(seconds))
        self.paper.pass_time(self.now)
        self.paper.publish()

    def enter(self, raw: bytes) -> Recorded:
        """An envelope into the log; a minute passes."""
        recorded = self.paper.append(raw, self.now)
        self.pass_time(60)
        return recorded

    def state_fact(self, fact: Predicate, *names: str) -> Recorded:
        """A statement that nobody here wants to see signed step by step."""
        return self.enter(factory.signed(fact, *self.cast.signers(*names)).raw)

    def sign(self, group: str, path: Path, *names: str) -> None:
        """`sekisho GROUP sign PATH`, by each of these, who typed the phrase back."""
        phrase = ("--phrase", phrase_of(payload_of(path)), "--log", self.log)
        for name in names:
            assert self.call(group, "sign", path, "--key", self.key(name), *phrase) == 0, name

    def hand_in(self, path: Path) -> Recorded:
        return self.enter(path.read_bytes())

    def done(self, group: str, path: Path, *names: str) -> Recorded:
        """Signed by these, and in the log."""
        self.sign(group, path, *names)
        return self.hand_in(path)


def key_id(name: str) -> str:
    return factory.signer(name).public.key_id


def payload_of(path: Path) -> bytes:
    data = path.read_bytes()
    return parse_envelope(data).payload if b'"payloadType"' in data else data


def _founding() -> CharterAdopted:
    log = NoteSigner(factory.ORIGIN, factory.LOG.private)
    terms = factory.charter(
        log_vkey=log.verifier.to_text(),
        witnesses=[
            CharterWitness(name=w.name, vkey=w.verifier.to_text(), owner=f"Owner {n}")
            for n, w in enumerate(WITNESSES, 1)
        ],
    )
    keys = tuple(
        CharterKey(
            public=factory.signer(f"recovery-{n}").public.to_text(),
            organisation="Archive",
            holder=f"safe {n}",
        )
        for n in (1, 2, 3)
    )
    return msgspec.structs.replace(terms, recovery=Recovery(keys=keys, k=2, notice_days=14))
