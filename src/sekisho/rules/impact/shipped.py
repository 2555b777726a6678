"""The packs that an impact is asked of where nobody names any: every shipped one but policies of somebody's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sekisho.model.instants import Instant
from sekisho.rules.impact.scope import BINDING, acts_on
from sekisho.rules.library import load_pack, pack_names
from sekisho.rules.pack import Pack
from sekisho.rules.requests import RequestKind

__all__ = ["laws_in_force", "packs_at_hand"]

_KINDS: Final[tuple[RequestKind, ...]] = (
    "training-run",
    "cluster",
    "transfer",
    "cloud-use",
    "access",
)


def packs_at_hand() -> tuple[Pack, ...]:
    """Shipped law and orders, and beside them drafts and reforms; what a regime made its own policy is left out."""
    packs = (load_pack(name) for name in pack_names())
    return tuple(pack for pack in packs if pack.standing != "policy")


def laws_in_force(packs: Iterable[Pack], at: Instant) -> tuple[str, ...]:
    """The names of the packs of law that ask for something on that date: what no whole answer may leave out."""
    return tuple(
        pack.name
        for pack in packs
        if pack.standing in BINDING
        and any(acts_on(pack, kind, at, demanding=True) for kind in _KINDS)
    )
