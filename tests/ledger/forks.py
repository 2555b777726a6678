"""A log that tells two stories: two branches over one beginning, with tiles and signed checkpoints of both."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.cli.main import call
from sekisho.ledger import Checkpoint, Frontier, Policy, leaf_hash
from sekisho.ledger.edge import RightEdge
from sekisho.ledger.publisher import Publisher
from sekisho.ledger.reader import TreeReader
from sekisho.ports.witness import Witness
from sekisho.settings import Settings
from sekisho.signing.notes import Note, NoteSigner
from tests.ledger.logs import (
    LOG,
    LogOnDisk,
    MemoryTiles,
    numbered,
    open_log,
    policy,
    signed,
    submission,
)

__all__ = [
    "branch",
    "check_evidence",
    "entries_of",
    "fork_for_real",
    "other_hash",
    "publish",
    "root_of",
    "tell",
    "tree_of",
    "write_checkpoint",
    "write_log",
]


def entries_of(size: int, *, fork_at: int | None = None, story: str = "b") -> list[bytes]:
    """The first entries of the test log; from `fork_at` on those of another story."""
    entries = numbered(size)
    if fork_at is not None:
        for index in range(fork_at, size):
            entries[index] = f"{story} {index}".encode()
    return entries


def root_of(entries: Sequence[bytes]) -> bytes:
    """The root over these entries."""
    frontier = Frontier()
    frontier.extend(leaf_hash(entry) for entry in entries)
    return frontier.root()


def branch(
    entries: Sequence[bytes], signers: Sequence[NoteSigner] = (LOG,)
) -> tuple[Note, MemoryTiles]:
    """The signed checkpoint of a branch, and all its files, the checkpoint among them."""
    edge, files = RightEdge.empty().extended(entries)
    note = signed(edge.size, edge.root(), signers)
    return note, MemoryTiles({**dict(files), "checkpoint": note.to_bytes()})


def tree_of(entries: Sequence[bytes]) -> TreeReader:
    """A reader of a branch's tree, which authenticates what it reads."""
    note, files = branch(entries)
    return TreeReader(files, Checkpoint.from_text(note.text))


def write_log(
    folder: Path, entries: Sequence[bytes], signers: Sequence[NoteSigner] = (LOG,)
) -> Note:
    """A branch in a real folder, beside what lies there already; its checkpoint last."""
    note, files = branch(entries, signers)
    for path, data in files.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return note


def write_checkpoint(path: Path, note: Note) -> Path:
    """A checkpoint alone, as somebody kept it."""
    FileTileStore(path.parent).write(path.name, note.to_bytes())
    return path


@contextmanager
def fork_for_real(folder: Path) -> Iterator[tuple[LogOnDisk, LogOnDisk]]:
    """Two sequencers under one key on copies of one database: how a log forks in life, by malice or by a restore."""
    with open_log(folder / "one") as log:
        log.sequencer.append([submission(f"common {number}") for number in range(4)])
        publish(log)
    shutil.copytree(folder / "one", folder / "two")
    with open_log(folder / "one") as one, open_log(folder / "two") as two:
        yield one, two


def tell(log: LogOnDisk, story: str, count: int) -> Note:
    """Append `count` statements that only this branch has, and publish them."""
    log.sequencer.append([submission(f"{story} {number}") for number in range(count)])
    return publish(log)


def publish(log: LogOnDisk, witnesses: Mapping[str, Witness] | None = None) -> Note:
    """One round of the publisher, under the log's own key or with these witnesses."""
    publisher = Publisher(
        sequencer=log.sequencer,
        store=log.store,
        tiles=log.tiles,
        policy=policy() if witnesses else Policy.of_log(LOG.verifier),
        witnesses=witnesses or {},
    )
    try:
        return publisher.publish().note
    finally:
        publisher.stop()


def check_evidence(capsys: pytest.CaptureFixture[str], path: Path) -> dict[str, Any]:
    """What `sekisho log check-evidence` says of a file to a third party who has the log's key alone."""
    settings = Settings(home=Path("/nonexistent"), trust_file=Path("/nonexistent"))
    arguments = ["log", "check-evidence", str(path), "--vkey", LOG.verifier.to_text(), "--json"]
    capsys.readouterr()
    code = call(arguments, settings)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return {"exit": code, **found}


def other_hash(number: int) -> bytes:
    """A hash that stands for nothing."""
    return hashlib.sha256(f"nothing {number}".encode()).digest()
