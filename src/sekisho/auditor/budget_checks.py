"""Checks of the books: what was leased, reserved and closed, against allowances, budgets and receipts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sekisho.auditor.evidence import Evidence, read_disclosures
from sekisho.auditor.history import History, Step
from sekisho.auditor.receipt_checks import FORKS, RECEIPTS, links_of
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.licensing import LeaseState, LicenceState, Link
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import SekishoError
from sekisho.model.statements import DisclosureErased, LeaseClosed, LeaseGranted

__all__ = ["check_budgets"]

Closings = Mapping[str, tuple[Step, LeaseClosed]]


def check_budgets(evidence: Evidence) -> Outcome:
    """The books of each licence add up, and no host reserved more than its lease or all together than the budget."""
    history, tally = evidence.past(), Tally()
    for step in history.steps:
        tally.extend(refusal.why for refusal in step.refusals if refusal.check == "budgets")
    _check_disclosures(evidence, history, tally)
    spent = _spent_by_lease(evidence, tally)
    closings = {fact.lease.leaf: (step, fact) for step, fact in history.facts(LeaseClosed)}
    for state in history.ledger.licences.values():
        _check_book(state, tally)
        for lease in state.leases:
            _check_lease_spend(closings, state, lease, spent.get(lease.leaf, []), tally)
        _check_sum(state, spent, tally)
    known = {lease.leaf for state in history.ledger.licences.values() for lease in state.leases}
    for leaf in sorted(set(spent) - known):
        tally.gap(
            f"receipts spend the lease {leaf[:16]}, which this log does not hold up to its checkpoint"
        )
    licences = history.ledger.licences.values()
    leased = sum(len(state.leases) for state in licences)
    return tally.outcome(f"{len(licences)} books with {leased} leases add up")


def _check_disclosures(evidence: Evidence, history: History, tally: Tally) -> None:
    """The file is in its one form, about entries of this log, and opens every amount that the books need."""
    disclosed = read_disclosures(evidence.bundle)
    leaves = {step.leaf for step in history.steps}
    for leaf in sorted(set(disclosed) - leaves):
        tally.fault(f"disclosures.json: {leaf[:16]} is no entry of this log")
    erased = {fact.statement: fact.basis for _, fact in history.facts(DisclosureErased)}
    facts: list[tuple[Step, LeaseGranted | LeaseClosed]] = [
        *history.facts(LeaseGranted),
        *history.facts(LeaseClosed),
    ]
    for step, fact in facts:
        digest = step.recorded.verified.digest if step.recorded is not None else ""
        if digest in erased:
            tally.gap(f"entry {step.index}: its amount was erased ({erased[digest]}): not measured")
        else:
            _check_opened(step, fact, disclosed, tally)


def _check_opened(
    step: Step,
    fact: LeaseGranted | LeaseClosed,
    disclosed: Mapping[str, tuple[str, ...]],
    tally: Tally,
) -> None:
    where = f"entry {step.index}: lease {fact.number} of {fact.host}"
    if not fact.concealed:
        tally.gap(f"{where} names no amount at all")
    elif len(set(disclosed.get(step.leaf, ()))) < len(fact.concealed):
        tally.gap(f"{where}: an amount is not disclosed")


def _spent_by_lease(evidence: Evidence, tally: Tally) -> dict[str, list[Link]]:
    """The receipts that spend each lease, in sequence; the branches of a fork are both counted."""
    spent: dict[str, list[Link]] = {}
    for host in evidence.hosts(RECEIPTS):
        try:
            links = [*links_of(evidence, host, RECEIPTS), *links_of(evidence, host, FORKS)]
        except SekishoError as error:
            tally.fault(f"{type(error).code}: {error.message}")
            continue
        for link in sorted(links, key=lambda link: link.receipt.sequence):
            if link.receipt.spend is not None:
                spent.setdefault(link.receipt.spend.lease.leaf, []).append(link)
    return spent


def _check_book(state: LicenceState, tally: Tally) -> None:
    number, book = state.licence.number, state.book
    if state.undisclosed:
        tally.gap(f"licence {number}: {state.undisclosed} amounts are not disclosed")
    if (
        book.budget != parse_flop(state.licence.budget_flop)
        or min(book.available, book.leased, book.consumed, book.forfeited) < 0
    ):
        tally.fault(f"licence {number}: its books do not add up to its budget")


def _check_lease_spend(
    closings: Closings, state: LicenceState, lease: LeaseState, links: list[Link], tally: Tally
) -> None:
    where = f"lease {lease.granted.number} of {lease.granted.host}"
    low = 0
    for link in links:
        spend, number = link.receipt.spend, link.receipt.sequence
        if spend is None:
            continue
        reserved, bound = parse_flop(spend.reserved_flop), parse_flop(spend.bound_flop)
        if (link.receipt.host, spend.lease_number) != (lease.granted.host, lease.granted.number):
            tally.fault(
                f"{where}: receipt {number} of {link.receipt.host} spends it under another number"
            )
        if lease.allowance_flop is not None and reserved > lease.allowance_flop:
            tally.fault(
                f"{where}: receipt {number} reserves {reserved} FLOP of {lease.allowance_flop} allowed"
            )
        if not low <= bound <= reserved:
            tally.fault(
                f"{where}: receipt {number} spends {bound} FLOP, after {low}, of {reserved} reserved"
            )
        low = max(low, bound)
    if lease.ended is not None:
        _check_closing(closings, state, lease, links, tally)


def _check_closing(
    closings: Closings, state: LicenceState, lease: LeaseState, links: list[Link], tally: Tally
) -> None:
    """By its final receipt with what that receipt reserved, or forfeited after its time with at least all known."""
    where = f"lease {lease.granted.number} of {lease.granted.host}"
    step, closed = closings[lease.leaf]
    known = [parse_flop(link.receipt.spend.reserved_flop) for link in links if link.receipt.spend]
    consumed = lease.consumed_flop
    if closed.how == "forfeited":
        slack = state.licence.lease.grace_s + step.regime.in_force().terms.clock_error_s
        if closed.effective < lease.granted.not_after.plus(slack):
            tally.fault(f"{where} was forfeited before its grace was over")
        if consumed is not None and consumed < max(known, default=0):
            tally.fault(
                f"{where} was closed at {consumed} FLOP, its receipts reserved {max(known)}"
            )
        return
    if not links:
        tally.gap(f"{where}: its final receipt is not in the evidence")
        return
    final = links[-1]
    if final.digest != closed.receipt or final.receipt.stage != "final":
        tally.fault(f"{where} was closed by a receipt that is not its final one")
    elif consumed is not None and consumed != known[-1]:
        tally.fault(f"{where} was closed at {consumed} FLOP, its final receipt says {known[-1]}")


def _check_sum(state: LicenceState, spent: dict[str, list[Link]], tally: Tally) -> None:
    """All reservations of a licence together: closed leases by what they consumed, open ones by the most reserved."""
    total = sum(_taken(lease, spent.get(lease.leaf, [])) for lease in state.leases)
    budget = parse_flop(state.licence.budget_flop)
    if total > budget:
        tally.fault(
            f"licence {state.licence.number}: {total} FLOP were reserved, its budget is {budget}"
        )


def _taken(lease: LeaseState, links: Iterable[Link]) -> int:
    reserved = [
        parse_flop(link.receipt.spend.reserved_flop) for link in links if link.receipt.spend
    ]
    if lease.ended is not None and lease.consumed_flop is not None:
        return max(lease.consumed_flop, reserved[-1] if reserved else 0)
    return max(reserved, default=0)
