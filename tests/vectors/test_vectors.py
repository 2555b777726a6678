from __future__ import annotations

import base64
import hashlib
import json

import pytest

from sekisho.ledger.evidence import ForkEvidence, judge_evidence
from sekisho.model.statements import KINDS, parse_payload
from sekisho.model.wire import sha256_hex
from sekisho.signing import parse_envelope, parse_trust, verify_disclosure
from sekisho.signing.notes import NoteSigner
from tests.factory import LOG
from tests.factory_kinds import one_of_each, regime_of_each
from tests.vectors.remake import FOLDER, LOG_NAME, MANIFEST_TYPE, make_all

FILES = make_all()
LINES = (FOLDER / "envelopes.jsonl").read_bytes().splitlines()


@pytest.mark.parametrize("name", FILES)
def test_the_committed_vector_is_made_again_byte_for_byte(name: str) -> None:
    """A wire format that changes, changes here first."""
    assert (FOLDER / name).read_bytes() == FILES[name]


def test_no_vector_is_left_over() -> None:
    """Every committed vector is one that is made."""
    kept = {path.name for path in FOLDER.iterdir() if path.is_file() and path.suffix != ".py"}
    assert kept == set(FILES)


@pytest.mark.parametrize(("kind", "line"), list(zip(KINDS, LINES, strict=True)), ids=list(KINDS))
def test_the_committed_envelope_is_read_verified_and_digested(kind: str, line: bytes) -> None:
    """Old bytes stay readable: parsed, under their keys, with their digests."""
    statement = parse_payload(parse_envelope(line).payload)
    assert (statement.kind, statement.predicate) == (kind, one_of_each()[kind])
    row = json.loads((FOLDER / "digests.json").read_bytes())[kind]
    assert statement.digest == row["payload"]
    assert row["leaf"] == sha256_hex(b"\x00" + line)
    if kind != "charter-adopted":
        known = regime_of_each()
        assert known.verify(line).digest == statement.digest


def test_the_committed_encodings_are_what_a_stranger_computes() -> None:
    """Each from its written definition, with nothing of ours but the hash."""
    encodings = json.loads((FOLDER / "encodings.json").read_bytes())
    nonce = encodings["halt_nonce"]
    for purpose in ("observe", "device host-1/device-0"):
        text = f"sekisho halt nonce v1\n{nonce['size']}\n{nonce['root']}\nhost-1\n{purpose}\n"
        assert nonce[purpose] == sha256_hex(text.encode())
    listed = json.dumps(encodings["in_force"]["orders"], sort_keys=True, separators=(",", ":"))
    assert encodings["in_force"]["root"] == sha256_hex(listed.encode())
    assert encodings["empty_register"] == sha256_hex(b"")
    sd = encodings["sd"]
    assert verify_disclosure(sd["disclosure"], (sd["digest"],)).value == "62000000000"


def test_the_committed_manifest_and_trust_file_are_read() -> None:
    """The two documents that are no statements."""
    manifest = (FOLDER / "manifest.dsse").read_bytes().rstrip(b"\n")
    assert parse_envelope(manifest, payload_type=MANIFEST_TYPE).payload == b"{}"
    (root,) = parse_trust((FOLDER / "trust.json").read_bytes())
    assert root.origin == "log.example/sekisho"


def test_the_committed_evidence_of_a_fork_convicts_by_the_logs_key_alone() -> None:
    """From the document's definition: every hash recomputed with SHA-256, the key from its seed."""
    data = (FOLDER / "fork.json").read_bytes().removesuffix(b"\n")
    evidence = ForkEvidence.from_bytes(data)
    key = NoteSigner(LOG_NAME, LOG.private).verifier
    assert judge_evidence(evidence, [key]).verdict == "holds"
    document = json.loads(data)
    hashes = [base64.b64decode(text) for text in document["hashes"]]

    def over(left: bytes, right: bytes) -> bytes:
        return hashlib.sha256(b"\x01" + left + right).digest()

    # RFC 6962 section 2.1.2 between 5 and 7 leaves: leaf 4, its sibling 5, leaf 6, the first four.
    fourth, fifth, sixth, first_four = hashes
    assert over(first_four, fourth) == base64.b64decode(document["prefix"])
    whole = over(first_four, over(over(fourth, fifth), sixth))
    assert document["larger"].split("\n")[2] == base64.b64encode(whole).decode()
    assert document["smaller"].split("\n")[2] != document["prefix"]
