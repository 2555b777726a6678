"""A run's declaration in words: what its party says of it, and what of that the log does not know."""

from __future__ import annotations

from sekisho.cli.durations import when_in_words
from sekisho.cli.plain_text import quote, tame
from sekisho.cli.words.page import Page, names
from sekisho.model.amounts import format_flop_short, parse_flop
from sekisho.model.statements import Lineage, RunDeclared

__all__ = ["describe_run"]


def describe_run(page: Page, fact: RunDeclared, _: str) -> None:
    """Every field; with a log at hand, loudly who and what of it is not enrolled, and a name that is taken."""
    language, now = page.view.language, page.view.now
    page.title = page.say("show.kind.run-declared")
    page.tell("run", "licence.run", run=tame(fact.run), licensee=tame(fact.party))
    page.quote("purpose", fact.purpose)
    page.tell("place", "declared.place", site=tame(fact.site))
    page.add("jurisdiction", ", ".join(fact.jurisdictions) or "-")
    page.add("lineage", _lineage(page, fact.lineage))
    if fact.post_training:
        page.tell("lineage", "declared.post_training")
    page.tell("covers", "covers.hosts", count=len(fact.hosts), names=names(fact.hosts) or "-")
    for asked in fact.chips:
        page.add("chip", f"{asked.count} x {quote(asked.chip)}")
    for key, flop in (("model", fact.planned_flop), ("hardware", fact.planned_flop_hardware)):
        short = format_flop_short(parse_flop(flop))
        page.tell("budget", f"declared.{key}", short=short, flop=flop)
    page.add("drafted", when_in_words(fact.effective, now, language))
    page.add("begins", when_in_words(fact.period.start, now, language))
    page.add("expires", when_in_words(fact.period.end, now, language))
    if fact.period.end <= now:
        page.warn("expired", at=fact.period.end)
    _describe_unknown(page, fact)


def _lineage(page: Page, lineage: Lineage) -> str:
    if lineage.scratch and lineage.parents:
        return page.say("show.declared.also_scratch", names=", ".join(lineage.parents))
    if lineage.scratch:
        return page.say("show.lineage.scratch")
    if not lineage.parents:
        return page.say("show.lineage.unknown")
    return page.say("show.lineage.parents", names=", ".join(lineage.parents))


def _describe_unknown(page: Page, fact: RunDeclared) -> None:
    state = page.view.footing.state
    if state is None:
        return
    known = state.licences.runs.get(fact.run)
    if known is not None:
        if known[1] != fact:  # the very one that is in the log is no second one
            page.warn("run-known", run=tame(fact.run))
        return
    if fact.party not in state.regime.parties:
        page.warn("run-party", party=tame(fact.party))
    for host in fact.hosts:
        if host not in state.regime.hosts:
            page.warn("run-host", host=tame(host))
