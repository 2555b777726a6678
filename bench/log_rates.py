"""How many durable appends a second the log takes in: in process, with signatures checked, and over HTTP.

Entries are envelopes of about 1 KiB; uniqueness, tiles and publication (two witnesses, in memory) are on; the database
is SQLite with every commit synced. What one core and one disk can do at best stands beside it, taken in the same run.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
import os
import selectors
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymerkle import SqliteTree
from row import Row, Target, row_of

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.adapters.transport.witness_client import format_request
from sekisho.intake import Gate, IntakeApp
from sekisho.intake.judging import JUDGES, SWITCH_S
from sekisho.ledger import Cosigned, Policy
from sekisho.ledger.appender import Appender
from sekisho.ledger.publisher import Publisher
from sekisho.ledger.sequencer import Sequencer, Submission
from sekisho.signing import Ed25519Signer, sign_payload
from sekisho.signing.notes import NoteSigner
from sekisho.witness.memory import WitnessMemory
from sekisho.witness.server import WitnessApp

__all__ = ["measure_rates"]

ORIGIN = "example.org/bench"
SUBMITTERS = 64
PAYLOAD = 600  # with one signature the envelope is 1,024 bytes or a little more
# Derived, so that the server's process has the same.
KEYS = [
    Ed25519Signer(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"%d" % n).digest()))
    for n in range(5)
]


class LocalWitness:
    """A witness asked without a network, so that the rate is the log's own."""

    def __init__(self, signer: NoteSigner, log: NoteSigner, folder: Path) -> None:
        self._app = WitnessApp(
            signers=[signer],
            logs={log.name: (log.verifier,)},
            memory=WitnessMemory(FileTileStore(folder)),
            now=lambda: int(time.time()),
        )

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        answer = self._app.answer(format_request(old_size, proof, note))
        if isinstance(answer, bytes):
            return answer
        raise ConnectionError(answer.body)


@contextmanager
def running_log(folder: Path) -> Iterator[tuple[Sequencer, Publisher]]:
    """A log that publishes as it grows."""
    log = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    cosigners = {
        name: NoteSigner.cosigner(f"example.org/{name}", Ed25519PrivateKey.generate())
        for name in ("w1", "w2")
    }
    lines = [f"log {log.verifier.to_text()}"]
    lines += [f"witness {name} {c.verifier.to_text()}" for name, c in cosigners.items()]
    policy = Policy.from_text("\n".join([*lines, "group both all w1 w2", "quorum both", ""]))
    tiles = FileTileStore(folder / "public")
    with SqliteLogStore(folder / "log.db", origin=ORIGIN) as store:
        sequencer = Sequencer(
            signer=log, store=store, tiles=tiles, mark=lambda note: b"mark" + (note or b"")
        )
        sequencer.recover()
        witnesses = {n: LocalWitness(c, log, folder / n) for n, c in cosigners.items()}
        with Publisher(
            sequencer=sequencer, store=store, tiles=tiles, policy=policy, witnesses=witnesses
        ) as publisher:
            yield sequencer, publisher


def bare(size: int) -> Callable[[int], Submission]:
    """Entries of random bytes, each its own."""
    body = os.urandom(size - 16)

    def make(number: int) -> Submission:
        envelope = b"%016d" % number + body
        return Submission(envelope=envelope, payload_sha256=hashlib.sha256(envelope).digest())

    return make


def envelopes(count: int, signatures: int) -> list[bytes]:
    """Signed statements, made before the clock starts."""
    return [
        sign_payload(b"%0*d" % (PAYLOAD, number), KEYS[:signatures]).raw for number in range(count)
    ]


async def _tasks(sequencer: Sequencer, make: Callable[[int], Submission], seconds: float) -> float:
    appender, counts = Appender(sequencer), [0] * SUBMITTERS
    stop = time.perf_counter() + seconds

    async def submit(task: int) -> None:
        while time.perf_counter() < stop:
            await appender.append([make(task * 10**9 + counts[task])])
            counts[task] += 1

    start = time.perf_counter()
    await asyncio.gather(*(submit(task) for task in range(SUBMITTERS)))
    return sum(counts) / (time.perf_counter() - start)


def _threads(sequencer: Sequencer, make: Callable[[int], Submission], seconds: float) -> float:
    counts = [0] * SUBMITTERS
    stop = time.perf_counter() + seconds

    def submit(thread: int) -> None:
        while time.perf_counter() < stop:
            sequencer.append_one(make(thread * 10**9 + counts[thread]))
            counts[thread] += 1

    start = time.perf_counter()
    threads = [threading.Thread(target=submit, args=(n,)) for n in range(SUBMITTERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - start)


async def _signed(sequencer: Sequencer, raws: Sequence[bytes], quorum: int) -> float:
    """64 submitters share out the envelopes; threads check the signatures, for the lock is free meanwhile."""
    gate, appender = Gate([key.public for key in KEYS], quorum), Appender(sequencer)
    loop, queue = asyncio.get_running_loop(), iter(range(0, len(raws), 64))

    def judge(chunk: Sequence[bytes]) -> list[Submission]:
        return [gate.judge(raw) for raw in chunk]

    with ThreadPoolExecutor(JUDGES) as judges:

        async def submit() -> None:
            for start in queue:
                rows = await loop.run_in_executor(judges, judge, raws[start : start + 64])
                await appender.append(rows)

        start = time.perf_counter()
        await asyncio.gather(*(submit() for _ in range(SUBMITTERS)))
        return len(raws) / (time.perf_counter() - start)


def _bare_sync(folder: Path) -> list[float]:
    """Milliseconds of an fsync after 4 KiB."""
    found = []
    with (folder / "sync").open("wb") as file:
        for _ in range(200):
            file.write(bytes(4096))
            file.flush()
            start = time.perf_counter()
            os.fsync(file.fileno())
            found.append(1e3 * (time.perf_counter() - start))
    return found


def _bare_checks(raws: Sequence[bytes]) -> float:
    """Signature checks a second of one thread, envelope parsing included."""
    gate = Gate([KEYS[0].public], 1)
    start = time.perf_counter()
    for raw in raws:
        gate.judge(raw)
    return len(raws) / (time.perf_counter() - start)


def _pymerkle(folder: Path, count: int) -> float:
    """Durable appends a second of pymerkle's SQLite tree, which has no uniqueness, tiles or publication."""
    tree = SqliteTree(str(folder / "pymerkle.db"), algorithm="sha256")
    body = os.urandom(1008)
    start = time.perf_counter()
    for number in range(count):
        tree.append_entry(b"%016d" % number + body)
    return count / (time.perf_counter() - start)


async def _paced(
    sequencer: Sequencer, publisher: Publisher, make: Callable[[int], Submission], seconds: float
) -> list[float]:
    """Milliseconds from submit to a witnessed checkpoint, at 1,000 submissions a second."""
    appender, loop = Appender(sequencer), asyncio.get_running_loop()
    waiting: dict[int, float] = {}
    found: list[float] = []
    lock = threading.Lock()

    def take_published(cosigned: Cosigned) -> None:
        size = cosigned.checkpoint.size
        now = time.perf_counter()
        with lock:
            covered = [index for index in waiting if index < size]
            found.extend(1e3 * (now - waiting.pop(index)) for index in covered)

    publisher.on_published(take_published)

    async def submit(number: int) -> None:
        start = time.perf_counter()
        index = (await appender.append([make(number)]))[0].index
        latest = publisher.latest
        with lock:
            if latest is not None and latest.checkpoint.size > index:
                found.append(1e3 * (time.perf_counter() - start))
            else:
                waiting[index] = start

    begin, tasks = loop.time(), []
    for number in range(int(1000 * seconds)):
        await asyncio.sleep(max(0.0, begin + number / 1000 - loop.time()))
        tasks.append(asyncio.create_task(submit(number)))
    await asyncio.gather(*tasks)
    publisher.wait_witnessed(sequencer.size - 1, 30)
    return found


def _serve(folder: str, ready: Connection) -> None:
    async def nothing(scope: object, receive: object, send: object) -> None:
        pass

    sys.setswitchinterval(SWITCH_S)
    with running_log(Path(folder)) as (sequencer, _):
        gate = Gate([key.public for key in KEYS], 1)
        app = IntakeApp(gate=gate, sequencer=sequencer, public=nothing)
        config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
        server = uvicorn.Server(config)

        # The protocol is named, since asyncio switches Nagle off only for sockets that name it: 40 ms an answer.
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
            listener.bind(("127.0.0.1", 0))
            ready.send(listener.getsockname()[1])
            server.run(sockets=[listener])


def _post(port: int, bodies: Sequence[bytes], kind: str, clients: int) -> None:
    """All bodies over so many connections of one thread, which costs as little of the two cores as may be."""
    head = "POST /add HTTP/1.1\r\nhost: x\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n"
    waiting = iter([head.format(kind, len(body)).encode() + body for body in bodies])
    with selectors.DefaultSelector() as ready, ExitStack() as stack:
        left = 0
        for request in islice(waiting, clients):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(connection, selectors.EVENT_READ)
            connection.sendall(request)
            left += 1
        while left:
            for key, _ in ready.select():
                connection = key.fileobj
                _read_answer(connection)
                request = next(waiting, None)
                left -= request is None
                if request is not None:
                    connection.sendall(request)


def _read_answer(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1 << 16)
    head, _, rest = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(data)
    left = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]) - len(rest)
    while left > 0:
        left -= len(connection.recv(min(left, 1 << 16)))


def _over_http(folder: Path, bodies: Sequence[bytes], kind: str, clients: int) -> float:
    """Seconds until all bodies are answered, from several connections of client processes."""
    context = multiprocessing.get_context("spawn")
    ready, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(str(folder), theirs), daemon=True)
    server.start()
    try:
        port = ready.recv()
        with context.Pool(1) as pool:
            pool.apply(_post, (port, bodies[:1], kind, 1))
            start = time.perf_counter()
            pool.apply(_post, (port, bodies[1:], kind, clients))
            return time.perf_counter() - start
    finally:
        server.terminate()
        server.join()


def _rate(what: str, rates: Sequence[float], least: float | None = None) -> Row:
    return Row(
        what=what,
        unit="/s",
        median=statistics.median(rates),
        n=len(rates),
        target=Target(least=least),
    )


def _bare_checks_of_all(raws: Sequence[bytes]) -> float:
    """The same of as many threads as judge: what this machine can check at all."""
    gate = Gate([KEYS[0].public], 1)
    with ThreadPoolExecutor(JUDGES) as judges:
        start = time.perf_counter()
        chunks = [raws[n : n + 64] for n in range(0, len(raws), 64)]
        list(judges.map(lambda chunk: [gate.judge(raw) for raw in chunk], chunks))
        return len(raws) / (time.perf_counter() - start)


def measure_rates(rounds: int, seconds: float, signed: int) -> list[Row]:
    """All rows; `signed` envelopes are made for each row with signatures."""
    one, three = envelopes(signed, 1), envelopes(signed // 2, 3)
    rows: list[Row] = []

    def each(measure: Callable[[Sequencer, Publisher], float]) -> list[float]:
        found = []
        for _ in range(rounds):
            with (
                tempfile.TemporaryDirectory(prefix="sekisho-bench-") as folder,
                running_log(Path(folder)) as (sequencer, publisher),
            ):
                found.append(measure(sequencer, publisher))
        return found

    make = bare(1024)
    tasks = each(lambda s, _: asyncio.run(_tasks(s, make, seconds)))
    threads = each(lambda s, _: _threads(s, make, seconds))
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)  # as a log's process has it that checks signatures
    checked = each(lambda s, _: asyncio.run(_signed(s, one, 1)))
    quorum = each(lambda s, _: asyncio.run(_signed(s, three, 3)))
    sys.setswitchinterval(before)
    with tempfile.TemporaryDirectory(prefix="sekisho-bench-") as name:
        folder = Path(name)
        rows.append(row_of("bare fsync after 4 KiB", "ms", _bare_sync(folder)))
        rows.append(_rate("bare envelope checks, one core", [_bare_checks(one[:3000])]))
        rows.append(_rate("  all cores", [_bare_checks_of_all(one)]))
        rows.append(_rate("pymerkle appends, SQLite, one by one", [_pymerkle(folder, 300)]))
        single = [
            signed
            // 4
            / _over_http(folder / "1", one[: signed // 4], "application/json", SUBMITTERS)
        ]
        hundreds = [b"".join(r + b"\n" for r in one[n : n + 100]) for n in range(0, signed, 100)]
        many = [signed / _over_http(folder / "2", hundreds, "application/jsonl", 4)]
    rows.append(_rate("durable appends, 64 tasks in process", tasks, 20_000))
    rows.append(_rate("durable appends, 64 threads in process", threads))
    rows.append(_rate("  with one signature checked each", checked, 8_000))
    rows.append(_rate("  with three signatures checked each", quorum, 2_500))
    rows.append(_rate("  over HTTP, one a request, signature checked", single, 2_500))
    rows.append(_rate("  over HTTP, hundreds a request, signatures checked", many, 8_000))
    with (
        tempfile.TemporaryDirectory(prefix="sekisho-bench-") as name,
        running_log(Path(name)) as (sequencer, publisher),
    ):
        paced = asyncio.run(_paced(sequencer, publisher, make, 2 * seconds))
    rows.append(row_of("submit to witnessed at 1,000/s", "ms", paced, Target(p99=1000)))
    return rows


if __name__ == "__main__":
    for row in measure_rates(1, 3.0, 8000):
        print(json.dumps([row.what, row.unit, row.median, row.p99, row.target.least]))
