"""Checks of the receipt chains, of the books of each licence, and of what hosts did after they halted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import msgspec

from sekisho.auditor.evidence import Evidence, Paper, read_disclosures
from sekisho.auditor.history import History, Step
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.licensing import Chain, LeaseState, LicenceState, Link, fold_chain
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.statements import (
    LeaseClosed,
    LeaseGranted,
    LeaseRequested,
    OrderIssued,
    OrderReference,
    ReceiptAcknowledged,
    ReceiptGiven,
)

__all__ = [
    "ACKNOWLEDGEMENTS",
    "FORKS",
    "RECEIPTS",
    "check_budgets",
    "check_effects",
    "check_receipts",
]

RECEIPTS = "receipts.jsonl"
FORKS = "forks.jsonl"
ACKNOWLEDGEMENTS = "acknowledgements.jsonl"


class HostChain(msgspec.Struct, frozen=True, kw_only=True):
    """A host's receipts in sequence, folded into one chain."""

    host: str
    links: tuple[Link, ...]
    chain: Chain

    def is_at(self, sequence: int, digest: str) -> bool:
        return 0 < sequence <= self.chain.sequence and self.chain.digests[sequence - 1] == digest


def check_receipts(evidence: Evidence) -> Outcome:
    """Each host's chain is whole, signed by it, acknowledged where it must be, and holds its receipts of the log."""
    history, tally = evidence.past(), Tally()
    chains = {host: _load_chain(evidence, host, tally) for host in evidence.hosts(RECEIPTS)}
    for host, chain in chains.items():
        if chain is not None:
            tally.extend(
                f"receipts of {host}: {problem}" for problem in _check_chain(history, chain)
            )
    for step, lease in history.facts(LeaseGranted):
        if lease.host not in chains:
            tally.gap(f"entry {step.index}: the receipts of {lease.host} are not in the evidence")
    for where, host, sequence, digest in _expected_links(evidence):
        if host not in chains:
            tally.gap(f"{where}: the receipts of {host} are not in the evidence")
        elif (mine := chains[host]) is not None and not mine.is_at(
            sequence or _place(mine, digest), digest
        ):
            tally.fault(f"{where}: its receipt is not in the chain of {host}")
    _check_acknowledged(evidence, chains, tally)
    for host in evidence.hosts(FORKS):
        for paper in evidence.papers(host, FORKS):
            tally.fault(
                f"receipt-fork: {paper.where}: {host} gave another receipt of the same number"
            )
    total = sum(chain.chain.sequence for chain in chains.values() if chain is not None)
    return tally.outcome(f"{total} receipts of {len(chains)} hosts, chains whole")


def check_budgets(evidence: Evidence) -> Outcome:
    """The books of each licence add up, and no host reserved more than its lease or all together than the budget."""
    history, tally = evidence.past(), Tally()
    for step in history.steps:
        tally.extend(refusal.why for refusal in step.refusals if refusal.check == "budgets")
    _check_disclosures(evidence, history, tally)
    spent = _spent_by_lease(evidence, tally)
    for state in history.ledger.licences.values():
        _check_book(state, tally)
        for lease in state.leases:
            _check_lease_spend(history, state, lease, spent.get(lease.leaf, []), tally)
        _check_sum(state, spent, tally)
    known = {lease.leaf for state in history.ledger.licences.values() for lease in state.leases}
    for leaf in sorted(set(spent) - known):
        tally.gap(
            f"receipts spend the lease {leaf[:16]}, which this log does not hold up to its checkpoint"
        )
    licences = history.ledger.licences.values()
    leased = sum(len(state.leases) for state in licences)
    return tally.outcome(f"{len(licences)} books with {leased} leases add up")


def check_effects(evidence: Evidence) -> Outcome:
    """Once a host has halted, the run goes on only under a witnessed resume that names the order, or its lapse."""
    history, tally, halted = evidence.past(), Tally(), 0
    for step, receipt in history.facts(ReceiptGiven):
        if receipt.stage == "halted" and not evidence.has_paper(receipt.host, RECEIPTS):
            tally.gap(
                f"entry {step.index}: what {receipt.host} did after it halted is not in the evidence"
            )
    for host in evidence.hosts(RECEIPTS):
        under: dict[str, tuple[OrderReference, str | None]] = {}
        for receipt in _receipts(evidence, host):
            if receipt.stage == "halted" and receipt.order is not None:
                under[receipt.order.digest] = (receipt.order, receipt.run)
                halted += 1
            if receipt.stage != "quantum":
                continue
            for order, run in list(under.values()):
                if run is None or receipt.run is None or run == receipt.run:
                    _check_released(history, receipt, order, tally)
                    del under[order.digest]
    return tally.outcome(f"{halted} halts, none left without a release")


def _load_chain(evidence: Evidence, host: str, tally: Tally) -> HostChain | None:
    """The folded chain; its fault under this host's name where it does not fold."""
    try:
        links = tuple(_links(evidence, host, RECEIPTS))
        return HostChain(host=host, links=links, chain=fold_chain(host, links))
    except SekishoError as error:
        tally.fault(f"{type(error).code}: {error.message}")
        return None


def _links(evidence: Evidence, host: str, name: str) -> Iterator[Link]:
    for paper in evidence.papers(host, name):
        fact = paper.verified.predicate
        if not isinstance(fact, ReceiptGiven) or fact.host != host:
            raise InvalidInput(f"is no receipt of {host}", path=paper.where)
        yield Link(digest=paper.verified.digest, receipt=fact)


def _receipts(evidence: Evidence, host: str) -> list[ReceiptGiven]:
    receipts = [link.receipt for link in _links(evidence, host, RECEIPTS)]
    return sorted(receipts, key=lambda receipt: receipt.sequence)


def _check_chain(history: History, mine: HostChain) -> list[str]:
    """Counter tier as enrolled; quanta step by step, each under a lease that had not ended."""
    enrolled = history.regime_of_host(mine.host).hosts.get(mine.host)
    receipts = [link.receipt for link in sorted(mine.links, key=lambda link: link.receipt.sequence)]
    problems = [
        f"number {receipt.sequence} names the tier {receipt.counter}, enrolled is {enrolled.counter}"
        for receipt in receipts
        if enrolled is not None and receipt.counter != enrolled.counter
    ]
    quanta = [receipt for receipt in receipts if receipt.stage == "quantum"]
    problems += [
        f"number {after.sequence} begins quantum {after.quantum} again"
        for before, after in pairwise(quanta)
        if after.quantum <= before.quantum
    ]
    return problems + [p for receipt in quanta for p in _check_quantum(history, receipt)]


def _check_quantum(history: History, receipt: ReceiptGiven) -> list[str]:
    if receipt.spend is None:
        return [f"number {receipt.sequence} begins a quantum and says nothing of its cost"]
    lease = _find_lease(history, receipt.spend.lease.leaf)
    charter = history.regime.charter
    error_s = charter.terms.clock_error_s if charter is not None else 0
    if lease is not None and receipt.effective >= lease.granted.not_after.plus(error_s):
        return [f"number {receipt.sequence} begins a quantum after its lease ended"]
    return []


def _find_lease(history: History, leaf: str) -> LeaseState | None:
    return next(
        (s for state in history.ledger.licences.values() for s in state.leases if s.leaf == leaf),
        None,
    )


def _expected_links(evidence: Evidence) -> Iterator[tuple[str, str, int, str]]:
    """Every receipt that something else names: (where, host, sequence or 0 where only the digest is named, digest)."""
    history = evidence.past()
    for step, receipt in history.facts(ReceiptGiven):
        yield f"entry {step.index}", receipt.host, receipt.sequence, _digest(step)
    for step, closed in history.facts(LeaseClosed):
        if closed.receipt is not None:
            yield f"entry {step.index}", closed.host, 0, closed.receipt
    for host in evidence.hosts(ACKNOWLEDGEMENTS):
        for paper in evidence.papers(host, ACKNOWLEDGEMENTS):
            fact = _acknowledgement(paper, host)
            yield paper.where, host, fact.sequence, fact.receipt
    for host in evidence.hosts("requests.jsonl"):
        for paper in evidence.papers(host, "requests.jsonl"):
            request = paper.verified.predicate
            if isinstance(request, LeaseRequested) and request.last_receipt is not None:
                yield paper.where, host, 0, request.last_receipt


def _digest(step: Step) -> str:
    return step.recorded.verified.digest if step.recorded is not None else ""


def _place(mine: HostChain, digest: str) -> int:
    """The sequence of a receipt that is named by digest alone; 0 where the chain has none such."""
    return mine.chain.digests.index(digest) + 1 if digest in mine.chain.digests else 0


def _acknowledgement(paper: Paper, host: str) -> ReceiptAcknowledged:
    fact = paper.verified.predicate
    if not isinstance(fact, ReceiptAcknowledged) or fact.host != host:
        raise InvalidInput(f"is no acknowledgement to {host}", path=paper.where)
    return fact


def _check_acknowledged(
    evidence: Evidence, chains: dict[str, HostChain | None], tally: Tally
) -> None:
    """On the tiers C0 and C1 a quantum begins only once the receipt of the one before is acknowledged."""
    for host, mine in chains.items():
        if mine is None:
            continue
        known = {
            _acknowledgement(paper, host).receipt
            for paper in evidence.papers(host, ACKNOWLEDGEMENTS)
        }
        quanta = [
            link
            for link in sorted(mine.links, key=lambda link: link.receipt.sequence)
            if link.receipt.stage == "quantum" and link.receipt.counter != "C2"
        ]
        for before, after in pairwise(quanta):
            if before.digest not in known:
                tally.fault(
                    f"receipts of {host}: quantum {after.receipt.quantum} began "
                    f"although nobody acknowledged receipt {before.receipt.sequence}"
                )


def _check_disclosures(evidence: Evidence, history: History, tally: Tally) -> None:
    """The file is in its one form, about entries of this log, and opens every amount that the books need."""
    disclosed = read_disclosures(evidence.bundle)
    leaves = {step.leaf for step in history.steps}
    for leaf in sorted(set(disclosed) - leaves):
        tally.fault(f"disclosures.json: {leaf[:16]} is no entry of this log")
    for step, granted in history.facts(LeaseGranted):
        _check_opened(step, granted, disclosed, tally)
    for step, closed in history.facts(LeaseClosed):
        _check_opened(step, closed, disclosed, tally)


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
            links = [*_links(evidence, host, RECEIPTS), *_links(evidence, host, FORKS)]
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
    history: History, state: LicenceState, lease: LeaseState, links: list[Link], tally: Tally
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
        _check_closing(history, state, lease, links, tally)


def _check_closing(
    history: History, state: LicenceState, lease: LeaseState, links: list[Link], tally: Tally
) -> None:
    """By its final receipt with what that receipt reserved, or forfeited after its time with at least all known."""
    where = f"lease {lease.granted.number} of {lease.granted.host}"
    step, closed = next(
        (step, fact) for step, fact in history.facts(LeaseClosed) if fact.lease.leaf == lease.leaf
    )
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


def _check_released(
    history: History, receipt: ReceiptGiven, order: OrderReference, tally: Tally
) -> None:
    """A quantum after a halt: some witnessed resume lifts the order and was known, or the order had lapsed."""
    where = f"receipt {receipt.sequence} of {receipt.host}"
    known = history.orders.find(order)
    charter = history.regime.charter
    if known is None or charter is None:
        tally.fault(f"{where}: works on after a halt under an order that the log does not hold")
        return
    error_s = 1 + charter.terms.clock_error_s
    if known.order.on_expiry == "lapse" and receipt.effective.plus(error_s) >= known.order.expires:
        return
    lifting = [
        (step, fact)
        for step, fact in history.facts(OrderIssued)
        if fact.kind == "resume" and order in fact.lifts
    ]
    if not lifting:
        tally.fault(
            f"{where}: works on although no resume lifts order {order.register} {order.number}"
        )
    elif not any(_is_known(history, receipt, *pair, error_s) for pair in lifting):
        tally.fault(
            f"{where}: works on before it held the resume of order {order.register} {order.number}"
        )


def _is_known(
    history: History, receipt: ReceiptGiven, step: Step, resume: OrderIssued, error_s: int
) -> bool:
    """Whether the host held this resume: witnessed, begun, and among the heads that its receipt names.

    A head's digest cannot be guessed before the order exists, so no clock is believed here.
    """
    head = next((head for head in receipt.heads if head.register == resume.register), None)
    return (
        history.recorded_by(step.index) is not None
        and receipt.effective.plus(error_s) >= resume.not_before
        and head is not None
        and head.number >= resume.number
        and history.orders.find(head) is not None
    )
