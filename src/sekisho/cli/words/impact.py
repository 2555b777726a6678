"""A company's statement about itself in words: verdict, rules, packs, and whose word it is."""

from __future__ import annotations

from sekisho.cli.durations import when_in_words
from sekisho.cli.plain_text import quote, tame
from sekisho.cli.words.page import Page, names
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import ImpactAssessed
from sekisho.signing import PublicKey

__all__ = ["describe_impact"]


def describe_impact(page: Page, fact: ImpactAssessed, _: str) -> None:
    """Nothing of it is verified here but its form: that is `rules impact verify`'s part."""
    page.title = page.say("show.kind.impact-assessed")
    now, language = page.view.now, page.view.language
    page.add("drafted", when_in_words(fact.effective, now, language))
    page.add("party", quote(fact.party))
    if fact.corporate_number is not None:
        page.add("party", tame(fact.corporate_number))
    if fact.country is not None:
        page.add("party", tame(fact.country))
    page.tell("finding", f"impact.{fact.verdict}")
    if fact.rules:
        page.add("touching", names(fact.rules))
    if fact.open:
        page.add("may_touch", names(fact.open))
    for pack in fact.packs:
        page.add("packs", tame(f"{pack.name} {pack.version} {pack.sha256}"))
    page.add("answers", fact.answers)
    page.add("result", fact.result)
    page.add("method", tame(fact.method))
    if fact.valid_until is not None:
        page.add("expires", when_in_words(fact.valid_until, now, language))
    if fact.known_until is not None:
        page.add("known_until", when_in_words(fact.known_until, now, language))
    page.tell("key", "impact.carries", id=_key_id(fact.public))
    page.tell("effect", "impact.effect")


def _key_id(public: str) -> str:
    """The id of the key that the statement carries; what is no key is shown as it stands."""
    try:
        return PublicKey.from_text(public).key_id
    except InvalidInput:
        return quote(public)
