"""Checks of rule decisions, licences and leases."""

from __future__ import annotations

from sekisho.auditor.evidence import Evidence, Paper
from sekisho.auditor.history import History, Step
from sekisho.auditor.lineage_checks import held_checkpoints, held_runs
from sekisho.auditor.pack_checks import named, read_pack
from sekisho.auditor.pauser_checks import is_pausing, licensed_pausers, moved_parties
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.licensing.lineage import is_lineage_disclosed, judged_run, licensed_flop
from sekisho.licensing.terms import grants_more, keeps_devices
from sekisho.model.amounts import parse_flop
from sekisho.model.statements import (
    CharterAdopted,
    HostEnrolled,
    LeaseGranted,
    LeaseRequested,
    LicenceAmended,
    LicenceIssued,
    PackPublished,
    PartyEnrolled,
    RunDeclared,
)
from sekisho.model.wire import canonical, sha256_hex
from sekisho.orders import facts_of, halts_work, is_covered
from sekisho.rules import Pack, decide_plainly, request_from_run

__all__ = ["REQUESTS", "check_decisions", "check_leases", "check_licences"]

REQUESTS = "requests.jsonl"


def check_decisions(evidence: Evidence) -> Outcome:
    """Each rule decision is taken again, at issue and at amendment: pack's bytes, run as declared, lineage's total."""
    history, tally = evidence.past(), Tally()
    licences = list(history.facts(LicenceIssued))
    for step, licence in licences:
        _check_decision(evidence, step, licence, licence, tally)
    amendments = 0
    for step, fact in history.facts(LicenceAmended):
        held = step.ledger.licences.get(fact.licence.leaf)
        if held is None:
            continue
        # What only restricts may rest on the decision that stood: nobody must be kept from having less.
        if grants_more(held, fact, step.regime.hosts) or fact.decision != held.licence.decision:
            _check_decision(evidence, step, held.licence, fact, tally)
            amendments += 1
    told = f"{len(licences)} decisions taken again"
    return tally.outcome(f"{told}, {amendments} at amendments" if amendments else told)


def _check_decision(
    evidence: Evidence,
    step: Step,
    licence: LicenceIssued,
    terms: LicenceIssued | LicenceAmended,
    tally: Tally,
) -> None:
    pack = _pack_of(evidence, step, terms, tally)
    declared = _declared(step, licence)
    if pack is None or declared is None:
        return
    besides = terms.licence.leaf if isinstance(terms, LicenceAmended) else ""
    judged = judged_run(
        step.ledger, declared, budget_flop=parse_flop(terms.budget_flop), besides=besides
    )
    hosts = [step.regime.hosts[name] for name in declared.hosts if name in step.regime.hosts]
    request = request_from_run(judged.run, hosts, lineage_flop=judged.lineage_flop)
    again = decide_plainly(request, pack, terms.effective)
    rules = {rule.id for rule in again.rules}
    where = f"licence {terms.number}" + (f" version {terms.version}" if besides else "")  # type: ignore[union-attr]  # an amendment has one
    told = terms.decision
    if again.decision == told.decision and rules == set(told.rules):
        return
    if not is_lineage_disclosed(step.ledger, declared.run):
        tally.gap(f"{where}: what its lineage cost is not disclosed, so its decision is not known")
    elif again.decision in ("deny", "unsure"):
        tally.fault(
            f"{where}: the rules say {again.decision} to this run: {', '.join(sorted(rules))}"
        )
    else:
        tally.fault(
            f"{where} rests on the decision {told.decision}, its pack and declaration give {again.decision}"
        )


def check_licences(evidence: Evidence) -> Outcome:
    """Each licence is for a declared run, its party, its hosts and devices, within what was judged and the charter."""
    history, tally = evidence.past(), Tally()
    for step in history.steps:
        tally.extend(refusal.why for refusal in step.refusals if refusal.check == "licences")
    licences = list(history.facts(LicenceIssued))
    for step, licence in licences:
        where = f"entry {step.index}: licence {licence.number}"
        tally.extend(f"{where} {problem}" for problem in _check_licence(step, licence))
        if not is_lineage_disclosed(step.ledger, licence.run):
            tally.gap(f"{where}: what its run was licensed before is not disclosed")
        tally.extend(f"{where} {problem}" for problem in _check_terms(history, step, licence))
        held = held_runs(history, step, licence.run)
        tally.extend(f"{where} was issued {problem}" for problem in held)
    amendments = list(history.facts(LicenceAmended))
    for step, fact in amendments:
        where = f"entry {step.index}: licence {fact.number} version {fact.version}"
        tally.extend(f"{where} {problem}" for problem in _check_amendment(history, step, fact))
    for step, party in history.facts(PartyEnrolled):
        tally.extend(f"entry {step.index}: {problem}" for problem in moved_parties(step, party))
    for step, terms in history.facts(CharterAdopted):
        tally.extend(f"entry {step.index}: {problem}" for problem in licensed_pausers(step, terms))
    told = f"{len(licences)} licences"
    return tally.outcome(f"{told}, {len(amendments)} amendments" if amendments else told)


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


def _pack_of(
    evidence: Evidence, step: Step, licence: LicenceIssued | LicenceAmended, tally: Tally
) -> Pack | None:
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
            not is_pausing(step, licence),
            f"is for {licence.licensee}, whose organisation holds a key in a pause quorum",
        ),
        (
            _licensed_for(step, licence) <= planned
            or not is_lineage_disclosed(step.ledger, licence.run),
            f"licenses more for this run than the {planned} FLOP that the rules judged",
        ),
    )
    return [problem for is_right, problem in rules if not is_right]


def _check_amendment(history: History, step: Step, fact: LicenceAmended) -> list[str]:
    """The fold refuses what does not follow or goes below what is in use; here stands what needs hosts and charter."""
    held = step.ledger.licences.get(fact.licence.leaf)
    declared = _declared(step, held.licence) if held is not None else None
    if held is None or declared is None:
        return ["is of no licence of a declared run"]
    hosts = [step.regime.hosts[name] for name in fact.hosts if name in step.regime.hosts]
    more = grants_more(held, fact, step.regime.hosts)
    # What gives nothing more may leave its devices as they were fixed, whatever its hosts have enrolled since.
    as_fixed = not more and keeps_devices(held, fact)
    rules = (
        (held.licence.number == fact.number, f"is of licence {held.licence.number}"),
        (as_fixed or len(hosts) == len(fact.hosts), "names a host that is not enrolled"),
        (set(fact.hosts) <= set(declared.hosts), "names a host that was not declared"),
        (
            {host.site for host in hosts} <= set(fact.sites),
            "is for hosts at a site that it does not name",
        ),
        (
            as_fixed
            or (
                fact.devices == sum(len(host.devices) for host in hosts)
                and fact.devices_root == _devices_root(hosts)
            ),
            "fixes another set of devices than enrolled",
        ),
        (
            not more or not is_pausing(step, held.licence),
            f"gives more to {held.licence.licensee}, whose organisation holds a key in a pause quorum",
        ),
    )
    problems = [p for is_right, p in rules if not is_right]
    problems += [
        f"drops {f'share {name}' if name else 'the whole budget'} with {flop} FLOP in use"
        for name, flop in held.books.in_use_of_dropped(fact.shares).items()
        if flop is not None
    ]
    if more:
        runs = held_runs(history, step, held.licence.run)
        problems += [f"gives more {problem}" for problem in runs]
    return problems + _check_terms(history, step, fact, more=more)


def _check_terms(
    history: History, step: Step, licence: LicenceIssued | LicenceAmended, *, more: bool = True
) -> list[str]:
    """Against the charter in force; leases that an amendment only shortens may be longer than it allows by now."""
    charter = step.regime.in_force()
    terms = charter.terms
    start = history.recorded_from(step.index)
    rules = (
        (licence.period.start < licence.period.end, "has no period"),
        (
            not more or licence.lease.interval_s <= terms.max_lease_s,
            "has leases longer than the charter allows",
        ),
        (
            not more or licence.lease.grace_s <= terms.max_grace_s,
            "has more grace than the charter allows",
        ),
        (start is None or start < terms.expires, "was issued under an expired charter"),
    )
    return [problem for is_right, problem in rules if not is_right]


def _licensed_for(step: Step, licence: LicenceIssued) -> int:
    """This budget with those of the run's other licences; of a revoked one what was handed out."""
    return parse_flop(licence.budget_flop) + licensed_flop(step.ledger, licence.run)


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
    # A host with a certified counter holds leases ahead: the charter's longest lease bounds how far.
    is_ahead = host.counter == "C2"
    longest = terms.max_lease_s if is_ahead else min(licence.lease.interval_s, terms.max_lease_s)
    sites = next((s.sites for s in licence.shares if s.share == lease.share), ())
    rules = (
        (state.obstacle() is None, f"was granted although {state.obstacle()}"),
        (lease.host in licence.hosts, f"is for a host that licence {licence.number} does not name"),
        (
            licence.period.start <= lease.effective and lease.not_after <= licence.period.end,
            "lies outside the period of its licence",
        ),
        (
            not sites or host.site in sites,
            f"draws on share {lease.share}, which is not for site {host.site}",
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
    held = held_checkpoints(history, step, licence.run)
    problems += [f"was granted {problem}" for problem in held]
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
        if halts_work(known.order)  # a cap slows work, a suspension of access is about users
        and known.is_shown  # what nobody showed can be held against nobody: the check of sealed orders says so
        and is_covered(known, facts)
    ]
