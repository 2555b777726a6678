"""The packs that ship with Sekisho, read: each by name, and the one that a kind of request is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from sekisho.rules.pack import Pack
from sekisho.rules.pack_reader import parse_pack
from sekisho.rules.requests.shapes import RequestKind
from sekisho.rules.shipped import DEFAULT_PACK, pack_bytes, pack_names

__all__ = [
    "DEFAULT_PACK",
    "DEFAULT_PACKS",
    "load_pack",
    "load_packs_about",
    "pack_bytes",
    "pack_names",
]

# By which pack a request is judged where nobody names one.
DEFAULT_PACKS: Final[Mapping[RequestKind, str]] = {
    "training-run": DEFAULT_PACK,
    "cluster": "treaty-2511",
    "transfer": "us-ear",
    "cloud-use": "us-ear",
    "access": "access-suspension",
}


@lru_cache(maxsize=32)
def load_pack(name: str = DEFAULT_PACK) -> Pack:
    """A shipped pack by name, an overlay laid over its shipped base.

    Raises InvalidInput for an unknown name or a pack with an error.
    """
    return parse_pack(pack_bytes(name), f"{name}.yaml")


def load_packs_about(kind: RequestKind) -> list[Pack]:
    """Every shipped pack with a rule about that kind of request, in the order of names."""
    packs = [load_pack(name) for name in pack_names()]
    return [pack for pack in packs if any(kind in rule.kinds for rule in pack.rules)]
