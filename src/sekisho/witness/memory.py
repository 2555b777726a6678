"""What a witness must never forget: the last checkpoint that it cosigned for each log, whole.

A size alone would not prove a log's misbehaviour later; the log's own signed note does.
"""

from __future__ import annotations

import hashlib

from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.evidence import ForkEvidence
from sekisho.model.errors import Corrupt, InvalidInput, VerificationError
from sekisho.ports.tile_store import TileStore
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, VerifierKey, verify_note

__all__ = ["MAX_EVIDENCE", "WitnessMemory"]

MAX_EVIDENCE = 100


class WitnessMemory:
    """One file for each origin (the note as the log signed it), and one for each piece of evidence."""

    def __init__(self, files: TileStore) -> None:
        self._files = files
        self._kept = {True: 0, False: 0}

    def load(self, origin: str, keys: tuple[VerifierKey, ...]) -> Note | None:
        """The note cosigned last; None where there is none. Raises Corrupt where the file is not that log's."""
        path = _path_of(origin)
        if not self._files.exists(path):
            return None
        try:
            note = Note.from_bytes(self._files.read(path, MAX_NOTE_BYTES), path=path)
            verify_note(note, keys)
            found = Checkpoint.from_text(note.text, path=path).origin
        except (InvalidInput, VerificationError) as error:
            raise Corrupt(
                f"the memory of {origin} cannot be trusted: {error}",
                remedy="restore it from a backup; a witness that forgets must take a new key",
            ) from None
        if found != origin:
            raise Corrupt(f"{path} holds a checkpoint of {found}, not of {origin}")
        return note

    def save(self, checkpoint: Checkpoint, note: Note) -> None:
        """Remember durably, before the cosignature leaves."""
        # Crash before: nothing was cosigned, the log asks again. After: the log is told this size and asks again.
        self._files.write(_path_of(checkpoint.origin), note.to_bytes())

    def keep_evidence(self, evidence: ForkEvidence) -> str | None:
        """Store it and return its path; None where the limit of this run is reached.

        The limits, one for proofs and one for suspicions, keep a log that signs nonsense without end from filling
        the witness's disk, and mere suspicions from crowding out a proof.
        """
        path = f"evidence/{evidence.file_name}"
        if self._files.exists(path):
            return path
        if self._kept[evidence.is_proof] >= MAX_EVIDENCE:
            return None
        # Crash here: this request leaves no evidence; the log's next contradiction does.
        self._files.write(path, evidence.to_bytes())
        self._kept[evidence.is_proof] += 1
        return path


def _path_of(origin: str) -> str:
    return f"logs/{hashlib.sha256(origin.encode()).hexdigest()}.checkpoint"
