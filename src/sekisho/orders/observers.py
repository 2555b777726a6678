"""Whose word an observation is: corroboration is another constituency's, never the host's own side's. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.signing import Charter

__all__ = ["is_own_side"]


def is_own_side(charter: Charter, organisation: str, signers: Iterable[str]) -> bool:
    """Whether every key (by id) that signed belongs to a constituency that holds a key of the host's organisation."""
    own = {
        constituency.name
        for constituency in charter.terms.constituencies
        if any(key.organisation == organisation for key in constituency.keys)
    }
    return all(charter.constituency_of(key) in own for key in signers)
