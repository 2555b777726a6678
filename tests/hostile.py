"""Servers on loopback that answer as nobody should: they drip, never end, lead away, or speak something else."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["DRIP_S", "drips_body", "drips_header", "floods", "hostile", "leads_to", "says_nothing"]

DRIP_S = 0.05
Speak = Callable[[socket.socket, threading.Event], None]


@contextmanager
def hostile(speak: Speak, *, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a server on which `speak` has every connection, in a thread of its own, until the end."""
    ending = threading.Event()
    threads: list[threading.Thread] = []
    scheme = "http" if context is None else "https"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve(connection: socket.socket) -> None:
            with contextlib.suppress(OSError), connection:
                wrapped = (
                    context.wrap_socket(connection, server_side=True) if context else connection
                )
                with wrapped:
                    wrapped.settimeout(1.0)
                    with contextlib.suppress(TimeoutError):
                        wrapped.recv(65_536)
                    speak(wrapped, ending)

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
                threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield f"{scheme}://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ending.set()
            server.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


def drips_header(connection: socket.socket, ending: threading.Event) -> None:
    """A header that never ends, a letter at a time: each of them comes well within any timeout of one read."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    while not ending.wait(DRIP_S):
        connection.sendall(b"a")


def drips_body(connection: socket.socket, ending: threading.Event) -> None:
    """A body that is said to be long, a letter at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while not ending.wait(DRIP_S):
        connection.sendall(b"a")


def floods(connection: socket.socket, ending: threading.Event) -> None:
    """A body without end, as fast as it is taken."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not ending.is_set():
        connection.sendall(b"a" * 65_536)


def says_nothing(_: socket.socket, ending: threading.Event) -> None:
    """Takes everything and keeps still."""
    ending.wait()


def leads_to(url: str) -> Speak:
    """A redirect that keeps method and body."""

    def speak(connection: socket.socket, _: threading.Event) -> None:
        head = f"HTTP/1.1 307 Over there\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n"
        connection.sendall(head.encode())

    return speak
