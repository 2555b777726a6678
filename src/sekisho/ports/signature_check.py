"""Signatures tried elsewhere, many at a time: in another process, so that this one's interpreter goes on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

__all__ = ["SignatureCheck", "Signed", "Trying"]

Signed: TypeAlias = tuple[bytes, bytes, bytes]
"""A public key's SPKI, a signature, and the bytes that it must be over."""


class Trying(Protocol):
    """Signatures that are being tried."""

    def result(self) -> Sequence[bool]:
        """Whether each signature is its key's own, in the order of asking. Raises Unavailable: nothing is known."""
        ...


class SignatureCheck(Protocol):
    """Tries signatures; holds no key but public ones and knows nothing of what they sign. Safe for many threads."""

    def begin(self, rows: Sequence[Signed]) -> Trying:
        """Begin to try these signatures, and return at once. Raises Unavailable."""
        ...

    def close(self) -> None:
        """End what it started; whoever asks later is told Unavailable."""
        ...
