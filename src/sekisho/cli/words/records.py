"""Statements that stand beside others in words: a confirmed order, deposited and erased fields, a rule pack."""

from __future__ import annotations

from sekisho.ceremony import doubt_of
from sekisho.cli.durations import length_in_words, when_in_words
from sekisho.cli.plain_text import tame
from sekisho.cli.words.order import scope_in_words
from sekisho.cli.words.page import Page, names
from sekisho.model.statements import (
    DisclosureDeposited,
    DisclosureErased,
    OrderConfirmed,
    PackPublished,
)

__all__ = ["describe_confirmation", "describe_deposit", "describe_erasure", "describe_pack"]


def describe_confirmation(page: Page, fact: OrderConfirmed, _: str) -> None:
    """Which order a full quorum stands by again, and what would have become of it."""
    page.title = page.say("show.kind.order-confirmed")
    page.add("order", f"{tame(fact.order.register)} {fact.order.number} ({fact.order.digest[:16]})")
    page.tell("effect", "confirm.effect")
    state = page.view.footing.state
    if state is None:
        page.tell("change", "change.unknown")
        return
    known = state.orders.find(fact.order)
    if known is None:
        page.warn("fault", why=page.say("show.confirm.unknown"))
        return
    page.add("scope", scope_in_words(page, known.order))
    page.tell("meaning", f"effect.{known.order.effect}", percent=known.order.cap_percent)
    page.add("expires", when_in_words(known.order.expires, page.view.now, page.view.language))
    doubt = doubt_of(state, fact.order.digest)
    if doubt is None:
        page.tell("change", "confirm.sound")
        return
    at = when_in_words(doubt.lapses, page.view.now, page.view.language) if doubt.lapses else "-"
    page.tell("change", "confirm.doubt", at=at, id=doubt.key[:16])


def describe_deposit(page: Page, fact: DisclosureDeposited, _: str) -> None:
    """Whose concealed fields are kept, and who can open them together."""
    page.title = page.say("show.kind.disclosure-deposited")
    page.add("statement", fact.statement)
    page.add("opened_by", names(share.key[:16] for share in fact.shares))
    page.tell("size", "deposit.size", size=len(fact.content))
    page.tell("effect", "deposit.effect", k=fact.threshold, n=len(fact.shares))


def describe_erasure(page: Page, fact: DisclosureErased, _: str) -> None:
    """Whose concealed fields nobody can open any more, and on which basis."""
    page.title = page.say("show.kind.disclosure-erased")
    page.add("statement", fact.statement)
    page.quote("legal_basis", fact.basis)
    page.tell("effect", "erasure.effect")


def describe_pack(page: Page, fact: PackPublished, _: str) -> None:
    """Which rules decide from here on, and for how long where it is an emergency."""
    page.title = page.say(f"show.kind.pack-{'emergency' if fact.emergency else 'published'}")
    pack = fact.pack
    page.tell(
        "pack",
        "pack.content",
        name=tame(pack.name),
        version=tame(pack.version),
        bytes=fact.bytes,
        sha256=pack.sha256,
    )
    if fact.summary:
        page.quote("summary", fact.summary)
    charter = page.view.footing.charter
    if not fact.emergency:
        page.tell("effect", "pack.effect")
    else:
        seconds = charter.terms.emergency_s if charter is not None else None
        length = length_in_words(seconds, page.view.language) if seconds is not None else "-"
        page.tell("effect", "pack.emergency", length=length)
    state = page.view.footing.state
    if state is None:
        page.tell("change", "change.unknown")
        return
    before = state.pack_in_force(pack.name, page.view.now)
    if before is None:
        page.tell("change", "pack.first")
    elif before.pack == pack and before.emergency == fact.emergency:
        page.tell("change", "pack.same")
    else:
        old = before.pack
        page.tell(
            "change",
            "pack.before",
            name=tame(old.name),
            version=tame(old.version),
            sha256=old.sha256[:16],
        )
