"""Checks of the ladder against hosts that do not follow an order, and of appeals.

1. A step is against a covered, enrolled host that was late when it was recorded, comes after the one before it in the
ladder's order and time, leaves the time that the charter gives to answer, and names evidence that stood in the log.
2. After *leases ended* no lease was granted to that host while the order stood and it had not halted. 3. A host that is
late at the log's end, and long had no notice, leaves the check unverifiable: whether it refuses, or was not looked
after, these bytes do not show. 4. An appeal is by a party that its order touches, and decided once, as it was filed.

Times are intervals: only what is certain on both ends is a fault.
"""

from __future__ import annotations

from sekisho.auditor.coverage import is_host_covered
from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History, Step
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    AppealDecided,
    AppealFiled,
    LeaseGranted,
    OrderIssued,
    OrderReference,
    OrderSealed,
    RefusalRecorded,
)
from sekisho.orders import KnownOrder
from sekisho.orders.appeals import Appeal, AppealBook, standing_of_appeal
from sekisho.orders.refusals import (
    RefusalBook,
    Straggler,
    check_step,
    is_late,
    next_step,
    why_late,
)

__all__ = ["check_appeals", "check_refusals", "late_at_end", "overdue_resumes"]


def check_refusals(evidence: Evidence) -> Outcome:
    """Each step against a host is the ladder's next one, in time and on evidence; nobody late is without notice."""
    history, tally = evidence.past(), Tally()
    book, said, count = RefusalBook(), set[str](), 0
    places = _places(history)
    for step in history.steps:
        if step.recorded is None:
            continue
        fact = step.recorded.verified.predicate
        if isinstance(fact, RefusalRecorded):
            count += 1
            _check_step(history, step, fact, (book, said, places), tally)
            book = book.after(step.recorded)
        elif isinstance(fact, LeaseGranted):
            _check_grant(history, step, fact, book, tally)
        said.add(step.recorded.verified.digest)
    _check_unnoticed(history, book, tally)
    return tally.outcome(f"{count} steps against hosts that do not follow an order")


def check_appeals(evidence: Evidence) -> Outcome:
    """Each appeal is by a party that its order touches, and is decided once, as it was filed."""
    history, tally, book = evidence.past(), Tally(), AppealBook()
    for step in history.steps:
        if step.recorded is None:
            continue
        fact = step.recorded.verified.predicate
        if isinstance(fact, AppealFiled):
            _check_filed(step, fact, tally)
        if isinstance(fact, AppealFiled | AppealDecided):
            try:
                book = book.after(step.recorded)
            except SekishoError as error:
                tally.fault(f"entry {step.index}: {error.message}")
    decided = sum(appeal.decided is not None for appeal in book.appeals.values())
    return tally.outcome(f"{len(book.appeals)} appeals, {decided} of them decided")


def late_at_end(history: History) -> tuple[tuple[KnownOrder, Straggler], ...]:
    """Who is late under an order in force at the log's end."""
    if history.final is None or history.regime.charter is None:
        return ()
    at, terms, places = history.final.time, history.regime.charter.terms, _places(history)
    found = []
    for known in history.orders.in_force(at):
        recorded = history.recorded_by(places[known.digest]) if known.digest in places else None
        for name, host in sorted(history.regime.hosts.items()):
            if not is_host_covered(history.ledger, known, host):
                continue
            life = history.lives.of(known.reference, name)
            late = is_late(known, life, terms, recorded=recorded, at=at)
            if late is not None:
                found.append((known, late))
    return tuple(found)


def overdue_resumes(history: History) -> tuple[tuple[str, OrderReference, Instant], ...]:
    """Upheld appeals whose order still stands at the log's end, past the instant that they named."""
    if history.final is None:
        return ()
    at, book = history.final.time, AppealBook()
    for step in history.steps:
        if step.recorded is not None:
            try:
                book = book.after(step.recorded)
            except SekishoError:
                continue  # the check of appeals says so
    return tuple(
        (appeal.filed.appeal, appeal.filed.order, appeal.decided.resume_by)
        for appeal in book.appeals.values()
        if appeal.decided is not None
        and appeal.decided.resume_by is not None
        and standing_of_appeal(appeal, _standing(history, appeal, at), at) == "resume-overdue"
    )


def _standing(history: History, appeal: Appeal, at: Instant) -> list[OrderReference]:
    """The orders in force then; where the order appealed against has not begun, when it does."""
    known = history.orders.find(appeal.filed.order)
    seen = at if known is None else max(at, known.order.not_before)
    return [each.reference for each in history.orders.in_force(seen)]


def _places(history: History) -> dict[str, int]:
    """Where each order stands in the log, by payload digest."""
    return {
        step.recorded.verified.digest: step.index
        for step in history.steps
        if step.recorded is not None
        and isinstance(step.recorded.verified.predicate, OrderIssued | OrderSealed)
    }


def _check_step(
    history: History,
    step: Step,
    fact: RefusalRecorded,
    before: tuple[RefusalBook, set[str], dict[str, int]],
    tally: Tally,
) -> None:
    book, said, places = before
    where = f"entry {step.index}: {fact.step} against {fact.host}"
    known, host = step.orders.find(fact.order), step.regime.hosts.get(fact.host)
    if known is None or host is None:
        tally.fault(f"{where} is about a host or an order that the log does not hold")
        return
    if not is_host_covered(step.ledger, known, host):
        tally.fault(f"{where}: the order does not cover it")
    start, end = history.recorded_from(step.index), history.recorded_by(step.index)
    if start is None or end is None:
        tally.gap(f"{where} has no recorded time yet")
        return
    terms = step.regime.in_force().terms
    # Witnesses say whole seconds, by clocks that may be this far from the desk's.
    start, end = start.plus(-terms.clock_error_s), end.plus(1 + terms.clock_error_s)
    place = places.get(known.digest)
    recorded = history.recorded_from(place) if place is not None else None
    life = step.lives.of(fact.order, fact.host)
    late = is_late(known, life, terms, recorded=recorded, at=end)
    if late is None:
        tally.fault(f"{where}: it was not late under the order")
        return
    made = book.of(fact.order, fact.host)
    last = history.recorded_from(made[-1].index) if made else None
    upcoming = next_step(made, late, terms, last_recorded=last)
    found = check_step(fact, upcoming, terms, earliest=start, latest=end)
    tally.extend(f"{where}: {problem}" for problem in found)
    if not said.issuperset(fact.evidence):
        tally.fault(f"{where} names evidence that does not stand before it in the log")


def _check_grant(
    history: History, step: Step, fact: LeaseGranted, book: RefusalBook, tally: Tally
) -> None:
    """The end of a host's leases means that none is granted: under whichever licence."""
    ended = book.ended_leases(fact.host)
    if not ended:
        return
    start, end = history.recorded_from(step.index), history.recorded_by(step.index)
    for made in ended:
        order = made.fact.order
        if start is None or end is None or why_late(step.lives.of(order, fact.host)) is None:
            continue
        if all(
            any(k.digest == order.digest for k in step.orders.in_force(t)) for t in (start, end)
        ):
            tally.fault(
                f"entry {step.index}: lease {fact.number} is granted to {fact.host}, whose leases were ended "
                f"under order {order.register} {order.number}"
            )


def _check_unnoticed(history: History, book: RefusalBook, tally: Tally) -> None:
    if history.final is None or history.regime.charter is None:
        return
    wait = history.regime.charter.terms.refusal_step_s
    for known, late in late_at_end(history):
        if not book.of(late.order, late.host) and late.late_s(history.final.time) > wait:
            order = f"{known.order.register} {known.order.number}"
            tally.gap(f"{late.host} is late under order {order} since {late.due}, without notice")


def _check_filed(step: Step, fact: AppealFiled, tally: Tally) -> None:
    where = f"entry {step.index}: appeal {fact.appeal}"
    known, party = step.orders.find(fact.order), step.regime.parties.get(fact.party)
    if known is None or party is None:
        tally.fault(f"{where} is by a party or about an order that the log does not hold")
        return
    for host in step.regime.hosts.values():
        if not is_host_covered(step.ledger, known, host):
            continue
        held = step.ledger.by_host(host.host)
        if host.organisation == party.organisation or any(
            each.licence.licensee == fact.party for each in held
        ):
            return
    tally.fault(f"{where}: the order touches neither a licence nor a host of {fact.party}")
