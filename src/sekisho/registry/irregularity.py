"""Which alerts are worth a finding in the public log, and how a finding names what it is about without naming it."""

from __future__ import annotations

import hashlib
from typing import Final

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from sekisho.registry.commitments import SALT_SIZE

__all__ = ["SERIOUS", "about_digest"]

SERIOUS: Final = frozenset(
    {
        "active-elsewhere",
        "already-retired",
        "other-device-key",
        "duplicate-serial",
        "model-mismatch",
        "unknown-id",
        "receipt-overdue",
        "lost-in-transit",
        "shortage",
    }
)
"""Alerts that no mere slip explains: clone or dummy, retired chip turning up, chips missing, unregistered chips."""


def about_digest(salt: bytes, books: str, code: str, about: str) -> str:
    """What stands in a finding for what it is about: SHA-256 over 16 bytes of salt and the canonical three words."""
    if len(salt) != SALT_SIZE:
        raise InvalidInput(f"a salt of {len(salt)} bytes, not {SALT_SIZE}", path="salt")
    return hashlib.sha256(salt + canonical([books, code, about])).hexdigest()
