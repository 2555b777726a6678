"""A witness: somebody else who remembers how far a log had grown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sekisho.model.errors import StateConflict, VerificationError

__all__ = ["Witness", "WitnessConflict", "WitnessRefused"]


class WitnessConflict(StateConflict):
    """The witness stands at `size`, not where the request said; or at the same size with another root."""

    code = "witness-conflict"

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message)
        self.size = size


class WitnessRefused(VerificationError):
    """The witness will not cosign: `status` 422 says that the proof does not follow from what it saw."""

    code = "witness-refused"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Witness(Protocol):
    """One witness as the log sees it (C2SP tlog-witness, add-checkpoint)."""

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        """Ask for cosignatures on a checkpoint, with the consistency proof from `old_size`.

        Returns note signature lines exactly as the witness wrote them; the caller verifies them. Raises
        WitnessConflict with the size that the witness stands at, WitnessRefused where it does not accept the
        checkpoint, Unavailable where it does not answer in time; after each of them asking again is safe.
        """
        ...
