"""Offline proofs: one file that shows an entry in a witnessed log. Source: C2SP tlog-proof@v1."""

from __future__ import annotations

import msgspec

from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.policy import Cosigned, Policy
from sekisho.ledger.tree import HASH_SIZE, leaf_hash, verify_inclusion
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import decode_base64, encode_base64
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, parse_decimal

__all__ = ["MAX_PROOF_HASHES", "TlogProof"]

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_HASHES = 63


class TlogProof(msgspec.Struct, frozen=True, kw_only=True):
    """An entry's index, its inclusion proof and the checkpoint with its cosignatures.

    `extra` is opaque, unauthenticated data for the application; None where the file has no such line.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: Note
    extra: bytes | None = None

    @classmethod
    def from_text(cls, text: str, *, path: str = "proof") -> TlogProof:
        """Read a proof file strictly; nothing is verified yet. Raises InvalidInput with the line's number."""
        if len(text) > 2 * MAX_NOTE_BYTES:
            raise InvalidInput(f"longer than {2 * MAX_NOTE_BYTES} characters", path=path)
        head, blank, note = text.partition("\n\n")
        lines = head.split("\n")
        if lines.pop(0) != HEADER or not blank:
            raise InvalidInput(
                f"does not begin with {HEADER!r}, or has no checkpoint", path=f"{path} line 1"
            )
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = decode_base64(lines.pop(0).removeprefix("extra "), path=f"{path} line 2")
        if not lines or not lines[0].startswith("index "):
            raise InvalidInput("no index line", path=path)
        index = parse_decimal(lines.pop(0).removeprefix("index "), path=f"{path} index")
        hashes = parse_hash_lines(lines, path=path)
        return cls(
            index=index, hashes=hashes, note=Note.from_bytes(note.encode(), path=path), extra=extra
        )

    def to_text(self) -> str:
        extra = [] if self.extra is None else [f"extra {encode_base64(self.extra)}"]
        hashes = [encode_base64(item) for item in self.hashes]
        head = "\n".join([HEADER, *extra, f"index {self.index}", *hashes])
        return f"{head}\n\n{self.note.to_bytes().decode()}"

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint as written; trust it only after `verify`."""
        return Checkpoint.from_text(self.note.text)

    def verify(self, entry: bytes, policy: Policy) -> Cosigned:
        """Check that the policy's log, seen by its witnesses, holds exactly `entry` at `index`.

        1. signatures, origin and quorum of the checkpoint; 2. the path from the entry to its root. Raises
        BadSignature, QuorumMissing, BadProof and what `Policy.verify_cosigned` raises.
        """
        cosigned = policy.verify_cosigned(self.note)
        self.verify_inclusion(entry, cosigned.checkpoint)
        return cosigned

    def verify_inclusion(self, entry: bytes, checkpoint: Checkpoint) -> None:
        """The second step alone, under a checkpoint that the caller has verified. Raises BadProof."""
        verify_inclusion(
            leaf_hash(entry), self.index, checkpoint.size, self.hashes, checkpoint.root
        )


def parse_hash_lines(lines: list[str], *, path: str) -> tuple[bytes, ...]:
    """Base64 hashes, one a line, at most 63."""
    if len(lines) > MAX_PROOF_HASHES:
        raise InvalidInput(
            f"{len(lines)} hashes; a proof has at most {MAX_PROOF_HASHES}", path=path
        )
    hashes = tuple(decode_base64(line, path=path) for line in lines)
    if any(len(item) != HASH_SIZE for item in hashes):
        raise InvalidInput("a hash that is not 32 bytes long", path=path)
    return hashes
