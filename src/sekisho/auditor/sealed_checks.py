"""Check of sealed orders: opened in time and not before, with the very content that was sealed, for the very hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History, Step
from sekisho.auditor.resolving import named_anew
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import OrderIssued, OrderOpened, OrderSealed
from sekisho.orders.sealed import check_sealed as check_rules
from sekisho.orders.sealed import open_sealed, verify_seal

__all__ = ["OPENED_WITHIN_S", "check_sealed"]

OPENED_WITHIN_S = 86_400


def check_sealed(evidence: Evidence) -> Outcome:
    """Each sealed order, by its opening; by the disclosures in the bundle where it is not open yet."""
    history, tally, told = evidence.past(), Tally(), []
    openings = _openings(history, tally)
    disclosed = evidence.disclosures()
    for step, sealed in history.facts(OrderSealed):
        where = f"entry {step.index}: sealed order {sealed.register} {sealed.number}"
        opening = openings.get(_digest(step))
        if opening is None:
            told.append(f"{sealed.register} {sealed.number}: until {sealed.opens}")
            _check_unopened(history, sealed, where, tally)
            _check_content(history, step, sealed, disclosed.get(step.leaf, ()), where, tally)
            continue
        told.append(f"{sealed.register} {sealed.number}: opened")
        _check_time(history, step, sealed, opening[0], where, tally)
        texts = opening[1].disclosures
        if not _check_content(history, step, sealed, texts, where, tally):
            tally.fault(f"{where} was opened without the order or the salt that was sealed")
    return tally.outcome("; ".join(told) or "no order is sealed")


def _openings(history: History, tally: Tally) -> Mapping[str, tuple[Step, OrderOpened]]:
    """The first opening of each order, by its digest; one of no sealed order, or a second one, is a fault."""
    found: dict[str, tuple[Step, OrderOpened]] = {}
    for step, fact in history.facts(OrderOpened):
        known = step.orders.find(fact.order)
        if known is None or known.sealed is None:
            tally.fault(f"entry {step.index}: opens what is no sealed order before it")
        elif fact.order.digest in found:
            tally.fault(
                f"entry {step.index}: opens {fact.order.register} {fact.order.number} again"
            )
        else:
            found[fact.order.digest] = (step, fact)
    return found


def _check_unopened(history: History, sealed: OrderSealed, where: str, tally: Tally) -> None:
    end = history.final.time if history.final is not None else None
    if end is not None and end > sealed.opens.plus(OPENED_WITHIN_S):
        tally.fault(f"{where} was to open at {sealed.opens} and is not open at {end}")


def _check_time(
    history: History, step: Step, sealed: OrderSealed, opening: Step, where: str, tally: Tally
) -> None:
    """By the marks around it: certainly later than a day after its instant, or certainly before it while not lifted."""
    start, end = history.recorded_from(opening.index), history.recorded_by(opening.index)
    if start is not None and start > sealed.opens.plus(OPENED_WITHIN_S):
        tally.fault(f"{where} was to open at {sealed.opens} and was opened after {start} only")
    if end is None:
        tally.gap(f"{where}: its opening has no recorded time yet")
        return
    error_s = 1 + opening.regime.in_force().terms.clock_error_s
    if end.plus(error_s) < sealed.opens and not _is_lifted(opening, step, end.plus(error_s)):
        tally.fault(
            f"{where} opens at {sealed.opens}, was opened by {end}, and nothing had lifted it"
        )


def _is_lifted(opening: Step, step: Step, at: Instant) -> bool:
    return _digest(step) in opening.orders.lifted(at)


def _check_content(  # what is shown of a statement, where, and where to say what is wrong
    history: History,
    step: Step,
    sealed: OrderSealed,
    texts: Iterable[str],
    where: str,
    tally: Tally,
) -> bool:
    """Whether the order is known; then it and its hosts are held against what was signed."""
    try:
        opened = open_sealed(sealed, texts)
        if opened.order is None or opened.salt is None:
            tally.gap(f"{where} is not open yet, and what it says is not in the bundle")
            return False
        problems = check_rules(sealed, opened.order, step.regime.in_force())
        tally.extend(f"{where}: {problem}" for problem in problems)
        verify_seal(sealed, opened.salt, _named(history, step, opened.order))
    except SekishoError as error:
        tally.fault(f"{where}: {type(error).code}: {error.message}")
    return True


def _named(history: History, step: Step, order: OrderIssued) -> frozenset[str]:
    """Its hosts by the auditor's own reading; none where its tree is ahead of it, which the check of scopes says."""
    resolved = order.resolved
    if resolved is None or resolved.size > step.index:
        return frozenset()
    return named_anew(history.rosters.at(resolved.size), resolved)


def _digest(step: Step) -> str:
    return step.recorded.verified.digest if step.recorded is not None else ""
