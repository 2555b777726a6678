"""One JSON line asked, one answered, over a unix socket that its owner, root and nobody unnamed may use."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sekisho.model.errors import InvalidInput, Unavailable

__all__ = ["MAX_LINE", "Door", "LineServer", "Peer", "ask_line", "resolve_trusted_folder"]

MAX_LINE = 16_384
CLIENT_PATIENCE_S = 2.0
MAX_CLIENTS = 32
_CREDENTIALS = struct.Struct("iII")  # pid, uid, gid: struct ucred of unix(7)
_WRITABLE_BY_OTHERS = 0o022
_STICKY = 0o1000


class Peer(NamedTuple):
    """Who is at the other end, by the kernel's word at the time of connecting (SO_PEERCRED)."""

    pid: int
    user: int
    group: int


class Door(NamedTuple):
    """Who may come in besides root and our own user: `user`, to whom the socket is given where we may.

    `refusal` looks at each request's peer before the request is read: an answer line refuses it, None lets it pass.
    """

    user: int
    refusal: Callable[[Peer], bytes | None] = lambda _: None


def resolve_trusted_folder(folder: Path) -> Path:
    """A folder's real place, where nobody but root and our own user can put another thing, all the way up.

    Raises InvalidInput naming the part of the path that somebody else owns or may write to. A sticky folder such as
    /tmp passes, since names of others cannot be taken away there.
    """
    place = folder.resolve()
    for part in (place, *place.parents):
        found = part.lstat()
        if found.st_uid not in (0, os.geteuid()):
            raise InvalidInput(
                f"belongs to user {found.st_uid}", path=str(part), remedy="give it to root"
            )
        if found.st_mode & _WRITABLE_BY_OTHERS and not found.st_mode & _STICKY:
            raise InvalidInput(
                "others may write to it", path=str(part), remedy=f"chmod go-w {part}"
            )
    return place


def ask_line(
    path: Path,
    line: bytes,
    *,
    timeout_s: float,
    limit: int = MAX_LINE,
    answered_by: int | None = None,
) -> bytes:
    """Send one line to the socket at `path` and return the line that answers it, without its line feed.

    Raises Unavailable where nobody listens, the answer is late, cut or longer than `limit`, or the one who
    answers is neither this user nor root nor `answered_by`.
    """
    deadline = time.monotonic() + timeout_s
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            with _address(path) as address:
                connection.connect(address)
            if _peer_of(connection).user not in (0, os.geteuid(), answered_by):
                raise Unavailable(
                    f"{path} is answered by another user", remedy="look who owns that process"
                )
            connection.sendall(line + b"\n")
            return _receive_line(connection, deadline, limit)
        except (OSError, TimeoutError) as error:
            raise Unavailable(f"{path} does not answer: {error}") from None


class LineServer:
    """Serves lines one after the other in one thread; a slow or rude client is dropped, never waited for.

    `answer` turns a request line into an answer line. Clients of another user are refused by SO_PEERCRED, unless
    the door is theirs.
    `wake` is a file descriptor that ends a wait when it has something to read (signal.set_wakeup_fd); once such a
    descriptor is at its end, `is_cut` says so.
    """

    def __init__(
        self,
        path: Path,
        answer: Callable[[bytes], bytes],
        *,
        wake: int | None = None,
        door: Door | None = None,
    ) -> None:
        self._path = path
        self._answer = answer
        self._door = door
        self._selector = selectors.DefaultSelector()
        self._clients: dict[socket.socket, tuple[bytearray, float]] = {}
        self._listener = _listen(path, door.user if door else None)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.is_cut = False
        if wake is not None:
            self.wake_by(wake)

    def wake_by(self, file: int) -> None:
        """Let `file` end a wait as well."""
        self._selector.register(file, selectors.EVENT_READ)

    def wait(self, timeout_s: float) -> None:
        """Serve what comes within `timeout_s` (0 or more), then return, at once after the first events."""
        waiting = min(timeout_s, CLIENT_PATIENCE_S) if self._clients else timeout_s
        for key, _ in self._selector.select(max(waiting, 0)):
            if key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.fileobj, socket.socket):
                self._read(key.fileobj)
            elif not os.read(key.fd, 512):
                self.is_cut = True
                self._selector.unregister(key.fileobj)
        self._drop_slow()

    def close(self) -> None:
        for client in list(self._clients):
            self._drop(client)
        self._listener.close()
        self._selector.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # the client went away between the event and now
        client.settimeout(CLIENT_PATIENCE_S)
        if len(self._clients) >= MAX_CLIENTS or not self._admits(_peer_of(client)):
            client.close()
            return
        self._clients[client] = (bytearray(), time.monotonic() + CLIENT_PATIENCE_S)
        self._selector.register(client, selectors.EVENT_READ)
        self._read(client, waiting=False)

    def _read(self, client: socket.socket, *, waiting: bool = True) -> None:
        received, _ = self._clients[client]
        try:
            chunk = client.recv(MAX_LINE + 1 - len(received), 0 if waiting else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            self._drop(client)
            return
        received += chunk
        line, found, rest = bytes(received).partition(b"\n")
        if not found and chunk and len(received) <= MAX_LINE:
            return
        if found and not rest:
            with contextlib.suppress(
                OSError
            ):  # who asked and went away hears nothing; the act is done all the same
                client.sendall((self._refusal(client) or self._answer(line)) + b"\n")
        self._drop(client)

    def _admits(self, peer: Peer) -> bool:
        return peer.user in (0, os.geteuid()) or (
            self._door is not None and peer.user == self._door.user
        )

    def _refusal(self, client: socket.socket) -> bytes | None:
        return self._door.refusal(_peer_of(client)) if self._door else None

    def _drop(self, client: socket.socket) -> None:
        self._selector.unregister(client)
        del self._clients[client]
        client.close()

    def _drop_slow(self) -> None:
        now = time.monotonic()
        for client in [client for client, (_, until) in self._clients.items() if until < now]:
            self._drop(client)


def _listen(path: Path, user: int | None) -> socket.socket:
    """Only for whoever holds the folder's lock: a socket that stands there is a dead one's and is replaced.

    Connecting asks for the right to write: root gives the socket to `user`, anybody else must open it to all and
    leaves the choice to SO_PEERCRED.
    """
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        with _address(path) as address:
            listener.bind(address)
            if user not in (None, os.geteuid()):
                _give_to(address, user)
    finally:
        os.umask(mask)
    listener.listen(16)
    listener.setblocking(False)  # the socket module's own signature
    return listener


def _receive_line(connection: socket.socket, deadline: float, limit: int) -> bytes:
    received = bytearray()
    while b"\n" not in received:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        connection.settimeout(left)
        chunk = connection.recv(65_536)
        if not chunk or len(received) + len(chunk) > limit + 1:
            raise OSError("the answer is cut or too long")
        received += chunk
    return bytes(received).partition(b"\n")[0]


def _give_to(address: str, user: int | None) -> None:
    if os.geteuid() == 0 and user is not None:
        os.chown(address, user, -1, follow_symlinks=False)
    else:
        os.chmod(address, 0o666)  # noqa: PTH101, S103  # the peer is asked for, see above


def _peer_of(connection: socket.socket) -> Peer:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(raw))


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    """A name for `path` that fits into the 108 bytes of a socket address, however deep the folder lies."""
    if len(os.fsencode(path)) < 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
