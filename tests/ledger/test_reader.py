from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger import (
    DamagedTile,
    LogReader,
    check_log,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from sekisho.ledger.tiles import encode_bundle
from sekisho.model.errors import InvalidInput
from sekisho.ports.tile_store import NotStored
from sekisho.signing.notes import VerifierKey
from tests.ledger.logs import LOG, W1, W2, MemoryTiles, numbered, policy, signed, tiled

COUNTS = [0, 1, 7, 255, 256, 257, 600]


@pytest.mark.parametrize("count", COUNTS)
def test_reader_gives_back_every_entry(count: int) -> None:
    """Entries come out in order and authenticated, at sizes around full tiles."""
    reader = LogReader(tiled(numbered(count)))
    checkpoint = reader.load_checkpoint(LOG.verifier).checkpoint
    assert list(reader.entries(0, count, checkpoint)) == numbered(count)
    assert check_log(reader._store, LOG.verifier).holds


def test_reader_crosses_levels() -> None:
    """In a log with three levels of tiles any entry is read through authenticated tiles, and proved."""
    store = tiled(numbered(66_000))
    reader = LogReader(store)
    checkpoint = reader.load_checkpoint(LOG.verifier).checkpoint
    tree = reader.tree(checkpoint)
    for index in (0, 255, 256, 40_000, 65_535, 65_536, 65_999):
        assert tree.entry(index) == f"entry {index}".encode()
        proof = tree.inclusion_proof(index)
        assert proof == reader.inclusion_proof(index, checkpoint.size)
        verify_inclusion(
            leaf_hash(tree.entry(index)), index, checkpoint.size, proof, checkpoint.root
        )
    old = LogReader(tiled(numbered(65_536))).load_checkpoint(LOG.verifier).checkpoint
    proof = tree.consistency_proof(old.size)
    assert proof == reader.consistency_proof(old.size, checkpoint.size)
    verify_consistency(old.size, checkpoint.size, old.root, checkpoint.root, proof)


def test_part_of_the_log_is_read_with_its_own_bundles_only() -> None:
    """Reading entries 256..300 opens one bundle."""

    class Counting(MemoryTiles):
        opened: list[str] = []  # noqa: RUF012 - one test, one list

        def read(self, path: str, limit: int) -> bytes:
            self.opened.append(path)
            return super().read(path, limit)

    store = Counting(tiled(numbered(600)).files)
    reader = LogReader(store)
    checkpoint = reader.load_checkpoint(LOG.verifier).checkpoint
    assert list(reader.entries(256, 300, checkpoint)) == numbered(300)[256:]
    assert [path for path in store.opened if "entries" in path] == ["tile/entries/001"]


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 2), (0, 8)])
def test_entries_outside_the_tree_are_refused(start: int, stop: int) -> None:
    """A range that the checkpoint does not cover is bad input."""
    reader = LogReader(tiled(numbered(7)))
    checkpoint = reader.load_checkpoint(LOG.verifier).checkpoint
    with pytest.raises(InvalidInput):
        list(reader.entries(start, stop, checkpoint))


def test_missing_bundle_is_not_stored() -> None:
    """A file that is not there is told apart from a wrong one."""
    store = tiled(numbered(7))
    del store.files["tile/entries/000.p/7"]
    reader = LogReader(store)
    checkpoint = reader.load_checkpoint(LOG.verifier).checkpoint
    with pytest.raises(NotStored):
        list(reader.entries(0, 1, checkpoint))
    assert not check_log(store, LOG.verifier).holds


def test_reader_refuses_entries_that_are_not_in_the_tree() -> None:
    """A bundle with another entry is found when it is read."""
    store = tiled(numbered(7))
    store.files["tile/entries/000.p/7"] = encode_bundle([*numbered(6), b"other"])
    reader = LogReader(store)
    checkpoint = reader.load_checkpoint(LOG.verifier).checkpoint
    with pytest.raises(DamagedTile):
        list(reader.entries(0, 7, checkpoint))


@settings(max_examples=60)
@given(st.data())
def test_any_flipped_bit_of_any_file_is_found(data: st.DataObject) -> None:
    """Whatever single bit of a log changes, the check names that file, or its checkpoint no longer verifies."""
    store = tiled(numbered(300), (LOG, W1, W2))
    path = data.draw(st.sampled_from(sorted(store.files)))
    content = bytearray(store.files[path])
    bit = data.draw(st.integers(min_value=0, max_value=len(content) * 8 - 1))
    content[bit // 8] ^= 1 << (bit % 8)
    store.files[path] = bytes(content)
    result = check_log(store, policy())
    assert not result.holds
    assert result.verdict == "fails"
    assert path in {fault.path for fault in result.faults}


@settings(max_examples=30)
@given(st.data())
def test_any_missing_file_is_found(data: st.DataObject) -> None:
    """Whatever file of a log is gone, the check names it."""
    store = tiled(numbered(600))
    path = data.draw(st.sampled_from(sorted(store.files)))
    del store.files[path]
    assert path in {fault.path for fault in check_log(store, LOG.verifier).faults}


def test_one_fault_is_reported_once() -> None:
    """A damaged hash in the middle of a log is one fault, not one for each level above it."""
    store = tiled(numbered(600))
    store.files["tile/0/001"] = bytes(32) + store.files["tile/0/001"][32:]
    faults = check_log(store, LOG.verifier).faults
    assert [(fault.path, fault.fault) for fault in faults] == [
        ("tile/0/001", "hash 0 is not the one that the entries give")
    ]


def test_check_against_an_older_checkpoint_reads_its_tree() -> None:
    """A checkpoint kept from before is checked against what the log serves today."""
    store = tiled(numbered(300))
    older = signed(
        256, LogReader(tiled(numbered(256))).load_checkpoint(LOG.verifier).checkpoint.root
    )
    result = check_log(store, LOG.verifier, older.to_bytes())
    # tile/1/000.p/1 of the older size was written by a log that published it; here it is the same file.
    assert (result.verdict, result.size) == ("holds", 256)
    forged = signed(256, bytes(32)).to_bytes()
    assert [fault.path for fault in check_log(store, LOG.verifier, forged).faults] == ["checkpoint"]


def test_log_without_checkpoint_fails_the_check() -> None:
    """No checkpoint, no verdict but fails, and the fault says so."""
    result = check_log(MemoryTiles(), LOG.verifier)
    assert (result.verdict, result.size, result.root) == ("fails", None, None)


@pytest.mark.testdata
@pytest.mark.parametrize("size", range(8))
def test_log_of_another_program_is_read(public_records: Path, size: int) -> None:
    """A public test log with sizes 0 to 7: every checkpoint, tile and entry agrees."""
    folder = public_records / "log"
    key = VerifierKey.from_text((folder / "log.vkey").read_text())
    store = FileTileStore(folder)
    result = check_log(store, key, (folder / f"checkpoint.{size}").read_bytes())
    assert (result.verdict, result.size, result.faults) == ("holds", size, ())


@pytest.mark.testdata
def test_log_of_another_program_is_consistent_with_itself(public_records: Path) -> None:
    """Between any two of its checkpoints the proof from its tiles verifies."""
    folder = public_records / "log"
    key = VerifierKey.from_text((folder / "log.vkey").read_text())
    heads = []
    for size in range(8):
        store = MemoryTiles({"checkpoint": (folder / f"checkpoint.{size}").read_bytes()})
        heads.append(LogReader(store).load_checkpoint(key).checkpoint)
    reader = LogReader(FileTileStore(folder))
    for old in heads[1:]:
        for new in heads[old.size :]:
            proof = reader.consistency_proof(old.size, new.size)
            verify_consistency(old.size, new.size, old.root, new.root, proof)
