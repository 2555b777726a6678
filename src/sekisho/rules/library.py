"""The packs that ship with Sekisho: part of the code, found by name."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from sekisho.model.errors import InvalidInput
from sekisho.rules.pack import Pack
from sekisho.rules.pack_reader import parse_pack

__all__ = ["DEFAULT_PACK", "load_pack", "pack_bytes", "pack_names"]

DEFAULT_PACK = "loop-2026"


def pack_names() -> list[str]:
    """The names of the packs at hand, in order."""
    folder = resources.files("sekisho.rules").joinpath("packs")
    return sorted(
        entry.name.removesuffix(".yaml")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    )


def pack_bytes(name: str = DEFAULT_PACK) -> bytes:
    """The bytes of a pack, whose SHA-256 is its identity. Raises InvalidInput for an unknown name."""
    names = pack_names()
    if name not in names:
        raise InvalidInput(
            f"no rule pack {name[:64]!r}", path="pack", remedy=f"use {', '.join(names)}"
        )
    return resources.files("sekisho.rules").joinpath("packs", f"{name}.yaml").read_bytes()


@lru_cache(maxsize=8)
def load_pack(name: str = DEFAULT_PACK) -> Pack:
    """A shipped pack by name. Raises InvalidInput for an unknown name or a pack with an error."""
    return parse_pack(pack_bytes(name), f"{name}.yaml")
