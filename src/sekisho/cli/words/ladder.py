"""Steps against hosts that do not follow, and appeals, in words: what a judge, a party and an adjudicator sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sekisho.ceremony import appeal_standing, check_appeal, check_step_now, party_under
from sekisho.cli.durations import when_in_words
from sekisho.cli.plain_text import tame
from sekisho.cli.words.order import scope_in_words
from sekisho.cli.words.page import Page, names
from sekisho.model.errors import SekishoError
from sekisho.model.statements import (
    AppealDecided,
    AppealFiled,
    OrderReference,
    RefusalRecorded,
)

__all__ = ["LADDER_WORDS"]


def describe_refusal(page: Page, fact: RefusalRecorded, _: str) -> None:
    """Which step against which host, what it does, by when the host answers, and on what it rests."""
    page.title = page.say("show.kind.refusal-recorded")
    _describe_order(page, fact.order)
    page.add("host", tame(fact.host))
    page.tell("step", f"refusal.step.{fact.step}")
    page.tell("effect", f"refusal.effect.{fact.step}")
    if fact.measure is not None:
        page.quote("measure", fact.measure)
    page.add("drafted", when_in_words(fact.effective, page.view.now, page.view.language))
    page.add("answer_by", when_in_words(fact.answer_by, page.view.now, page.view.language))
    for reason in fact.reasons:
        page.quote("grounds", reason)
    page.add("evidence_named", names(digest[:16] for digest in fact.evidence) or "-")
    if not fact.evidence:
        page.warn("refusal-no-evidence")
    _warn_of(page, lambda state: check_step_now(state, fact, page.view.now))
    state = page.view.footing.state
    if state is not None:
        before = [made.fact.step for made in state.refusals.of(fact.order, fact.host)]
        page.add("steps_before", names(before) or page.say("show.refusal.first"))


def describe_appeal(page: Page, fact: AppealFiled, _: str) -> None:
    """Who appeals against which order, why it may, and that this lifts nothing."""
    page.title = page.say("show.kind.appeal-filed")
    page.tell("appeal_name", "appeal.by", name=tame(fact.appeal), party=tame(fact.party))
    _describe_order(page, fact.order)
    page.quote("asks", fact.asks)
    if fact.grounds is not None:
        page.add("grounds", fact.grounds)
    page.add("drafted", when_in_words(fact.effective, page.view.now, page.view.language))
    page.tell("effect", "appeal.effect")
    state = page.view.footing.state
    known = state.orders.find(fact.order) if state is not None else None
    if state is not None and known is not None:
        under = party_under(state, known, fact.party)
        page.tell(
            "touched",
            "appeal.touched",
            licences=names(under.licences) or "-",
            hosts=names(under.hosts) or "-",
        )
    _warn_of(page, lambda found: check_appeal(found, fact))


def describe_decision(page: Page, fact: AppealDecided, _: str) -> None:
    """How an appeal is decided, by when a resume is due, and that deciding lifts nothing."""
    page.title = page.say("show.kind.appeal-decided")
    page.add("appeal_name", tame(fact.appeal))
    _describe_order(page, fact.order)
    page.tell("outcome", f"appeal.outcome.{fact.outcome}")
    page.quote("grounds", fact.reasons)
    if fact.resume_by is not None:
        page.add("resume_by", when_in_words(fact.resume_by, page.view.now, page.view.language))
    page.add("drafted", when_in_words(fact.effective, page.view.now, page.view.language))
    page.tell("effect", "appeal.decision-effect")
    state = page.view.footing.state
    appeal = state.appeals.appeals.get(fact.appeal) if state is not None else None
    if state is not None and appeal is not None:
        page.quote("asks", appeal.filed.asks)
        standing = appeal_standing(state, appeal, page.view.now)
        page.tell("stands", f"appeal.is.{standing}")
    _warn_of(page, lambda found: check_appeal(found, fact))


def _describe_order(page: Page, order: OrderReference) -> None:
    page.add("under", f"{tame(order.register)} {order.number} ({order.digest[:16]})")
    state = page.view.footing.state
    known = state.orders.find(order) if state is not None else None
    if known is not None:
        page.add("scope", scope_in_words(page, known.order))


def _warn_of(page: Page, check: Callable[[Any], None]) -> None:
    """What the desk would refuse, said before anybody signs."""
    state = page.view.footing.state
    if state is None:
        page.tell("change", "change.unknown")
        return
    try:
        check(state)
    except SekishoError as error:
        page.warn("fault", why=tame(error.message))


LADDER_WORDS: Final[Mapping[type, Callable[[Page, Any, str], None]]] = {
    RefusalRecorded: describe_refusal,
    AppealFiled: describe_appeal,
    AppealDecided: describe_decision,
}
