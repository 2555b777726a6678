"""Showing a host what a sealed order says to it: by its own signed request, and to nobody else."""

from __future__ import annotations

import msgspec

from sekisho.model.errors import StateConflict
from sekisho.model.membership import Membership
from sekisho.operations.desk import Desk
from sekisho.operations.proving import Memberships
from sekisho.orders.asking import verify_asked
from sekisho.signing import Recorded

__all__ = ["ShownOrder", "show_order"]


class ShownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as one host may see it: with its proof, and of a sealed one with the disclosures that are for it."""

    recorded: Recorded
    membership: Membership | None = None
    disclosures: tuple[str, ...] = ()


def show_order(desk: Desk, memberships: Memberships, raw: bytes) -> ShownOrder:
    """Answer a host's signed request. Raises what `verify_asked` raises, UnknownSpeaker, StateConflict for no order."""
    regime = desk.state.regime
    asked = verify_asked(raw, regime.enrolled.host_key, log=desk.origin, now=desk.clock.now())
    book = desk.state.orders.orders.get(asked.register)
    known = None if book is None else book.get(asked.number)
    recorded = None if known is None else desk.find(known.digest)
    if recorded is None:
        raise StateConflict(f"no order {asked.number} is in register {asked.register}")
    membership, texts = memberships.show(recorded, asked.host)
    return ShownOrder(recorded=recorded, membership=membership, disclosures=texts)
