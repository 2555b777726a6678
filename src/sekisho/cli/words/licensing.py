"""Around a licence in words: application, answer, amendment, suspension, revocation, closing; and an outage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sekisho.ceremony import (
    MAX_OUTAGE_S,
    check_licence_amendment,
    grants_more,
    standing_of_application,
)
from sekisho.cli.durations import length_in_words, when_in_words
from sekisho.cli.plain_text import quote, tame
from sekisho.cli.words.page import Page, names
from sekisho.licensing import ApplicationState, LicenceState
from sekisho.model.amounts import format_flop_short, parse_flop
from sekisho.model.statements import (
    ApplicationFiled,
    ApprovalGiven,
    LicenceAmended,
    LicenceClosed,
    LicenceRevoked,
    LicenceSuspended,
    OutageDeclared,
    Reference,
)
from sekisho.model.wire import canonical

__all__ = ["LICENSING_WORDS"]

_COMPARED = (
    "mode",
    "budget_flop",
    "hosts",
    "devices",
    "devices_root",
    "sites",
    "period",
    "lease",
    "shares",
    "decision",
)


def _describe_application(page: Page, fact: ApplicationFiled, _: str) -> None:
    """What is asked for, by whom, on which evidence; and how far it has come where a log was read."""
    kind = "application-filed" if fact.amends is None else "application-amending"
    page.title = page.say(f"show.kind.{kind}")
    page.add("number", fact.application)
    page.tell("run", "licence.run", run=fact.run, licensee=fact.party)
    page.add("log", _reference(fact.declaration))
    if fact.amends is not None:
        page.add("amends", _reference(fact.amends))
    page.tell("covers", "covers.hosts", count=len(fact.hosts), names=names(fact.hosts))
    _budget(page, fact.budget_flop)
    _dates(page, fact)
    page.add("asks_mode", fact.mode)
    page.quote("reason", fact.reason)
    for paper in fact.evidence:
        page.add("evidence", f"{quote(paper.title)} ({paper.sha256})")
    state = page.view.footing.state
    filed = state.applications.find(fact.application) if state is not None else None
    if filed is not None:
        _describe_answers(page, filed)


def _describe_answer(page: Page, fact: ApprovalGiven, _: str) -> None:
    """An officer's answer, with the application itself as the log has it: nobody approves what they cannot read."""
    page.title = page.say(f"show.kind.approval-{fact.outcome}")
    page.add("application", f"{fact.number} ({_reference(fact.application)})")
    page.add("answer_key", fact.key)
    page.add("drafted", when_in_words(fact.effective, page.view.now, page.view.language))
    page.quote("reason", fact.reason)
    for condition in fact.conditions:
        page.quote("condition", condition)
    state = page.view.footing.state
    filed = state.applications.by_reference(fact.application) if state is not None else None
    if filed is None:
        page.tell("change", "application.unread")
        return
    asked = filed.filed
    page.tell("run", "licence.run", run=asked.run, licensee=asked.party)
    page.tell("covers", "covers.hosts", count=len(asked.hosts), names=names(asked.hosts))
    _budget(page, asked.budget_flop)
    page.add("period", f"{asked.period.start} / {asked.period.end}")
    page.add("asks_mode", asked.mode)
    if asked.reason:
        page.quote("note", asked.reason)
    for paper in asked.evidence:
        page.add("evidence", f"{quote(paper.title)} ({paper.sha256})")
    _describe_answers(page, filed)


def _describe_answers(page: Page, filed: ApplicationState) -> None:
    for answer in filed.approvals:
        name = f"{quote(answer.organisation)}, {quote(answer.holder)}"
        page.tell("approval", "application.approved", name=name)
    for answer in filed.refusals:
        name = f"{quote(answer.organisation)}, {quote(answer.holder)}"
        page.tell("approval", "application.refused", name=name, reason=quote(answer.given.reason))
    state = page.view.footing.state
    if state is None or state.regime.charter is None:
        return
    missing = standing_of_application(state, filed).missing
    page.data["approvals_missing"] = missing
    if missing:
        page.tell("missing", "application.missing", count=missing)
    else:
        page.tell("missing", "application.enough")


def _describe_amendment(page: Page, fact: LicenceAmended, digest: str) -> None:
    """Every term as it would be, what differs from the one in force, and whether approvals are asked."""
    page.title = page.say("show.kind.licence-amended")
    page.add("number", f"{fact.number} ({_reference(fact.licence)})")
    page.tell("version", "licence.version", version=fact.version, previous=fact.previous[:16])
    page.quote("reason", fact.reason)
    page.tell("covers", "covers.hosts", count=len(fact.hosts), names=names(fact.hosts))
    page.tell("covers", "covers.sites", count=len(fact.sites), names=names(fact.sites) or "-")
    page.tell("covers", "covers.devices", count=fact.devices, root=fact.devices_root[:16])
    _budget(page, fact.budget_flop)
    for share in fact.shares:
        page.tell(
            "share",
            "licence.share",
            share=share.share,
            flop=share.budget_flop,
            issuer=(share.issuer or "-")[:16],
            sites=names(share.sites) or "-",
        )
    if fact.egress_bytes_per_s is not None:
        page.tell("egress", "licence.egress", rate=f"{fact.egress_bytes_per_s:,}")
    _dates(page, fact)
    page.tell("effect", f"mode.{fact.mode}")
    _describe_lease_terms(page, fact)
    _describe_decision(page, fact)
    if fact.application is not None:
        page.add("application", _reference(fact.application))
    for approval in fact.approvals:
        page.add("approval", _reference(approval))
    _describe_change(page, fact, digest)


def _describe_lease_terms(page: Page, fact: LicenceAmended) -> None:
    language, terms = page.view.language, fact.lease
    page.tell(
        "lease",
        "licence.lease",
        interval=length_in_words(terms.interval_s, language),
        grace=length_in_words(terms.grace_s, language),
        quantum=length_in_words(terms.quantum_s, language),
    )
    halt = terms.interval_s + terms.grace_s + terms.quantum_s
    page.data["max_time_to_halt_s"] = halt
    page.tell("halt", "licence.halt", length=length_in_words(halt, language))
    if fact.mode in ("advise", "block-new"):
        page.warn("mode-stops-nothing", mode=fact.mode)


def _describe_decision(page: Page, fact: LicenceAmended) -> None:
    decision = fact.decision
    page.tell(
        "decision",
        f"decision.{decision.decision}",
        pack=f"{decision.pack.name} {decision.pack.version} ({decision.pack.sha256[:16]})",
        rules=names(decision.rules) or "-",
    )


def _describe_change(page: Page, fact: LicenceAmended, digest: str) -> None:
    state = page.view.footing.state
    held = state.licences.licences.get(fact.licence.leaf) if state is not None else None
    page.data["difference"] = None
    if state is None or held is None:
        page.tell("change", "change.unknown")
        if fact.lifts is not None:
            page.tell("suspension", "licence.lifted", leaf=fact.lifts.leaf[:16])
        return
    _describe_suspension_of(page, fact, held)
    if any(version.digest == digest for version in held.versions):
        page.warn("licence-logged", number=fact.number)
        return
    changes = _differences(held, fact)
    for what, before, after in changes:
        page.tell("change", "licence.was", what=what, before=before, after=after)
    if not changes:
        page.tell("change", "licence.unchanged")
    more = grants_more(held, fact, state.regime.hosts)
    asked = state.regime.in_force().terms.licence_approvals
    if more:
        page.tell("missing", "licence.grants_more", count=asked)
    else:
        page.tell("missing", "licence.only_restricts")
    problems = check_licence_amendment(state, fact)
    page.data["difference"] = {
        "problems": problems,
        "grants_more": more,
        "changes": [{"term": w, "before": b, "after": a} for w, b, a in changes],
    }
    for problem in problems:
        page.warn("fault", why=tame(problem))


def _describe_suspension_of(page: Page, fact: LicenceAmended, held: LicenceState) -> None:
    if fact.lifts is not None:
        page.tell("suspension", "licence.lifted", leaf=fact.lifts.leaf[:16])
    elif held.suspension is not None:
        page.tell("suspension", "licence.not_lifted", reason=quote(held.suspension.reason))


def _differences(held: LicenceState, fact: LicenceAmended) -> list[tuple[str, str, str]]:
    # A limit that an amendment does not name stays.
    compared = (
        *_COMPARED,
        *(("egress_bytes_per_s",) if fact.egress_bytes_per_s is not None else ()),
    )
    pairs = [(name, getattr(held.licence, name), getattr(fact, name)) for name in compared]
    return [(name, _shown(old), _shown(new)) for name, old, new in pairs if old != new]


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return tame(value)
    if isinstance(value, tuple) and all(isinstance(each, str) for each in value):
        return names(value) or "-"
    return tame(canonical(value).decode())


def _describe_suspension(page: Page, fact: LicenceSuspended, _: str) -> None:
    page.title = page.say("show.kind.licence-suspended")
    _ending(page, fact)
    page.tell("effect", "licence.suspends")


def _describe_revocation(page: Page, fact: LicenceRevoked, _: str) -> None:
    page.title = page.say("show.kind.licence-revoked")
    _ending(page, fact)
    page.tell("effect", "licence.revokes")


def _ending(page: Page, fact: LicenceSuspended | LicenceRevoked) -> None:
    page.add("number", f"{fact.number} ({_reference(fact.licence)})")
    page.add("drafted", when_in_words(fact.effective, page.view.now, page.view.language))
    page.quote("reason", fact.reason)
    state = page.view.footing.state
    held = state.licences.licences.get(fact.licence.leaf) if state is not None else None
    if held is None:
        page.tell("change", "change.unknown")
        return
    page.tell("run", "licence.run", run=held.licence.run, licensee=held.licence.licensee)
    page.tell(
        "covers", "covers.hosts", count=len(held.licence.hosts), names=names(held.licence.hosts)
    )


def _describe_closing(page: Page, fact: LicenceClosed, _: str) -> None:
    page.title = page.say("show.kind.licence-closed")
    page.add("number", f"{fact.number} ({_reference(fact.licence)})")
    page.add("drafted", when_in_words(fact.effective, page.view.now, page.view.language))
    for reference in fact.usage:
        page.add("usage_entry", _reference(reference))
    if not fact.usage:
        page.tell("measured", "licence.no_usage")
    for digest in fact.checkpoints:
        page.add("checkpoint", digest)
    page.tell("effect", "licence.closes", count=len(fact.concealed))


def _describe_outage(page: Page, fact: OutageDeclared, _: str) -> None:
    page.title = page.say("show.kind.outage-declared")
    page.add("number", fact.outage)
    _dates(page, fact)
    page.quote("reason", fact.reason)
    if fact.sites:
        page.tell("covers", "outage.sites", names=names(fact.sites))
    if fact.hosts:
        page.tell("covers", "outage.hosts", names=names(fact.hosts))
    if not fact.sites and not fact.hosts:
        page.tell("covers", "outage.everywhere")
    page.tell("effect", "outage.effect", until=fact.period.end)
    if fact.period.end.since(fact.period.start) > MAX_OUTAGE_S:
        hours = MAX_OUTAGE_S // 3_600
        page.warn("fault", why=page.say("show.outage.long", hours=hours))


def _dates(page: Page, fact: ApplicationFiled | LicenceAmended | OutageDeclared) -> None:
    language, now = page.view.language, page.view.now
    page.add("drafted", when_in_words(fact.effective, now, language))
    page.add("begins", when_in_words(fact.period.start, now, language))
    page.add("expires", when_in_words(fact.period.end, now, language))
    if fact.period.end <= now:
        page.warn("expired", at=fact.period.end)


def _budget(page: Page, flop: str) -> None:
    page.tell("budget", "licence.budget", short=format_flop_short(parse_flop(flop)), flop=flop)


def _reference(reference: Reference) -> str:
    return f"{reference.log} #{reference.leaf[:16]}"


LICENSING_WORDS: Final[Mapping[type, Callable[[Page, Any, str], None]]] = {
    ApplicationFiled: _describe_application,
    ApprovalGiven: _describe_answer,
    LicenceAmended: _describe_amendment,
    LicenceClosed: _describe_closing,
    LicenceRevoked: _describe_revocation,
    LicenceSuspended: _describe_suspension,
    OutageDeclared: _describe_outage,
}
