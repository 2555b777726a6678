"""What must hold of statements about access to models before they enter the log. Pure."""

from __future__ import annotations

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import AccessDecided, WeightsLocked
from sekisho.operations.clock_offsets import CLOCK_SLACK_S
from sekisho.operations.state import State

__all__ = ["PERIODS_S", "check_access_decided", "check_weights_locked", "roll_up_key"]

PERIODS_S = (60, 300, 900, 3_600, 86_400)


def check_access_decided(state: State, fact: AccessDecided, now: Instant) -> None:
    """A roll-up is of a whole period that is over, by an enrolled host, under suspensions that the log holds.

    Raises InvalidInput, StateConflict.
    """
    length = fact.period.end.since(fact.period.start)
    if length not in PERIODS_S or fact.period.start.us % round(length * 1_000_000):
        raise InvalidInput(
            "is no whole minute, five or fifteen minutes, hour or day, counted from 1970",
            path="period",
        )
    if fact.silent > (fact.workers or 0):
        raise InvalidInput("is more than told of the period", path="silent")
    if fact.workers == 0 and (fact.served or fact.refused):
        raise InvalidInput("no worker told of the period, and yet it counts", path="workers")
    if fact.period.end > now.plus(CLOCK_SLACK_S):
        raise InvalidInput(f"ends at {fact.period.end}, it is {now}", path="period.end")
    if fact.host not in state.regime.hosts:
        raise StateConflict(f"host {fact.host} is not enrolled")
    for named in fact.orders:
        known = state.orders.find(named)
        if known is None or known.order.kind != "suspend-access":
            raise StateConflict(
                f"order {named.register} {named.number} is no suspension of access in the log"
            )
    if fact.state == "open" and fact.orders:
        raise InvalidInput("names orders over a model that is open", path="state")
    if fact.state == "restricted" and not fact.orders:
        raise InvalidInput("names no order that restricts the model", path="orders")


def check_weights_locked(state: State, fact: WeightsLocked) -> None:
    """Weights are locked under a licence in force, by its licensee. Raises StateConflict."""
    held = state.licences.licences.get(fact.licence.leaf)
    if held is None:
        raise StateConflict(f"licence {fact.licence.leaf[:16]} is not in the log")
    obstacle = held.obstacle()
    if obstacle is not None:
        raise StateConflict(obstacle)
    if held.licence.licensee != fact.party:
        raise StateConflict(
            f"licence {held.licence.number} is {held.licence.licensee}'s, not {fact.party}'s"
        )


def roll_up_key(fact: AccessDecided) -> str:
    """What no second roll-up may bear: the host, the model, and when the period begins."""
    return f"access:{fact.host}:{fact.model}:{fact.period.start}"
