"""A BMC's power as an instrument: Redfish over HTTPS with a pinned certificate, or a file that a collector writes.

A BMC presents a certificate that no authority signed, so the certificate itself is pinned by its SHA-256, and the
password is sent only once it was seen. Sources: DMTF DSP0268, Power (PowerControl[].PowerConsumedWatts) and
EnvironmentMetrics (PowerWatts.Reading).
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from base64 import b64encode
from decimal import Decimal
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sekisho.adapters.instruments.figures import MAX_FILE, parse_figure, read_end
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.instants import Instant
from sekisho.model.wire import JsonValue, parse_json
from sekisho.ports.instruments import Shown

__all__ = ["PowerFile", "RedfishPower", "parse_redfish_power"]

MAX_SECRET: Final = 1024


class PowerFile:
    """Implements ports.Instrument over `{"at": "2026-01-31T10:00:00Z", "watts": 412.5}`, written by a collector."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self, since: Instant) -> tuple[Shown, ...]:
        del since
        body, whole = read_end(self._file)
        if not whole:
            raise InvalidInput(f"is longer than {MAX_FILE} bytes", path=str(self._file))
        path = str(self._file)
        document = _object(parse_json(body, path=path, any_float=True), path)
        watts, at = document.get("watts"), document.get("at")
        if not isinstance(at, str):
            raise InvalidInput("says no time", path=f"{path}: at")
        measured = Instant.parse(at)
        return (Shown(quantity="power", value=_watts(watts, f"{path}: watts"), measured=measured),)

    def close(self) -> None:
        """Nothing is held open."""


class RedfishPower:
    """Implements ports.Instrument over one Redfish resource; `certificate` is the SHA-256 of the BMC's own, in hex."""

    def __init__(
        self,
        url: str,
        *,
        certificate: str,
        user: str = "",
        password_file: Path | None = None,
        timeout_s: float = 5.0,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.username:
            raise InvalidInput(
                f"{url} is no address of a BMC",
                path="url",
                remedy="name https://HOST/redfish/v1/...",
            )
        self._url, self._host, self._port = url, parts.hostname, parts.port or 443
        self._path = parts.path or "/"
        self._certificate, self._timeout_s = certificate.lower(), timeout_s
        self._user, self._password_file = user, password_file

    def read(self, since: Instant) -> tuple[Shown, ...]:
        del since
        return parse_redfish_power(self._fetch(), path=self._url)

    def close(self) -> None:
        """Nothing is held open between two looks."""

    def _fetch(self) -> bytes:
        line = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        cut: _Cut | None = None
        try:
            raw = socket.create_connection((self._host, self._port), self._timeout_s)
            line.sock = raw
            cut = _Cut(raw, self._timeout_s)
            line.sock = self._secure(raw)
            line.request("GET", self._path, headers=self._headers())
            answer = line.getresponse()
            if answer.status != http.client.OK:
                raise Unavailable(f"{self._url} answered {answer.status}")
            body = self._read(answer)
            if cut.was_made:
                raise Unavailable(f"{self._url} did not answer within {self._timeout_s:.0f} s")
            return body
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{self._url} does not answer: {error}") from None
        finally:
            if cut is not None:
                cut.end()
            line.close()

    def _secure(self, raw: socket.socket) -> ssl.SSLSocket:
        # The certificate is compared by us: no authority signs a BMC's, and its name is seldom its address.
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        line = trust.wrap_socket(raw)
        digest = hashlib.sha256(line.getpeercert(binary_form=True) or b"").hexdigest()
        if not hmac.compare_digest(digest, self._certificate):
            line.close()
            raise Unavailable(
                f"{self._url} shows another certificate than the pinned one: {digest}",
                remedy="compare it at the BMC itself before you pin it",
            )
        return line

    def _headers(self) -> dict[str, str]:
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        if self._password_file is not None:
            secret, _ = read_end(self._password_file, limit=MAX_SECRET)
            word = b64encode(self._user.encode() + b":" + secret.strip()).decode("ascii")
            headers["authorization"] = f"Basic {word}"
        return headers

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        body = answer.read(MAX_FILE + 1)
        if len(body) > MAX_FILE:
            raise InvalidInput(f"answers more than {MAX_FILE} bytes", path=self._url)
        return body


class _Cut:
    """Shuts a connection when its time is over, handshake and headers included: one that drips meets every read."""

    def __init__(self, line: socket.socket, within_s: float) -> None:
        self.was_made = False
        self._line = line.dup()
        self._timer = threading.Timer(within_s, self._make)
        self._timer.start()

    def end(self) -> None:
        self._timer.cancel()
        self._timer.join()
        self._line.close()

    def _make(self) -> None:
        self.was_made = True
        with contextlib.suppress(OSError):  # it ended by itself meanwhile
            self._line.shutdown(socket.SHUT_RDWR)


def parse_redfish_power(body: bytes, *, path: str) -> tuple[Shown, ...]:
    """The power of the whole host. Raises InvalidInput where the resource shows none."""
    document = _object(parse_json(body, path=path, any_float=True), path)
    metrics = document.get("PowerWatts")
    if isinstance(metrics, dict):
        watts = _watts(metrics.get("Reading"), f"{path}: PowerWatts.Reading")
        return (Shown(quantity="power", value=watts),)
    rows = document.get("PowerControl")
    if not isinstance(rows, list) or not rows:
        raise InvalidInput("shows neither PowerWatts nor PowerControl", path=path)
    # Several controls are parts of one chassis, and some BMCs repeat the whole in the first: the largest is no less.
    figures = [
        _watts(_object(row, path).get("PowerConsumedWatts"), f"{path}: PowerConsumedWatts")
        for row in rows
    ]
    return (Shown(quantity="power", value=max(figures)),)


def _watts(value: JsonValue, path: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput("is no number of watts", path=path)
    return parse_figure(repr(value), path=path)


def _object(value: JsonValue, path: str) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise InvalidInput("is no object", path=path)
    return value
