"""Checks of rule decisions, licences and leases."""

from __future__ import annotations

from sekisho.auditor.evidence import Evidence, Paper
from sekisho.auditor.history import History, Step
from sekisho.auditor.pack_checks import named, read_pack
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.licensing import LicenceState
from sekisho.model.amounts import parse_flop
from sekisho.model.statements import (
    HostEnrolled,
    LeaseGranted,
    LeaseRequested,
    LicenceIssued,
    PackPublished,
    RunDeclared,
)
from sekisho.model.wire import canonical, sha256_hex
from sekisho.orders import facts_of, is_covered
from sekisho.rules import Pack, decide_plainly, request_from_run

__all__ = ["REQUESTS", "check_decisions", "check_leases", "check_licences"]

REQUESTS = "requests.jsonl"


def check_decisions(evidence: Evidence) -> Outcome:
    """Each licence's rule decision is taken again, from the pack's own bytes and the run as declared."""
    history, tally = evidence.past(), Tally()
    licences = list(history.facts(LicenceIssued))
    for step, licence in licences:
        pack = _pack_of(evidence, step, licence, tally)
        declared = _declared(step, licence)
        if pack is None or declared is None:
            continue
        hosts = [step.regime.hosts[name] for name in declared.hosts if name in step.regime.hosts]
        again = decide_plainly(request_from_run(declared, hosts), pack, licence.effective)
        rules = {rule.id for rule in again.rules}
        where = f"licence {licence.number}"
        if again.decision in ("deny", "unsure"):
            tally.fault(
                f"{where}: the rules say {again.decision} to this run: {', '.join(sorted(rules))}"
            )
        elif again.decision != licence.decision.decision or rules != set(licence.decision.rules):
            told = licence.decision.decision
            tally.fault(
                f"{where} rests on the decision {told}, its pack and declaration give {again.decision}"
            )
    return tally.outcome(f"{len(licences)} decisions taken again")


def check_licences(evidence: Evidence) -> Outcome:
    """Each licence is for a declared run, its party, its hosts and devices, within what was judged and the charter."""
    history, tally = evidence.past(), Tally()
    for step in history.steps:
        tally.extend(refusal.why for refusal in step.refusals if refusal.check == "licences")
    licences = list(history.facts(LicenceIssued))
    for step, licence in licences:
        where = f"entry {step.index}: licence {licence.number}"
        tally.extend(f"{where} {problem}" for problem in _check_licence(step, licence))
        tally.extend(f"{where} {problem}" for problem in _check_terms(history, step, licence))
    return tally.outcome(f"{len(licences)} licences")


def check_leases(evidence: Evidence) -> Outcome:
    """Each lease answers its host's own request, in number, under the newest heads, with no order in force over it."""
    history, tally = evidence.past(), Tally()
    for step in history.steps:
        tally.extend(refusal.why for refusal in step.refusals if refusal.check == "leases")
    requests = _requests(evidence)
    leases = list(history.facts(LeaseGranted))
    for step, lease in leases:
        where = f"entry {step.index}: lease {lease.number} of {lease.host}"
        tally.extend(f"{where} {problem}" for problem in _check_lease(history, step, lease))
        request = requests.get(lease.request)
        if request is None:
            tally.gap(f"{where}: the host's request is not in the evidence")
        elif not _answers(lease, request):
            tally.fault(f"{where} does not answer the request that it names")
    return tally.outcome(f"{len(leases)} leases, each by its host's signed request")


def _pack_of(evidence: Evidence, step: Step, licence: LicenceIssued, tally: Tally) -> Pack | None:
    """The pack that a licence names, from bytes that were published before it."""
    reference = licence.decision.pack
    where = f"licence {licence.number}: pack {reference.name} {reference.version}"
    published = [
        fact
        for earlier, fact in evidence.past().facts(PackPublished)
        if earlier.index < step.index and fact.pack == reference
    ]
    if not published:
        tally.fault(f"{where} was not published before the licence")
        return None
    counting = step.shelf.in_force(reference.name, licence.effective, step.regime.marks)
    if counting is None or counting.pack != reference:
        tally.fault(f"{where} was not in force: {_counting_in_words(counting)}")
        return None
    read = read_pack(evidence, published[0])
    if read.fault:
        tally.fault(f"{where}: {read.fault}")
    if read.missing:
        tally.gap(f"{where}: {read.missing}")
    return read.pack


def _counting_in_words(pack: PackPublished | None) -> str:
    return f"that was {named(pack.pack)}" if pack is not None else "an emergency had lapsed"


def _declared(step: Step, licence: LicenceIssued) -> RunDeclared | None:
    found = step.ledger.runs.get(licence.run)
    return found[1] if found is not None and found[0] == licence.declaration.leaf else None


def _check_licence(step: Step, licence: LicenceIssued) -> list[str]:
    declared = _declared(step, licence)
    if declared is None:
        return [f"rests on no declaration of run {licence.run} in the log"]
    hosts = [step.regime.hosts[name] for name in licence.hosts if name in step.regime.hosts]
    planned = max(parse_flop(declared.planned_flop), parse_flop(declared.planned_flop_hardware))
    rules = (
        (
            licence.licensee == declared.party,
            f"is for {licence.licensee}, declared by {declared.party}",
        ),
        (licence.lineage == declared.lineage, "names another lineage than declared"),
        (len(hosts) == len(licence.hosts), "names a host that is not enrolled"),
        (set(licence.hosts) <= set(declared.hosts), "names a host that was not declared"),
        (
            {host.site for host in hosts} <= set(licence.sites),
            "is for hosts at a site that it does not name",
        ),
        (
            licence.devices == sum(len(host.devices) for host in hosts),
            "counts other devices than enrolled",
        ),
        (
            licence.devices_root == _devices_root(hosts),
            "fixes another set of devices than enrolled",
        ),
        (
            not _is_pausing(step, licence),
            f"is for {licence.licensee}, whose organisation holds a key in a pause quorum",
        ),
        (
            _licensed_for(step, licence) <= planned,
            f"licenses more for this run than the {planned} FLOP that the rules judged",
        ),
    )
    return [problem for is_right, problem in rules if not is_right]


def _check_terms(history: History, step: Step, licence: LicenceIssued) -> list[str]:
    charter = step.regime.in_force()
    terms = charter.terms
    start = history.recorded_from(step.index)
    rules = (
        (licence.period.start < licence.period.end, "has no period"),
        (
            licence.lease.interval_s <= terms.max_lease_s,
            "has leases longer than the charter allows",
        ),
        (licence.lease.grace_s <= terms.max_grace_s, "has more grace than the charter allows"),
        (start is None or start < terms.expires, "was issued under an expired charter"),
    )
    return [problem for is_right, problem in rules if not is_right]


def _is_pausing(step: Step, licence: LicenceIssued) -> bool:
    """Whether the licensee could stop or release itself (protocol section 2)."""
    party = step.regime.parties.get(licence.licensee)
    return party is not None and step.regime.in_force().is_pausing(party.organisation)


def _licensed_for(step: Step, licence: LicenceIssued) -> int:
    """This budget with those of the run's other licences; of a revoked one what was handed out."""
    total = parse_flop(licence.budget_flop)
    for other in step.ledger.licences.values():
        if other.licence.run == licence.run:
            total += _handed_out(other)
    return total


def _handed_out(state: LicenceState) -> int:
    return state.book.budget - (state.book.available if state.revoked is not None else 0)


def _devices_root(hosts: list[HostEnrolled]) -> str:
    return sha256_hex(canonical(sorted(device.device for host in hosts for device in host.devices)))


def _requests(evidence: Evidence) -> dict[str, LeaseRequested]:
    """All requests by payload digest, each signed by its host."""
    found: dict[str, LeaseRequested] = {}
    for host in evidence.hosts(REQUESTS):
        for paper in evidence.papers(host, REQUESTS):
            fact = paper.verified.predicate
            if isinstance(fact, LeaseRequested) and fact.host == host:
                found[paper.verified.digest] = fact
            else:
                raise ValueError(_misplaced(paper, host))
    return found


def _misplaced(paper: Paper, host: str) -> str:
    return f"{paper.where}: a {paper.verified.kind} has no place among the requests of {host}"


def _answers(lease: LeaseGranted, request: LeaseRequested) -> bool:
    return (lease.host, lease.number, lease.nonce, lease.licence) == (
        request.host,
        request.number,
        request.nonce,
        request.licence,
    )


def _check_lease(history: History, step: Step, lease: LeaseGranted) -> list[str]:
    state = step.ledger.licences.get(lease.licence.leaf)
    host = step.regime.hosts.get(lease.host)
    if state is None or host is None:
        return ["is of a licence or for a host that the log does not hold"]
    licence, terms = state.licence, step.regime.in_force().terms
    end = history.recorded_by(step.index)
    longest = min(licence.lease.interval_s, terms.max_lease_s)
    rules = (
        (state.revoked is None, f"is of licence {licence.number}, which was revoked"),
        (lease.host in licence.hosts, f"is for a host that licence {licence.number} does not name"),
        (
            licence.period.start <= lease.effective and lease.not_after <= licence.period.end,
            "lies outside the period of its licence",
        ),
        (
            0 < lease.not_after.since(lease.effective) <= longest,
            f"runs longer than the {longest} s that licence and charter allow",
        ),
        (
            end is None or lease.effective <= end.plus(1 + terms.clock_error_s),
            f"is dated {lease.effective}, it was recorded by {end}",
        ),
    )
    problems = [problem for is_right, problem in rules if not is_right]
    return problems + _check_heads(step, lease) + _check_cover(step, lease, host, licence)


def _check_heads(step: Step, lease: LeaseGranted) -> list[str]:
    """Granted under exactly the heads that the registers had: an older one hides an order."""
    named = {head.register: head for head in lease.heads if head.number}
    held = {name: head for name, head in step.orders.heads.items() if head.number}
    problems = []
    for name in sorted(set(named) | set(held)):
        mine, theirs = named.get(name), held.get(name)
        if mine != theirs:
            told = mine.number if mine else 0
            problems.append(
                f"was granted under {name} at {told}, the register stood at {theirs.number if theirs else 0}"
            )
    return problems


def _check_cover(
    step: Step, lease: LeaseGranted, host: HostEnrolled, licence: LicenceIssued
) -> list[str]:
    facts = facts_of(host, licence)
    return [
        f"was granted while order {known.order.register} {known.order.number} covered it"
        for known in step.orders.in_force(lease.effective)
        if is_covered(known, facts)
    ]
