"""Checkpoints: what a log signs about its tree. Source: C2SP tlog-checkpoint v1.0.0."""

from __future__ import annotations

import msgspec

from sekisho.ledger.tree import EMPTY_ROOT, HASH_SIZE
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.model.wire import decode_base64, encode_base64
from sekisho.signing.notes import Note, NoteSigner, VerifierKey, parse_decimal, verify_note

__all__ = ["Checkpoint", "WrongOrigin", "sign_checkpoint", "verify_checkpoint"]


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
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise InvalidInput("needs three lines (origin, size, root), none empty", path=path)
        origin, size_line, root_line, *extensions = lines
        size = parse_decimal(size_line, path=f"{path} line 2")
        root = decode_base64(root_line, path=f"{path} line 3")
        if len(root) != HASH_SIZE:
            raise InvalidInput("the root hash is not 32 bytes long", path=f"{path} line 3")
        if size == 0 and root != EMPTY_ROOT:
            raise InvalidInput("an empty tree with a root of its own", path=f"{path} line 3")
        return cls(origin=origin, size=size, root=root, extensions=tuple(extensions))

    def to_text(self) -> str:
        lines = [self.origin, str(self.size), encode_base64(self.root), *self.extensions]
        return "\n".join(lines) + "\n"


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> Note:
    """The checkpoint as a note under the log's own key."""
    text = checkpoint.to_text()
    return Note(text=text, signatures=(signer.sign(text),))


def verify_checkpoint(note: Note, key: VerifierKey) -> Checkpoint:
    """The checkpoint of the log whose key this is. Raises BadSignature, WrongOrigin, InvalidInput."""
    verify_note(note, (key,))
    checkpoint = Checkpoint.from_text(note.text)
    if checkpoint.origin != key.name:
        raise WrongOrigin(f"a checkpoint of {checkpoint.origin!r} under the key of {key.name!r}")
    return checkpoint
