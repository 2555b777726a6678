"""The log's committed bytes: made again byte for byte, read by our code, and computed as a stranger would."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger import Checkpoint, LogReader, Policy, Tile, TlogProof, check_log
from sekisho.ledger.proof_rows import check_proof_rows
from sekisho.ledger.tiles import decode_bundle
from sekisho.ledger.witness import Granted, decide, parse_request
from sekisho.model.errors import InvalidInput
from sekisho.signing.notes import Note, VerifierKey
from tests.ledger import reference
from tests.vectors.remake_log import ENTRIES, FOLDER, make_all

FILES = make_all()
POLICY = Policy.from_text((FOLDER / "policy.txt").read_text(encoding="utf-8"))


def load(name: str) -> Any:
    """A committed JSON file."""
    return json.loads((FOLDER / name).read_bytes())


@pytest.mark.parametrize("name", FILES)
def test_the_committed_log_vector_is_made_again_byte_for_byte(name: str) -> None:
    """A wire format that changes, changes here first."""
    assert (FOLDER / name).read_bytes() == FILES[name]


def test_no_log_vector_is_left_over() -> None:
    """Every committed file below log/ is one that is made."""
    kept = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    assert kept == set(FILES)


def test_the_committed_folder_is_a_log_that_holds() -> None:
    """The files verify under the policy as any log's folder does, and give back every entry."""
    store = FileTileStore(FOLDER / "folder")
    assert check_log(store, POLICY).faults == ()
    reader = LogReader(store)
    cosigned = reader.load_checkpoint(POLICY)
    assert list(reader.entries(0, 300, cosigned.checkpoint)) == ENTRIES
    assert cosigned.times == {"w1": 1_800_000_000, "w2": 1_800_000_001, "w4": 1_800_000_002}


def test_the_committed_empty_checkpoint_holds() -> None:
    """A log of nothing has a checkpoint too: size 0 and the hash of nothing."""
    text = (FOLDER / "empty/checkpoint").read_text(encoding="utf-8")
    assert text.startswith(
        "log.example/vectors\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"
    )
    store = FileTileStore(FOLDER / "empty")
    assert check_log(store, Policy.of_log(*POLICY.logs)).size == 0


def test_the_committed_roots_are_what_a_stranger_computes() -> None:
    """Entry N is the text "entry N"; the root over the first of them by the recursive definition."""
    roots = load("roots.json")
    for size, root in roots.items():
        leaves = [reference.leaf(b"entry %d" % number) for number in range(int(size))]
        assert reference.mth(leaves).hex() == root
    line = (FOLDER / "folder/checkpoint").read_bytes().split(b"\n")[2]
    assert base64.b64decode(line).hex() == roots["300"]


def test_the_committed_keys_are_what_a_stranger_derives() -> None:
    """Seeds from their names, public keys from seeds, key ids from name, type byte and public key."""
    keys = load("keys.json")
    assert {key["type"] for key in keys.values()} == {1, 4, 6}
    for label, key in keys.items():
        private = hashlib.sha256(f"sekisho log vector {label}".encode()).digest()
        assert key["private"] == private.hex()
        made: Ed25519PrivateKey | MLDSA44PrivateKey = (
            MLDSA44PrivateKey.from_seed_bytes(private)
            if key["type"] == 6
            else Ed25519PrivateKey.from_private_bytes(private)
        )
        material = bytes([key["type"]]) + made.public_key().public_bytes_raw()
        digest = hashlib.sha256(key["name"].encode() + b"\n" + material).digest()
        assert key["key_id"] == digest[:4].hex()
        text = f"{key['name']}+{digest[:4].hex()}+{base64.b64encode(material).decode()}"
        assert key["vkey"] == text
        assert VerifierKey.from_text(text).public_key == material[1:]


def test_the_committed_cosignatures_verify_over_the_committed_messages() -> None:
    """With nothing of ours: each line's signature, behind its eight bytes of time, over the message that is written."""
    keys = {key["key_id"]: key for key in load("keys.json").values()}
    lines = (FOLDER / "folder/checkpoint").read_text(encoding="utf-8").split("\n\n")[1].split("\n")
    rows = load("cosignatures.json")
    assert [row["name"] for row in rows] == [line.split(" ")[1] for line in lines[:-1]]
    for row, line in zip(rows, lines, strict=False):
        key, signature = keys[row["key_id"]], base64.b64decode(row["signature"])
        assert base64.b64decode(line.split(" ")[2]) == bytes.fromhex(row["key_id"]) + signature
        public = base64.b64decode(key["vkey"].split("+", 2)[2])[1:]
        message = base64.b64decode(row["message"])
        if key["type"] == 6:
            MLDSA44PublicKey.from_public_bytes(public).verify(signature[8:], message)
        else:
            plain = signature[8:] if key["type"] == 4 else signature
            Ed25519PublicKey.from_public_bytes(public).verify(plain, message)


def test_the_committed_paths_are_the_only_spelling() -> None:
    """Level, index and width there and back."""
    for row in load("paths.json"):
        level = None if row["level"] == "entries" else row["level"]
        tile = Tile(level=level, index=row["index"], width=row["width"])
        assert tile.to_path() == row["path"]
        assert Tile.from_path(row["path"]) == tile


def test_the_committed_bundles_are_what_a_stranger_writes() -> None:
    """A length in two bytes, high byte first, before each entry; the leaf is over the entry alone."""
    rows = load("bundles.json")
    assert max(length for row in rows for length in row["lengths"]) == 65_535
    for row in rows:
        if "bundle" not in row:
            continue
        data = base64.b64decode(row["bundle"])
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        entries, left = [], data
        for length in row["lengths"]:
            assert int.from_bytes(left[:2], "big") == length
            entries.append(left[2 : 2 + length])
            left = left[2 + length :]
        assert not left
        assert [reference.leaf(entry).hex() for entry in entries] == row["leaves"]
        assert decode_bundle(data, len(entries), path="bundle") == entries


def test_the_committed_policy_counts_as_it_says() -> None:
    """Two of w1, w2, w3 and w4: for each of the sixteen sets."""
    rows = load("policy.json")
    assert len(rows) == 16
    for row in rows:
        names = set(row["cosigned"])
        assert row["quorum"] == (len(names - {"w4"}) >= 2 and "w4" in names)
        assert POLICY.is_satisfied(names) == row["quorum"]
    assert POLICY.to_text() == (FOLDER / "policy.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("index", "extra"), [(4, None), (299, b"context")])
def test_the_committed_proof_files_show_their_entries(index: int, extra: bytes | None) -> None:
    """Read, verified under the policy, and written back as the same bytes."""
    text = (FOLDER / f"proof-{index}.tlog-proof").read_text(encoding="utf-8")
    proof = TlogProof.from_text(text)
    assert (proof.index, proof.extra, proof.to_text()) == (index, extra, text)
    assert proof.verify(ENTRIES[index], POLICY).checkpoint.size == 300


def test_the_committed_proof_rows_get_their_verdicts() -> None:
    """One verdict a row, in order; the failing ones fail, and are not taken for bad input."""
    answers = check_proof_rows((FOLDER / "proofs.jsonl").read_bytes(), path="proofs.jsonl")
    assert [getattr(answer, "verdict", "row error") for answer in answers] == load("proofs.json")
    assert load("proofs.json") == ["holds"] * 15 + ["fails"] * 15


@pytest.mark.parametrize("row", load("add-checkpoint.json"), ids=lambda row: row["what"])
def test_the_committed_requests_get_their_answers(row: dict[str, Any]) -> None:
    """A witness with the named memory answers with the named status; a conflict carries its size."""
    held = None if row["held"] is None else Note.from_bytes(row["held"].encode())
    raw, logs = row["request"].encode(), {POLICY.logs[0].name: POLICY.logs}
    if row["status"] == 400 and row["what"] != "old above size":
        with pytest.raises(InvalidInput):
            parse_request(raw)
        return
    decision = decide(parse_request(raw), logs, held)
    if isinstance(decision, Granted):
        assert row["status"] == 200
        grown = Checkpoint.from_text(decision.note.text).size
        assert grown >= (Checkpoint.from_text(held.text).size if held else 0)
    else:
        assert decision.status == row["status"]
        assert decision.status != 409 or (decision.content_type, decision.body) == (
            "text/x.tlog.size",
            "256\n",
        )


def test_every_status_of_a_witness_has_its_vector() -> None:
    """200, 400, 403, 404, 409 and 422 are all there."""
    assert {row["status"] for row in load("add-checkpoint.json")} == {200, 400, 403, 404, 409, 422}
