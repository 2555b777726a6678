from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sekisho.adapters.transport.witness_client import HttpWitness, format_request
from sekisho.ledger import Policy, TileTree, consistency_proof
from sekisho.ledger.publisher import Publisher
from sekisho.ledger.tree import EMPTY_ROOT, Frontier, leaf_hash
from sekisho.ledger.witness import Granted, Refused, decide, parse_request
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.witness import WitnessConflict, WitnessRefused
from sekisho.signing.notes import Note, VerifierKey, parse_signature_lines
from tests.ledger.logs import (
    LOG,
    ORIGIN,
    W1,
    numbered,
    open_log,
    signed,
    submission,
    tiled,
)
from tests.witness.processes import Ready, running_witness

LOGS = {ORIGIN: (LOG.verifier,)}


def head(size: int) -> Note:
    """The test log's signed checkpoint of `size` entries."""
    frontier = Frontier()
    frontier.extend(leaf_hash(entry) for entry in numbered(size))
    return signed(size, frontier.root())


def proof(old: int, new: int) -> list[bytes]:
    """The test log's consistency proof."""
    return consistency_proof(old, new, TileTree(new, tiled(numbered(new)).read).node)


def judged(old: int, hashes: list[bytes], note: Note, held: Note | None) -> Granted | Refused:
    """What a witness that last cosigned `held` decides."""
    return decide(parse_request(format_request(old, hashes, note.to_bytes())), LOGS, held)


@pytest.mark.parametrize(
    ("old", "new"), [(0, 0), (0, 1), (0, 300), (1, 1), (1, 2), (255, 257), (299, 300), (300, 300)]
)
def test_honest_growth_is_granted(old: int, new: int) -> None:
    """Every step of an append-only log is cosigned, standing still included."""
    held = head(old) if old else None
    assert isinstance(judged(old, proof(old, new), head(new), held), Granted)


def test_log_that_began_empty_may_grow() -> None:
    """After a cosigned checkpoint of size 0, growth takes no proof and any root."""
    empty = signed(0, EMPTY_ROOT)
    assert isinstance(judged(0, [], head(5), empty), Granted)
    refused = judged(0, [bytes(32)], head(5), empty)
    assert isinstance(refused, Refused)
    assert refused.status == 422


@pytest.mark.parametrize(
    ("old", "hashes", "size", "held", "status"),
    [
        (6, [], 5, 5, 400),
        (4, [], 5, 5, 409),
        (1, [], 5, 0, 409),
        (5, [], 7, 5, 422),
        (5, [bytes(32)], 5, 5, 422),
        (0, [bytes(32)], 5, 0, 422),
    ],
)
def test_refusals_by_status(
    old: int, hashes: list[bytes], size: int, held: int, status: int
) -> None:
    """Each kind of wrong request has the status that tlog-witness gives it."""
    answer = judged(old, hashes, head(size), head(held) if held else None)
    assert isinstance(answer, Refused)
    assert answer.status == status
    if status == 409:
        assert (answer.body, answer.content_type) == (f"{held}\n", "text/x.tlog.size")


@pytest.mark.parametrize(
    "change",
    [
        (b"old 0\n\n", b"old 00\n\n"),
        (b"old 0\n\n", b"old -1\n\n"),
        (b"old 0\n\n", b"old\n\n"),
        (b"old 0\n\n", b"Old 0\n\n"),
        (b"old 0\n\n", b"old 0 \n\n"),
        (b"old 0\n\n", b"old 0\r\n\r\n"),
        (b"old 0\n\n", b"old 0\nAAAA\n\n"),
        (b"old 0\n\n", b"old 0\n\xff\n\n"),
        (b"old 0\n\n", b"old 0\n"),
        (b"old 0\n\n", b"old 0\n\n\n"),
        (b"\n5\n", b"\n05\n"),
        (b"old 0\n\n", b"old 0\n\n" + b"x" * 1_100_000),
    ],
)
def test_malformed_request_is_bad_input(change: tuple[bytes, bytes]) -> None:
    """Whatever is not exactly a request is refused before any decision."""
    request = format_request(0, [], head(5).to_bytes())
    assert change[0] in request
    with pytest.raises(InvalidInput):
        parse_request(request.replace(*change, 1))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ready, Path]]:
    """One real witness process for the tests that only ask."""
    folder = tmp_path_factory.mktemp("witness")
    with running_witness(folder, "example.org/live", LOG.verifier) as (ready, _):
        yield ready, folder


def test_process_announces_its_key_and_address(served: tuple[Ready, Path]) -> None:
    """The line printed at start is enough to write a policy and to ask."""
    ready, folder = served
    key = VerifierKey.from_text(ready.vkey)
    assert (key.name, key.algorithm) == ("example.org/live", 4)
    assert ready.address.startswith("http://127.0.0.1:")
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
    Policy.from_text(f"witness live {ready.vkey} {ready.address}\nquorum live\n")


def test_process_cosigns_growth_and_refuses_the_rest(served: tuple[Ready, Path]) -> None:
    """Over HTTP the client gets cosignatures, the size after a conflict, and refusals by status."""
    ready, folder = served
    key = VerifierKey.from_text(ready.vkey)
    with HttpWitness(ready.address) as client:
        ask_in_turn(client, key)
    (memory,) = (folder / "logs").iterdir()
    assert memory.read_bytes() == head(8).to_bytes()


def ask_in_turn(client: HttpWitness, key: VerifierKey) -> None:
    """First checkpoint, the same again, growth, a conflict, a missing proof."""
    for old, new in ((0, 3), (3, 3), (3, 8)):
        answer = client.add_checkpoint(old, proof(old, new), head(new).to_bytes())
        (line,) = parse_signature_lines(answer.decode())
        stamped = key.verify(head(new).text, line)
        assert stamped.timestamp is not None
    with pytest.raises(WitnessConflict) as conflict:
        client.add_checkpoint(3, proof(3, 8), head(8).to_bytes())
    assert conflict.value.size == 8
    with pytest.raises(WitnessRefused) as refused:
        client.add_checkpoint(8, [], head(9).to_bytes())
    assert refused.value.status == 422


def raw_request(ready: Ready, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """Status and body of any HTTP request."""
    connection = http.client.HTTPConnection(urlsplit(ready.address).netloc, timeout=10)
    connection.request(method, path, body)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/", b"", 404),
        ("GET", "/add-checkpoint", b"", 405),
        ("POST", "/add-checkpoint", b"", 400),
        ("POST", "/add-checkpoint", b"x" * 2_000_000, 400),
        ("POST", "/other", b"", 404),
    ],
)
def test_other_requests_are_refused(
    served: tuple[Ready, Path], method: str, path: str, body: bytes, status: int
) -> None:
    """Everything but a well-formed add-checkpoint gets a status of its own."""
    assert raw_request(served[0], method, path, body)[0] == status


def test_witness_ends_cleanly_when_told_to(tmp_path: Path) -> None:
    """SIGTERM ends the process with exit code 0 and nothing on standard error."""
    with running_witness(tmp_path, "example.org/w", LOG.verifier) as (_, process):
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_witness_ends_with_its_parent(tmp_path: Path) -> None:
    """A witness whose starter is gone does not stay behind."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as parent:
        more = ("--parent", str(parent.pid))
        with running_witness(tmp_path, "example.org/w", LOG.verifier, *more) as (_, process):
            assert process.poll() is None
            parent.kill()
            parent.wait()
            assert process.wait(60) == 0


def test_killed_witness_comes_back_with_key_and_memory(tmp_path: Path) -> None:
    """After kill -9 the same key stands at the same size, and refuses to go back."""
    with running_witness(tmp_path, "example.org/w", LOG.verifier) as (ready, process):
        with HttpWitness(ready.address) as client:
            client.add_checkpoint(0, [], head(5).to_bytes())
        process.kill()
        process.wait()
    with running_witness(tmp_path, "example.org/w", LOG.verifier) as (again, _):
        assert again.vkey == ready.vkey
        with HttpWitness(again.address) as client, pytest.raises(WitnessConflict) as conflict:
            client.add_checkpoint(0, [], head(4).to_bytes())
        assert conflict.value.size == 5


def test_two_witnesses_do_not_share_a_folder(tmp_path: Path) -> None:
    """A second process on one key and memory is refused at its start."""
    with (
        running_witness(tmp_path, "example.org/w", LOG.verifier),
        pytest.raises(ChildProcessError, match="another witness"),
        running_witness(tmp_path, "example.org/w", LOG.verifier),
    ):
        pass


def test_witness_waits_for_an_earlier_one_to_end(tmp_path: Path) -> None:
    """Told to wait, it takes the folder over once the other is gone, with its key; not one moment before."""
    with running_witness(tmp_path, "example.org/w", LOG.verifier) as (earlier, process):
        ending = threading.Timer(2.0, process.terminate)
        ending.start()
        with running_witness(tmp_path, "", LOG.verifier, "--wait", "60") as (later, _):
            assert process.wait(10) == 0
        ending.join()
    assert later.vkey == earlier.vkey


def test_taken_port_and_bad_key_are_told(tmp_path: Path) -> None:
    """A port that is taken ends with 4, a malformed log key with 2, each in one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for more, code in (
            (["--port", str(taken.getsockname()[1])], 4),
            (["--log", "nonsense"], 2),
        ):
            command = [
                sys.executable,
                "-m",
                "sekisho.witness.main",
                "--dir",
                str(tmp_path),
                "--port",
                "0",
            ]
            command += ["--name", "example.org/w", "--log", LOG.verifier.to_text(), *more]
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
            assert (done.returncode, done.stdout) == (code, "")
            assert len(done.stderr.strip().split("\n")) == 1


def test_log_is_witnessed_over_http(tmp_path: Path) -> None:
    """Two witness processes and a publisher: what is appended is published under both keys."""
    with (
        running_witness(tmp_path / "w1", "example.org/w1", LOG.verifier) as (first, _),
        running_witness(tmp_path / "w2", "example.org/w2", LOG.verifier) as (second, _),
        open_log(tmp_path / "log") as log,
        HttpWitness(first.address) as client_one,
        HttpWitness(second.address) as client_two,
        Publisher(
            sequencer=log.sequencer,
            store=log.store,
            tiles=log.tiles,
            policy=policy_of(w1=first, w2=second),
            witnesses={"w1": client_one, "w2": client_two},
        ) as publisher,
    ):
        for number in range(3):
            done = log.sequencer.append_one(submission(str(number)))
            assert publisher.wait_witnessed(done.index, 10).names == {"w1", "w2"}


def policy_of(**witnesses: Ready) -> Policy:
    """The test log under both of these witnesses."""
    lines = [f"log {LOG.verifier.to_text()}"]
    lines += [f"witness {name} {ready.vkey} {ready.address}" for name, ready in witnesses.items()]
    lines += ["group both all w1 w2", "quorum both", ""]
    return Policy.from_text("\n".join(lines))


class OneAnswer:
    """A server that gives one prepared answer to the first request."""

    def __init__(self, answer: bytes) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, args=(answer,), daemon=True)
        self._thread.start()

    def _serve(self, answer: bytes) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            # Closing with the request unread would reset the connection under the answer.
            with contextlib.suppress(OSError):
                while connection.recv(65536):
                    pass

    def close(self) -> None:
        self._thread.join(10)
        self._listener.close()


def answered(answer: bytes) -> bytes:
    """What the client makes of this answer."""
    server = OneAnswer(answer)
    try:
        with HttpWitness(server.url, timeout_s=2) as client:
            return client.add_checkpoint(0, [], head(1).to_bytes())
    finally:
        server.close()


def response(status: int, body: bytes, kind: str = "text/x.tlog.size") -> bytes:
    """An HTTP answer in bytes."""
    return (
        f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )


def test_client_takes_the_size_from_a_conflict_only_in_its_form() -> None:
    """A conflict without a proper size is bad input, not a guess."""
    with pytest.raises(WitnessConflict) as conflict:
        answered(response(409, b"12\n"))
    assert conflict.value.size == 12
    for body, kind in (
        (b"12", "text/x.tlog.size"),
        (b"12\n", "text/plain"),
        (b"012\n", "text/x.tlog.size"),
    ):
        with pytest.raises(InvalidInput):
            answered(response(409, body, kind))


def test_client_bounds_the_answer() -> None:
    """A witness cannot fill the log's memory."""
    with pytest.raises(InvalidInput, match="longer than"):
        answered(response(200, b"x" * 300_000))


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", response(503, b""), response(302, b"")]
)
def test_client_tells_a_failing_witness_as_unavailable(answer: bytes) -> None:
    """Silence, nonsense, 5xx and redirects mean: try again later."""
    with pytest.raises(Unavailable):
        answered(answer)


def test_client_tells_a_missing_witness_as_unavailable() -> None:
    """Nobody at the address means: try again later."""
    with HttpWitness("http://127.0.0.1:1", timeout_s=1) as client, pytest.raises(Unavailable):
        client.add_checkpoint(0, [], head(1).to_bytes())


def test_witness_is_not_told_of_a_log_by_a_cosigner_key(tmp_path: Path) -> None:
    """A witness knows logs by their own keys only."""
    with (
        pytest.raises(ChildProcessError, match="cosigner"),
        running_witness(tmp_path, "example.org/w", W1.verifier),
    ):
        pass
