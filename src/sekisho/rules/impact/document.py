"""An impact and a questionnaire as plain JSON: what scripts and pages read."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec

from sekisho.catalogue import Language, say
from sekisho.model.wire import JsonValue, to_plain
from sekisho.rules.impact.assessment import AskedOf, Impact, result_digest
from sekisho.rules.impact.numerals import format_exact
from sekisho.rules.impact.question import Question
from sekisho.rules.impact.questions import QUESTIONS
from sekisho.rules.impact.wording import find_out_text, reason_text

__all__ = ["impact_document", "question_document", "questionnaire"]


def impact_document(impact: Impact, language: Language) -> dict[str, JsonValue]:
    """The whole answer; of each decision its word, rules and what is missing, and each line's reason in words."""
    document: dict[str, Any] = _plain(msgspec.structs.replace(impact, requests=(), scope=()))
    document["scope"] = [
        {**_plain(line), "says": reason_text(line, language)} for line in impact.scope
    ]
    document["requests"] = [_asked(one) for one in impact.requests]
    document["find_out"] = [find_out_text(one, language) for one in impact.find_out]
    document["result"] = result_digest(impact)
    return document


def questionnaire(language: Language) -> list[dict[str, JsonValue]]:
    """Every question in order."""
    return [question_document(question, language) for question in QUESTIONS.values()]


def question_document(question: Question, language: Language) -> dict[str, JsonValue]:
    """One question with its words and what opens it."""
    options: list[JsonValue] = [
        {"value": value, "words": say(question.option_key(value), language)}
        for value in question.options
    ]
    return {
        "id": question.id,
        "section": question.section,
        "kind": question.kind,
        "ask": say(question.ask_key, language),
        "why": say(question.why_key, language),
        "options": options,
        "suggestions": list(question.suggestions),
        "unit": question.unit,
        "optional": question.optional,
        "default": question.default,
        "when": [
            {"question": part.question, "values": list(part.values)} for part in question.when
        ],
        "unlisted": question.unlisted,
    }


def _asked(one: AskedOf) -> dict[str, JsonValue]:
    return {
        "role": one.role,
        "variant": one.variant,
        "request": to_plain(one.request),
        "decisions": [
            {
                "pack": answer.policy.name,
                "decision": answer.decision,
                "rules": [rule.id for rule in answer.rules],
                "missing": list(answer.missing),
            }
            for answer in one.decisions
        ],
    }


def _plain(value: msgspec.Struct) -> Any:
    return msgspec.to_builtins(value, enc_hook=_text)


def _text(value: object) -> str:
    return format_exact(value) if isinstance(value, Fraction) else str(value)
