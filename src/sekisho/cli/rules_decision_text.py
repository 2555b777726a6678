"""A decision for a person: each rule with the limb that decided, its source, the exceptions and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sekisho.catalogue import Language, say
from sekisho.cli.plain_text import tame
from sekisho.rules.acting import day
from sekisho.rules.answer_words import event_in_words, missing_in_words
from sekisho.rules.warning_words import warnings_in_words

if TYPE_CHECKING:
    from sekisho.rules import AppliedException, AppliedRule, Decision, SideBySide
    from sekisho.rules.pack import Duty

__all__ = ["decision_lines", "side_by_side_lines"]

_LONG_POWER: Final = 9


def decision_lines(answer: Decision, language: Language) -> list[str]:
    """The answer and why, one line a reason."""
    return [
        f"{tame(answer.id)}: {_word(answer.decision, language)}",
        *(f"  {tame(line)}" for line in _reasons(answer, language)),
    ]


def side_by_side_lines(side: SideBySide, language: Language) -> list[str]:
    """Each regime's answer whole, then where they differ."""
    from sekisho.rules.side_by_side import words_apart

    lines = [f"{tame(side.id)}: {_word(side.decision, language)}"]
    for regime in side.regimes:
        lines.append(f"  {regime.policy.name}: {_word(regime.decision, language)}")
        lines += [f"    {tame(line)}" for line in _reasons(regime, language)]
    for conflict in words_apart(side.regimes, language):
        lines.append(f"  {say('rules.text.conflict', language)}: {tame(conflict)}")
    return lines


def _reasons(answer: Decision, language: Language) -> Iterator[str]:
    for rule in answer.rules:
        yield from _rule(rule, language)
    if answer.decision == "permit" and not answer.rules:
        yield say("rules.text.none", language)
    for exception in answer.exceptions:
        yield from _exception(exception, language)
    if answer.missing:
        yield f"{say('rules.text.missing', language)}: {', '.join(missing_in_words(answer.missing, language))}"
    for warning in warnings_in_words(answer.warnings, language):
        yield f"{say('rules.text.warning', language)}: {warning}"
    policy = answer.policy
    reading = "" if answer.reading == "enforced" else f", {answer.reading}"
    yield (
        f"{say('rules.text.by', language)} {policy.name} {policy.version} "
        f"(sha256 {policy.sha256[:16]}...) {say('rules.text.at', language)} {answer.at}{reading}"
    )


def _rule(rule: AppliedRule, language: Language) -> Iterator[str]:
    """What bears on the answer: an open rule in two lines, since nothing is to be done before it is known to hold."""
    asked = f"{rule.quantity} {_amount(rule.value)} {rule.op} {_amount(rule.threshold)} {rule.unit}"
    outcome = _word(rule.outcome, language)
    if rule.truth == "unknown":
        outcome = say("rules.text.open-rule", language, outcome=outcome)
    status = say(f"law.status.{rule.status}", language)
    if rule.since:
        status = say("rules.text.since", language, status=status, day=day(rule.since))
    yield f"{outcome}: {rule.id} ({rule.cite}; {status}): {asked.rstrip()}: {rule.truth}"
    yield f"  {_in(language, rule.duty, rule.duty_ja)} [{rule.binding}]"
    if rule.truth == "unknown":
        return
    yield f"  {say('rules.text.source', language)}: {rule.source} ({rule.mark})"
    if rule.review is not None:
        policy: str = rule.review.policy
        if language == "ja":
            policy = f"{say(f'law.policy.{policy}', language)} ({policy})"
        review = f"{policy} ({rule.review.cite}; {rule.review.mark})"
        if rule.review.truth == "unknown":
            review += f"; {say('rules.text.depends', language)} {', '.join(rule.review.missing)}"
        yield f"  {say('rules.text.review', language)}: {review}"
    for duty in rule.duties:
        yield f"  {say('rules.text.duty', language)}: {_duty(duty, language)}"
    if rule.lifted_by:
        yield f"  {say('rules.text.lifted', language)}: {', '.join(rule.lifted_by)}"


def _exception(one: AppliedException, language: Language) -> Iterator[str]:
    title = _in(language, one.title, one.title_ja)
    word = say(f"rules.text.exception.{one.truth}", language)
    yield f"{say('rules.text.exception', language)}: {one.id} ({title}; {one.cite}): {word}"
    for condition in one.failed:
        yield f"  {say('rules.text.failed', language)}: {condition}"
    for condition in one.open:
        yield f"  {say('rules.text.open', language)}: {condition}"
    if one.missing:
        yield f"  {say('rules.text.missing', language)}: {', '.join(one.missing)}"
    if one.truth == "true":
        for duty in one.notices:
            yield f"  {say('rules.text.notice', language)}: {_duty(duty, language)}"


def _duty(duty: Duty, language: Language) -> str:
    """What is to be done, how often, and until when."""
    text = f"{_in(language, duty.what, duty.what_ja)} ({say(f'rules.per.{duty.per}', language)})"
    deadline = duty.deadline
    if deadline is None:
        return text
    if deadline.each_year_on:
        return f"{text}; {say('rules.text.each-year', language)} {', '.join(deadline.each_year_on)}"
    event = event_in_words(deadline.event, language)
    unit = "days" if deadline.days is not None else "hours"
    count = deadline.days if deadline.days is not None else deadline.hours
    if count == 0 and deadline.direction == "before":
        return f"{text}; {say('rules.text.before', language, event=event)}"
    key = f"rules.text.{unit}-{deadline.direction}"
    return f"{text}; {say(key, language, count=count, event=event)}"


def _word(word: str, language: Language) -> str:
    """The answer's own word, which scripts know too; for Japanese readers with what it means."""
    return word if language == "en" else f"{say(f'rules.word.{word}', language)} ({word})"


def _amount(text: str) -> str:
    """Long round figures as exact powers of ten; every other text as it is."""
    head = text.rstrip("0")
    zeros = len(text) - len(head)
    if zeros < _LONG_POWER or not head.isdigit():
        return text
    return f"10^{zeros}" if head == "1" else f"{head} x 10^{zeros}"


def _in(language: Language, english: str, japanese: str) -> str:
    return japanese if language == "ja" and japanese else english
