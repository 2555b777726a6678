"""Checkpoints: what a log signs about its tree. Source: C2SP tlog-checkpoint v1.0.0."""

from __future__ import annotations

import re

import msgspec

from sekisho.ledger.tree import EMPTY_ROOT, HASH_SIZE
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.model.wire import decode_base64, encode_base64
from sekisho.signing.notes import (
    MAX_NOTE_BYTES,
    Note,
    NoteSigner,
    VerifierKey,
    parse_decimal,
    verify_note,
)

__all__ = ["Checkpoint", "WrongOrigin", "sign_checkpoint", "verify_checkpoint"]

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_FETCH_AGAIN = "fetch the checkpoint again, whole, or take it from another copy of the log"


class WrongOrigin(BadSignature):
    """A checkpoint of one log under the key of another."""

    code = "wrong-origin"


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A log's name, its size in entries and its root hash (32 bytes).

    `extensions` are further lines of the log; they are kept and mean nothing here.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @classmethod
    def from_text(cls, text: str, *, path: str = "checkpoint") -> Checkpoint:
        """Read a note's text strictly. An empty tree has one root only. Raises InvalidInput."""
        if len(text) > MAX_NOTE_BYTES or _CONTROL.search(text):
            raise InvalidInput(
                f"longer than {MAX_NOTE_BYTES} characters, or with a control character in it",
                path=path,
                remedy=_FETCH_AGAIN,
            )
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise InvalidInput(
                "needs three lines (origin, size, root), none empty", path=path, remedy=_FETCH_AGAIN
            )
        origin, size_line, root_line, *extensions = lines
        size = parse_decimal(size_line, path=f"{path} line 2")
        root = decode_base64(root_line, path=f"{path} line 3")
        if len(root) != HASH_SIZE:
            raise InvalidInput(
                f"the root hash is {len(root)} bytes long, not 32",
                path=f"{path} line 3",
                remedy=_FETCH_AGAIN,
            )
        if size == 0 and root != EMPTY_ROOT:
            raise InvalidInput(
                "size 0 with another root than the SHA-256 of nothing",
                path=f"{path} line 3",
                remedy="ask the log's owner: no tree has this root",
            )
        return cls(origin=origin, size=size, root=root, extensions=tuple(extensions))

    def to_text(self) -> str:
        lines = [self.origin, str(self.size), encode_base64(self.root), *self.extensions]
        return "\n".join(lines) + "\n"


def sign_checkpoint(checkpoint: Checkpoint, *signers: NoteSigner) -> Note:
    """The checkpoint as a note under the log's own key, or under its old and its new one while that changes."""
    text = checkpoint.to_text()
    return Note(text=text, signatures=tuple(signer.sign(text) for signer in signers))


def verify_checkpoint(note: Note, key: VerifierKey) -> Checkpoint:
    """The checkpoint of the log whose key this is. Raises BadSignature, WrongOrigin, InvalidInput."""
    verify_note(note, (key,))
    checkpoint = Checkpoint.from_text(note.text)
    if checkpoint.origin != key.name:
        raise WrongOrigin(f"a checkpoint of {checkpoint.origin!r} under the key of {key.name!r}")
    return checkpoint
