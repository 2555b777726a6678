"""The bytes of the packs that ship with Sekisho: part of the code, found by name."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import PackReference

__all__ = ["DEFAULT_PACK", "find_shipped", "pack_bytes", "pack_names"]

DEFAULT_PACK = "loop-2026"


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    folder = resources.files("sekisho.rules").joinpath("packs")
    found = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


def pack_names() -> list[str]:
    """The names of the packs at hand, in order."""
    return list(_names())


def pack_bytes(name: str = DEFAULT_PACK) -> bytes:
    """The bytes of a pack, whose SHA-256 is its identity. Raises InvalidInput for an unknown name."""
    names = pack_names()
    if name not in names:
        raise InvalidInput(
            f"no rule pack {name[:64]!r}", path="pack", remedy=f"use {', '.join(names)}"
        )
    return resources.files("sekisho.rules").joinpath("packs", f"{name}.yaml").read_bytes()


def find_shipped(over: PackReference) -> bytes | None:
    """The bytes of the shipped pack of that name, whatever its version; None where none ships."""
    return pack_bytes(over.name) if over.name in _names() else None
