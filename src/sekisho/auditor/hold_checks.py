"""Checks of holds: none stacked on another by the same constituency, none beyond the quarter's chip-hours."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.auditor.coverage import is_host_covered
from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History, Step
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.statements import OrderIssued, OrderSealed
from sekisho.orders import KnownOrder
from sekisho.orders.holding import (
    Hold,
    HoldBook,
    check_hold,
    hold_of,
    is_counted,
    may_overlap,
    record_hold,
)
from sekisho.orders.recording import with_order
from sekisho.signing import Recorded

__all__ = ["check_holds"]


def check_holds(evidence: Evidence) -> Outcome:
    """Every hold is held against those before it, with the hosts that each covered when it was issued."""
    history, tally, book = evidence.past(), Tally(), HoldBook()
    count = 0
    for step, recorded in _orders(history, tally):
        order = recorded.verified.predicate
        if not isinstance(order, OrderIssued) or step.regime.charter is None:
            continue
        devices = _devices(history, step, order) if is_counted(order) else {}
        if is_counted(order):
            count += 1
            charter, verified = step.regime.charter, recorded.verified
            new = hold_of(order, verified.digest, charter, verified.signers, devices)
            problems = check_hold(book, new, charter.terms, _Overlap(history, step, new))
            tally.extend(f"entry {step.index}: {problem}" for problem in problems)
        book = record_hold(book, recorded, step.regime, dict(devices).copy)
    return tally.outcome(f"{count} holds within their limits")


def _orders(history: History, tally: Tally) -> Iterator[tuple[Step, Recorded]]:
    """Every order in the log's sequence, a sealed one as what is inside; of one that is not shown nobody can tell."""
    for step in history.steps:
        fact = step.recorded.verified.predicate if step.recorded is not None else None
        if step.recorded is None or not isinstance(fact, OrderIssued | OrderSealed):
            continue
        if isinstance(fact, OrderIssued):
            yield step, step.recorded
            continue
        known = history.order_of(step.recorded)
        if known is not None and known.is_shown:
            yield step, with_order(step.recorded, known.order)
        elif fact.kind == "hold":
            tally.gap(f"entry {step.index}: a sealed hold whose content is not known")


class _Overlap:
    """Whether an earlier hold shares a host with a new one, by what was known when the new one was issued."""

    def __init__(self, history: History, step: Step, new: Hold) -> None:
        self._history = history
        self._step = step
        self._new = new

    def __call__(self, old: Hold) -> bool:
        mine = set(self._new.devices)
        theirs = {*old.devices, *_devices(self._history, self._step, old.order)}
        if mine and theirs:
            return not mine.isdisjoint(theirs)
        return may_overlap(old.order.scope, self._new.order.scope)


def _devices(history: History, step: Step, order: OrderIssued) -> dict[str, int]:
    """The devices of each host that an order covers, under any licence that the host may work under."""
    known = _known(history, order)
    return {
        host.host: len(host.devices)
        for host in step.regime.hosts.values()
        if is_host_covered(step.ledger, known, host)
    }


def _known(history: History, order: OrderIssued) -> KnownOrder:
    """The order as it covers: of one whose scope was resolved, the hosts that it names were found by the log itself."""
    register = history.orders.orders.get(order.register)
    found = register.get(order.number) if register is not None else None
    if found is not None and found.order == order:
        return found
    return KnownOrder(order=order, digest="")
