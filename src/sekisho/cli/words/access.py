"""Locked weights and access in words: what the party who locks them signs, and what an access point states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sekisho.cli.durations import when_in_words
from sekisho.cli.plain_text import tame
from sekisho.cli.words.page import Page
from sekisho.model.statements import AccessDecided, WeightsKeyReleased, WeightsLocked

__all__ = ["ACCESS_WORDS"]


def describe_lock(page: Page, fact: WeightsLocked, _: str) -> None:
    """Which weights, under which licence, and loudly what locking does not do."""
    page.title = page.say("show.kind.weights-locked")
    page.tell("model", "weights.model", model=tame(fact.model), party=tame(fact.party))
    page.add("under_licence", _licence(page, fact.licence.leaf))
    page.tell("weights", "weights.file", digest=fact.plaintext, bytes=fact.bytes)
    page.add("locked", fact.ciphertext)
    page.add("key", fact.key)
    page.add("drafted", when_in_words(fact.effective, page.view.now, page.view.language))
    page.warn("weights-leaked")
    state = page.view.footing.state
    if state is not None and state.licences.licences.get(fact.licence.leaf) is None:
        page.warn("weights-licence", licence=fact.licence.leaf[:16])


def describe_release_of_key(page: Page, fact: WeightsKeyReleased, _: str) -> None:
    """To which host a key was given, under which licence."""
    page.title = page.say("show.kind.weights-key-released")
    page.tell("model", "weights.given", model=tame(fact.model), host=tame(fact.host))
    page.add("under_licence", _licence(page, fact.licence.leaf))
    page.add("drafted", when_in_words(fact.effective, page.view.now, page.view.language))


def describe_roll_up(page: Page, fact: AccessDecided, _: str) -> None:
    """How often a model was served and refused in a period, and in which state it was."""
    page.title = page.say("show.kind.access-decided")
    page.tell("model", "access.model", model=tame(fact.model), host=tame(fact.host))
    is_measured = fact.workers != 0
    counted = (fact.served, fact.refused) if is_measured else ("?", "?")
    page.tell("access", f"access.state.{fact.state}", served=counted[0], refused=counted[1])
    if not is_measured:
        page.warn("roll-up-unmeasured")
    elif fact.silent:
        page.warn("roll-up-silent", silent=fact.silent, workers=fact.workers)
    page.add("begins", when_in_words(fact.period.start, page.view.now, page.view.language))
    page.add("expires", when_in_words(fact.period.end, page.view.now, page.view.language))
    for order in fact.orders:
        page.add("under", f"{tame(order.register)} {order.number} ({order.digest[:16]})")


def _licence(page: Page, leaf: str) -> str:
    state = page.view.footing.state
    held = None if state is None else state.licences.licences.get(leaf)
    return leaf if held is None else f"{tame(held.licence.number)} ({leaf[:16]})"


ACCESS_WORDS: Final[Mapping[type, Callable[[Page, Any, str], None]]] = {
    WeightsLocked: describe_lock,
    WeightsKeyReleased: describe_release_of_key,
    AccessDecided: describe_roll_up,
}
