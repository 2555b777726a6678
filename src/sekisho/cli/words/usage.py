"""Usage reports in words: of whom, when, what is concealed, and what it takes the place of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sekisho.cli.durations import when_in_words
from sekisho.cli.plain_text import tame
from sekisho.cli.words.page import Page
from sekisho.model.statements import UsageReported

__all__ = ["USAGE_WORDS"]


def _describe_usage(page: Page, fact: UsageReported, _: str) -> None:
    page.title = page.say("show.kind.usage-reported")
    page.add("drafted", when_in_words(fact.effective, page.view.now, page.view.language))
    page.add("licensee", tame(fact.licensee))
    page.add("period", f"{fact.period.start} / {fact.period.end}")
    if fact.counting is not None:
        page.add("counting", tame(fact.counting))
    for label, digest in (("roll_up", fact.rollup), ("readings", fact.evidence)):
        if digest is not None:
            page.add(label, digest)
    for chain in fact.chains:
        page.add("chains", f"{tame(chain.host)} {chain.sequence} {chain.digest}")
    if fact.concealed:
        page.tell("meaning", "concealed", count=len(fact.concealed))
    if fact.corrects is not None:
        page.add("corrects", fact.corrects)
    page.tell("effect", "usage.first" if fact.corrects is None else "usage.correction")


USAGE_WORDS: Final[Mapping[type, Callable[[Page, Any, str], None]]] = {
    UsageReported: _describe_usage
}
