"""A witness of several keys: Ed25519 and ML-DSA-44 side by side, an old key and the one that follows it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from sekisho.adapters.keys.note_keys import (
    begin_rotation,
    create_note_key,
    finish_rotation,
    load_note_key,
    load_note_keys,
    next_of,
    post_quantum_of,
)
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.transport.witness_client import HttpWitness, format_request
from sekisho.cli.main import call
from sekisho.ledger import Policy
from sekisho.ledger.tree import consistency_proof
from sekisho.ledger.witness import Refused
from sekisho.model.errors import BadSignature, InvalidInput, StateConflict
from sekisho.ports.witness import WitnessConflict
from sekisho.settings import Settings
from sekisho.signing.notes import (
    Note,
    NoteAlgorithm,
    NoteSigner,
    VerifierKey,
    parse_signature_lines,
)
from sekisho.witness import WitnessApp, WitnessMemory
from tests.ledger.forks import entries_of, root_of, tree_of
from tests.ledger.logs import LOG, NOW, ORIGIN, W1, MemoryTiles, private_key, signed
from tests.witness.processes import running_witness

SETTINGS = Settings(home=Path("/nonexistent"), trust_file=Path("/nonexistent"))
MLDSA = NoteSigner.cosigner("example.org/w1", MLDSA44PrivateKey.from_seed_bytes(bytes(32)))
LOGS = {ORIGIN: (LOG.verifier,)}


def head(size: int) -> Note:
    """The test log's signed checkpoint."""
    return signed(size, root_of(entries_of(size)))


def proof(old: int, new: int) -> list[bytes]:
    """The test log's consistency proof."""
    return consistency_proof(old, new, tree_of(entries_of(new)).node) if old else []


def witness_of(*signers: NoteSigner, files: MemoryTiles | None = None) -> WitnessApp:
    """A witness with these keys."""
    return WitnessApp(
        signers=signers, logs=LOGS, memory=WitnessMemory(files or MemoryTiles()), now=lambda: NOW
    )


def lines_of(answer: Refused | bytes, note: Note, *keys: VerifierKey) -> list[VerifierKey]:
    """The keys whose cosignatures an answer holds, each verified."""
    assert isinstance(answer, bytes), answer
    lines = parse_signature_lines(answer.decode())
    found = [key for line in lines for key in keys if key.made(line)]
    for line, key in zip(lines, found, strict=True):
        assert key.verify(note.text, line).timestamp == NOW
    return found


def test_ml_dsa_cosignature_is_made_and_verified() -> None:
    """Type 06, 2,420 bytes behind the time, under the key id that the name and the key yield."""
    note = head(5)
    line = MLDSA.sign(note.text, timestamp=NOW)
    assert len(line.signature) == 8 + 2420
    assert MLDSA.verifier.verify(note.text, line).timestamp == NOW
    assert MLDSA.verifier.algorithm is NoteAlgorithm.COSIGNATURE_MLDSA44
    assert VerifierKey.from_text(MLDSA.verifier.to_text()) == MLDSA.verifier
    for text in (head(4).text, head(5).text.replace(ORIGIN, "example.org/other")):
        with pytest.raises(BadSignature):
            MLDSA.verifier.verify(text, line)


def test_ml_dsa_cosigner_signs_checkpoints_only() -> None:
    """Its message has no place for anything else, nor for a missing time."""
    with pytest.raises(BadSignature):
        MLDSA.sign("some note\n", timestamp=NOW)
    for timestamp in (None, -1, 2**63):
        with pytest.raises(InvalidInput):
            MLDSA.sign(head(1).text, timestamp=timestamp)


def test_key_signs_only_as_what_it_is() -> None:
    """An Ed25519 key makes no ML-DSA line, and the other way round."""
    with pytest.raises(InvalidInput):
        NoteSigner("w", private_key("w"), NoteAlgorithm.COSIGNATURE_MLDSA44)
    with pytest.raises(InvalidInput):
        NoteSigner("w", MLDSA44PrivateKey.from_seed_bytes(bytes(32)))


def test_witness_of_two_algorithms_answers_with_both_lines() -> None:
    """A policy may count either."""
    note = head(5)
    answer = witness_of(W1, MLDSA).answer(format_request(0, [], note.to_bytes()))
    assert lines_of(answer, note, W1.verifier, MLDSA.verifier) == [W1.verifier, MLDSA.verifier]
    assert isinstance(answer, bytes)
    cosigned = note.with_signatures(parse_signature_lines(answer.decode()))
    for key in (W1.verifier, MLDSA.verifier):
        text = f"log {LOG.verifier.to_text()}\nwitness w {key.to_text()}\nquorum w\n"
        assert Policy.from_text(text).verify_cosigned(cosigned).times == {"w": NOW}


def test_log_may_sign_with_several_keys_and_the_witness_takes_those_it_knows() -> None:
    """Unknown log keys are passed over; a bad line of a known one is refused."""
    new = NoteSigner(ORIGIN, private_key("log next"))
    note = head(5)
    both = note.with_signatures([new.sign(note.text)])
    assert isinstance(witness_of(W1).answer(format_request(0, [], both.to_bytes())), bytes)
    forged = note.with_signatures([new.sign("other\n")])
    app = WitnessApp(
        signers=[W1],
        logs={ORIGIN: (LOG.verifier, new.verifier)},
        memory=WitnessMemory(MemoryTiles()),
        now=lambda: NOW,
    )
    refused = app.answer(format_request(0, [], forged.to_bytes()))
    assert isinstance(refused, Refused)
    assert refused.status == 403


def test_rotated_keys_sign_together_and_then_alone(tmp_path: Path) -> None:
    """Before: one line. During: old and new. After: the new one, in the old one's place."""
    path = tmp_path / "key.pem"
    (old,) = load_note_keys(path)
    (new,) = begin_rotation(path)
    assert [k.private_bytes_raw() for k in load_note_keys(path)] == [
        old.private_bytes_raw(),
        new.private_bytes_raw(),
    ]
    (left,) = finish_rotation(path)
    assert left.private_bytes_raw() == new.private_bytes_raw()
    assert not next_of(path).exists()
    assert path.stat().st_mode & 0o777 == 0o600


def test_rotation_takes_the_post_quantum_sister_along(tmp_path: Path) -> None:
    """Both algorithms change together, and a rotation that was cut between them is completed."""
    path = tmp_path / "key.pem"
    load_note_keys(path, post_quantum=True)
    create_note_key(next_of(path))  # a crash after the first of two draws
    begin_rotation(path)
    assert len(load_note_keys(path)) == 4
    next_of(path).replace(path)  # a crash after the first of two replacements
    assert len(finish_rotation(path)) == 2
    assert not next_of(post_quantum_of(path)).exists()


def test_rotation_is_never_begun_twice_nor_finished_before_it_began(tmp_path: Path) -> None:
    """No key is lost by a command given twice."""
    path = tmp_path / "key.pem"
    with pytest.raises(InvalidInput):
        begin_rotation(path)
    load_note_keys(path)
    with pytest.raises(StateConflict, match="no rotation"):
        finish_rotation(path)
    begin_rotation(path)
    with pytest.raises(StateConflict, match="under way"):
        begin_rotation(path)


def test_key_file_that_is_none_is_named(tmp_path: Path) -> None:
    """Unreadable, readable by others, another kind of key: each by its file."""
    path = tmp_path / "key.pem"
    with pytest.raises(InvalidInput, match=r"key\.pem"):
        load_note_key(path)
    create_note_key(path)
    with pytest.raises(StateConflict):
        create_note_key(path)
    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="chmod 600"):
        load_note_key(path)
    path.chmod(0o600)
    path.write_bytes(b"nonsense")
    with pytest.raises(InvalidInput, match=r"key\.pem"):
        load_note_key(path)


def rotate(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[str]]:
    """`sekisho log witness rotate`: its exit code, and the keys that sign afterwards."""
    capsys.readouterr()
    code = call(["log", "witness", "rotate", "--state", str(folder), *more, "--json"], SETTINGS)
    document = json.loads(capsys.readouterr().out)
    return code, document.get("vkeys", [])


def test_witness_process_rotates_its_key_and_forgets_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Old, both, new: the memory is one throughout, and the name is asked for once."""
    name = "example.org/w"
    with (
        running_witness(tmp_path, name, LOG.verifier) as (first, _),
        HttpWitness(first.address) as client,
    ):
        client.add_checkpoint(0, [], head(3).to_bytes())
    code, keys = rotate(tmp_path, capsys)
    assert (code, keys[0], len(keys)) == (0, first.vkey, 2)
    assert rotate(tmp_path, capsys)[0] == 1
    with running_witness(tmp_path, name, LOG.verifier) as (both, _):
        assert both.vkeys == keys
        with HttpWitness(both.address) as client:
            answer = client.add_checkpoint(3, proof(3, 5), head(5).to_bytes())
        assert len(parse_signature_lines(answer.decode())) == 2
    assert rotate(tmp_path, capsys, "--finish") == (0, [keys[1]])
    with running_witness(tmp_path, "", LOG.verifier) as (last, _):
        assert (last.name, last.vkeys) == (name, [keys[1]])
        with HttpWitness(last.address) as client, pytest.raises(WitnessConflict) as conflict:
            client.add_checkpoint(0, [], head(4).to_bytes())
        assert conflict.value.size == 5


def test_witness_without_a_name_says_so(tmp_path: Path) -> None:
    """The first start needs one."""
    with (
        pytest.raises(ChildProcessError, match="needs a name"),
        running_witness(tmp_path, "", LOG.verifier),
    ):
        pass


def test_post_quantum_witness_process_answers_with_both_lines(tmp_path: Path) -> None:
    """`--post-quantum` draws the second key at the first start and keeps it."""
    more = ("--post-quantum",)
    with running_witness(tmp_path, "example.org/w", LOG.verifier, *more) as (ready, _):
        kinds = [VerifierKey.from_text(text).algorithm for text in ready.vkeys]
        assert [int(kind) for kind in kinds] == [4, 6]
        with HttpWitness(ready.address) as client:
            answer = client.add_checkpoint(0, [], head(3).to_bytes())
    lines = parse_signature_lines(answer.decode())
    for text, line in zip(ready.vkeys, lines, strict=True):
        VerifierKey.from_text(text).verify(head(3).text, line)


def test_concurrent_requests_for_one_origin_never_roll_the_witness_back(tmp_path: Path) -> None:
    """Many submitters at once: every size that was cosigned is at most the one remembered at the end."""
    granted: list[int] = []
    lock = threading.Lock()
    with running_witness(tmp_path, "example.org/w", LOG.verifier) as (ready, _):

        def submit(size: int) -> None:
            with HttpWitness(ready.address) as client:
                old = 0
                for _ in range(12):
                    try:
                        client.add_checkpoint(old, proof(old, size), head(size).to_bytes())
                    except WitnessConflict as conflict:
                        if conflict.size > size:
                            return
                        old = conflict.size
                    else:
                        with lock:
                            granted.append(size)
                        return

        threads = [threading.Thread(target=submit, args=(size,)) for size in range(1, 13)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    (memory,) = (tmp_path / "logs").iterdir()
    assert memory.read_bytes() == head(max(granted)).to_bytes()
    assert 12 in granted


@pytest.mark.parametrize("as_json", [True, False])
def test_witness_command_runs_the_witness_and_says_so_once(tmp_path: Path, as_json: bool) -> None:
    """`sekisho log witness` is the same process: its first line tells address and keys, and it answers."""
    command = [sys.executable, "-m", "sekisho.cli", "log", "witness", "--state", str(tmp_path)]
    command += ["--name", "example.org/w", "--log", LOG.verifier.to_text()]
    command += ["--json"] if as_json else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            address = json.loads(line)["address"] if as_json else line.split()[4].rstrip(";")
            with HttpWitness(address) as client:
                assert client.add_checkpoint(0, [], head(3).to_bytes()).startswith(b"\xe2\x80\x94")
            if not as_json:
                assert process.stdout.readline().startswith("  witness w example.org/w+")
        finally:
            process.terminate()
            assert process.wait(60) == 0


def test_witness_command_tells_people_what_to_write_into_a_policy(tmp_path: Path) -> None:
    """The words hold a witness line that a policy reads."""
    from sekisho.cli.log_serving import _policy_lines

    (line,) = _policy_lines([W1.verifier])
    policy = Policy.from_text(f"log {LOG.verifier.to_text()}\n{line}\nquorum w1\n")
    assert policy.witnesses[0].key == W1.verifier
    lines = _policy_lines([W1.verifier, MLDSA.verifier])
    Policy.from_text("\n".join([*lines, "quorum none", ""]))


def test_evidence_is_kept_whole_on_disk(tmp_path: Path) -> None:
    """The same conflict twice is one file, and a later process keeps it."""
    files = FileTileStore(tmp_path)
    app = WitnessApp(signers=[W1], logs=LOGS, memory=WitnessMemory(files), now=lambda: NOW)
    app.answer(format_request(0, [], head(3).to_bytes()))
    forked = signed(3, root_of(entries_of(3, fork_at=1)))
    for _ in range(2):
        refused = app.answer(format_request(3, [], forked.to_bytes()))
        assert isinstance(refused, Refused)
    (path,) = (tmp_path / "evidence").iterdir()
    assert path.name.startswith("fork-")
