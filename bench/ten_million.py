"""`python bench/ten_million.py FOLDER [--entries N]`: a log of ten million entries, opened and asked for proofs.

The log is built once in FOLDER (some 4 GB, many minutes) through the write side's own parts, in large steps and without
a sync of each file. Then a fresh process opens it as the server does, from the database to the first checkpoint that
it can sign, proves random entries, and says how much memory it ever had (`VmHWM`). Prints one JSON line.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from row import Row, Target, row_of

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.ledger import Checkpoint, LogReader, Policy, TreeReader, leaf_hash, sign_checkpoint
from sekisho.ledger.edge import RightEdge
from sekisho.ledger.sequencer import Sequencer, Submission
from sekisho.ports.log_store import Recorded, TreeHead
from sekisho.signing.notes import NoteSigner

__all__ = ["Figures", "build", "measure"]

ENTRIES = 10_000_000
STEP = 32_768
PROOFS = 1000
SIGNER = NoteSigner("log.example/bench", Ed25519PrivateKey.from_private_bytes(bytes(32)))
OPENED, PROVED, MEMORY = Target(median=2), Target(median=10, p99=10), Target(median=300)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What the fresh process saw: seconds, milliseconds by the clock and of processor time, megabytes (10^6 bytes)."""

    entries: int
    open_s: float
    read_open_s: float
    append_s: float
    proof_ms: list[float]
    proof_used_ms: list[float]
    entry_ms: list[float]
    peak_mb: float


def entry(index: int) -> bytes:
    """Some 80 bytes, no two alike."""
    return b'{"entry":%d,"of":"a log that is long and says little in each of its lines"}' % index


def build(folder: Path, entries: int) -> float:
    """Write database, tiles and checkpoint; the seconds that it took. Nothing where the log is there already."""
    began = time.perf_counter()
    public = folder / "public"
    if (public / "checkpoint").exists():
        return 0.0
    edge = RightEdge.empty()
    with SqliteLogStore(folder / "log.db", origin=SIGNER.name) as store:
        while edge.size < entries:
            step = list(_step(edge.size, min(edge.size + STEP, entries)))
            store.sequence(edge.size, step)
            grown, files = edge.grown((item.envelope, item.leaf_hash) for item in step)
            for path, data in files:
                _write(public / path, data)
            store.swap_head(_head(edge), _head(grown))
            edge = grown
            print(f"\r{edge.size:,}", end="", file=sys.stderr, flush=True)
        checkpoint = Checkpoint(origin=SIGNER.name, size=edge.size, root=edge.root())
        note = sign_checkpoint(checkpoint, SIGNER).to_bytes()
        store.save_cosigned(edge.size, note)
    _write(public / "checkpoint", note)
    print(file=sys.stderr)
    return time.perf_counter() - began


def serve(folder: Path) -> Figures:
    """Open as the server does, then prove; to be run in a process that did nothing else before."""
    tiles, policy = FileTileStore(folder / "public"), Policy.of_log(SIGNER.verifier)
    began = time.perf_counter()
    reader = LogReader(tiles)
    cosigned = reader.load_checkpoint(policy)
    first = reader.prove(0, cosigned)
    read_open_s = time.perf_counter() - began
    first.verify(entry(0), policy)
    began = time.perf_counter()
    with SqliteLogStore(folder / "log.db", origin=SIGNER.name) as store:
        sequencer = Sequencer(signer=SIGNER, store=store, tiles=tiles, mark=lambda _: b"mark")
        sequencer.recover()
        sequencer.signed_head()
        open_s = time.perf_counter() - began
        dice = random.Random(7)  # noqa: S311  # which entries are asked for; guards nothing
        asked = [dice.randrange(cosigned.checkpoint.size) for _ in range(PROOFS)]
        proof_ms, used_ms = [], []
        for index in asked:
            began, used = time.perf_counter(), time.thread_time()
            proof = reader.prove(index, cosigned)
            used_ms.append(1e3 * (time.thread_time() - used))
            proof_ms.append(1e3 * (time.perf_counter() - began))
            proof.verify(entry(index), policy)
        tree, entry_ms = TreeReader(tiles, cosigned.checkpoint), []
        for index in asked:
            began = time.perf_counter()
            if tree.entry(index) != entry(index):
                raise RuntimeError(f"entry {index} is another one")
            entry_ms.append(1e3 * (time.perf_counter() - began))
        began = time.perf_counter()
        sequencer.append_one(_again(asked[0]))
        append_s = time.perf_counter() - began
    return Figures(
        entries=cosigned.checkpoint.size,
        open_s=open_s,
        read_open_s=read_open_s,
        append_s=append_s,
        proof_ms=proof_ms,
        proof_used_ms=used_ms,
        entry_ms=entry_ms,
        peak_mb=_peak_mb(),
    )


def measure(folder: Path, entries: int) -> list[Row]:
    """Build where needed, then open in a fresh process; the rows of the table."""
    built_s = build(folder, entries)
    command = [sys.executable, __file__, str(folder), "--serve"]
    done = subprocess.run(command, capture_output=True, check=True)
    figures = msgspec.json.decode(done.stdout, type=Figures)
    name = f"log of {figures.entries:,}"
    return [
        row_of(f"{name}: open to a signed head", "s", [figures.open_s], OPENED),
        row_of("  a reader's first proof, checkpoint verified", "s", [figures.read_open_s]),
        row_of(f"{name}: proof of a random entry", "ms", figures.proof_ms, PROVED),
        row_of("  of it processor time", "ms", figures.proof_used_ms),
        row_of("  random entry, authenticated by its tiles", "ms", figures.entry_ms),
        row_of(f"{name}: memory at its peak", "MB", [figures.peak_mb], MEMORY),
        row_of("  building it, without a sync of each file", "s", [built_s]),
    ]


def _step(start: int, stop: int) -> Iterator[Recorded]:
    for index in range(start, stop):
        envelope = entry(index)
        yield Recorded(
            index=index,
            leaf_hash=leaf_hash(envelope),
            envelope=envelope,
            payload_sha256=hashlib.sha256(envelope).digest(),
        )


def _again(index: int) -> Submission:
    """An entry that the log holds already: answered with its place, nothing is stored."""
    envelope = entry(index)
    return Submission(envelope=envelope, payload_sha256=hashlib.sha256(envelope).digest())


def _head(edge: RightEdge) -> TreeHead:
    return TreeHead(size=edge.size, root=edge.root())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _peak_mb() -> float:
    """VmHWM of proc_pid_status(5): the most resident memory that this process ever had."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key == "VmHWM":
            return int(value.split()[0]) * 1024 / 1e6
    raise RuntimeError("no VmHWM on this system")


def main() -> None:
    """Build where needed, serve, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--serve", action="store_true", help="open what is there, in this process")
    options = parser.parse_args()
    if options.serve:
        print(msgspec.json.encode(serve(options.folder)).decode())
        return
    rows = measure(options.folder, options.entries)
    print(json.dumps([msgspec.to_builtins(row) for row in rows]))


if __name__ == "__main__":
    main()
