"""Golden vectors of the log: a whole small log as files, notes, cosignatures, witness requests, proofs, policies.

`python -m tests.vectors.remake_log` writes them anew below `log/`, from keys that anybody can derive. No two ML-DSA-44
signatures are alike, so a committed one is kept as long as it verifies over the message that it must sign.
"""

from __future__ import annotations

import hashlib
import json
from itertools import combinations
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from sekisho.ledger import Checkpoint, LogReader, Policy, Tile, TlogProof, sign_checkpoint
from sekisho.ledger.proof_rows import ProofVerdict, check_proof_rows
from sekisho.ledger.tiles import encode_bundle
from sekisho.ledger.witness import Granted, Refused, decide, parse_request
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.model.wire import canonical, encode_base64
from sekisho.signing.notes import Note, NoteSignature, NoteSigner
from tests.ledger import reference
from tests.ledger.logs import MemoryTiles

__all__ = ["FOLDER", "make_all"]

FOLDER = Path(__file__).parent / "log"
ORIGIN = "log.example/vectors"
NOW = 1_800_000_000
SIZE, OLD = 300, 256
PATHS = (
    Tile(level=0, index=0),
    Tile(level=0, index=0, width=1),
    Tile(level=0, index=999, width=255),
    Tile(level=0, index=1000),
    Tile(level=1, index=1_234_067, width=8),
    Tile(level=7, index=0, width=1),
    Tile(level=63, index=0, width=1),
    Tile(level=None, index=0),
    Tile(level=None, index=1_234_067, width=112),
    Tile(level=None, index=123_456_789_012),
)


def seed(name: str) -> bytes:
    """The 32 bytes of a private key: SHA-256 over "sekisho log vector " and its name."""
    return hashlib.sha256(f"sekisho log vector {name}".encode()).digest()


def ed25519(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed(name))


LOG = NoteSigner(ORIGIN, ed25519("log"))
W1 = NoteSigner.cosigner("witness.example/w1", ed25519("w1"))
W2 = NoteSigner.cosigner("witness.example/w2", MLDSA44PrivateKey.from_seed_bytes(seed("w2")))
W3 = NoteSigner.cosigner("witness.example/w3", ed25519("w3"))
W4 = NoteSigner.cosigner("witness.example/w4", ed25519("w4"))
STRANGER = NoteSigner("stranger.example/log", ed25519("stranger"))
ENTRIES = [f"entry {number}".encode() for number in range(SIZE)]
POLICY = Policy.from_text(
    f"log {LOG.verifier.to_text()} https://log.example/vectors\n"
    f"witness w1 {W1.verifier.to_text()} https://w1.example\n"
    f"witness w2 {W2.verifier.to_text()}\n"
    f"witness w3 {W3.verifier.to_text()}\n"
    f"witness w4 {W4.verifier.to_text()}\n"
    "group near 2 w1 w2 w3\n"
    "group far any w4\n"
    "group both all near far\n"
    "quorum both\n"
)


def make_all() -> dict[str, bytes]:
    """Every vector file by its path below `log/`."""
    note = _cosigned(SIZE)
    files = {f"folder/{path}": data for path, data in reference.log_files(ENTRIES).items()}
    return {
        **files,
        "folder/checkpoint": note.to_bytes(),
        "empty/checkpoint": sign_checkpoint(_checkpoint(0), LOG).to_bytes(),
        "keys.json": _json(_keys()),
        "paths.json": _json([_path(tile) for tile in PATHS]),
        "bundles.json": _json(_bundles()),
        "roots.json": _json(_roots()),
        "cosignatures.json": _json(_cosignatures(note)),
        "policy.txt": POLICY.to_text().encode(),
        "policy.json": _json(_quorums()),
        "proof-4.tlog-proof": _proof(4, note, None),
        "proof-299.tlog-proof": _proof(299, note, b"context"),
        "add-checkpoint.json": _json(_requests()),
        "proofs.jsonl": _proof_rows(),
        "proofs.json": _json(_verdicts()),
    }


def _json(value: Any) -> bytes:
    return canonical(value) + b"\n"


def _root(size: int) -> bytes:
    return reference.mth([reference.leaf(entry) for entry in ENTRIES[:size]])


def _checkpoint(size: int) -> Checkpoint:
    return Checkpoint(origin=ORIGIN, size=size, root=_root(size))


def _cosigned(size: int) -> Note:
    """Signed by the log and by a key that no reader knows, cosigned by three of four witnesses."""
    note = sign_checkpoint(_checkpoint(size), LOG)
    lines = [STRANGER.sign(note.text), W1.sign(note.text, timestamp=NOW)]
    lines += [_steady(W2, note.text, NOW + 1), W4.sign(note.text, timestamp=NOW + 2)]
    return note.with_signatures(lines)


def _steady(signer: NoteSigner, text: str, timestamp: int) -> NoteSignature:
    """The committed signature of a key that never signs twice alike, while it still verifies."""
    committed = FOLDER / "folder/checkpoint"
    fresh = signer.sign(text, timestamp=timestamp)
    if not committed.exists():
        return fresh
    for line in Note.from_bytes(committed.read_bytes()).signatures:
        try:
            verified = signer.verifier.verify(text, line) if signer.verifier.made(line) else None
        except BadSignature:
            continue
        if verified and verified.timestamp == timestamp:
            return line
    return fresh


def _keys() -> dict[str, Any]:
    signers = {"log": LOG, "w1": W1, "w2": W2, "w3": W3, "w4": W4, "stranger": STRANGER}
    return {
        name: {
            "private": seed(name).hex(),
            "name": signer.name,
            "type": int(signer.verifier.algorithm),
            "key_id": signer.verifier.key_id.hex(),
            "vkey": signer.verifier.to_text(),
        }
        for name, signer in signers.items()
    }


def _path(tile: Tile) -> dict[str, Any]:
    return {
        "level": "entries" if tile.level is None else tile.level,
        "index": tile.index,
        "width": tile.width,
        "path": tile.to_path(),
    }


def _bundles() -> list[dict[str, Any]]:
    """Bundles around the edges of a 16-bit length; the bytes of long ones by their digest."""
    rows = []
    for entries in ([b"a"], [b"a", b"bc" * 129], [b"", b"x"], [bytes(65_535)]):
        bundle = encode_bundle(entries)
        short = {"bundle": encode_base64(bundle)} if len(bundle) < 1000 else {}
        rows.append(
            {
                "lengths": [len(entry) for entry in entries],
                "leaves": [reference.leaf(entry).hex() for entry in entries],
                "sha256": hashlib.sha256(bundle).hexdigest(),
                **short,
            }
        )
    return rows


def _roots() -> dict[str, str]:
    """The root of the first entries, at sizes around every turn."""
    return {str(size): _root(size).hex() for size in (0, 1, 2, 3, 7, 8, 255, 256, 257, 299, 300)}


def _cosignatures(note: Note) -> list[dict[str, Any]]:
    """What exactly each line of the checkpoint signs, and its bytes."""
    text, checkpoint = note.text, Checkpoint.from_text(note.text)
    long = b"subtree/v1\n\x00" + bytes([len(W2.name)]) + W2.name.encode()
    long += (NOW + 1).to_bytes(8, "big") + bytes([len(ORIGIN)]) + ORIGIN.encode()
    long += bytes(8) + checkpoint.size.to_bytes(8, "big") + checkpoint.root
    messages = [
        text.encode(),
        text.encode(),
        f"cosignature/v1\ntime {NOW}\n{text}".encode(),
        long,
        f"cosignature/v1\ntime {NOW + 2}\n{text}".encode(),
    ]
    return [
        {
            "name": line.name,
            "key_id": line.key_id.hex(),
            "message": encode_base64(message),
            "signature": encode_base64(line.signature),
        }
        for line, message in zip(note.signatures, messages, strict=True)
    ]


def _quorums() -> list[dict[str, Any]]:
    """Every set of witnesses, and whether it makes the quorum."""
    names = ("w1", "w2", "w3", "w4")
    sets = [chosen for count in range(5) for chosen in combinations(names, count)]
    return [{"cosigned": list(each), "quorum": POLICY.is_satisfied(each)} for each in sets]


def _reader() -> LogReader:
    return LogReader(MemoryTiles(reference.log_files(ENTRIES)))


def _proof(index: int, note: Note, extra: bytes | None) -> bytes:
    hashes = tuple(_reader().inclusion_proof(index, SIZE))
    return TlogProof(index=index, hashes=hashes, note=note, extra=extra).to_text().encode()


def _growth(old: int, new: int) -> list[bytes]:
    leaves = [reference.leaf(entry) for entry in ENTRIES]
    return reference.proof(old, 0, new, lambda start, stop: reference.mth(leaves[start:stop]))


def _request(old: int, hashes: list[bytes], note: bytes) -> bytes:
    """Written here and not by the client, which refuses some of these before a witness can."""
    lines = [f"old {old}", *(encode_base64(item) for item in hashes), "", ""]
    return "\n".join(lines).encode() + note


def _requests() -> list[dict[str, Any]]:
    """Requests to a witness that holds nothing, or the checkpoint of size 256, and its answers."""
    note = {size: sign_checkpoint(_checkpoint(size), LOG) for size in (0, 7, OLD, SIZE)}
    forked = sign_checkpoint(Checkpoint(origin=ORIGIN, size=OLD, root=bytes(32)), LOG)
    other = Checkpoint(origin="log.example/unknown", size=1, root=bytes(32))
    unsigned = Note(text=note[SIZE].text, signatures=(STRANGER.sign(note[SIZE].text),))
    growth, held = _growth(OLD, SIZE), note[OLD]
    asked: list[tuple[str, bytes, Note | None]] = [
        ("first", _request(0, [], note[OLD].to_bytes()), None),
        ("first, empty tree", _request(0, [], note[0].to_bytes()), None),
        ("grown", _request(OLD, growth, note[SIZE].to_bytes()), held),
        ("again", _request(OLD, [], note[OLD].to_bytes()), held),
        ("unreadable", b"old 01\n\n" + note[SIZE].to_bytes(), held),
        ("old above size", _request(SIZE + 1, [], note[SIZE].to_bytes()), held),
        ("64 proof lines", _request(OLD, [bytes(32)] * 64, note[SIZE].to_bytes()), held),
        ("not signed by the log", _request(OLD, growth, unsigned.to_bytes()), held),
        ("unknown log", _request(0, [], sign_checkpoint(other, STRANGER).to_bytes()), held),
        ("from another size", _request(0, [], note[SIZE].to_bytes()), held),
        ("smaller", _request(7, [], note[7].to_bytes()), held),
        ("one size, two roots", _request(OLD, [], forked.to_bytes()), held),
        ("proof of nothing", _request(OLD, growth[1:], note[SIZE].to_bytes()), held),
        ("proof with the first", _request(0, growth, note[SIZE].to_bytes()), None),
    ]
    return [_answered(what, request, kept) for what, request, kept in asked]


def _answered(what: str, request: bytes, held: Note | None) -> dict[str, Any]:
    """The answer of w1 at NOW. Where the body is a sentence for people, it is no part of the format."""
    row: dict[str, Any] = {
        "what": what,
        "held": held.to_bytes().decode() if held else None,
        "request": request.decode(),
    }
    try:
        decision = decide(parse_request(request), {ORIGIN: (LOG.verifier,)}, held)
    except InvalidInput:
        return {**row, "status": 400}
    if isinstance(decision, Granted):
        line = W1.sign(decision.note.text, timestamp=NOW).to_line()
        return {**row, "status": 200, "body": line}
    return {**row, "status": decision.status, **_size_body(decision)}


def _size_body(refused: Refused) -> dict[str, str]:
    if refused.status != 409:
        return {}
    return {"type": refused.content_type, "body": refused.body}


def _proof_rows() -> bytes:
    """Rows for `log check-proof`: at each turn of the tree one that holds, then one of each that fails."""
    leaves = [reference.leaf(entry) for entry in ENTRIES]
    rows: list[dict[str, Any]] = []
    for index, size in (
        (0, 1),
        (0, 2),
        (4, 7),
        (6, 7),
        (255, 256),
        (256, 257),
        (4, 300),
        (299, 300),
    ):
        path = reference.path(index, 0, size, lambda start, stop: reference.mth(leaves[start:stop]))
        rows.append(_inclusion(index, size, path))
    for old, new in ((1, 2), (3, 7), (4, 7), (7, 7), (255, 256), (256, 300), (299, 300)):
        rows.append(_consistency(old, new, _growth(old, new)))
    good, grown = rows[2], _consistency(3, 7, _growth(3, 7))
    rows += [
        {**good, "leafIdx": 5},
        {**good, "leafIdx": 7},
        {**good, "treeSize": 9},
        {**good, "leafHash": encode_base64(leaves[5])},
        {**good, "root": encode_base64(bytes(32))},
        {**good, "proof": good["proof"][:-1]},
        {**good, "proof": [*good["proof"], good["proof"][0]]},
        {**good, "proof": good["proof"][::-1]},
        {**good, "proof": None},
        {**grown, "size1": 4},
        {**grown, "root1": grown["root2"]},
        {**grown, "proof": grown["proof"][1:]},
        {**grown, "proof": []},
        {**_consistency(3, 7, []), "size1": 0},
        {**_consistency(7, 7, []), "proof": [encode_base64(bytes(32))]},
    ]
    return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)


def _inclusion(index: int, size: int, path: list[bytes]) -> dict[str, Any]:
    return {
        "kind": "inclusion",
        "leafIdx": index,
        "treeSize": size,
        "root": encode_base64(_root(size)),
        "leafHash": encode_base64(reference.leaf(ENTRIES[index])),
        "proof": [encode_base64(item) for item in path],
    }


def _consistency(old: int, new: int, path: list[bytes]) -> dict[str, Any]:
    return {
        "kind": "consistency",
        "size1": old,
        "size2": new,
        "root1": encode_base64(_root(old)),
        "root2": encode_base64(_root(new)),
        "proof": [encode_base64(item) for item in path],
    }


def _verdicts() -> list[str]:
    answers = check_proof_rows(_proof_rows(), path="proofs.jsonl")
    return [answer.verdict for answer in answers if isinstance(answer, ProofVerdict)]


if __name__ == "__main__":
    for name, data in make_all().items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_bytes(data)
