"""A charter in words: who holds which key, which power asks whom, how fast a halt is sure, what a version changes."""

from __future__ import annotations

from sekisho.ceremony import compare_charter
from sekisho.cli.durations import length_in_words, when_in_words
from sekisho.cli.plain_text import quote, tame
from sekisho.cli.words.page import Page, names
from sekisho.model.statements import CharterAdopted, PowerGrant
from sekisho.model.wire import to_plain
from sekisho.signing import PublicKey
from sekisho.signing.charter import PAUSE_POWERS
from sekisho.signing.key_counts import easier_than_resume, keys_needed, organisations_needed

__all__ = ["bounds_of", "describe_charter"]

_QUANTUM_LIMIT_S = 3_600  # LeaseTerms allow no longer one
_TERMS = (
    "orders_in_force_every_s",
    "order_fetch_delay_s",
    "witness_deadline_s",
    "clock_error_s",
    "halt_verdict_s",
    "key_drill_every_s",
    "emergency_s",
    "compromise_grace_s",
)


def describe_charter(page: Page, terms: CharterAdopted, digest: str) -> None:
    """Every field of a charter, the two bounds that hang on it, and its difference from the one in force."""
    page.title = page.say("show.kind.charter")
    page.tell(
        "number",
        "charter.version",
        version=terms.version,
        profile=terms.profile,
        previous=(terms.previous or "-")[:16],
    )
    page.quote("name", terms.name)
    if terms.recovers is not None:
        page.tell("recovers", "recovery.carries", leaf=terms.recovers.leaf[:16])
    _describe_keys(page, terms)
    for grant in terms.powers:
        page.add("power", f"{grant.power}: {_quorums(page, grant)}")
    _describe_log(page, terms)
    page.add("registers", names(f"{r.name} ({r.power}, {r.jurisdiction})" for r in terms.registers))
    _describe_times(page, terms)
    _describe_limits(page, terms)
    _describe_recovery(page, terms)
    _describe_difference(page, terms, digest)


def bounds_of(terms: CharterAdopted) -> tuple[int, int]:
    """Seconds within which all licensed work surely ends without contact, and of the outage that it outlasts at most.

    The longest lease with its grace, for the first figure with one quantum more. Source: protocol section 6.
    """
    longest = terms.max_lease_s + terms.max_grace_s
    return longest + _QUANTUM_LIMIT_S, longest


def _describe_keys(page: Page, terms: CharterAdopted) -> None:
    for constituency in terms.constituencies:
        page.tell(
            "constituency", "constituency", name=constituency.name, count=len(constituency.keys)
        )
        for key in constituency.keys:
            key_id = PublicKey.from_text(key.public).key_id
            page.tell(
                "key",
                "charter.key",
                constituency=constituency.name,
                organisation=quote(key.organisation),
                holder=quote(key.holder),
                id=key_id[:16],
            )
            if key.deposit is not None:
                page.add("deposit", tame(key.deposit))
    everyone = {key.organisation for c in terms.constituencies for key in c.keys}
    if len(everyone) == 1:
        page.warn("one-owner", name=quote(next(iter(everyone))))


def _quorums(page: Page, grant: PowerGrant) -> str:
    parts = " + ".join(f"{part.constituency} {part.k}" for part in grant.quorums)
    if grant.max_duration_s is None:
        return parts
    limit = length_in_words(grant.max_duration_s, page.view.language)
    return page.say("show.power.limited", quorums=parts, limit=limit)


def _describe_log(page: Page, terms: CharterAdopted) -> None:
    log = terms.log
    page.tell("log", "charter.log", origin=log.origin, owner=quote(log.owner), vkey=tame(log.vkey))
    page.tell(
        "witnesses",
        "charter.witnesses",
        quorum=log.witness_quorum,
        count=len(log.witnesses),
        faults=log.witness_faults,
    )
    for witness in log.witnesses:
        page.tell(
            "witness",
            "charter.witness",
            name=witness.name,
            owner=quote(witness.owner),
            vkey=tame(witness.vkey),
        )
    for row in log.cosignatures:
        page.tell("cosignature", "charter.cosignature", name=row.name, until=row.until)


def _describe_times(page: Page, terms: CharterAdopted) -> None:
    language = page.view.language
    page.add("drafted", when_in_words(terms.effective, page.view.now, language))
    page.add("expires", when_in_words(terms.expires, page.view.now, language))
    page.tell("on_expiry", "charter.on_expiry")
    page.tell(
        "lease",
        "charter.lease",
        interval=length_in_words(terms.max_lease_s, language),
        grace=length_in_words(terms.max_grace_s, language),
    )
    halt, outage = bounds_of(terms)
    page.data["max_time_to_halt_s"], page.data["max_outage_survived_s"] = halt, outage
    page.tell(
        "halt",
        "charter.halt",
        length=length_in_words(halt, language),
        quantum=length_in_words(_QUANTUM_LIMIT_S, language),
    )
    page.tell("outage", "charter.outage", length=length_in_words(outage, language))
    page.tell("pause_expiry", f"on_expiry.{terms.pause_on_expiry}")
    page.tell("busy", f"busy.{terms.busy_without_lease}")
    for name in _TERMS:
        page.add(name, length_in_words(getattr(terms, name), language))
    asked = terms.licence_approvals
    page.tell(
        "licence_approvals",
        "charter.approvals" if asked else "charter.no_approvals",
        **_count(asked),
    )
    for root in terms.tpm_roots:
        page.add("tpm_roots", root)
    if terms.expires <= page.view.now:
        page.warn("charter-expired", at=terms.expires)


def _describe_limits(page: Page, terms: CharterAdopted) -> None:
    """How often and how much may be held, and how many keys stop and release; a warning where stopping takes fewer."""
    again = length_in_words(terms.hold_again_s, page.view.language)
    if terms.hold_chip_hours is None:
        page.tell("holds", "charter.holds_unbounded", again=again)
    else:
        page.tell("holds", "charter.holds", again=again, hours=terms.hold_chip_hours)
    for power in PAUSE_POWERS:
        keys, owners = keys_needed(terms, power), organisations_needed(terms, power)
        if keys is not None:
            key = "charter.keys_asked" if owners is not None else "charter.keys_asked_uncounted"
            counted = {"owners": owners} if owners is not None else {}
            page.tell("keys_asked", key, power=power, keys=keys, **counted)
    for row in easier_than_resume(terms):
        page.warn("easier-than-resume", power=row.power, keys=row.keys, resume=row.resume)


def _count(asked: int) -> dict[str, int]:
    return {"count": asked} if asked else {}


def _describe_recovery(page: Page, terms: CharterAdopted) -> None:
    if terms.recovery is None:
        page.tell("recovery", "recovery.none")
        return
    held = [f"{quote(k.organisation)}, {quote(k.holder)}" for k in terms.recovery.keys]
    page.tell(
        "recovery",
        "recovery",
        k=terms.recovery.k,
        count=len(held),
        days=terms.recovery.notice_days,
        names="; ".join(held),
    )


def _describe_difference(page: Page, terms: CharterAdopted, digest: str) -> None:
    state = page.view.footing.state
    old = state.regime.charter if state is not None else None
    page.data["difference"] = None
    root = page.view.footing.root
    if terms.version == 1:
        if root is not None and root.charter_digest != digest:
            page.warn("other-root", trusted=root.charter_digest[:16], origin=root.origin)
        elif old is None:
            page.tell("change", "charter.first")
            return
    if old is None:
        page.tell("change", "change.unknown")
        return
    if old.digest == digest:
        page.tell("change", "charter.in_force")
        return
    if terms.version != old.terms.version + 1 or terms.previous != old.digest:
        page.warn("charter-break", version=terms.version, in_force=old.terms.version)
    changes = compare_charter(old.terms, terms)
    page.data["difference"] = to_plain(changes)
    for change in changes:
        word = (
            "added" if change.before is None else "removed" if change.after is None else "changed"
        )
        page.tell(
            "change",
            f"charter.{word}",
            what=page.say(f"show.part.{change.what}"),
            item=tame(change.item[:64]),
            before=tame(change.before or "-"),
            after=tame(change.after or "-"),
        )
    if not changes:
        page.tell("change", "change.none")
