"""A way to a control plane that can be cut: a forwarder on loopback that stops forwarding, in both directions."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Way", "cuttable"]

MAX_PIECE = 65_536


class Way:
    """While it is cut, connections are taken and nothing is passed on, as on a network that drops packets."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self._cut = threading.Event()
        self._ended = threading.Event()
        self._open: list[socket.socket] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def cut(self) -> None:
        """Nothing gets through from now on, on old connections neither."""
        self._cut.set()

    def mend(self) -> None:
        """New connections get through again; the old ones are closed."""
        self._cut.clear()
        self._close_all()

    def serve(self) -> None:
        """Until told to end; then nothing of it is open any more."""
        self._door.settimeout(0.1)
        while not self._ended.is_set():
            try:
                caller, _ = self._door.accept()
            except TimeoutError:
                continue
            self._open.append(caller)
            if not self._cut.is_set():
                threading.Thread(target=self._forward, args=(caller,), daemon=True).start()
        self._close_all()
        self._door.close()

    def end(self) -> None:
        self._ended.set()

    def _forward(self, caller: socket.socket) -> None:
        # A closed socket has the number -1, which a selector refuses as a value.
        with contextlib.suppress(OSError, ValueError, KeyError):
            called = socket.create_connection(("127.0.0.1", self._port), timeout=5)
            self._open.append(called)
            self._pass_on({caller: called, called: caller})
            caller.close()
            called.close()

    def _pass_on(self, ends: dict[socket.socket, socket.socket]) -> None:
        with selectors.DefaultSelector() as selector:
            for end in ends:
                selector.register(end, selectors.EVENT_READ)
            while not self._ended.is_set():
                for key, _ in selector.select(0.1):
                    source = next(end for end in ends if end is key.fileobj)
                    piece = source.recv(MAX_PIECE)
                    if not piece:
                        return
                    if not self._cut.is_set():
                        ends[source].sendall(piece)

    def _close_all(self) -> None:
        closing, self._open = self._open, []
        for one in closing:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def cuttable(address: str) -> Iterator[Way]:
    """A way to the server at that address."""
    way = Way(int(address.rsplit(":", 1)[1]))
    thread = threading.Thread(target=way.serve, daemon=True)
    thread.start()
    try:
        yield way
    finally:
        way.end()
        thread.join()
