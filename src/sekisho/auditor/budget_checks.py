"""Checks of the books: what was leased, reserved and closed, against allowances, budgets and receipts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sekisho.auditor.evidence import Evidence, read_disclosures
from sekisho.auditor.history import History, Step
from sekisho.auditor.receipt_checks import FORKS, RECEIPTS, links_of
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.licensing import LeaseState, LicenceState, Link, reserved_in_branches
from sekisho.licensing.books import WHOLE
from sekisho.licensing.granting import shares_named
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import DisclosureErased, LeaseClosed, LeaseGranted

__all__ = ["check_budgets"]

Closings = Mapping[str, tuple[Step, LeaseClosed]]


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """The receipts that spend one lease: those of the host's chain in sequence, and those of branches beside it."""

    links: tuple[Link, ...]
    forks: tuple[Link, ...]

    def reserved(self) -> int:
        """The most that the chain reserved, and the most that each branch did, added."""
        mine = [
            parse_flop(link.receipt.spend.reserved_flop)
            for link in self.links
            if link.receipt.spend is not None
        ]
        return max(mine, default=0) + sum(reserved_in_branches(self.forks).values())


def check_budgets(evidence: Evidence) -> Outcome:
    """The books of each licence add up, and no host reserved more than its lease or all together than the budget."""
    history, tally = evidence.past(), Tally()
    for step in history.steps:
        tally.extend(refusal.why for refusal in step.refusals if refusal.check == "budgets")
    _check_disclosures(evidence, history, tally)
    spent = _spent_by_lease(evidence, RECEIPTS, tally)
    branches = _spent_by_lease(evidence, FORKS, tally)
    closings = {fact.lease.leaf: (step, fact) for step, fact in history.facts(LeaseClosed)}
    for state in history.ledger.licences.values():
        _check_book(state, tally)
        for lease in state.leases:
            spending = Spending(
                links=tuple(spent.get(lease.leaf, ())), forks=tuple(branches.get(lease.leaf, ()))
            )
            _check_lease_spend(closings, lease, spending, tally)
        _check_sum(state, spent, branches, tally)
    known = {lease.leaf for state in history.ledger.licences.values() for lease in state.leases}
    for leaf in sorted({*spent, *branches} - known):
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


def _spent_by_lease(evidence: Evidence, kind: str, tally: Tally) -> dict[str, list[Link]]:
    """The receipts of one kind that spend each lease, in sequence: of the chains, or of the branches beside them."""
    spent: dict[str, list[Link]] = {}
    for host in evidence.hosts(kind):
        try:
            links = links_of(evidence, host, kind)
        except SekishoError as error:
            tally.fault(f"{type(error).code}: {error.message}")
            continue
        for link in sorted(links, key=lambda link: link.receipt.sequence):
            if link.receipt.spend is not None:
                spent.setdefault(link.receipt.spend.lease.leaf, []).append(link)
    return spent


def _check_book(state: LicenceState, tally: Tally) -> None:
    """Share by share: what is in the four accounts is the budget and what was taken beyond it, which is a fault."""
    number = state.licence.number
    shares = {share.share: share.budget_flop for share in state.licence.shares}
    budgets = shares or {WHOLE: state.licence.budget_flop}
    if state.undisclosed:
        tally.gap(f"licence {number}: {state.undisclosed} amounts are not disclosed")
    for name, book in state.books.shares.items():
        where = f"licence {number}" + (f", share {name}" if name else "")
        taken = (book.available, book.leased, book.consumed, book.forfeited)
        # A share that an amendment dropped keeps its book, of no budget.
        budget = parse_flop(budgets.get(name, "0"))
        if sum(taken) - book.overdrawn != budget or min(*taken, book.overdrawn) < 0:
            tally.fault(f"{where}: its books do not add up to its budget")
        # After an amount that nobody opens the book stands still, and tells nothing of what was taken.
        if book.overdrawn > _spare(state, name) and state.books.is_known(name or None):
            tally.fault(
                f"{where}: {book.overdrawn} FLOP were consumed beyond its budget of {budget}"
            )


def _spare(state: LicenceState, name: str) -> int:
    """What covers a share's book beyond its own budget: nothing, or of a dropped one what all others have left.

    Its budget went to them when nothing of it was in use; a fork that came to light since is no fault of the books
    until it takes more than the whole budget.
    """
    if name in shares_named(state):
        return 0
    others = sum(book.taken for each, book in state.books.shares.items() if each != name)
    return max(0, parse_flop(state.licence.budget_flop) - others)


def _check_lease_spend(
    closings: Closings, lease: LeaseState, spending: Spending, tally: Tally
) -> None:
    where = f"lease {lease.granted.number} of {lease.granted.host}"
    low = 0
    for link in (*spending.links, *spending.forks):
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
        # A branch begins where it parted from the chain, which nobody knows: it is not compared with the chain's end.
        least = low if link in spending.links else 0
        if not least <= bound <= reserved:
            tally.fault(
                f"{where}: receipt {number} spends {bound} FLOP, after {least}, of {reserved} reserved"
            )
        low = max(low, bound)
    if lease.ended is not None:
        _check_closing(closings, lease, spending, tally)


def _check_closing(closings: Closings, lease: LeaseState, spending: Spending, tally: Tally) -> None:
    """By its final receipt with what that reserved; forfeited after its time, or forked, with at least all known."""
    where = f"lease {lease.granted.number} of {lease.granted.host}"
    step, closed = closings[lease.leaf]
    known, consumed = spending.reserved(), lease.consumed_flop
    if closed.how != "final-receipt":
        if closed.how == "forfeited" and closed.effective < _grace_end(lease, step):
            tally.fault(f"{where} was forfeited before its grace was over")
        if closed.how == "forked" and not step.refusals and not spending.forks:
            tally.gap(f"{where} was closed by a fork that is not in the evidence")
        if consumed is not None and consumed < known:
            tally.fault(f"{where} was closed at {consumed} FLOP, its receipts reserved {known}")
        return
    if not spending.links:
        tally.gap(f"{where}: its final receipt is not in the evidence")
        return
    final = spending.links[-1]
    told = parse_flop(final.receipt.spend.reserved_flop) if final.receipt.spend else 0
    if final.digest != closed.receipt or final.receipt.stage != "final":
        tally.fault(f"{where} was closed by a receipt that is not its final one")
    elif consumed is not None and consumed != told:
        tally.fault(f"{where} was closed at {consumed} FLOP, its final receipt says {told}")


def _grace_end(lease: LeaseState, step: Step) -> Instant:
    """When nothing of a lease could be spent any more: its grace, the outage over its host by then, and clock error.

    The grace is that of the licence as it stood when the lease was forfeited: an amendment may change it later.
    """
    granted = lease.granted
    state = step.ledger.licences[granted.licence.leaf]
    usual = granted.not_after.plus(state.licence.lease.grace_s)
    host = step.regime.hosts.get(granted.host)
    end = state.licence.period.end
    until = (
        usual if host is None else step.outages.extend(host.host, host.site, usual, licence_end=end)
    )
    return until.plus(step.regime.in_force().terms.clock_error_s)


def _check_sum(
    state: LicenceState,
    spent: Mapping[str, Sequence[Link]],
    branches: Mapping[str, Sequence[Link]],
    tally: Tally,
) -> None:
    """All reservations of each share together: closed leases by what they consumed, open ones by the most reserved."""
    taken: dict[str, int] = {}
    for lease in state.leases:
        leaf, share = lease.leaf, lease.granted.share or WHOLE
        spending = Spending(links=tuple(spent.get(leaf, ())), forks=tuple(branches.get(leaf, ())))
        taken[share] = taken.get(share, 0) + _taken(lease, spending)
    for share, total in taken.items():
        budget = state.books.of(share or None).budget
        if total > budget + _spare(state, share):
            where = f"licence {state.licence.number}" + (f", share {share}" if share else "")
            tally.fault(f"{where}: {total} FLOP were reserved, its budget is {budget}")


def _taken(lease: LeaseState, spending: Spending) -> int:
    """What one lease took: by its final receipt what that says, whatever was reserved and credited before it."""
    consumed, last = lease.consumed_flop, spending.links[-1].receipt if spending.links else None
    is_final = last is not None and last.stage == "final"
    # Erased amounts are not known, what the final receipt says is.
    if lease.ended != "final-receipt" or (consumed is None and not is_final):
        return max(consumed or 0, spending.reserved())
    told = last.spend if last is not None else None
    return max(consumed or 0, parse_flop(told.reserved_flop) if told is not None else 0)
