"""How long from `append` to a checkpoint that two witness processes cosigned, on this machine's loopback.

`python bench/log_latency.py [--rounds 200]` prints one JSON line: milliseconds of append alone (durable, with
its index) and of append until witnessed, median and 99th percentile, and appends a second of many threads.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.adapters.transport.witness_client import HttpWitness
from sekisho.ledger import Policy
from sekisho.ledger.publisher import Publisher
from sekisho.ledger.sequencer import Sequencer, Submission
from sekisho.signing.notes import NoteSigner

ORIGIN = "example.org/bench"
ENTRY_BYTES = 1500
THREADS = 16


@contextmanager
def witness(folder: Path, name: str, log: NoteSigner) -> Iterator[dict[str, str]]:
    """A witness process; what it printed when it was ready."""
    command = [sys.executable, "-m", "sekisho.witness.main", "--dir", str(folder), "--port", "0"]
    command += ["--name", f"example.org/{name}", "--log", log.verifier.to_text()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise ChildProcessError(name)
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def submission(name: str) -> Submission:
    """A statement of ordinary size."""
    envelope = name.encode().ljust(ENTRY_BYTES, b".")
    return Submission(envelope=envelope, payload_sha256=hashlib.sha256(envelope).digest())


@contextmanager
def running_log(folder: Path) -> Iterator[tuple[Sequencer, Publisher]]:
    """A log with its publisher and two witness processes."""
    signer = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    with ExitStack() as stack:
        ready = {
            name: stack.enter_context(witness(folder / name, name, signer)) for name in ("w1", "w2")
        }
        lines = [f"log {signer.verifier.to_text()}"]
        lines += [
            f"witness {name} {line['vkey']} {line['address']}" for name, line in ready.items()
        ]
        policy = Policy.from_text("\n".join([*lines, "group both all w1 w2", "quorum both", ""]))
        store = stack.enter_context(SqliteLogStore(folder / "log.db", origin=ORIGIN))
        tiles = FileTileStore(folder / "public")
        sequencer = Sequencer(
            signer=signer, store=store, tiles=tiles, mark=lambda note: b"mark" + (note or b"")
        )
        sequencer.recover()
        ports = {item.name: stack.enter_context(HttpWitness(item.url)) for item in policy.witnesses}
        publisher = Publisher(
            sequencer=sequencer, store=store, tiles=tiles, policy=policy, witnesses=ports
        )
        yield sequencer, stack.enter_context(publisher)


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 99th percentile in milliseconds."""
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
    return {"median_ms": round(1e3 * statistics.median(ordered), 2), "p99_ms": round(1e3 * last, 2)}


def measure_latency(sequencer: Sequencer, publisher: Publisher, rounds: int) -> dict[str, object]:
    """One statement after the other, each waited for."""
    appended, witnessed = [], []
    for number in range(rounds):
        start = time.perf_counter()
        done = sequencer.append_one(submission(f"one {number}"))
        appended.append(time.perf_counter() - start)
        publisher.wait_witnessed(done.index, 30)
        witnessed.append(time.perf_counter() - start)
    return {"append": spread(appended), "append_to_witnessed": spread(witnessed)}


def measure_rate(sequencer: Sequencer, publisher: Publisher, each: int) -> float:
    """Statements a second, from many threads that each wait for their index, until all are witnessed."""

    def write(thread: int) -> None:
        for number in range(each):
            sequencer.append_one(submission(f"many {thread} {number}"))

    start = time.perf_counter()
    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    publisher.wait_witnessed(sequencer.size - 1, 30)
    return round(THREADS * each / (time.perf_counter() - start), 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    with (
        tempfile.TemporaryDirectory() as folder,
        running_log(Path(folder)) as (sequencer, publisher),
    ):
        measure_latency(sequencer, publisher, 5)  # connections and files are there from here on
        figures = measure_latency(sequencer, publisher, rounds)
        figures["appends_per_s"] = measure_rate(sequencer, publisher, max(1, rounds // 4))
    print(json.dumps({"rounds": rounds, "threads": THREADS, **figures}))


if __name__ == "__main__":
    main()
