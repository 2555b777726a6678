"""An accelerator that can answer for itself: the one place where emulation stands in for silicon."""

from __future__ import annotations

from typing import Protocol

import msgspec

__all__ = ["ChallengeAnswer", "Device"]


class ChallengeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A memory-fill answer: `digest` (hex) over the whole filled memory, and the time it took by the asker's clock."""

    device: str
    nonce: str
    memory_bytes: int
    digest: str
    seconds: float
    envelope: bytes  # DSSE, signed by the device's own key


class Device(Protocol):
    """A device under a key that its operator does not hold. Raises Unavailable where it does not answer in time."""

    @property
    def emulated(self) -> bool: ...

    def answer_challenge(self, nonce: bytes, *, timeout_s: float) -> ChallengeAnswer: ...
