"""The small server over real sockets: what it answers, and every bound that it has."""

from __future__ import annotations

import http.client
import json
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sekisho.adapters.transport.bounded_server import Answer, BoundedServer, Bounds
from sekisho.model.errors import InvalidInput, Unavailable

BOUNDS = Bounds(body=64)
HASTY = Bounds(body=64, patience_s=0.3)


def echo(method: str, path: str, body: bytes) -> Answer:
    """200 with what was asked; /busy is somewhere else."""
    told = json.dumps([method, path, body.decode()]).encode()
    return (404 if path == "/nowhere" else 200), told, "application/json"


@contextmanager
def served(
    bounds: Bounds = BOUNDS, place: tuple[str, int] | Path = ("127.0.0.1", 0)
) -> Iterator[BoundedServer]:
    server = BoundedServer(place, echo, bounds)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.end()
        thread.join(10)
        server.close()


def connect(server: BoundedServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def say(connection: socket.socket, raw: bytes) -> bytes:
    """Everything that comes back until the server ends the connection."""
    connection.sendall(raw)
    received = b""
    try:
        while part := connection.recv(4_096):
            received += part
    except ConnectionResetError:
        pass  # what was refused was not read to its end
    return received


def status(raw: bytes) -> int:
    return int(raw.split(b" ", 2)[1])


def test_a_question_and_its_answer_on_one_connection_kept_alive() -> None:
    """The path as it was asked for, the body whole."""
    with (
        served() as server,
        closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as asking,
    ):
        for method, path, body in (
            ("POST", "/a?b=1", "c"),
            ("GET", "/d", ""),
            ("GET", "/e", "f"),
        ):
            asking.request(method, path, body or None)
            answer = asking.getresponse()
            assert answer.status == 200
            assert json.loads(answer.read()) == [method, path, body]


def test_a_unix_socket_is_its_owners_alone_and_goes_with_the_server(tmp_path: Path) -> None:
    """Mode 0600; a dead one that lies there is replaced; a name that no kernel takes is bad input."""
    path = tmp_path / "s"
    path.touch()
    with served(place=path):
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(30)
            asking.connect(str(path))
            assert status(say(asking, b"GET / HTTP/1.0\r\n\r\n")) == 200
    assert not path.exists()
    with pytest.raises(InvalidInput, match="longer than 100 bytes"):
        BoundedServer(tmp_path / ("s" * 120), echo, BOUNDS)


def test_a_place_that_is_taken_is_unavailable() -> None:
    """And says which."""
    with served() as server, pytest.raises(Unavailable, match=f"127.0.0.1:{server.port}"):
        BoundedServer(("127.0.0.1", server.port), echo, BOUNDS)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (b"", 411),
        (b"Content-Length: -1\r\n", 411),
        (b"Content-Length: 1e1\r\n", 411),
        (b"Content-Length: 65\r\n", 413),
        (b"Content-Length: " + b"9" * 40 + b"\r\n", 413),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n", 411),
        (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", 411),
        (b"Transfer-Encoding: chunked\r\n", 411),
    ],
)
def test_a_body_that_is_too_long_or_of_no_one_length_is_refused(
    headers: bytes, expected: int
) -> None:
    """Before it is read; what follows is not taken for another request."""
    smuggled = b"hi" + b"GET /smuggled HTTP/1.1\r\n\r\n"
    with served() as server, closing(connect(server)) as asking:
        told = say(asking, b"POST / HTTP/1.1\r\n" + headers + b"\r\n" + smuggled)
    assert status(told) == expected
    assert told.count(b"HTTP/1.1") == 1
    assert b"smuggled" not in told


def test_the_body_of_a_get_is_no_second_request() -> None:
    """It is read, or the request is refused."""
    raw = b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with served() as server, closing(connect(server)) as asking:
        assert status(say(asking, raw + b"GET /smuggled HTTP/1.1\r\n\r\n")) == 411


@pytest.mark.parametrize("raw", [b"PUT /secret HTTP/1.1\r\n\r\n", b"HEAD /secret HTTP/1.1\r\n\r\n"])
def test_what_is_not_understood_is_repeated_to_nobody(
    raw: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """Another method, or no HTTP at all: a number; no word of it comes back or goes to a log."""
    with served() as server, closing(connect(server)) as asking:
        told = say(asking, raw)
    assert status(told) == 501
    assert b"secret" not in told
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "part", [b"GET / HTTP/1.1\r\nA: ", b"POST / HTTP/1.1\r\nContent-Length: 60\r\n\r\n"]
)
def test_a_request_that_drips_is_ended_by_its_whole_time(part: bytes) -> None:
    """Each byte is in time, the request is not: no caller holds a place by a byte now and then."""
    with served(HASTY) as server, closing(connect(server)) as asking:
        asking.sendall(part)
        begun, ended = time.monotonic(), False
        asking.settimeout(0.1)
        while not ended and time.monotonic() - begun < 30:
            try:
                asking.sendall(b"x")
                ended = asking.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True
        assert ended


def test_one_too_many_is_turned_away_and_silence_gives_its_place_back() -> None:
    """Two places, held by nobody's words; when their patience is over the third is answered."""
    hasty = Bounds(body=64, connections=2, patience_s=0.5)
    with served(hasty) as server:
        silent = [connect(server) for _ in range(2)]
        try:
            deadline, answered = time.monotonic() + 30, False
            turned_away = False
            while not answered and time.monotonic() < deadline:
                with closing(connect(server)) as asking:
                    try:
                        answered = bool(say(asking, b"GET / HTTP/1.0\r\n\r\n"))
                    except OSError:
                        answered = False
                turned_away = turned_away or not answered
        finally:
            for one in silent:
                one.close()
    assert (answered, turned_away) == (True, True)


def test_a_connection_lives_only_so_long() -> None:
    """Kept alive by question after question, it is ended with an answer that says so."""
    brief = Bounds(body=64, life_s=0.0)
    with served(brief) as server, closing(connect(server)) as asking:
        told = say(asking, b"GET / HTTP/1.1\r\n\r\n")
    assert (status(told), b"Connection: close" in told) == (200, True)


def test_a_caller_that_breaks_off_leaves_no_trace(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing on standard error, and the next is answered."""
    with served() as server:
        for raw in (
            b"",
            b"GET",
            b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab",
            b"\x16\x03\x01",
        ):
            asking = connect(server)
            asking.sendall(raw)
            asking.close()
        with closing(connect(server)) as asking:
            assert status(say(asking, b"GET / HTTP/1.0\r\n\r\n")) == 200
    assert capfd.readouterr().err == ""


def test_refusals_that_were_not_read_to_their_end_close_the_connection() -> None:
    """An answer other than 200 is the last one."""
    with served() as server, closing(connect(server)) as asking:
        told = say(asking, b"GET /nowhere HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n")
    assert told.count(b"HTTP/1.1 ") == 1
