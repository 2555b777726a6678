from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.ledger import Checkpoint, DamagedTile, sign_checkpoint
from sekisho.ledger.evidence import (
    EvidenceVerdict,
    ForkEvidence,
    cosigners_of_both,
    evidence_from_proof,
    find_fork,
    judge_evidence,
)
from sekisho.ledger.reader import TreeReader
from sekisho.ledger.tree import EMPTY_ROOT, consistency_proof
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from sekisho.ports.tile_store import NotStored
from sekisho.signing.notes import Note, NoteSigner
from tests.ledger.forks import branch, entries_of, other_hash, root_of, tree_of
from tests.ledger.logs import LOG, ORIGIN, W1, W2, policy, private_key, signed

KEYS = [LOG.verifier]


def note_of(size: int, *, fork_at: int | None = None) -> Note:
    """A branch's signed checkpoint."""
    return signed(size, root_of(entries_of(size, fork_at=fork_at)))


def fork(smaller: int, larger: int, at: int) -> ForkEvidence:
    """Evidence of a log that forked at an entry below both sizes; the larger tells the other story."""
    found = find_fork(
        note_of(smaller),
        note_of(larger, fork_at=at),
        tree_of(entries_of(larger, fork_at=at)) if larger > smaller else None,
    )
    assert found is not None
    return found


def verdict(evidence: ForkEvidence) -> EvidenceVerdict:
    """What a third party with the log's key alone makes of it, from the bytes."""
    return judge_evidence(ForkEvidence.from_bytes(evidence.to_bytes()), KEYS)


@pytest.mark.parametrize(
    ("smaller", "larger", "at"),
    [(1, 2, 0), (4, 7, 3), (5, 7, 2), (256, 300, 10), (255, 513, 254), (300, 300, 0)],
)
def test_fork_is_proved_to_whoever_has_the_key(smaller: int, larger: int, at: int) -> None:
    """Whatever the sizes, powers of two and tile borders among them, the document alone suffices."""
    found = verdict(fork(smaller, larger, at))
    assert found.verdict == "holds"
    assert found.reason == ("two-roots" if smaller == larger else "not-a-prefix")


@settings(max_examples=60)
@given(st.data())
def test_fork_is_found_exactly_where_there_is_one(data: st.DataObject) -> None:
    """Two checkpoints of one log give no evidence; with one differing entry below both they give one that holds."""
    larger = data.draw(st.integers(1, 600))
    smaller = data.draw(st.integers(0, larger))
    at = data.draw(st.one_of(st.none(), st.integers(0, larger - 1)))
    found = find_fork(
        note_of(smaller),
        note_of(larger, fork_at=at),
        tree_of(entries_of(larger, fork_at=at)),
    )
    if at is None or at >= smaller:
        assert found is None
    else:
        assert found is not None
        assert verdict(found).verdict == "holds"


def test_evidence_is_one_document_whoever_writes_it() -> None:
    """The order in which two notes were seen changes neither bytes nor file name."""
    first, second = note_of(5), note_of(5, fork_at=2)
    assert ForkEvidence.of(first, second) == ForkEvidence.of(second, first)
    one, other = (
        fork(4, 7, 3),
        find_fork(note_of(7, fork_at=3), note_of(4), tree_of(entries_of(7, fork_at=3))),
    )
    assert other is not None
    assert (one.to_bytes(), one.file_name) == (other.to_bytes(), other.file_name)
    assert one.file_name.startswith("fork-")


def test_evidence_goes_there_and_back() -> None:
    """What is written is what is read, for proofs of both forms and for suspicions."""
    bare = ForkEvidence.of(note_of(4), note_of(7, fork_at=3))
    for evidence in (fork(4, 7, 3), fork(5, 5, 0), bare):
        assert ForkEvidence.from_bytes(evidence.to_bytes()) == evidence


def test_two_notes_without_hashes_are_a_suspicion() -> None:
    """Different sizes alone prove nothing: unverifiable, and the file's name says so."""
    bare = ForkEvidence.of(note_of(4), note_of(7, fork_at=3))
    assert verdict(bare) == EvidenceVerdict(verdict="unverifiable", reason="no-hashes")
    assert bare.file_name.startswith("suspicion-")


def test_honest_growth_is_no_evidence() -> None:
    """A true proof that the smaller is a prefix fails as evidence, and says why."""
    smaller, larger = note_of(4), note_of(7)
    tree = tree_of(entries_of(7))
    claimed = ForkEvidence.of(
        smaller,
        larger,
        prefix=root_of(entries_of(4)),
        hashes=consistency_proof(4, 7, tree.node),
    )
    assert verdict(claimed).reason == "prefix"


def test_same_tree_twice_is_no_evidence() -> None:
    """Two notes over one tree, by different witnesses say, show no fork."""
    found = ForkEvidence.of(note_of(5), signed(5, root_of(entries_of(5)), (LOG, W1)))
    assert verdict(found) == EvidenceVerdict(verdict="fails", reason="same-tree")


def test_empty_tree_proves_nothing() -> None:
    """Every log begins empty."""
    found = ForkEvidence.of(
        signed(0, EMPTY_ROOT), note_of(3), prefix=other_hash(0), hashes=[other_hash(1)]
    )
    assert verdict(found).reason == "empty-tree"


@pytest.mark.parametrize("smaller", [4, 5, 6])
def test_forged_hashes_frame_nobody(smaller: int) -> None:
    """Hashes that do not lead to the signed root, or too many, or too few, are no evidence against an honest log."""
    tree = tree_of(entries_of(7))
    hashes = consistency_proof(smaller, 7, tree.node)
    honest = ForkEvidence.of(note_of(smaller), note_of(7))
    forged = [
        (other_hash(0), hashes),
        (other_hash(0), [other_hash(1), *hashes[1:]]),
        (other_hash(0), hashes[:-1]),
        (other_hash(0), [*hashes, other_hash(2)]),
        (other_hash(0), []),
    ]
    for prefix, claimed in forged:
        evidence = msgspec.structs.replace(honest, prefix=prefix, hashes=tuple(claimed))
        found = verdict(evidence)
        assert (found.verdict, found.reason) == ("fails", "bad-hashes")


def test_note_that_the_log_did_not_sign_is_no_evidence() -> None:
    """A stranger's signature, a changed text, another log's key under its own name: each fails as not signed."""
    impostor = NoteSigner(ORIGIN, private_key("impostor"))
    other = Checkpoint(origin=ORIGIN, size=5, root=root_of(entries_of(5, fork_at=1)))
    forged = sign_checkpoint(other, impostor)
    changed = msgspec.structs.replace(note_of(5), text=other.to_text())
    for note in (forged, changed):
        found = verdict(ForkEvidence.of(note_of(5), note))
        assert (found.verdict, found.reason) == ("fails", "not-signed")


def test_checkpoints_of_two_logs_are_no_evidence() -> None:
    """Two logs of one owner may well differ."""
    second = NoteSigner("example.org/second", private_key("second"))
    root = root_of(entries_of(5, fork_at=0))
    theirs = sign_checkpoint(Checkpoint(origin=second.name, size=5, root=root), second)
    evidence = ForkEvidence.of(note_of(5), theirs)
    found = judge_evidence(evidence, [LOG.verifier, second.verifier])
    assert (found.verdict, found.reason) == ("fails", "two-logs")


def test_one_logs_key_does_not_speak_for_another() -> None:
    """A checkpoint that names a second log under the first one's key counts for neither."""
    root = root_of(entries_of(5, fork_at=0))
    odd = sign_checkpoint(Checkpoint(origin="example.org/second", size=5, root=root), LOG)
    assert verdict(ForkEvidence.of(note_of(5), odd)).reason == "not-signed"


def test_fork_across_a_change_of_the_logs_key_is_proved_by_both_keys() -> None:
    """The two notes may be signed by the old and the new key of one log."""
    new = NoteSigner(ORIGIN, private_key("log next"))
    root = root_of(entries_of(5, fork_at=2))
    later = sign_checkpoint(Checkpoint(origin=ORIGIN, size=5, root=root), new)
    evidence = ForkEvidence.of(note_of(5), later)
    assert judge_evidence(evidence, [LOG.verifier, new.verifier]).verdict == "holds"
    assert judge_evidence(evidence, [LOG.verifier]).reason == "not-signed"


@pytest.mark.parametrize("old", [3, 5, 6, 255, 257])
def test_logs_own_proof_convicts_it(old: int) -> None:
    """A log that forked and proves growth along its new branch hands the witness the whole evidence."""
    forked = entries_of(300, fork_at=1)
    hashes = consistency_proof(old, 300, tree_of(forked).node)
    evidence = evidence_from_proof(note_of(old), signed(300, root_of(forked)), hashes)
    assert verdict(evidence).verdict == "holds"


@pytest.mark.parametrize("old", [1, 2, 4, 256])
def test_logs_own_proof_from_a_power_of_two_is_a_suspicion(old: int) -> None:
    """There the proof does not hold the old root, so nobody learns from it which one it starts from."""
    forked = entries_of(300, fork_at=0)
    hashes = consistency_proof(old, 300, tree_of(forked).node)
    evidence = evidence_from_proof(note_of(old), signed(300, root_of(forked)), hashes)
    assert verdict(evidence).reason == "no-hashes"


def test_careless_proof_of_an_honest_log_is_a_suspicion() -> None:
    """Wrong hashes, or none, prove nothing about the trees."""
    for hashes in ([], [other_hash(1)] * 3, [other_hash(1)] * 40):
        evidence = evidence_from_proof(note_of(5), note_of(7), hashes)
        assert verdict(evidence).reason == "no-hashes"


def test_witnesses_that_cosigned_both_sides_are_named() -> None:
    """Whoever cosigned both trees broke the one promise of a witness."""
    evidence = ForkEvidence.of(
        signed(5, root_of(entries_of(5)), (LOG, W1, W2)),
        signed(5, root_of(entries_of(5, fork_at=1)), (LOG, W1)),
    )
    assert cosigners_of_both(evidence, policy()) == {"w1"}


def test_fork_is_not_seen_through_damaged_or_missing_tiles() -> None:
    """What cannot be authenticated proves nothing: the reader says so and no evidence is made."""
    note, files = branch(entries_of(7, fork_at=3))
    checkpoint = Checkpoint.from_text(note.text)
    files.files["tile/0/000.p/7"] = bytes(7 * 32)
    with pytest.raises(DamagedTile):
        find_fork(note_of(4), note, TreeReader(files, checkpoint))
    del files.files["tile/0/000.p/7"]
    with pytest.raises(NotStored):
        find_fork(note_of(4), note, TreeReader(files, checkpoint))
    with pytest.raises(InvalidInput):
        find_fork(note_of(4), note, tree_of(entries_of(7)))


def changed(**fields: object) -> bytes:
    """A proof's document with some fields replaced, or left out where None."""
    document = json.loads(fork(4, 7, 3).to_bytes())
    document.update(fields)
    return canonical({name: value for name, value in document.items() if value is not None})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        fork(4, 7, 3).to_bytes() + b"\n",
        b" " + fork(4, 7, 3).to_bytes(),
        changed(format="sekisho-fork/v2"),
        changed(smaller=None),
        changed(smaller="no note"),
        changed(smaller="no checkpoint\n\n— a AAAAAAA=\n"),
        changed(prefix="AAAA"),
        changed(prefix="not base64"),
        changed(prefix=None),
        changed(hashes=["AAAA"]),
        changed(hashes=["A" * 43 + "="] * 64),
        changed(added=1),
    ],
)
def test_malformed_evidence_is_bad_input(data: bytes) -> None:
    """Only the one canonical form is read, and whatever deviates is named."""
    with pytest.raises(InvalidInput) as refused:
        ForkEvidence.from_bytes(data, path="fork.json")
    assert "fork.json" in str(refused.value)


def test_notes_in_the_wrong_order_are_refused() -> None:
    """One conflict has one form."""
    evidence = fork(4, 7, 3)
    swapped = changed(
        smaller=evidence.larger.to_bytes().decode(), larger=evidence.smaller.to_bytes().decode()
    )
    with pytest.raises(InvalidInput, match="order"):
        ForkEvidence.from_bytes(swapped)
