"""What somebody may do to a log, its proofs and its witnesses, each under its name."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.transport.witness_client import format_request
from sekisho.ledger import (
    BadProof,
    Checkpoint,
    LogReader,
    Policy,
    TlogProof,
    check_log,
    verify_consistency,
)
from sekisho.ledger.evidence import ForkEvidence, judge_evidence
from sekisho.ledger.sequencer import RolledBack
from sekisho.ledger.tree import Frontier, NodeReader, consistency_proof, leaf_hash
from sekisho.ledger.witness import Refused
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.signing.notes import Note, NoteSigner, VerifierKey, verify_note
from tests.ledger.logs import (
    LOG,
    W1,
    W2,
    LocalWitness,
    MemoryTiles,
    numbered,
    open_log,
    policy,
    private_key,
    signed,
    submission,
    tiled,
)

ENTRIES = numbered(7)
OTHERS = [*ENTRIES[:4], b"another", *ENTRIES[5:]]


def root_of(entries: Sequence[bytes]) -> bytes:
    """The root over these entries."""
    frontier = Frontier()
    frontier.extend(leaf_hash(entry) for entry in entries)
    return frontier.root()


def nodes_of(entries: Sequence[bytes]) -> NodeReader:
    """Any node of the tree over these entries, whoever made them."""
    return lambda level, index: root_of(entries[index << level : (index + 1) << level])


def growth(old: int, entries: Sequence[bytes]) -> list[bytes]:
    """The proof that these entries only append to their first `old`."""
    return consistency_proof(old, len(entries), nodes_of(entries))


def ask(witness: LocalWitness, old: int, proof: Sequence[bytes], note: Note) -> Refused | bytes:
    """What a witness answers to a request."""
    return witness.app.answer(format_request(old, proof, note.to_bytes()))


def refusal(witness: LocalWitness, old: int, proof: Sequence[bytes], note: Note) -> Refused:
    """The refusal that a request must meet."""
    answer = ask(witness, old, proof, note)
    assert isinstance(answer, Refused)
    return answer


@pytest.fixture
def files() -> MemoryTiles:
    """A witness's folder."""
    return MemoryTiles()


@pytest.fixture
def witness(files: MemoryTiles) -> LocalWitness:
    """A witness that cosigned the first four entries."""
    witness = LocalWitness(W1, files)
    assert isinstance(ask(witness, 0, [], signed(4, root_of(ENTRIES[:4]))), bytes)
    return witness


def test_wrong_vkey_does_not_verify_the_log() -> None:
    """A log checked under another key of the same name fails, and says that no trusted key signed."""
    impostor = NoteSigner(LOG.name, private_key("impostor")).verifier
    result = check_log(tiled(ENTRIES), impostor)
    assert result.verdict == "fails"
    assert result.root is None


def test_vkey_with_the_id_of_another_key_is_refused() -> None:
    """A vkey whose id was copied from the real one does not read."""
    impostor = NoteSigner(LOG.name, private_key("impostor")).verifier.to_text().split("+")
    impostor[1] = LOG.verifier.key_id.hex()
    with pytest.raises(InvalidInput):
        VerifierKey.from_text("+".join(impostor))


def test_note_without_blank_line_is_refused() -> None:
    """Text and signatures run together are no note."""
    raw = signed(7, root_of(ENTRIES)).to_bytes().replace(b"\n\n", b"\n")
    with pytest.raises(InvalidInput):
        Note.from_bytes(raw)


def test_non_canonical_base64_is_refused() -> None:
    """A signature, a root or a proof hash in another base64 spelling of the same bytes is refused."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    note = signed(7, root_of(ENTRIES))
    text = note.to_bytes().decode()
    root = base64.b64encode(root_of(ENTRIES)).decode()
    other = root[:-2] + alphabet[alphabet.index(root[-2]) + 1] + "="
    assert base64.b64decode(other) == base64.b64decode(root)
    with pytest.raises(InvalidInput):
        Checkpoint.from_text(note.text.replace(root, other))
    line = text.split(" ")[-1].strip()
    pad = line.rstrip("=")
    spelled = pad[:-1] + alphabet[alphabet.index(pad[-1]) + 1] + "=" * (len(line) - len(pad))
    for changed in (spelled, line.rstrip("="), line + "=", line[:8] + "\u200b" + line[8:]):
        with pytest.raises(InvalidInput):
            Note.from_bytes(text.replace(line, changed).encode())


def test_empty_tree_with_a_root_of_its_own_is_refused() -> None:
    """A size of 0 with any other root than the hash of nothing is no checkpoint, even signed."""
    note = signed(0, bytes(32))
    with pytest.raises(InvalidInput):
        Policy.of_log(LOG.verifier).verify_cosigned(note)


def test_shrinking_log_is_refused_by_the_witness(witness: LocalWitness) -> None:
    """A smaller checkpoint than the one cosigned is not cosigned, however it is asked for."""
    smaller = signed(3, root_of(ENTRIES[:3]))
    assert refusal(witness, 3, [], smaller).status == 409
    assert refusal(witness, 4, [], smaller).status == 400


def test_shrinking_log_has_no_consistency_proof() -> None:
    """No proof leads from a larger tree to a smaller one."""
    with pytest.raises(BadProof):
        verify_consistency(7, 4, root_of(ENTRIES), root_of(ENTRIES[:4]), growth(4, ENTRIES))


def test_forked_log_is_refused_by_the_witness_with_evidence(
    witness: LocalWitness, files: MemoryTiles
) -> None:
    """One size under two roots, both signed by the log: refused, and both notes are kept as proof."""
    forked = signed(4, root_of(OTHERS[1:5]))
    answer = refusal(witness, 4, [], forked)
    assert (answer.status, answer.body, answer.content_type) == (409, "4\n", "text/x.tlog.size")
    (path,) = [path for path in files.files if path.startswith("evidence/fork-")]
    evidence = ForkEvidence.from_bytes(files.files[path])
    assert judge_evidence(evidence, [LOG.verifier]).verdict == "holds"
    assert evidence.checkpoints[0].size == evidence.checkpoints[1].size == 4


def test_fork_behind_a_stale_size_leaves_evidence_too(
    witness: LocalWitness, files: MemoryTiles
) -> None:
    """A fork is not overlooked because the request also named the wrong size."""
    assert refusal(witness, 0, [], signed(4, bytes(32))).status == 409
    assert any(path.startswith("evidence/fork-") for path in files.files)


def test_forked_growth_is_refused_by_the_witness(witness: LocalWitness, files: MemoryTiles) -> None:
    """A larger tree that does not contain the cosigned one is refused, with its best proof and kept."""
    forked = [b"other", *ENTRIES[1:]]
    answer = refusal(witness, 4, growth(4, forked), signed(7, root_of(forked)))
    assert answer.status == 422
    # From a size that is a power of two the log's hashes do not say which tree they start from.
    (path,) = [path for path in files.files if path.startswith("evidence/suspicion-")]
    evidence = ForkEvidence.from_bytes(files.files[path])
    assert judge_evidence(evidence, [LOG.verifier]).verdict == "unverifiable"


def test_evidence_does_not_fill_the_disk(witness: LocalWitness, files: MemoryTiles) -> None:
    """A log that signs contradictions without end leaves a bounded number of files."""
    for number in range(150):
        refusal(witness, 4, [], signed(4, number.to_bytes(32, "big")))
    assert len([path for path in files.files if path.startswith("evidence/")]) == 100


def test_proof_too_long_is_refused(witness: LocalWitness) -> None:
    """64 proof lines are more than any tree needs: bad request, before anything is hashed."""
    lines = b"old 4\n" + (b"A" * 43 + b"=\n") * 64 + b"\n"
    refused = witness.app.answer(lines + signed(7, root_of(ENTRIES)).to_bytes())
    assert isinstance(refused, Refused)
    assert refused.status == 400
    assert refusal(witness, 4, [bytes(32)] * 63, signed(7, root_of(ENTRIES))).status == 422
    proof = LogReader(tiled(ENTRIES)).inclusion_proof(4, 7)
    note = signed(7, root_of(ENTRIES))
    padded = TlogProof(index=4, hashes=(*proof, bytes(32)), note=note)
    with pytest.raises(BadProof):
        padded.verify(ENTRIES[4], Policy.of_log(LOG.verifier))


def test_flipped_tile_bit_is_found() -> None:
    """One bit of one hash tile, changed: the check fails and names the file."""
    store = tiled(ENTRIES)
    tile = bytearray(store.files["tile/0/000.p/7"])
    tile[100] ^= 4
    store.files["tile/0/000.p/7"] = bytes(tile)
    assert [f.path for f in check_log(store, LOG.verifier).faults] == ["tile/0/000.p/7"]


def test_log_that_rewrites_its_tiles_is_found() -> None:
    """Entry and tiles changed alike still do not give the root that was signed."""
    store, other = tiled(ENTRIES), tiled(OTHERS)
    store.files.update({p: data for p, data in other.files.items() if p != "checkpoint"})
    assert [f.path for f in check_log(store, LOG.verifier).faults] == ["checkpoint"]


def test_unknown_origin_is_not_found(witness: LocalWitness) -> None:
    """A log that the witness was not told of gets 404, whoever signed."""
    stranger = NoteSigner("example.org/stranger", private_key("log"))
    text = Checkpoint(origin=stranger.name, size=1, root=bytes(32)).to_text()
    assert refusal(witness, 0, [], Note(text=text, signatures=(stranger.sign(text),))).status == 404


def test_checkpoint_that_the_log_did_not_sign_is_forbidden(witness: LocalWitness) -> None:
    """Without, with a wrong, and with a stranger's signature under the log's name: 403."""
    text = Checkpoint(origin=LOG.name, size=7, root=root_of(ENTRIES)).to_text()
    impostor = NoteSigner(LOG.name, private_key("impostor"))
    good = signed(7, root_of(ENTRIES)).signatures[0]
    wrong = type(good)(name=good.name, key_id=good.key_id, signature=bytes(64))
    for line in (impostor.sign(text), wrong, W2.sign(text, timestamp=1)):
        note = Note(text=text, signatures=(line,))
        assert refusal(witness, 4, growth(4, ENTRIES), note).status == 403


def test_stale_old_size_is_told_the_right_one(witness: LocalWitness) -> None:
    """A request from another size is answered with the size at which the witness stands."""
    for old in (0, 3, 5):
        answer = refusal(witness, old, growth(old, ENTRIES), signed(7, root_of(ENTRIES)))
        assert (answer.status, answer.body, answer.content_type) == (409, "4\n", "text/x.tlog.size")


def test_cosignature_of_one_log_is_worth_nothing_for_another() -> None:
    """A cosignature moved to another checkpoint spoils that note."""
    first, second = signed(7, root_of(ENTRIES), (LOG, W1)), signed(7, root_of(OTHERS))
    moved = second.with_signatures(first.signatures[1:])
    with pytest.raises(BadSignature):
        verify_note(moved, [LOG.verifier, W1.verifier])


def test_cosignature_with_a_changed_time_is_refused() -> None:
    """The time of a cosignature is signed."""
    note = signed(7, root_of(ENTRIES), (LOG, W1))
    line = note.signatures[1]
    later = bytes([*line.signature[:7], line.signature[7] ^ 1, *line.signature[8:]])
    forged = type(line)(name=line.name, key_id=line.key_id, signature=later)
    with pytest.raises(BadSignature):
        verify_note(Note(text=note.text, signatures=(note.signatures[0], forged)), [W1.verifier])


def test_log_key_cannot_pose_as_its_own_witness() -> None:
    """A policy whose witness carries the log's plain key is refused, and a log signature is no cosignature."""
    with pytest.raises(InvalidInput):
        Policy.from_text(f"witness w1 {LOG.verifier.to_text()}\nquorum w1\n")


def test_rolled_back_database_refuses_to_go_on(tmp_path: Path) -> None:
    """A database from an old backup beside a newer published checkpoint stops at the start."""
    with open_log(tmp_path) as log:
        log.sequencer.append_one(submission("a"))
        log.publisher(log.witnesses()).publish()
    backup = tmp_path / "backup"
    backup.mkdir()
    for name in ("log.db", "log.db-wal"):
        if (tmp_path / name).exists():
            shutil.copy(tmp_path / name, backup / name)
    with open_log(tmp_path) as log:
        log.sequencer.append_one(submission("b"))
        log.publisher(log.witnesses()).publish()
    (tmp_path / "log.db-wal").unlink(missing_ok=True)
    shutil.copytree(backup, tmp_path, dirs_exist_ok=True)
    with pytest.raises(RolledBack), open_log(tmp_path):
        pass


def test_fresh_database_beside_a_published_log_refuses_to_go_on(tmp_path: Path) -> None:
    """A new database under an old origin would be a fork from entry 0."""
    with open_log(tmp_path) as log:
        log.sequencer.append_one(submission("a"))
        log.publisher(log.witnesses()).publish()
    for path in tmp_path.glob("log.db*"):
        path.unlink()
    with pytest.raises(RolledBack), open_log(tmp_path):
        pass


def test_database_of_another_tree_refuses_to_go_on(tmp_path: Path) -> None:
    """A database of the same size or larger that holds other entries than were published stops."""
    for folder, name in ((tmp_path / "one", "a"), (tmp_path / "two", "b")):
        with open_log(folder) as log:
            log.sequencer.append_one(submission(name))
            log.publisher(log.witnesses()).publish()
    shutil.copy(tmp_path / "one/public/checkpoint", tmp_path / "two/public/checkpoint")
    with pytest.raises(RolledBack), open_log(tmp_path / "two"):
        pass


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "a//b", "", ".", "a/./b", "a\\b", "a\0b"]
)
def test_path_that_leaves_the_store_is_refused(tmp_path: Path, path: str) -> None:
    """No path reads or writes outside the log's folder."""
    store = FileTileStore(tmp_path / "store")
    for act in (
        lambda: store.read(path, 10),
        lambda: store.write(path, b"x"),
        lambda: store.exists(path),
    ):
        with pytest.raises(InvalidInput):
            act()


def test_link_out_of_the_store_is_refused(tmp_path: Path) -> None:
    """Links planted in a log's folder lead nowhere."""
    store = FileTileStore(tmp_path / "store")
    store.write("a/b", b"x")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "store/folder").symlink_to(tmp_path)
    with pytest.raises(InvalidInput):
        store.read("folder/secret", 10)
    (tmp_path / "store/link").symlink_to(tmp_path / "secret")
    with pytest.raises(Exception, match="link"):
        store.read("link", 10)


def test_policy_quorum_is_not_met_by_unknown_witnesses() -> None:
    """Cosigners that the policy does not name change nothing."""
    third = NoteSigner.cosigner("example.org/w3", private_key("w3"))
    with pytest.raises(Exception, match="quorum"):
        policy().verify_cosigned(signed(7, root_of(ENTRIES), (LOG, W1, third)))
