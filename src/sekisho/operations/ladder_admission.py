"""What must hold of a step against a host, and of appeals, before they enter the log. Pure."""

from __future__ import annotations

from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    AppealDecided,
    AppealFiled,
    OrderReference,
    RefusalRecorded,
)
from sekisho.operations.appealing import problems_of_appeal, problems_of_decision
from sekisho.operations.grounds import verify_sound
from sekisho.operations.state import State
from sekisho.operations.straggling import late_host
from sekisho.orders.refusals import check_step, is_secret

__all__ = [
    "check_appeal",
    "check_appeal_decided",
    "check_appeal_filed",
    "check_refusal",
    "refusal_key",
    "verify_names_nobody",
]


def check_refusal(state: State, fact: RefusalRecorded, now: Instant) -> None:
    """A step is the ladder's next one, against a host that is late now: asked at the desk and where it is signed.

    Raises StateConflict with every reason.
    """
    what = f"{fact.step} against host {fact.host}"
    known = state.orders.find(fact.order)
    if known is None:
        raise StateConflict(
            f"{what}: order {fact.order.register} {fact.order.number} is not in its register"
        )
    where = f"order {fact.order.register} {fact.order.number}"
    host = state.regime.hosts.get(fact.host)
    if host is None:
        raise StateConflict(f"{what}: the host is not enrolled")
    if all(each.digest != known.digest for each in state.orders.in_force(now)):
        raise StateConflict(f"{what}: {where} is not in force")
    verify_names_nobody(state, fact.order, fact.host, what)
    if not state.is_host_covered(known, host):
        raise StateConflict(f"{what}: {where} does not cover it")
    row = late_host(state, known, fact.host, now)
    if row is None:
        raise StateConflict(f"{what}: it is not late under {where}")
    terms = state.regime.in_force().terms
    verify_sound(what, check_step(fact, row.upcoming, terms, earliest=now, latest=now))


def verify_names_nobody(state: State, order: OrderReference, host: str, what: str) -> None:
    """Raise StateConflict where a statement would name a host of a sealed order to everybody before it opens.

    A host that gave a receipt under it has named itself already.
    """
    known = state.orders.find(order)
    if known is not None and is_secret(known) and not state.lives.of(order, host).stages:
        raise StateConflict(
            f"{what}: order {order.register} {order.number} is sealed still, and no receipt of the host under it is on "
            "record",
            remedy="wait until it is open: nobody outside may know yet whom it is for",
        )


def check_appeal_filed(state: State, fact: AppealFiled) -> None:
    """An appeal is by a party that the order touches. Raises StateConflict with every reason against it."""
    verify_sound(f"appeal {fact.appeal}", problems_of_appeal(state, fact))


def check_appeal_decided(state: State, fact: AppealDecided) -> None:
    """An appeal is decided once, as it was filed. Raises StateConflict with every reason against it."""
    verify_sound(f"appeal {fact.appeal}", problems_of_decision(state, fact))


def check_appeal(state: State, fact: AppealFiled | AppealDecided) -> None:
    """Either of the two, as the desk would ask it."""
    if isinstance(fact, AppealFiled):
        check_appeal_filed(state, fact)
    else:
        check_appeal_decided(state, fact)


def refusal_key(fact: RefusalRecorded) -> str:
    """What no second step may bear: the order, the host and the step."""
    return f"refusal:{fact.order.digest}:{fact.host}:{fact.step}"
