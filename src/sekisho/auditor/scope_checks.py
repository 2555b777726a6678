"""Check of scopes that were resolved: each predicate is resolved anew in the very tree that its signers read."""

from __future__ import annotations

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History, Step
from sekisho.auditor.resolving import named_anew
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.errors import SekishoError
from sekisho.model.statements import ResolvedScope
from sekisho.orders.validity import ISSUE_LIMIT_S

__all__ = ["check_scopes"]


def check_scopes(evidence: Evidence) -> Outcome:
    """Root and count are those of the hosts that the predicate names in its tree, which the log had shortly before."""
    history, tally, told = evidence.past(), Tally(), []
    for step, order in history.issued():
        if order.resolved is None:
            continue
        where = f"entry {step.index}: order {order.register} {order.number}"
        told.append(f"{order.register} {order.number}: {order.resolved.count} hosts")
        _check_scope(history, step, order.resolved, where, tally)
        if order.kind != "resume":
            _check_age(history, step, order.resolved, where, tally)
    return tally.outcome("; ".join(told) or "no order names its hosts by a predicate")


def _check_scope(
    history: History, step: Step, resolved: ResolvedScope, where: str, tally: Tally
) -> None:
    if resolved.size > step.index:
        tally.fault(f"{where} was resolved in a tree of {resolved.size} entries, which came later")
        return
    if history.roots[resolved.size].hex() != resolved.tree:
        tally.fault(f"{where} was resolved in a tree of another log")
        return
    unknown = next((s for s in history.steps[: resolved.size] if s.recorded is None), None)
    if unknown is not None:
        tally.gap(f"{where}: nobody vouches for entry {unknown.index}, which may be about hosts")
        return
    try:
        named_anew(history.rosters.at(resolved.size), resolved)
    except SekishoError as error:
        tally.fault(f"{where}: {type(error).code}: {error.message}")


def _check_age(
    history: History, step: Step, resolved: ResolvedScope, where: str, tally: Tally
) -> None:
    """Too old is a reading that was surely over longer before the order than any signature is good for."""
    over, issued = history.recorded_by(resolved.size), history.recorded_from(step.index)
    if over is not None and issued is not None and issued.since(over) > ISSUE_LIMIT_S:
        tally.fault(f"{where} was resolved in a tree that was over by {over}")
