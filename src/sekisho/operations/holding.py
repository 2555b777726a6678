"""The limits of holds at the desk: which hosts an order covers as the log stands, and what was held before. Pure."""

from __future__ import annotations

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import OrderIssued
from sekisho.operations.state import State, facts_under
from sekisho.orders.holding import (
    BudgetRow,
    Hold,
    HoldWindow,
    check_hold,
    hold_of,
    is_counted,
    may_overlap,
    quarter_of,
    verify_hold,
)

__all__ = ["HoldStanding", "check_hold_limits", "standing_of_holds", "verify_hold_limits"]


class HoldStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What every constituency that may hold has held: what it may not hold again, and its budget of this quarter."""

    windows: tuple[HoldWindow, ...]
    budgets: tuple[BudgetRow, ...]


def verify_hold_limits(
    state: State, order: OrderIssued, digest: str, signers: frozenset[str]
) -> None:
    """Raise StackedHold or HoldBudgetSpent for a hold beyond what its signers may hold; nothing for other orders."""
    if not is_counted(order):
        return
    new = hold_of(order, digest, state.regime.in_force(), signers, _devices(state, order))
    verify_hold(
        state.holds, new, state.regime.in_force().terms, lambda old: _overlap(state, old, new)
    )


def check_hold_limits(state: State, order: OrderIssued, digest: str) -> list[str]:
    """Why a hold would be refused under its own quorum's signatures alone: for drafters, before anybody signs.

    Nothing of one that is in the log: it was judged when it came.
    """
    charter = state.regime.in_force()
    if not is_counted(order) or state.holds.find(digest) is not None:
        return []
    signers = frozenset(key.key_id for key in charter.keys_of("hold"))
    drafted = hold_of(order, digest, charter, signers, _devices(state, order))
    new = msgspec.structs.replace(drafted, by_pause=False)
    return check_hold(state.holds, new, charter.terms, lambda old: _overlap(state, old, new))


def standing_of_holds(state: State, at: Instant) -> HoldStanding:
    """Each constituency's open windows, and what it has held in the quarter that `at` lies in."""
    charter = state.regime.in_force()
    terms, grant = charter.terms, charter.grant_of("hold")
    names = {part.constituency for part in grant.quorums} if grant is not None else set()
    names.update(name for hold in state.holds.holds for name in hold.by)
    quarter = quarter_of(at)
    return HoldStanding(
        windows=state.holds.windows(at, terms.hold_again_s),
        budgets=tuple(
            state.holds.budget(name, quarter, terms.hold_chip_hours) for name in sorted(names)
        ),
    )


def _devices(state: State, order: OrderIssued) -> dict[str, int]:
    covered = facts_under(state, state.known(order))
    return {host.host: len(host.devices) for host in covered}


def _overlap(state: State, old: Hold, new: Hold) -> bool:
    """Whether two holds share a host: of those covered at the earlier one's issue, and of those that it covers now.

    Where one of them covers nobody yet, its words decide: unless they prove the scopes disjoint, they overlap.
    """
    mine, theirs = set(new.devices), {*old.devices, *_devices(state, old.order)}
    if mine and theirs:
        return not mine.isdisjoint(theirs)
    return may_overlap(old.order.scope, new.order.scope)
