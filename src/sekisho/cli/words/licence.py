"""Licences, leases and receipts in words: how much, where, until when, and what ends the work."""

from __future__ import annotations

from sekisho.ceremony import check_licence
from sekisho.cli.durations import length_in_words, when_in_words
from sekisho.cli.plain_text import tame
from sekisho.cli.words.page import Page, names
from sekisho.model.amounts import format_flop_short, parse_flop
from sekisho.model.statements import (
    LeaseGranted,
    LicenceIssued,
    Lineage,
    ReceiptGiven,
    Reference,
    RegisterHead,
)

__all__ = ["describe_lease", "describe_licence", "describe_receipt"]


def describe_licence(page: Page, licence: LicenceIssued, digest: str) -> None:
    """Every field of a licence, the bounds that follow from it, and what its run already has."""
    language, now = page.view.language, page.view.now
    page.title = page.say("show.kind.licence")
    page.add("number", licence.number)
    page.tell("run", "licence.run", run=licence.run, licensee=licence.licensee)
    page.add("log", _reference(licence.declaration))
    page.add("lineage", _lineage(page, licence.lineage))
    count = len(licence.hosts)
    page.tell("covers", "covers.hosts", count=count, names=names(licence.hosts))
    page.tell("covers", "covers.sites", count=len(licence.sites), names=names(licence.sites) or "-")
    page.tell("covers", "covers.devices", count=licence.devices, root=licence.devices_root[:16])
    page.tell(
        "budget", "licence.budget", short=_short(licence.budget_flop), flop=licence.budget_flop
    )
    _describe_shares(page, licence)
    page.tell("counting", f"counting.{licence.counting}")
    page.add("drafted", when_in_words(licence.effective, now, language))
    page.add("begins", when_in_words(licence.period.start, now, language))
    page.add("expires", when_in_words(licence.period.end, now, language))
    page.tell("effect", f"mode.{licence.mode}")
    _describe_terms(page, licence)
    decision = licence.decision
    page.tell(
        "decision",
        f"decision.{decision.decision}",
        pack=f"{decision.pack.name} {decision.pack.version} ({decision.pack.sha256[:16]})",
        rules=names(decision.rules) or "-",
    )
    _describe_difference(page, licence, digest)
    root = page.view.footing.root
    if root is not None and root.origin != licence.declaration.log:
        page.warn("other-log", document=licence.declaration.log, trusted=root.origin)
    if licence.period.end <= now:
        page.warn("expired", at=licence.period.end)


def _describe_shares(page: Page, licence: LicenceIssued) -> None:
    """How the budget is split, who approved it, and what may leave the set."""
    for share in licence.shares:
        page.tell(
            "share",
            "licence.share",
            share=share.share,
            flop=share.budget_flop,
            issuer=(share.issuer or "-")[:16],
            sites=names(share.sites) or "-",
        )
    if licence.application is not None:
        page.add("application", _reference(licence.application))
    for approval in licence.approvals:
        page.add("approval", _reference(approval))
    if licence.egress_bytes_per_s is not None:
        page.tell("egress", "licence.egress", rate=f"{licence.egress_bytes_per_s:,}")


def describe_lease(page: Page, lease: LeaseGranted) -> None:
    """A lease: whose, until when, under which registers; its allowance is concealed."""
    page.title = page.say("show.kind.lease")
    page.tell("number", "lease.number", host=lease.host, number=lease.number)
    page.add("log", _reference(lease.licence))
    page.add("drafted", when_in_words(lease.effective, page.view.now, page.view.language))
    page.add("expires", when_in_words(lease.not_after, page.view.now, page.view.language))
    page.tell("on_expiry", "lease.on_expiry")
    page.tell("budget", "concealed", count=len(lease.concealed))
    page.tell("answers", "lease.answers", request=lease.request[:16], nonce=lease.nonce[:16])
    page.add("heads", _heads(lease.heads))
    if lease.not_after <= page.view.now:
        page.warn("expired", at=lease.not_after)


def describe_receipt(page: Page, receipt: ReceiptGiven) -> None:
    """A link of a host's receipt chain: at which stage, under which order, at what cost."""
    page.title = page.say("show.kind.receipt")
    page.tell("number", "receipt.number", host=receipt.host, sequence=receipt.sequence)
    page.add("previous", (receipt.previous or "-")[:16])
    page.add("drafted", when_in_words(receipt.effective, page.view.now, page.view.language))
    page.tell("stage", f"stage.{receipt.stage}")
    page.tell(
        "state",
        "receipt.state",
        state=page.say(f"show.work.{receipt.state}"),
        quantum=receipt.quantum,
        tier=receipt.counter,
    )
    if receipt.run is not None:
        page.add("run", receipt.run)
    if receipt.order is not None:
        order = receipt.order
        page.add("under", f"{order.register} {order.number} ({order.digest[:16]})")
    _describe_work(page, receipt)
    page.add("heads", _heads(receipt.heads))


def _describe_work(page: Page, receipt: ReceiptGiven) -> None:
    if receipt.processes is not None:
        page.add("processes", str(receipt.processes))
    if receipt.means is not None:
        page.quote("means", receipt.means)
    if receipt.leaves is not None:
        page.quote("leaves", receipt.leaves)
    if receipt.checkpoint is not None:
        saved = receipt.checkpoint
        page.tell(
            "checkpoint", "checkpoint", digest=saved.sha256, bytes=saved.bytes, step=saved.step
        )
    if receipt.spend is not None:
        spend = receipt.spend
        page.tell(
            "budget",
            "spend",
            lease=f"{spend.lease_number} ({spend.lease.leaf[:16]})",
            reserved=_short(spend.reserved_flop),
            bound=_short(spend.bound_flop),
            declared=_short(spend.declared_flop) if spend.declared_flop is not None else "-",
        )


def _describe_terms(page: Page, licence: LicenceIssued) -> None:
    """Protocol section 6: the time within which the work surely ends stands beside the outage that it survives."""
    language, terms = page.view.language, licence.lease
    page.tell(
        "lease",
        "licence.lease",
        interval=length_in_words(terms.interval_s, language),
        grace=length_in_words(terms.grace_s, language),
        quantum=length_in_words(terms.quantum_s, language),
    )
    halt = terms.interval_s + terms.grace_s + terms.quantum_s
    page.data["max_time_to_halt_s"] = halt
    page.data["max_outage_survived_s"] = terms.interval_s + terms.grace_s
    page.tell("halt", "licence.halt", length=length_in_words(halt, language))
    page.tell(
        "outage",
        "licence.outage",
        length=length_in_words(terms.interval_s + terms.grace_s, language),
        online=length_in_words(terms.quantum_s + terms.grace_s, language),
    )
    if licence.mode in ("advise", "block-new"):
        page.warn("mode-stops-nothing", mode=licence.mode)


def _describe_difference(page: Page, licence: LicenceIssued, digest: str) -> None:
    state = page.view.footing.state
    page.data["difference"] = None
    if state is None or state.regime.charter is None:
        page.tell("change", "change.unknown")
        return
    problems = check_licence(state, licence, digest)
    held = [s for s in state.licences.licences.values() if s.licence.run == licence.run]
    page.data["difference"] = {
        "problems": problems,
        "licences_of_run": [
            {"number": s.licence.number, "budget_flop": s.licence.budget_flop} for s in held
        ],
    }
    for other in held:
        over = other.revoked is not None or other.licence.period.end <= page.view.now
        page.tell(
            "in_force",
            "licence.over" if over else "licence.held",
            number=other.licence.number,
            budget=_short(other.licence.budget_flop),
            until=other.revoked or other.licence.period.end,
        )
    if not held:
        page.tell("in_force", "licence.first", run=licence.run)
    if any(other.digest == digest for other in held):
        page.warn("licence-logged", number=licence.number)
        return
    for problem in problems:
        page.warn("fault", why=tame(problem))


def _lineage(page: Page, lineage: Lineage) -> str:
    if lineage.scratch:
        return page.say("show.lineage.scratch")
    if not lineage.parents:
        return page.say("show.lineage.unknown")
    return page.say("show.lineage.parents", names=names(p[:16] for p in lineage.parents))


def _short(flop: str) -> str:
    return format_flop_short(parse_flop(flop))


def _reference(reference: Reference) -> str:
    return f"{reference.log} #{reference.leaf[:16]}"


def _heads(heads: tuple[RegisterHead, ...]) -> str:
    return names(f"{head.register} {head.number}" for head in heads) or "-"
