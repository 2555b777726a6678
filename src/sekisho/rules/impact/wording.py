"""Figures, verdicts and reasons of an impact in the reader's language."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from sekisho.catalogue import MESSAGES, Language, say
from sekisho.model.countries import country_name, is_country
from sekisho.rules.answer_words import missing_in_words
from sekisho.rules.impact.missing import FindOut
from sekisho.rules.impact.numerals import read_threshold
from sekisho.rules.impact.question import Answer, Question
from sekisho.rules.impact.questions import QUESTIONS
from sekisho.rules.impact.scope import Scope
from sekisho.rules.quantities import QUANTITIES

__all__ = [
    "answer_text",
    "figure_text",
    "find_out_text",
    "in_language",
    "money_text",
    "outcome_text",
    "reason_text",
    "share_text",
]

_LARGE: Final = 10**7


def in_language(english: str, japanese: str, language: Language) -> str:
    """A pack's own words; English where the pack has no Japanese."""
    return japanese if language == "ja" and japanese else english


def figure_text(text: str) -> str:
    """Large whole numbers as 8.2×10^21, others with separators; what is no number stays as it is.

    Fonts for Japanese have no raised figures beyond three, so the caret stays.
    """
    if " to " in text:
        low, _, high = text.rpartition(" to ")
        return f"{figure_text(low)} – {figure_text(high)}"
    if not text.replace(".", "", 1).isdigit():
        return text
    value = Fraction(text)
    if value < _LARGE:
        whole, _, part = text.partition(".")
        return f"{int(whole):,}" + (f".{part}" if part else "")
    digits = str(int(value))
    exponent = len(digits) - 1
    rounded = round(Fraction(value, 10 ** (exponent - 2)))
    if rounded == 1000:
        rounded, exponent = 100, exponent + 1
    mantissa = f"{rounded // 100}.{rounded % 100:02d}".rstrip("0").rstrip(".")
    return f"{mantissa}×10^{exponent}"


def share_text(ratio: str) -> str:
    """A figure over its threshold for people: 0.08 %, 41 %, 3.6 times."""
    value = Fraction(ratio)
    if value >= 10:
        return f"×{_short(value)}"
    if value == 0:
        return "0 %" if ratio == "0" else "< 0.0001 %"
    return f"{_short(value * 100)} %"


def _short(value: Fraction) -> str:
    """Two significant digits, rounded up: a share is never told smaller than it is."""
    if value >= 100:
        return f"{-(-value // 1):,}"
    step = Fraction(1)
    while value < 10 * step:
        step /= 10
    rounded = -(-value // step) * step
    return f"{float(rounded):.6f}".rstrip("0").rstrip(".")


def money_text(amount: str, currency: str, language: Language) -> str:
    """Yen with 万円 in Japanese, else with separators; whole units, rounded."""
    value = round(Fraction(amount))
    if currency == "JPY" and language == "ja":
        return (
            f"{value // 10_000:,}万円"
            if value >= 10_000 and value % 10_000 == 0
            else f"{value:,}円"
        )
    return f"JPY {value:,}" if currency == "JPY" else f"USD {value:,}"


def outcome_text(line: Scope, language: Language) -> str:
    """What the rule asks."""
    return say(f"impact.outcome.{line.outcome}", language) if line.outcome else ""


def reason_text(line: Scope, language: Language) -> str:
    """Why a line says what it says, in a few clauses: figures, what is missing, the source with its mark."""
    return ("; " if language == "en" else "。").join(
        part for part in _reasons(line, language) if part
    )


def _reasons(line: Scope, language: Language) -> list[str]:
    if line.touches == "not-in-force":
        return [say("impact.says.not-in-force", language)]
    told = [_because(line, language)]
    if line.quantity and line.because != "permitted":
        told.append(_compared(line, language))
    if line.only_at_bound:
        told.append(say("impact.says.only-at-bound", language))
    if line.missing:
        facts = ", ".join(fact_text(fact, language) for fact in line.missing[:6])
        told.append(say("impact.says.missing", language, facts=facts))
    if line.source:
        told.append(say("impact.says.source", language, source=line.source, mark=line.mark))
    return told


def _because(line: Scope, language: Language) -> str:
    if line.because == "permitted":
        return in_language(line.duty, line.duty_ja, language)
    if line.because == "exception":
        return say("impact.says.exception", language, names=", ".join(line.exceptions))
    if line.because == "not-enforced":
        return say("impact.says.not-enforced", language)
    key = {"elsewhere": "elsewhere", "below": "below", "condition": "not-met"}.get(line.because)
    return say(f"impact.says.{key}", language) if key else ""


def _compared(line: Scope, language: Language) -> str:
    quantity = quantity_text(line.quantity, language)
    if not line.unit:
        return say(
            "impact.says.condition",
            language,
            quantity=quantity,
            figure=_plain_word(line.figure, language),
            threshold=_plain_word(line.threshold, language),
        )
    told: dict[str, str] = {
        "quantity": quantity,
        "figure": _amount(line.figure, line.unit),
        "threshold": _amount(line.threshold, line.unit),
        "unit": "" if line.unit == "share" else f" {line.unit}",
        "share": share_text(line.share) if line.share else "–",
    }
    if not line.bound_share:
        return say("impact.says.figure" if line.share else "impact.says.amount", language, **told)
    if not line.share:
        del told["share"]
        most = share_text(line.bound_share)
        return say("impact.says.range", language, **told, bound_share=most)
    return say(
        "impact.says.figure.bound",
        language,
        **told,
        bound=_amount(line.bound or line.figure.rpartition(" to ")[2], line.unit),
        bound_share=share_text(line.bound_share),
    )


def _amount(text: str, unit: str) -> str:
    """Shares as per cent, all else as figures; a fraction that is a threshold stays as the law writes it."""
    value = read_threshold(text)
    if unit == "share" and value is not None and text != "1/3":
        return share_text(str(value))
    return figure_text(text)


def _plain_word(text: str, language: Language) -> str:
    """What a trace writes of flags, in words."""
    key = {"true": "yes", "false": "no", "unknown": "unknown"}.get(text)
    return say(f"impact.answer.{key}", language) if key else text


def quantity_text(name: str, language: Language) -> str:
    """A quantity's name for people, where the catalogue or the table of quantities has one."""
    key = f"impact.quantity.{name}"
    if key in MESSAGES:
        return say(key, language)
    return QUANTITIES[name].means if name in QUANTITIES and language == "en" else name


def fact_text(fact: str, language: Language) -> str:
    """A missing fact: the question behind it, shortened to its name."""
    if fact in QUESTIONS:
        return say(f"impact.ask.{fact}", language)
    return missing_in_words((fact.removeprefix("facts."),), language)[0]


def find_out_text(one: FindOut, language: Language) -> str:
    """What to find out, as the question that tells it or as the pack puts it."""
    if one.question:
        return say(QUESTIONS[one.question].ask_key, language)
    if one.fact == "measured":
        return say("impact.find.measured", language)
    return in_language(one.means, one.means_ja, language) or one.fact


def answer_text(question: Question, answer: Answer, language: Language) -> str:
    """An answer as a person reads it."""
    if answer is None:
        return say("impact.answer.unknown", language)
    if isinstance(answer, bool):
        return say("impact.answer.yes" if answer else "impact.answer.no", language)
    if isinstance(answer, tuple):
        parts = (_word(question, word, language) for word in answer)
        return (", " if language == "en" else "、").join(parts)
    if question.kind == "amount":
        unit = say(f"impact.unit.{question.unit}", language)
        return f"{figure_text(answer)} {unit}"
    return _word(question, answer, language)


def _word(question: Question, word: str, language: Language) -> str:
    if question.options:
        return say(question.option_key(word), language)
    if question.kind in ("country", "countries") and (is_country(word) or word == "EU"):
        return country_name(word, language)
    return word
