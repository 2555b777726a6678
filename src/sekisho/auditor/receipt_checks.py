"""Checks of the receipt chains, and of what hosts did after they halted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import msgspec

from sekisho.auditor.evidence import Evidence, Paper
from sekisho.auditor.history import History, Step
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.licensing import Chain, LeaseState, Link, fold_chain
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    LeaseClosed,
    LeaseGranted,
    LeaseRequested,
    OrderIssued,
    OrderReference,
    ReceiptAcknowledged,
    ReceiptGiven,
)
from sekisho.orders.registers import lifts_order

__all__ = [
    "ACKNOWLEDGEMENTS",
    "FORKS",
    "RECEIPTS",
    "check_effects",
    "check_receipts",
    "following_quanta",
    "links_of",
]

RECEIPTS = "receipts.jsonl"
FORKS = "forks.jsonl"
ACKNOWLEDGEMENTS = "acknowledgements.jsonl"


class HostChain(msgspec.Struct, frozen=True, kw_only=True):
    """A host's receipts in sequence, folded into one chain."""

    host: str
    links: tuple[Link, ...]
    chain: Chain
    places: Mapping[str, int]

    def is_at(self, sequence: int | None, digest: str) -> bool:
        """Whether the receipt is in the chain, at this sequence where one is named."""
        place = self.places.get(digest)
        return place is not None and sequence in (None, place)


def check_receipts(evidence: Evidence) -> Outcome:
    """Each host's chain is whole, signed by it, acknowledged where it must be, and holds its receipts of the log."""
    history, tally = evidence.past(), Tally()
    leases = _leases_by_leaf(history)
    chains = {host: _load_chain(evidence, host, tally) for host in evidence.hosts(RECEIPTS)}
    for host, chain in chains.items():
        if chain is not None:
            tally.extend(
                f"receipts of {host}: {problem}" for problem in _check_chain(history, leases, chain)
            )
    for step, lease in history.facts(LeaseGranted):
        if lease.host not in chains:
            tally.gap(f"entry {step.index}: the receipts of {lease.host} are not in the evidence")
    for where, host, sequence, digest in _expectedlinks_of(evidence):
        if host not in chains:
            tally.gap(f"{where}: the receipts of {host} are not in the evidence")
        elif (mine := chains[host]) is not None and not mine.is_at(sequence, digest):
            tally.fault(f"{where}: its receipt is not in the chain of {host}")
    _check_acknowledged(evidence, chains, tally)
    for host in evidence.hosts(FORKS):
        for paper in evidence.papers(host, FORKS):
            tally.fault(
                f"receipt-fork: {paper.where}: {host} gave another receipt of the same number"
            )
    total = sum(chain.chain.sequence for chain in chains.values() if chain is not None)
    return tally.outcome(f"{total} receipts of {len(chains)} hosts, chains whole")


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
        for receipt in _given(evidence, host):
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
        links = tuple(links_of(evidence, host, RECEIPTS))
        chain = fold_chain(host, links)
        places = {link.digest: link.receipt.sequence for link in links}
        return HostChain(host=host, links=links, chain=chain, places=places)
    except SekishoError as error:
        tally.fault(f"{type(error).code}: {error.message}")
        return None


def links_of(evidence: Evidence, host: str, name: str) -> Iterator[Link]:
    """The receipts of one of a host's files. Raises InvalidInput naming the first bad line."""
    for paper in evidence.papers(host, name):
        fact = paper.verified.predicate
        if not isinstance(fact, ReceiptGiven) or fact.host != host:
            raise InvalidInput(f"is no receipt of {host}", path=paper.where)
        yield Link(digest=paper.verified.digest, receipt=fact)


def _given(evidence: Evidence, host: str) -> list[ReceiptGiven]:
    """A host's receipts in their order, none dated later than its issuer acknowledged it.

    A host that dates itself ahead would else have outlived an order, or waited for a resume, that it did not.
    """
    seen: dict[str, Instant] = {}
    for paper in evidence.papers(host, ACKNOWLEDGEMENTS):
        told = _acknowledgement(paper, host)
        seen[told.receipt] = min(told.effective, seen.get(told.receipt, told.effective))
    receipts = [
        msgspec.structs.replace(
            link.receipt,
            effective=min(link.receipt.effective, seen.get(link.digest, link.receipt.effective)),
        )
        for link in links_of(evidence, host, RECEIPTS)
    ]
    return sorted(receipts, key=lambda receipt: receipt.sequence)


def _check_chain(history: History, leases: Mapping[str, LeaseState], mine: HostChain) -> list[str]:
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
    return problems + [p for receipt in quanta for p in _check_quantum(history, leases, receipt)]


def _check_quantum(
    history: History, leases: Mapping[str, LeaseState], receipt: ReceiptGiven
) -> list[str]:
    if receipt.spend is None:
        return [f"number {receipt.sequence} begins a quantum and says nothing of its cost"]
    lease = leases.get(receipt.spend.lease.leaf)
    charter = history.regime.charter
    error_s = charter.terms.clock_error_s if charter is not None else 0
    if lease is not None and receipt.effective >= lease.granted.not_after.plus(error_s):
        return [f"number {receipt.sequence} begins a quantum after its lease ended"]
    return []


def _leases_by_leaf(history: History) -> dict[str, LeaseState]:
    licences = history.ledger.licences.values()
    return {lease.leaf: lease for state in licences for lease in state.leases}


def _expectedlinks_of(evidence: Evidence) -> Iterator[tuple[str, str, int | None, str]]:
    """Every receipt that something else names: (where, host, sequence if it is named, digest)."""
    history = evidence.past()
    for step, receipt in history.facts(ReceiptGiven):
        yield f"entry {step.index}", receipt.host, receipt.sequence, _digest(step)
    for step, closed in history.facts(LeaseClosed):
        if closed.receipt is not None:
            yield f"entry {step.index}", closed.host, None, closed.receipt
    for host in evidence.hosts(ACKNOWLEDGEMENTS):
        for paper in evidence.papers(host, ACKNOWLEDGEMENTS):
            fact = _acknowledgement(paper, host)
            yield paper.where, host, fact.sequence, fact.receipt
    for host in evidence.hosts("requests.jsonl"):
        for paper in evidence.papers(host, "requests.jsonl"):
            request = paper.verified.predicate
            if isinstance(request, LeaseRequested) and request.last_receipt is not None:
                yield paper.where, host, None, request.last_receipt


def _digest(step: Step) -> str:
    return step.recorded.verified.digest if step.recorded is not None else ""


def _acknowledgement(paper: Paper, host: str) -> ReceiptAcknowledged:
    fact = paper.verified.predicate
    if not isinstance(fact, ReceiptAcknowledged) or fact.host != host:
        raise InvalidInput(f"is no acknowledgement to {host}", path=paper.where)
    return fact


def _check_acknowledged(
    evidence: Evidence, chains: dict[str, HostChain | None], tally: Tally
) -> None:
    """On the tiers C0 and C1 a lease's next quantum begins only once the receipt of the one before is acknowledged.

    Lease by lease: whoever is refused an acknowledgement may go on under a fresh lease, which the issuer granted in
    knowledge of the chain.
    """
    for host, mine in chains.items():
        if mine is None:
            continue
        known = {
            _acknowledgement(paper, host).receipt
            for paper in evidence.papers(host, ACKNOWLEDGEMENTS)
        }
        for before, after in following_quanta(mine.links):
            if before.digest not in known:
                tally.fault(
                    f"receipts of {host}: quantum {after.receipt.quantum} began "
                    f"although nobody acknowledged receipt {before.receipt.sequence}"
                )


def following_quanta(links: Iterable[Link]) -> Iterator[tuple[Link, Link]]:
    """Each quantum on a tier that can be set back, with the next one of the same lease."""
    latest: dict[str, Link] = {}
    for link in sorted(links, key=lambda link: link.receipt.sequence):
        receipt = link.receipt
        if receipt.stage != "quantum" or receipt.counter == "C2":
            continue
        lease = receipt.spend.lease.leaf if receipt.spend is not None else ""
        if lease in latest:
            yield latest[lease], link
        latest[lease] = link


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
    doubted = history.orders.doubted.get(known.digest)
    ends = known.order.expires if doubted is None else min(known.order.expires, doubted)
    if known.order.on_expiry == "lapse" and receipt.effective.plus(error_s) >= ends:
        return
    lifting = [
        (step, fact)
        for step, fact in history.facts(OrderIssued)
        if fact.kind == "resume" and order in fact.lifts and lifts_order(fact, known)
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
