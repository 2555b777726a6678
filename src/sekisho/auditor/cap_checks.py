"""Checks of caps: what each host that says it is capped used under the cap, by its own quantum receipts."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History, Step
from sekisho.auditor.receipt_checks import RECEIPTS, links_of
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Period
from sekisho.model.statements import OrderIssued, ReceiptGiven
from sekisho.orders.caps import judge_cap, measure_bound

__all__ = ["check_caps"]


def check_caps(evidence: Evidence) -> Outcome:
    """Each host that reports a cap is held against the bound of its quantum receipts; unmeasured is unverifiable."""
    history, tally, count = evidence.past(), Tally(), 0
    for step, receipt, order in _capped(history):
        count += 1
        where = f"entry {step.index}: {receipt.host} under cap {order.register} {order.number}"
        if not evidence.has_paper(receipt.host, RECEIPTS):
            tally.gap(f"{where}: its receipts are not in the evidence")
            continue
        given = [link.receipt for link in links_of(evidence, receipt.host, RECEIPTS)]
        host = history.regime_of_host(receipt.host).hosts.get(receipt.host)
        peak = sum(parse_flop(device.peak_flop_per_s) for device in host.devices) if host else 0
        use = measure_bound(given, peak, _period(receipt, order, given))
        judged = judge_cap(order.cap_percent or 0, use)
        if judged.verdict == "fails":
            tally.fault(f"{where} did not keep it: {judged.reason}")
        elif judged.verdict == "not-measured":
            tally.gap(f"{where}: not measured: {judged.reason}")
    return tally.outcome(f"{count} caps kept" if count else "no host reports a cap")


def _capped(history: History) -> Iterator[tuple[Step, ReceiptGiven, OrderIssued]]:
    """Every receipt that says a host goes slower, with the cap that it names."""
    for step, receipt in history.facts(ReceiptGiven):
        if receipt.stage != "capped" or receipt.order is None:
            continue
        known = history.orders.find(receipt.order)
        if known is not None and known.order.cap_percent is not None:
            yield step, receipt, known.order


def _period(receipt: ReceiptGiven, order: OrderIssued, given: list[ReceiptGiven]) -> Period:
    """From the capped receipt to the resumed one that ends it, or to the order's expiry."""
    ends = [
        later.effective
        for later in given
        if later.stage == "resumed"
        and later.order == receipt.order
        and later.sequence > receipt.sequence
    ]
    return Period(receipt.effective, min((*ends, order.expires)))
