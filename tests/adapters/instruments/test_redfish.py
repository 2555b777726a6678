"""A BMC over HTTPS on loopback: pinned certificate, bounded answers, a password that is sent to nobody else."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sekisho.adapters.instruments.bmc import RedfishPower
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.instants import Instant
from tests.certificates import write_certificate

T0 = Instant.parse("2026-01-31T10:00:00Z")
GOOD = b'{"PowerWatts": {"Reading": 374}}'


class Bmc:
    """Answers each connection with the same bytes; `drip_s` apart, letter by letter, where it drips."""

    def __init__(self, folder: Path, answer: bytes, drip_s: float = 0.0) -> None:
        certificate, key = folder / "bmc.crt", folder / "bmc.key"
        write_certificate(certificate, key)
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.load_cert_chain(certificate, key)
        der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
        self.fingerprint = hashlib.sha256(der).hexdigest()
        self.asked: list[bytes] = []
        self._answer, self._drip_s = answer, drip_s
        self._line = trust.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.url = f"https://127.0.0.1:{self._line.getsockname()[1]}/redfish/v1/Chassis/1/Power"
        self._thread = threading.Thread(target=self._serve)

    @contextmanager
    def running(self) -> Iterator[Bmc]:
        self._thread.start()
        try:
            yield self
        finally:
            self._line.shutdown(socket.SHUT_RDWR)
            self._line.close()
            self._thread.join(20)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._line.accept()
            except ssl.SSLError:
                continue
            except OSError:
                return
            with line:
                self._talk(line)

    def _talk(self, line: socket.socket) -> None:
        try:
            self.asked.append(line.recv(65_536))
            step = 1 if self._drip_s else len(self._answer)
            for at in range(0, len(self._answer), step):
                line.sendall(self._answer[at : at + step])
                time.sleep(self._drip_s)
        except OSError:
            return


def http(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_bmc_behind_its_pinned_certificate_is_read(tmp_path: Path) -> None:
    """With the user and the password that a file holds."""
    secret = tmp_path / "password"
    secret.write_text("pass word\n")
    with Bmc(tmp_path, http(GOOD)).running() as bmc:
        line = RedfishPower(
            bmc.url, certificate=bmc.fingerprint, user="watch", password_file=secret
        )
        assert line.read(T0)[0].value == 374
    assert b"authorization: Basic " + b64encode(b"watch:pass word") in bmc.asked[0]


def test_another_certificate_is_told_no_password(tmp_path: Path) -> None:
    """Who stands in between hears nothing at all."""
    secret = tmp_path / "password"
    secret.write_text("pass")
    with Bmc(tmp_path, http(GOOD)).running() as bmc:
        line = RedfishPower(bmc.url, certificate="0" * 64, user="watch", password_file=secret)
        with pytest.raises(Unavailable, match="another certificate than the pinned one"):
            line.read(T0)
    assert bmc.asked in ([], [b""])


@pytest.mark.parametrize(
    ("answer", "kind", "word"),
    [
        (http(b"{}", "401 Unauthorized"), Unavailable, "answered 401"),
        (http(b"{}"), InvalidInput, "neither PowerWatts nor PowerControl"),
        (http(b" " * (1 << 20) + GOOD), InvalidInput, "answers more than"),
        (b"what?\r\n\r\n", Unavailable, "does not answer"),
    ],
    ids=["refused", "no power", "endless", "no HTTP"],
)
def test_an_answer_that_is_no_figure_is_named(
    tmp_path: Path, answer: bytes, kind: type[Exception], word: str
) -> None:
    """Nothing of it is taken as at rest."""
    with Bmc(tmp_path, answer).running() as bmc, pytest.raises(kind, match=word):
        RedfishPower(bmc.url, certificate=bmc.fingerprint).read(T0)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "], ids=["body", "header"]
)
def test_a_bmc_that_drips_does_not_hold_the_observer(tmp_path: Path, head: bytes) -> None:
    """Each letter in time, and the whole never: after its time it is unavailable."""
    endless = head + b" " * 400
    with Bmc(tmp_path, endless, drip_s=0.05).running() as bmc:
        line = RedfishPower(bmc.url, certificate=bmc.fingerprint, timeout_s=1.5)
        with pytest.raises(Unavailable):
            line.read(T0)


def test_an_address_that_is_no_bmc_is_refused() -> None:
    """Plain HTTP, or a name and password in the address."""
    for url in ("http://10.0.0.9/redfish/v1", "https://u:p@10.0.0.9/x", "https:///x"):
        with pytest.raises(InvalidInput, match="no address of a BMC"):
            RedfishPower(url, certificate="0" * 64)
