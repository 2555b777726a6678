"""What an admission rests on beside the log, and the two refusals that several rooms of it share. Pure."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import PackReference
from sekisho.operations.resolving import RootAt
from sekisho.operations.state import State
from sekisho.rules import Pack
from sekisho.signing import Charter

__all__ = ["Grounds", "verify_charter_alive", "verify_sound", "verify_unexpired"]


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """What an admission rests on beside the log: the time, and the bytes of published packs (None: not at hand).

    `root_at` is the log's own root at a size that it had; without it the tree that a scope names is not compared.
    `disclosures` came in with a sealed order.
    """

    now: Instant
    load_pack: Callable[[PackReference], Pack | None]
    root_at: RootAt | None = None
    disclosures: tuple[str, ...] = ()


def verify_sound(what: str, problems: list[str]) -> None:
    """Raise StateConflict with every problem; nothing where there is none."""
    if problems:
        raise StateConflict(f"{what}: {'; '.join(problems)}")


def verify_charter_alive(state: State, now: Instant) -> None:
    """The charter in force has not expired. Raises StateConflict."""
    verify_unexpired(state.regime.in_force(), now)


def verify_unexpired(charter: Charter, now: Instant) -> None:
    """An expired charter stops new licences and amendments, nothing else: hold, pause and resume go on."""
    expires = charter.terms.expires
    if expires <= now:
        raise StateConflict(
            f"the charter expired at {expires}",
            remedy="hold, pause and resume go on; a charter is amended before it expires",
        )
