"""Where events of the log go: standard output, a file that only grows, or a collector over TCP or TLS.

A file is synced before what it holds counts as sent. A TCP collector acknowledges nothing: what the kernels had taken
when a connection broke may be lost, so whoever begins a connection sends the newest events once more (`repeats`).
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import sys
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from sekisho.model.errors import InvalidInput, Unavailable

__all__ = ["EventSink", "open_event_sink"]

CONNECT_S: Final = 5.0
SEND_S: Final = 30.0
REPEATED: Final = 256


class EventSink(Protocol):
    """One place. `repeats` is how many events before the cursor are sent again at the beginning of a connection."""

    repeats: int

    def send(self, data: bytes) -> None:
        """Return once the place has taken it. Raises Unavailable where it may be tried again."""
        ...

    def close(self) -> None: ...


class _Output:
    repeats = 0

    def send(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def close(self) -> None:
        """Standard output stays open."""


class _File:
    """A file of mode 0600 where it is new. Another program may move it away: the next batch begins a new one."""

    repeats = 0

    def __init__(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise InvalidInput(f"there is no folder {path.parent}", path=str(path))
        self._path = path
        self._mend()

    def _mend(self) -> None:
        """End a line that a crash cut, so that the next event stands on a line of its own."""
        try:
            with self._path.open("r+b") as file:
                if (
                    file.seek(0, os.SEEK_END)
                    and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n"
                ):
                    file.write(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._refused(error) from None

    def send(self, data: bytes) -> None:
        # Crash within: a cut line, and its events come again whole, under the same ids.
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._path, flags, 0o600)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._refused(error) from None

    def _refused(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"{self._path} cannot be written: {error.strerror}", remedy="check space and rights"
        )

    def close(self) -> None:
        """Nothing stays open."""


class _Connection:
    """A collector over TCP; without TLS on this machine only."""

    repeats = REPEATED

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        try:
            raw = socket.create_connection((host, port), CONNECT_S)
            raw.settimeout(SEND_S)
            self._socket = context.wrap_socket(raw, server_hostname=host) if context else raw
        except OSError as error:
            raise Unavailable(
                f"{host}:{port} does not take events: {error}", remedy="check the collector"
            ) from None
        self._shown = f"{host}:{port}"

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Unavailable(f"{self._shown} takes no more events: {error}") from None

    def close(self) -> None:
        self._socket.close()


def open_event_sink(place: str, *, authorities: str = "") -> EventSink:
    """The sink that a text names: `-`, a file, tcp://127.0.0.1:PORT, tls://HOST:PORT (`authorities`: a PEM file).

    Raises InvalidInput for what is none, Unavailable where it does not answer.
    """
    if place == "-":
        return _Output()
    if "://" not in place:
        return _File(Path(place))
    parts = urlsplit(place)
    host, port = parts.hostname or "", _port(place)
    if parts.scheme == "tls":
        return _Connection(host, port, _context(authorities))
    if parts.scheme != "tcp" or not _is_here(host):
        raise InvalidInput(
            "is no place for events",
            path=place[:200],
            remedy="name a file, tls://HOST:PORT, or tcp://127.0.0.1:PORT on this machine",
        )
    return _Connection(host, port, None)


def _port(place: str) -> int:
    try:
        found = urlsplit(place).port
    except ValueError:
        found = None
    if not found:
        raise InvalidInput("names no port", path=place[:200], remedy="tls://HOST:6514")
    return found


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _context(authorities: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities or None)
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(f"holds no certificates: {error}", path=authorities) from None
