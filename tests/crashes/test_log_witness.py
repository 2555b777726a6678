"""A witness is stopped before and after it remembers, and started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.transport.witness_client import format_request
from sekisho.ledger.tree import Frontier, consistency_proof, leaf_hash
from sekisho.ledger.witness import Refused
from sekisho.model.errors import Corrupt
from sekisho.signing.notes import Note, parse_signature_lines
from tests.ledger.logs import NOW, W1, LocalWitness, MemoryTiles, numbered, signed


class PowerCut(BaseException):
    pass


class CutFiles(FileTileStore):
    """A folder that loses power at its next write."""

    after = False

    def write(self, path: str, data: bytes) -> None:
        if self.after:
            super().write(path, data)
        raise PowerCut


def head(size: int, text: str = "entry") -> Note:
    """The test log's signed checkpoint of `size` entries."""
    frontier = Frontier()
    frontier.extend(leaf_hash(f"{text} {number}".encode()) for number in range(size))
    return signed(size, frontier.root())


def ask(
    witness: LocalWitness, old: int, note: Note, proof: list[bytes] | None = None
) -> Refused | bytes:
    """What a witness answers to a request."""
    return witness.app.answer(format_request(old, proof or [], note.to_bytes()))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_power_cut_around_the_memory_never_lets_a_fork_through(tmp_path: Path, after: bool) -> None:
    """Whether or not the size was remembered, the same checkpoint is cosigned later, another only if not."""
    files = CutFiles(tmp_path)
    files.after = after
    with pytest.raises(PowerCut):
        ask(LocalWitness(W1, files), 0, head(3))
    again = LocalWitness(W1, FileTileStore(tmp_path))
    forked = ask(again, 3 if after else 0, head(3, "other"))
    if after:
        assert isinstance(forked, Refused)
        assert forked.status == 409
        assert isinstance(ask(again, 3, head(3)), bytes)
    else:
        # Nothing left the house before the cut, so the other tree is the first that it ever saw.
        assert isinstance(forked, bytes)


def test_log_that_got_no_answer_asks_again_and_gets_one(tmp_path: Path) -> None:
    """A witness that remembered and then died tells the log its size, and cosigns from there."""
    files = CutFiles(tmp_path)
    files.after = True
    with pytest.raises(PowerCut):
        ask(LocalWitness(W1, files), 0, head(3))
    again = LocalWitness(W1, FileTileStore(tmp_path))
    stale = ask(again, 0, head(3))
    assert isinstance(stale, Refused)
    assert (stale.status, stale.body) == (409, "3\n")
    answer = ask(again, 3, head(3))
    assert isinstance(answer, bytes)
    (line,) = parse_signature_lines(answer.decode())
    assert W1.verifier.verify(head(3).text, line).timestamp == NOW


def test_memory_that_was_tampered_with_stops_the_witness() -> None:
    """A witness does not start on a memory that its log did not sign."""
    files = MemoryTiles()
    ask(LocalWitness(W1, files), 0, head(3))
    (path,) = files.files
    files.files[path] = files.files[path].replace(b"\n3\n", b"\n2\n")
    with pytest.raises(Corrupt):
        LocalWitness(W1, files)


def test_restarted_witness_goes_on_where_it_stood() -> None:
    """A new process with the old memory cosigns growth and nothing else."""
    files = MemoryTiles()
    assert isinstance(ask(LocalWitness(W1, files), 0, head(3)), bytes)
    leaves = [leaf_hash(entry) for entry in numbered(4)]

    def read(level: int, index: int) -> bytes:
        part = Frontier()
        part.extend(leaves[index << level : (index + 1) << level])
        return part.root()

    proof = consistency_proof(3, 4, read)
    assert isinstance(ask(LocalWitness(W1, files), 3, head(4), proof), bytes)
    assert isinstance(ask(LocalWitness(W1, files), 3, head(3)), Refused)
