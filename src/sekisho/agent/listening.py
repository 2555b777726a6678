"""Where an agent takes what a control plane pushes: one small door, bounded in bytes, in time and in what it may cost.

What comes is worth what its signatures are worth. Here each item is put to the regime once, beside the agent's duty and
not in it; what does not hold is dropped without a word, and the next sender waits a little longer. So whoever knows the
address can keep this door busy, and nothing else: the polls go on, the duty never sees it, and the memory is one body.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec

from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.ports.control import Feed, FeedItem
from sekisho.signing import parse_envelope

__all__ = ["Listener", "parse_place"]

MAX_HEAD: Final = 8 * 1024
MAX_BODY: Final = 1024 * 1024
MAX_ITEMS: Final = 8
MAX_SIGNATURES: Final = 16
"""A quorum has fewer; each is tried against every key that might have made it."""
WITHIN_S: Final = 3.0
GOOD_PAUSE_S: Final = 0.02
BAD_PAUSE_S: Final = 1.0
_LINE: Final = re.compile(rb"POST [!-~]{1,200} HTTP/1\.[01]\r\n")
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]{1,8})\r\n", re.IGNORECASE)

Parse = Callable[[bytes], Feed]


class Listener:
    """Hands on what holds. `parse` reads a body, `verify` raises where an envelope is not the regime's, `tell` is told.

    One sender at a time, in a thread of its own.
    """

    def __init__(
        self,
        place: tuple[str, int],
        *,
        parse: Parse,
        verify: Callable[[bytes], object],
        tell: Callable[[Feed], None],
    ) -> None:
        """Begin to listen. Raises Unavailable where the place is taken."""
        self._parse, self._verify, self._tell = parse, verify, tell
        self.dropped = 0
        self._ending = threading.Event()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(place)
            self._socket.listen(16)
        except OSError as error:
            self._socket.close()
            raise Unavailable(
                f"{place[0]}:{place[1]} cannot be listened at: {error.strerror}",
                remedy="name another place as `listen` in agent.json",
            ) from None
        self._socket.settimeout(0.5)
        self._thread = threading.Thread(target=self._run, name="agent-listener", daemon=True)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:
                # A sender that broke off before it was heard, or no descriptor left for now: the door stays open.
                self._ending.wait(BAD_PAUSE_S)
                continue
            with connection:
                is_good = self._serve(connection)
            self._ending.wait(GOOD_PAUSE_S if is_good else BAD_PAUSE_S)

    def _serve(self, connection: socket.socket) -> bool:
        """Answer one sender; whether everything that it brought holds."""
        status, is_good = b"400 Bad Request", False
        with contextlib.suppress(OSError, SekishoError):
            is_good = self._take(_read_body(connection, time.monotonic() + WITHIN_S))
            status = b"200 OK" if is_good else b"422 Unprocessable Content"
        with contextlib.suppress(OSError):
            connection.settimeout(WITHIN_S)
            connection.sendall(
                b"HTTP/1.1 %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status
            )
        return is_good

    def _take(self, body: bytes) -> bool:
        feed = self._parse(body)
        if len(feed.items) > MAX_ITEMS:
            self.dropped += len(feed.items)
            return False
        sound = tuple(item for item in feed.items if self._is_sound(item))
        self.dropped += len(feed.items) - len(sound)
        if sound:
            # The checkpoint is left out: what it says of the time comes with the proofs, and by the polls.
            self._tell(msgspec.structs.replace(feed, items=sound, checkpoint=None))
        return len(sound) == len(feed.items)

    def _is_sound(self, item: FeedItem) -> bool:
        try:
            if len(parse_envelope(item.envelope, path="push").signatures) > MAX_SIGNATURES:
                return False
            self._verify(item.envelope)
        except SekishoError:
            return False
        return True


def parse_place(text: str) -> tuple[str, int]:
    """The host and port of `listen`. Raises InvalidInput."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65_535:
        raise InvalidInput(f"{text!r} is not HOST:PORT", path="listen")
    return host, int(port)


def _read_body(connection: socket.socket, ends: float) -> bytes:
    """The body of one POST; raises InvalidInput where it is none, or longer or later than it may be."""
    data = b""
    while b"\r\n\r\n" not in data:
        if len(data) > MAX_HEAD:
            raise InvalidInput("a head that does not end", path="push")
        data += _receive(connection, ends)
    head, _, body = data.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    if not _LINE.match(head + b"\r\n") or length is None or int(length[1]) > MAX_BODY:
        raise InvalidInput("is not a push of at most 1 MiB", path="push")
    parts, missing = [body], int(length[1]) - len(body)
    while missing > 0:
        part = _receive(connection, ends)
        parts.append(part)
        missing -= len(part)
    if missing:
        raise InvalidInput("is longer than it says", path="push")
    return b"".join(parts)


def _receive(connection: socket.socket, ends: float) -> bytes:
    left = ends - time.monotonic()
    if left <= 0:
        raise InvalidInput("did not arrive in time", path="push")
    connection.settimeout(left)
    data = connection.recv(65_536)
    if not data:
        raise InvalidInput("was broken off", path="push")
    return data
