"""Checks of access to models: roll-ups against the suspensions over them, and each key of locked weights given out.

1. A roll-up is of one host, model and period, and names suspensions that the log holds. 2. Where a suspension was in
force over its host and model, and the host had time to hear of it, the roll-up does not say *open*; under one that
closes the model to everybody it says *closed*, and one that was so for the whole period served nobody: unverifiable
where a worker of the server kept silent. 3. Each key was
given for weights locked in the log, under a licence in force, to a host that it names, with no order over it.

Who was served is counted, not named: that a refused class was not among the served, no roll-up shows.
"""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History, Step
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    AccessDecided,
    HostEnrolled,
    WeightsKeyReleased,
    WeightsLocked,
)
from sekisho.orders import HostFacts, KnownOrder, facts_of, is_covered
from sekisho.orders.access import closes_model, ends_serving, names_model

__all__ = ["check_access", "check_weights_keys"]


def check_access(evidence: Evidence) -> Outcome:
    """Each roll-up says what the suspensions over its host and model made of its period."""
    history, tally = evidence.past(), Tally()
    recorded = _recorded_by(history)
    count = 0
    for step, fact in history.facts(AccessDecided):
        count += 1
        _check_roll_up(step, fact, recorded, tally)
    return tally.outcome(f"{count} roll-ups agree with the suspensions of access")


def check_weights_keys(evidence: Evidence) -> Outcome:
    """Each key of locked weights was given under a licence in force, to a host that it names, with no order over it."""
    history, tally = evidence.past(), Tally()
    locks: dict[str, WeightsLocked] = {}
    count = 0
    for step in history.steps:
        fact = step.recorded.verified.predicate if step.recorded is not None else None
        if isinstance(fact, WeightsLocked):
            locks[step.leaf] = fact
            _check_lock(step, fact, tally)
        elif isinstance(fact, WeightsKeyReleased):
            count += 1
            _check_gift(step, fact, locks.get(fact.locked.leaf), tally)
    return tally.outcome(
        f"{count} keys of {len(locks)} locked weights were given as their licences allow"
    )


# --- roll-ups --------------------------------------------------------------------------------


def _check_roll_up(
    step: Step, fact: AccessDecided, recorded: dict[str, Instant | None], tally: Tally
) -> None:
    where = f"entry {step.index}: {fact.model} at {fact.host}"
    host = step.regime.hosts.get(fact.host)
    if host is None:
        tally.fault(f"{where}: the host is not enrolled")
        return
    for named in fact.orders:
        known = step.orders.find(named)
        if known is None or not names_model(known.order, fact.model):
            tally.fault(
                f"{where}: names {named.register} {named.number}, which is no order over it"
            )
    for known in _over(step, fact):
        heard = _heard_by(step, known, recorded)
        if heard is None:
            tally.gap(f"{where}: when its suspensions were recorded is not known yet")
            continue
        _check_under(step, fact, known, heard, where, tally)


def _check_under(  # one order over one roll-up, and where to say so
    step: Step, fact: AccessDecided, known: KnownOrder, heard: Instant, where: str, tally: Tally
) -> None:
    """From `heard` on the host knew of the order, as long as it was in force."""
    at = max(heard, fact.period.start)
    if at >= fact.period.end or not _is_in_force(step, known, at):
        return
    sure = _covers(step, known, fact.host)
    if sure is False:
        return
    order = f"{known.order.register} {known.order.number}"
    closes = closes_model(known.order, fact.model)
    wrong = fact.state == "open" or (closes and fact.state != "closed")
    if wrong and sure is None:
        tally.gap(f"{where}: whether order {order} is over it depends on its licence")
    elif wrong:
        tally.fault(f"{where} is said to be {fact.state} while order {order} was in force")
    elif closes and sure and heard <= fact.period.start:
        last = Instant(fact.period.end.us - 1)
        if fact.served and _is_in_force(step, known, last):
            tally.fault(f"{where}: {fact.served} requests served while order {order} closed it")
        elif fact.workers == 0 or fact.silent:
            tally.gap(f"{where}: not all workers told how many were served under order {order}")


def _over(step: Step, fact: AccessDecided) -> Iterator[KnownOrder]:
    """Every suspension in the log so far that is about this model and no drill."""
    for book in step.orders.orders.values():
        for known in book.values():
            if names_model(known.order, fact.model) and not known.order.drill:
                yield known


def _heard_by(step: Step, known: KnownOrder, recorded: dict[str, Instant | None]) -> Instant | None:
    """When a host that follows the registers knew of an order at the latest: recorded, then told, then fetched."""
    by = recorded.get(known.digest)
    if by is None:
        return None
    terms = step.regime.in_force().terms
    told = by.plus(terms.orders_in_force_every_s + terms.order_fetch_delay_s + terms.clock_error_s)
    return max(told, known.order.not_before)


def _is_in_force(step: Step, known: KnownOrder, at: Instant) -> bool:
    return any(one.digest == known.digest for one in step.orders.in_force(at))


def _covers(step: Step, known: KnownOrder, host: str) -> bool | None:
    """Whether an order covers a host under every licence that names it; None where only under some."""
    enrolled = step.regime.hosts[host]
    if not known.is_shown:
        return None
    told = {is_covered(known, facts) for facts in _facts(step, enrolled)}
    return None if len(told) > 1 else told.pop()


def _facts(step: Step, host: HostEnrolled) -> list[HostFacts]:
    held = step.ledger.by_host(host.host)
    return [facts_of(host, each.licence) for each in held] or [facts_of(host, None)]


def _recorded_by(history: History) -> dict[str, Instant | None]:
    """By the payload digest of each order: by when the log surely held it."""
    return {
        step.recorded.verified.digest: history.recorded_by(step.index)
        for step, _ in history.issued()
        if step.recorded is not None
    }


# --- keys of locked weights ------------------------------------------------------------------


def _check_lock(step: Step, fact: WeightsLocked, tally: Tally) -> None:
    held = step.ledger.licences.get(fact.licence.leaf)
    if held is None or held.licence.licensee != fact.party:
        tally.fault(f"entry {step.index}: weights are locked under no licence of {fact.party}")


def _check_gift(
    step: Step, fact: WeightsKeyReleased, lock: WeightsLocked | None, tally: Tally
) -> None:
    where = f"entry {step.index}: the key of {fact.model} for {fact.host}"
    if lock is None or (lock.model, lock.licence) != (fact.model, fact.licence):
        tally.fault(f"{where} is of no weights locked before it, or of another licence")
        return
    held = step.ledger.licences.get(fact.licence.leaf)
    host = step.regime.hosts.get(fact.host)
    if held is None or host is None:
        tally.fault(f"{where}: its licence or its host is not in the log")
        return
    if (obstacle := held.obstacle()) is not None:
        tally.fault(f"{where}: {obstacle}")
    if fact.host not in held.licence.hosts:
        tally.fault(f"{where}: licence {held.licence.number} does not name the host")
    if not held.licence.period.start <= fact.effective < held.licence.period.end:
        tally.fault(f"{where}: licence {held.licence.number} was not in its period")
    facts = facts_of(host, held.licence)
    for known in step.orders.in_force(fact.effective):
        if not known.is_shown:
            continue
        if ends_serving(known.order, fact.model) and is_covered(known, facts):
            tally.fault(f"{where}: order {known.order.register} {known.order.number} was over it")
