"""Statements about keys in words: lost, proved, taken back, replaced; and what hangs on them."""

from __future__ import annotations

from sekisho.ceremony import (
    DoubtfulStatement,
    find_announcement,
    last_drill,
    lost_powers,
    notice_end,
    problems_of_announcement,
    problems_of_veto,
    weigh_compromise,
)
from sekisho.cli.durations import length_in_words, when_in_words
from sekisho.cli.plain_text import quote, tame
from sekisho.cli.words.page import Page, names
from sekisho.model.statements import (
    CharterKey,
    KeyCompromised,
    KeyDrilled,
    RecoveryAnnounced,
    RecoveryVetoed,
    SignatureWithdrawn,
)
from sekisho.model.wire import to_plain
from sekisho.signing import PublicKey

__all__ = [
    "describe_announcement",
    "describe_compromise",
    "describe_drill",
    "describe_veto",
    "describe_withdrawal",
]


def describe_compromise(page: Page, fact: KeyCompromised, _: str) -> None:
    """Whose key, since when, and all that would hang in the air once it counts for nothing."""
    page.title = page.say("show.kind.key-compromised")
    _describe_key(page, fact.key)
    page.add("since", when_in_words(fact.since, page.view.now, page.view.language))
    page.quote("reason", fact.reason)
    charter = page.view.footing.charter
    grace = charter.terms.compromise_grace_s if charter is not None else None
    page.tell(
        "effect",
        "compromise.effect",
        grace=length_in_words(grace, page.view.language) if grace is not None else "-",
    )
    _describe_doubts(page, fact)
    if fact.since > page.view.now:
        page.warn("since-ahead", at=fact.since)


def describe_drill(page: Page, fact: KeyDrilled, _: str) -> None:
    """A holder proves that a key still signs, over the root of a witnessed tree."""
    page.title = page.say("show.kind.key-drilled")
    _describe_key(page, fact.key)
    page.tell("challenge", "drilled.challenge", size=fact.size, root=fact.challenge)
    if fact.note:
        page.quote("note", fact.note)
    page.tell("effect", "drilled.effect")
    state = page.view.footing.state
    if state is None:
        page.tell("change", "change.unknown")
        return
    last = last_drill(state, fact.key)
    page.tell("change", "drilled.before" if last else "drilled.first", at=last or "-")
    if state.regime.marks.of_size(fact.size, fact.challenge) is None:
        page.warn("challenge-foreign", size=fact.size)


def describe_withdrawal(page: Page, fact: SignatureWithdrawn, _: str) -> None:
    """A key takes its signature on a payload back, before that is in the log."""
    page.title = page.say("show.kind.signature-withdrawn")
    _describe_key(page, fact.key)
    page.add("payload", fact.payload)
    page.quote("reason", fact.reason)
    page.tell("effect", "withdrawn.effect")
    state = page.view.footing.state
    if state is None:
        page.tell("change", "change.unknown")
        return
    logged = state.regime.spoken.get(fact.payload)
    if logged is not None:
        page.warn("withdrawn-late", index=logged.index)
    page.tell("change", "change.none" if logged is not None else "withdrawn.change")


def describe_announcement(page: Page, fact: RecoveryAnnounced, _: str) -> None:
    """Which keys give way to which, when they could begin to count, and who may say no until then."""
    page.title = page.say("show.kind.recovery-announced")
    page.tell("number", "recovery.follows", version=fact.version, previous=fact.previous[:16])
    charter = page.view.footing.charter
    _describe_replacements(page, fact)
    recovery = charter.terms.recovery if charter is not None else None
    page.tell("effect", "recovery.effect", days=recovery.notice_days if recovery else "-")
    if charter is None:
        page.tell("change", "change.unknown")
        return
    touched = {row.constituency for row in fact.replacements}
    voices = [c.name for c in charter.terms.constituencies if c.name not in touched]
    page.add(
        "veto",
        names(page.say("show.recovery.voice", name=n, k=charter.veto_quorum(n)) for n in voices)
        or "-",
    )
    state = page.view.footing.state
    for problem in problems_of_announcement(state, fact) if state is not None else ():
        page.warn("fault", why=tame(problem))


def describe_veto(page: Page, fact: RecoveryVetoed, _: str) -> None:
    """Which recovery a constituency stops."""
    page.title = page.say("show.kind.recovery-vetoed")
    page.add("announcement", f"{tame(fact.announcement.log)} {fact.announcement.leaf[:16]}")
    page.add("constituency", tame(fact.constituency))
    page.quote("reason", fact.reason)
    page.tell("effect", "veto.effect")
    state = page.view.footing.state
    if state is None:
        page.tell("change", "change.unknown")
        return
    found = find_announcement(state, fact.announcement.leaf)
    if found is not None:
        _describe_replacements(page, found.fact)
        end = notice_end(state, found)
        at = when_in_words(end, page.view.now, page.view.language) if end is not None else "-"
        page.tell("notice", "recovery.left", at=at)
    for problem in problems_of_veto(state, fact):
        page.warn("fault", why=tame(problem))


def _describe_replacements(page: Page, fact: RecoveryAnnounced) -> None:
    for row in fact.replacements:
        page.tell(
            "replaces",
            "recovery.replaces",
            constituency=tame(row.constituency),
            old=row.old[:16],
            held=_held_by(page, row.old),
            new=_new_key(row.new),
        )


def _describe_key(page: Page, key_id: str) -> None:
    page.add("key", key_id)
    page.add("holder", _held_by(page, key_id))
    charter = page.view.footing.charter
    if charter is not None and charter.holder_of(key_id) is None:
        page.warn("key-unknown", id=key_id[:16])


def _held_by(page: Page, key_id: str) -> str:
    charter = page.view.footing.charter
    held = charter.holder_of(key_id) if charter is not None else None
    if charter is None or held is None:
        return page.say("show.holder.unknown")
    group = charter.constituency_of(key_id) or page.say("show.holder.recovery")
    return f"{tame(group)}: {quote(held[0])}, {quote(held[1])}"


def _new_key(key: CharterKey) -> str:
    key_id = PublicKey.from_text(key.public).key_id
    return f"{quote(key.organisation)}, {quote(key.holder)} ({key_id[:16]})"


def _describe_doubts(page: Page, fact: KeyCompromised) -> None:
    """What would stand in doubt, the orders that would lapse first, and the powers that nobody could use any more."""
    state = page.view.footing.state
    page.data["doubts"] = None
    if state is None:
        page.tell("change", "change.unknown")
        return
    doubts = weigh_compromise(state, fact, now=page.view.now)
    page.data["doubts"] = to_plain(doubts)
    for row in doubts:
        page.tell(_LABELS[row.consequence], f"doubt.{row.consequence}", **_words_of(page, row))
    if not doubts:
        page.tell("change", "doubt.none")
    lost = lost_powers(state, fact.key)
    page.data["lost_powers"] = list(lost)
    if lost:
        page.warn("powers-lost", names=names(lost))


def _words_of(page: Page, row: DoubtfulStatement) -> dict[str, object]:
    now, language = page.view.now, page.view.language
    return {
        "what": tame(row.name),
        "kind": row.kind,
        "power": row.power,
        "at": when_in_words(row.ends, now, language) if row.ends is not None else "-",
    }


_LABELS = {"lapses": "lapses", "runs-out": "runs_out", "doubtful": "doubtful"}
