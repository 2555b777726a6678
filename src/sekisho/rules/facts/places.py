"""Places as requests name them; the same country gives the same fact, so that readers may keep answers by it."""

from __future__ import annotations

from functools import lru_cache

from sekisho.rules.facts.shapes import PlacesFact

__all__ = ["place", "stated_places"]


@lru_cache(maxsize=4096)
def place(value: str | None, name: str) -> PlacesFact:
    """One country, or the name of the field that would tell it."""
    if value is None:
        return PlacesFact(values=None, complete=False, missing=(name,))
    return PlacesFact(values=(value,))


@lru_cache(maxsize=4096)
def stated_places(values: tuple[str, ...] | None, name: str) -> PlacesFact:
    """A whole list of places, or the name of the field that would tell it."""
    if values is None:
        return PlacesFact(values=None, complete=False, missing=(name,))
    return PlacesFact(values=values)
