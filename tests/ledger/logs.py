"""Building blocks for tests of the log: seeded keys, tiles in memory, a log on disk, witnesses at hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.ledger import Checkpoint, LogReader, Policy, check_tree, sign_checkpoint
from sekisho.ledger.edge import RightEdge
from sekisho.ledger.line import Line
from sekisho.ledger.publisher import Pace, Publisher
from sekisho.ledger.sequencer import Mark, Sequencer, Submission
from sekisho.model.errors import InvalidInput
from sekisho.ports.log_store import LogStore
from sekisho.ports.tile_store import NotStored, TileStore, TileWriter
from sekisho.ports.witness import Witness, WitnessConflict, WitnessRefused
from sekisho.signing.notes import Note, NoteSigner, VerifierKey
from sekisho.witness.memory import WitnessMemory
from sekisho.witness.server import WitnessApp
from tests.ledger.memory_store import MemoryLogStore

ORIGIN = "example.org/log"
NOW = 1_800_000_000


def private_key(name: str) -> Ed25519PrivateKey:
    """A key that depends on nothing but its name."""
    return Ed25519PrivateKey.from_private_bytes(
        hashlib.sha256(f"log test {name}".encode()).digest()
    )


LOG = NoteSigner(ORIGIN, private_key("log"))
W1 = NoteSigner.cosigner("example.org/w1", private_key("w1"))
W2 = NoteSigner.cosigner("example.org/w2", private_key("w2"))


def policy_text(quorum: str = "all") -> str:
    """The test log under `all` or `any` of its two witnesses."""
    return (
        f"log {LOG.verifier.to_text()}\n"
        f"witness w1 {W1.verifier.to_text()}\nwitness w2 {W2.verifier.to_text()}\n"
        f"group both {quorum} w1 w2\nquorum both\n"
    )


def policy(quorum: str = "all") -> Policy:
    """`policy_text`, read."""
    return Policy.from_text(policy_text(quorum))


class MemoryTiles:
    """A tile store in a dict."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = files or {}

    def read(self, path: str, limit: int) -> bytes:
        if path not in self.files:
            raise NotStored(path)
        if len(self.files[path]) > limit:
            raise InvalidInput("too long", path=path)
        return self.files[path]

    def write(self, path: str, data: bytes) -> None:
        self.files[path] = data

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        self.files.update(files)

    def drop_folder(self, path: str) -> None:
        for name in [name for name in self.files if name.startswith(f"{path}/")]:
            del self.files[name]

    def exists(self, path: str) -> bool:
        return path in self.files


def numbered(count: int) -> list[bytes]:
    """Entries that say their own index."""
    return [f"entry {number}".encode() for number in range(count)]


def tiled(entries: Iterable[bytes], signers: Sequence[NoteSigner] = (LOG,)) -> MemoryTiles:
    """A whole log in memory, written by the write side in one batch, with its checkpoint."""
    edge, files = RightEdge.empty().extended(entries)
    store = MemoryTiles(dict(files))
    store.write("checkpoint", signed(edge.size, edge.root(), signers).to_bytes())
    return store


def signed(size: int, root: bytes, signers: Sequence[NoteSigner] = (LOG,)) -> Note:
    """A checkpoint of the test log, cosigned at NOW by those of the signers that are cosigners."""
    note = sign_checkpoint(Checkpoint(origin=ORIGIN, size=size, root=root), LOG)
    cosigners = [s for s in signers if s.verifier.algorithm.is_cosignature]
    return note.with_signatures([s.sign(note.text, timestamp=NOW) for s in cosigners])


def submission(name: str, *unique: str, size: int = 0) -> Submission:
    """A statement named `name` of `size` bytes, with its unique keys."""
    payload = name.encode().ljust(size, b".")
    return Submission(
        envelope=b"envelope of " + payload,
        payload_sha256=hashlib.sha256(payload).digest(),
        unique=unique,
    )


def time_mark(previous: bytes | None) -> bytes:
    """The stand-in for `time-marked`: it carries what the real one carries."""
    return json.dumps({"previous": None if previous is None else previous.decode()}).encode()


class LocalWitness:
    """A real witness, asked without a network: its application called as the HTTP client would."""

    def __init__(
        self, signer: NoteSigner, files: TileStore, log: VerifierKey = LOG.verifier
    ) -> None:
        self.app = WitnessApp(
            signers=[signer],
            logs={log.name: (log,)},
            memory=WitnessMemory(files),
            now=lambda: NOW,
        )
        self.requests = 0

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        from sekisho.adapters.transport.witness_client import format_request

        self.requests += 1
        answer = self.app.answer(format_request(old_size, proof, note))
        if isinstance(answer, bytes):
            return answer
        if answer.status == 409:
            raise WitnessConflict(answer.body, size=int(answer.body))
        raise WitnessRefused(answer.body, status=answer.status)


class RunningLog:
    """A log as it runs in production, but for the network, over any database and folder."""

    def __init__(
        self,
        store: LogStore,
        tiles: TileWriter,
        *,
        mark: Mark = time_mark,
        line: Line | None = None,
    ) -> None:
        self.store = store
        self.tiles = tiles
        self.sequencer = Sequencer(signer=LOG, store=store, tiles=tiles, mark=mark, line=line)
        self.memories = (MemoryTiles(), MemoryTiles())

    def publisher(
        self, witnesses: Mapping[str, Witness], quorum: str = "all", **pace: float
    ) -> Publisher:
        return Publisher(
            sequencer=self.sequencer,
            store=self.store,
            tiles=self.tiles,
            policy=policy(quorum),
            witnesses=witnesses,
            pace=Pace(**pace),
        )

    def witnesses(self) -> dict[str, Witness]:
        """Both witnesses, remembering what they saw of this log."""
        first, second = self.memories
        return {"w1": LocalWitness(W1, first), "w2": LocalWitness(W2, second)}

    def entries(self) -> list[bytes]:
        """Every entry, after bringing all of them into the tree, each authenticated."""
        head = self.sequencer.integrate()
        checkpoint = Checkpoint(origin=ORIGIN, size=head.size, root=head.root)
        check = check_tree(self.tiles, checkpoint)
        assert check.holds, check
        return list(LogReader(self.tiles).entries(0, head.size, checkpoint))


class MemoryLog(RunningLog):
    """A log in memory, whose database and tiles outlive its process."""

    def __init__(
        self,
        *,
        store: MemoryLogStore | None = None,
        tiles: MemoryTiles | None = None,
        mark: Mark = time_mark,
        line: Line | None = None,
    ) -> None:
        self.database = store or MemoryLogStore()
        self.files = tiles or MemoryTiles()
        super().__init__(self.database, self.files, mark=mark, line=line)

    def restarted(self, *, backup: MemoryLogStore | None = None) -> MemoryLog:
        """Another process on what is there, or on an older database; not recovered yet."""
        again = MemoryLog(store=(backup or self.database).after_restart(), tiles=self.files)
        again.memories = self.memories
        return again


class LogOnDisk(RunningLog):
    """A log in a folder: a database in SQLite, tiles as files."""

    def __init__(
        self, folder: Path, *, wrap: Callable[[LogStore, TileWriter], tuple[LogStore, TileWriter]]
    ) -> None:
        self.folder = folder
        self.database = SqliteLogStore(folder / "log.db", origin=ORIGIN)
        super().__init__(*wrap(self.database, FileTileStore(folder / "public")))

    def witnesses(self) -> dict[str, Witness]:
        """Both witnesses, remembering in the log's folder."""
        return {
            "w1": LocalWitness(W1, FileTileStore(self.folder / "w1")),
            "w2": LocalWitness(W2, FileTileStore(self.folder / "w2")),
        }

    def close(self) -> None:
        self.database.close()


@contextmanager
def open_log(folder: Path) -> Iterator[LogOnDisk]:
    """The log of a folder, recovered."""
    log = LogOnDisk(folder, wrap=lambda store, tiles: (store, tiles))
    try:
        log.sequencer.recover()
        yield log
    finally:
        log.close()


def open_memory_log() -> MemoryLog:
    """A new log in memory, recovered."""
    log = MemoryLog()
    log.sequencer.recover()
    return log


def is_mark(entry: bytes) -> bool:
    """Whether an entry is one of `time_mark`'s."""
    return entry.startswith(b'{"previous"')


def names_in(entries: Iterable[bytes]) -> list[str]:
    """The entries by the names of their submissions; marks as `mark`."""
    return [
        "mark" if is_mark(entry) else entry.removeprefix(b"envelope of ").decode()
        for entry in entries
    ]
