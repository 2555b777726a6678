"""Checks of applications and their approvals, of closings, and of declared outages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import Step
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.licensing import check_approvals
from sekisho.licensing.terms import grants_more, within_application
from sekisho.model.statements import (
    ApprovalGiven,
    DisclosureErased,
    LicenceAmended,
    LicenceClosed,
    LicenceIssued,
    UsageReported,
)
from sekisho.signing import concealed_of, open_fields, same_organisation

__all__ = ["check_approvals_given", "check_closings"]

_NOT_MEASURED: Final = "not measured"
_ORDERED: Final = (
    ("bound_low", "bound_high"),
    ("estimate_low", "estimate_best"),
    ("estimate_best", "estimate_high"),
)


def check_approvals_given(evidence: Evidence) -> Outcome:
    """Each licence and each amendment that grants more stands on the approvals that its charter asked for."""
    history, tally = evidence.past(), Tally()
    for step in history.steps:
        tally.extend(refusal.why for refusal in step.refusals if refusal.check == "approvals")
    answers = list(history.facts(ApprovalGiven))
    for step, answer in answers:
        tally.extend(_check_answer(step, answer))
    checked = 0
    for step, licence in history.facts(LicenceIssued):
        where = f"entry {step.index}: licence {licence.number}"
        problems = _check_granting(step, licence, licence.run, licence.licensee, "")
        tally.extend(f"{where} {problem}" for problem in problems)
        checked += 1
    for step, fact in history.facts(LicenceAmended):
        held = step.ledger.licences.get(fact.licence.leaf)
        if held is None or not (
            grants_more(held, fact, step.regime.hosts) or fact.application or fact.approvals
        ):
            continue
        where = f"entry {step.index}: licence {fact.number} version {fact.version}"
        run, licensee = held.licence.run, held.licence.licensee
        problems = _check_granting(step, fact, run, licensee, fact.licence.leaf)
        tally.extend(f"{where} {problem}" for problem in problems)
        checked += 1
    return tally.outcome(
        f"{checked} licences and amendments, {len(answers)} answers to applications"
    )


def check_closings(evidence: Evidence) -> Outcome:
    """What a closing names is in the log, and its measured figures are no more than its reports bear out."""
    history, tally = evidence.past(), Tally()
    disclosures = evidence.disclosures()
    erased = {fact.statement for _, fact in history.facts(DisclosureErased)}
    reports = {step.leaf: (step, fact) for step, fact in history.facts(UsageReported)}
    closings = list(history.facts(LicenceClosed))
    for step, fact in closings:
        where = f"entry {step.index}: closing of {fact.number}"
        tally.extend(f"{where} {problem}" for problem in _check_named(step, fact, reports))
        digest = step.recorded.verified.digest if step.recorded is not None else ""
        if digest in erased:
            tally.gap(f"{where}: what was measured was erased: not measured")
            continue
        opened = open_fields(disclosures.get(step.leaf, ()), concealed_of(fact))
        if opened.unopened or not opened.fields:
            tally.gap(f"{where}: what was measured is not disclosed")
        tally.extend(f"{where} {problem}" for problem in _check_measured(fact, opened.fields))
    return tally.outcome(f"{len(closings)} closings")


def _check_answer(step: Step, answer: ApprovalGiven) -> list[str]:
    where = f"entry {step.index}: answer to {answer.number}"
    filed = step.applications.by_reference(answer.application)
    held = step.regime.in_force().holder_of(answer.key)
    party = step.regime.parties.get(filed.filed.party) if filed is not None else None
    if held is not None and party is not None and same_organisation(held[0], party.organisation):
        return [f"{where} is by {held[0]}, the applicant's own organisation"]
    return []


def _check_granting(
    step: Step, terms: LicenceIssued | LicenceAmended, run: str, licensee: str, amends: str
) -> list[str]:
    asked = step.regime.in_force().terms.licence_approvals
    if terms.application is None and not terms.approvals and not asked:
        return []
    application = step.applications.by_reference(terms.application)
    party = step.regime.parties.get(licensee)
    problems = check_approvals(
        application,
        [step.applications.approval(reference) for reference in terms.approvals],
        asked=asked,
        organisation=party.organisation if party is not None else licensee,
        silenced=frozenset(step.regime.keys.silenced),
    )
    if application is None:
        return problems
    return problems + within_application(application.filed, terms, run, licensee, amends)


def _check_named(
    step: Step, fact: LicenceClosed, reports: Mapping[str, tuple[Step, UsageReported]]
) -> list[str]:
    held = step.ledger.licences.get(fact.licence.leaf)
    if held is None:
        return ["is of a licence that the log does not hold"]
    problems = []
    for reference in fact.usage:
        known = reports.get(reference.leaf)
        if (
            known is None
            or known[0].index >= step.index
            or known[1].licensee != held.licence.licensee
        ):
            problems.append(f"names {reference.leaf[:16]}, which is no report of its licensee")
    written = step.ledger.origins.written.get(held.licence.run, ())
    problems += [
        f"names checkpoint {digest[:16]}, which its run did not record"
        for digest in fact.checkpoints
        if digest not in written
    ]
    return problems


def _check_measured(fact: LicenceClosed, fields: Mapping[str, str]) -> list[str]:
    """Figures in order; and none at all where the closing names no report that they could rest on."""
    figures = {name: value for name, value in fields.items() if value.isascii() and value.isdigit()}
    problems = []
    if figures and not fact.usage:
        problems.append("states figures and names no usage report that they rest on")
    for low, high in _ORDERED:
        if low in figures and high in figures and int(figures[low]) > int(figures[high]):
            problems.append(f"has {low} above {high}")
    odd = [n for n, v in fields.items() if n != "tiers" and n not in figures and v != _NOT_MEASURED]
    return problems + [f"has {name} that is no figure" for name in odd]
