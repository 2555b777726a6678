"""How names, answers and amounts are written for people, in both languages."""

from __future__ import annotations

from sekisho.catalogue import Language, say
from sekisho.rules.answer import DecisionWord
from sekisho.rules.what_if.changes import Change
from sekisho.rules.what_if.margins import Margin
from sekisho.rules.what_if.reasons import Reason
from sekisho.rules.what_if.sides import SideShown
from sekisho.rules.what_if.splitting import amount_text
from sekisho.rules.what_if.thresholds import UpperThreshold

__all__ = [
    "change_word",
    "count_text",
    "margin_figures",
    "name_word",
    "p_text",
    "reason_text",
    "side_text",
    "threshold_text",
    "word_of",
]

_LONG_POWER = 9


def word_of(decision: DecisionWord, language: Language) -> str:
    """An answer."""
    return say(f"what-if.word.{decision}", language)


def change_word(change: Change | None, language: Language) -> str:
    """A change; of none, that it is the same."""
    return say(f"what-if.change.{change or 'same'}", language)


def name_word(name: str, language: Language) -> str:
    """A name as it was told; one that nobody told says so."""
    return name or say("what-if.not-told", language)


def count_text(count: int) -> str:
    """A count with commas."""
    return f"{count:,}"


def p_text(p_value: float | None, language: Language) -> str:
    """Two digits; not measured where nothing lies near."""
    if p_value is None:
        return say("what-if.not-measured", language)
    if p_value < 1e-12:
        return say("what-if.p.tiny", language)
    return f"{p_value:.2f}" if p_value >= 0.01 else f"{p_value:.1e}"


def threshold_text(threshold: UpperThreshold) -> str:
    """`training_flop > 10^24 FLOP`: powers of ten beyond a thousand million are written as such."""
    return f"{threshold.quantity} {threshold.op} {_amount(threshold)} {threshold.unit}".rstrip()


def _amount(threshold: UpperThreshold) -> str:
    digits = amount_text(threshold.value)
    zeros = len(digits) - len(digits.rstrip("0"))
    if "." in digits or zeros < _LONG_POWER:
        return f"{int(digits):,}" if "." not in digits else digits
    head = digits[: len(digits) - zeros]
    return f"10^{zeros}" if head == "1" else f"{head} x 10^{zeros}"


def reason_text(reason: Reason) -> str:
    """One rule with the limb that decided it; an exception with the rules that it lifts."""
    start = f"{reason.side.upper()}: {reason.rule}"
    if reason.outcome == "lifts":
        why = "; ".join((*reason.failed, *reason.open))
        told = f" ({why})" if why else ""
        return f"{start} -> {', '.join(reason.lifted)}: {reason.truth}{told}"
    limb = f"{reason.quantity} {reason.value} {reason.op} {reason.threshold} {reason.unit}".strip()
    lifted = f" [{', '.join(reason.lifted_by)}]" if reason.lifted_by else ""
    return f"{start}: {limb}: {reason.truth}{lifted}"


def side_text(name: str, side: SideShown, language: Language) -> str:
    """One side by its pack, its date and its reading."""
    title = side.title_ja if language == "ja" and side.title_ja else side.title
    at = side.at.removesuffix("T00:00:00Z") or say("what-if.side.own-day", language)
    return say(
        "what-if.side",
        language,
        side=name,
        title=title,
        name=side.pack.name,
        version=side.pack.version,
        at=at,
        reading=say(f"what-if.reading.{side.reading}", language),
    )


def margin_figures(margin: Margin, language: Language) -> str:
    """What the test compares, in a line."""
    return say(
        "what-if.chart.margin.figures",
        language,
        below=count_text(margin.within(5)),
        above=count_text(margin.beyond(5)),
        p=p_text(margin.p_value, language),
    )
