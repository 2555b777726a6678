"""What a witness decides: to cosign a log's checkpoint, or not, and why. Pure.

Source: C2SP tlog-witness v1.0.0. Checked in this order: 1. the request can be read (400); 2. the origin is
known (404); 3. a trusted key of that log signed (403); 4. `old` is not above the checkpoint's size (400);
5. `old` is the size cosigned last (409 with that size); 6. at the same size, the same root (409); 7. the
checkpoint only appends to the one before (422).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.evidence import ForkEvidence, evidence_from_proof
from sekisho.ledger.proof import parse_hash_lines
from sekisho.ledger.tree import BadProof, verify_consistency
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, VerifierKey, parse_decimal, verify_note

__all__ = [
    "MAX_REQUEST_BYTES",
    "PLAIN_TYPE",
    "SIZE_TYPE",
    "AddCheckpoint",
    "Decision",
    "Granted",
    "Refused",
    "decide",
    "parse_request",
]

MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 8192
PLAIN_TYPE = "text/plain; charset=utf-8"
SIZE_TYPE = "text/x.tlog.size"


class AddCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A request: the size that the log believes the witness stands at, the proof from there, the note."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """Cosign this; to be stored durably before any cosignature leaves the house."""

    checkpoint: Checkpoint
    note: Note


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Do not cosign: the HTTP status, the body and its type, and what to keep as evidence."""

    status: int
    body: str
    content_type: str = PLAIN_TYPE
    evidence: ForkEvidence | None = None


Decision: TypeAlias = Granted | Refused


def parse_request(raw: bytes) -> AddCheckpoint:
    """Read an add-checkpoint body strictly. Raises InvalidInput."""
    if len(raw) > MAX_REQUEST_BYTES:
        raise InvalidInput(f"longer than {MAX_REQUEST_BYTES} bytes", path="request")
    head, blank, note_bytes = raw.partition(b"\n\n")
    if not blank or not head.isascii():
        raise InvalidInput("no blank line after the proof", path="request")
    old_line, *proof_lines = head.decode("ascii").split("\n")
    if not old_line.startswith("old "):
        raise InvalidInput("does not begin with 'old SIZE'", path="request line 1")
    old_size = parse_decimal(old_line.removeprefix("old "), path="request line 1")
    proof = parse_hash_lines(proof_lines, path="request proof")
    note = Note.from_bytes(note_bytes, path="request checkpoint")
    checkpoint = Checkpoint.from_text(note.text, path="request checkpoint")
    return AddCheckpoint(old_size=old_size, proof=proof, note=note, checkpoint=checkpoint)


def decide(
    request: AddCheckpoint, logs: Mapping[str, Sequence[VerifierKey]], held: Note | None
) -> Decision:
    """Judge a request against the logs' keys by origin and the note cosigned last for that origin."""
    checkpoint = request.checkpoint
    keys = logs.get(checkpoint.origin)
    if not keys:
        return Refused(status=404, body=f"unknown log {checkpoint.origin}\n")
    try:
        verify_note(request.note, keys)
    except BadSignature as error:
        return Refused(status=403, body=f"{error}\n")
    if request.old_size > checkpoint.size:
        return Refused(status=400, body="the old size is above the checkpoint's\n")
    if held is None:
        return _decide_first(request)
    return _decide_next(request, held, Checkpoint.from_text(held.text))


def _decide_first(request: AddCheckpoint) -> Decision:
    if request.old_size:
        return Refused(status=409, body="0\n", content_type=SIZE_TYPE)
    if request.proof:
        return Refused(status=422, body="a first checkpoint takes no proof\n")
    return Granted(checkpoint=request.checkpoint, note=request.note)


def _decide_next(request: AddCheckpoint, held_note: Note, held: Checkpoint) -> Decision:
    checkpoint = request.checkpoint
    if checkpoint.size == held.size and checkpoint.root != held.root:
        return Refused(
            status=409,
            body=f"{held.size}\n",
            content_type=SIZE_TYPE,
            evidence=ForkEvidence.of(held_note, request.note),
        )
    if request.old_size != held.size:
        return Refused(status=409, body=f"{held.size}\n", content_type=SIZE_TYPE)
    fault = _check_growth(request, held)
    if fault is not None:
        # The log's own hashes may prove the fork; where they do not, the notes are kept and not called proof.
        evidence = evidence_from_proof(held_note, request.note, request.proof)
        return Refused(status=422, body=f"{fault}\n", evidence=evidence)
    return Granted(checkpoint=checkpoint, note=request.note)


def _check_growth(request: AddCheckpoint, held: Checkpoint) -> str | None:
    if held.size == 0 and request.checkpoint.size:
        return "from the empty tree there is no proof" if request.proof else None
    try:
        verify_consistency(
            held.size, request.checkpoint.size, held.root, request.checkpoint.root, request.proof
        )
    except BadProof as error:
        return str(error)
    return None
