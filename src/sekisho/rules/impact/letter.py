"""影響診断書: the impact as a sheet of paper, and the one-page self-declaration for clouds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

import msgspec

from sekisho.catalogue import Language, say
from sekisho.model.instants import Instant
from sekisho.model.sheets import Bar, Bars, Code, Heading, Part, Sheet, Table, Text, Tone
from sekisho.rules.impact.assessment import Assumption, Impact
from sekisho.rules.impact.cost import Cost, CostLine
from sekisho.rules.impact.question import Answer
from sekisho.rules.impact.questions import open_questions
from sekisho.rules.impact.scope import Scope, Touch
from sekisho.rules.impact.wording import (
    answer_text,
    figure_text,
    find_out_text,
    in_language,
    money_text,
    outcome_text,
    reason_text,
    share_text,
)
from sekisho.rules.warning_words import warnings_in_words

__all__ = ["Proof", "declaration", "letter"]

_TONES: Final[Mapping[Touch, Tone]] = {
    "yes": "bad",
    "unsure": "open",
    "no": "good",
    "not-in-force": "plain",
    "would": "plain",
}
_VERDICT_TONES: Final[Mapping[str, Tone]] = {
    "not-affected": "good",
    "affected": "bad",
    "unsure": "open",
}
# What a cloud asks before it lets somebody in; the rest is the company's own business.
_DECLARED: Final = (
    "country",
    "use",
    "cloud",
    "chips_in",
    "chip",
    "chip_count",
    "hours",
    "purpose",
    "exports",
    "offers_cloud",
    "hosts_models",
    "parent_in",
    "own_listed",
    "listed_owner_share",
)


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The signed statement beside a sheet: its payload's digest, the key, until when it is good."""

    statement: str
    key: str
    valid_until: Instant | None = None


def letter(
    impact: Impact,
    answers: Mapping[str, Answer],
    language: Language,
    proof: Proof | None = None,
) -> Sheet:
    """The whole answer on paper."""
    parts: list[Part] = [
        *_party(answers, language),
        *_verdict(impact, language),
        *_scope(impact, language),
        *_find_out(impact, language),
        *_cost(impact.cost, language),
        *_contacts(impact, language),
        *_assumptions(impact, language),
        *_would(impact, language),
        *_packs(impact, language),
        *_proof(proof, language),
    ]
    return _sheet("impact.title", impact.at, parts, language)


def declaration(
    impact: Impact,
    answers: Mapping[str, Answer],
    language: Language,
    proof: Proof | None = None,
) -> Sheet:
    """自己申告書: one page for clouds, what they ask and the result of the check."""
    opened = {question.id: question for question in open_questions(answers)}
    rows = tuple(
        (
            say(opened[name].ask_key, language),
            answer_text(opened[name], answers[name], language)
            if name in answers
            else say("impact.answer.none", language),
        )
        for name in _DECLARED
        if name in opened
    )
    head = (
        say("impact.declaration.question", language),
        say("impact.declaration.answer", language),
    )
    verdict = say(f"impact.verdict.{impact.verdict}", language)
    parts: list[Part] = [
        *_party(answers, language),
        Text(say("impact.declaration.for", language), "small"),
        Text(say("impact.declaration.we", language, at=_day(impact.at))),
        Table(head=head, rows=rows, widths=(3, 2)),
        *_figures(impact, language),
        Text(
            say("impact.declaration.result", language, verdict=verdict),
            _VERDICT_TONES[impact.verdict],
        ),
        Text(say("impact.declaration.change", language)),
        *_proof(proof, language),
    ]
    return _sheet("impact.declaration.title", impact.at, parts, language)


def _sheet(title: str, at: Instant, parts: list[Part], language: Language) -> Sheet:
    return Sheet(
        language=language,
        title=say(title, language),
        subtitle=say("impact.subtitle", language, at=_day(at)),
        parts=tuple(parts),
        page=say("impact.page", language, page="{page}", pages="{pages}")
        + " · "
        + say("impact.footer", language),
        created=at,
    )


def _day(at: Instant) -> str:
    return str(at)[:10]


def _party(answers: Mapping[str, Answer], language: Language) -> Iterable[Part]:
    name, number = answers.get("name"), answers.get("corporate_number")
    shown = name if isinstance(name, str) else say("impact.party.none", language)
    yield Text(say("impact.party", language, name=shown), "strong")
    if isinstance(number, str):
        yield Text(say("impact.party.number", language, number=number))


def _verdict(impact: Impact, language: Language) -> Iterable[Part]:
    count = sum(line.touches == "yes" for line in impact.scope)
    yield Text(say(f"impact.verdict.{impact.verdict}", language), _VERDICT_TONES[impact.verdict])
    key = f"impact.verdict.{impact.verdict}.means"
    yield Text(
        say(key, language, count=count) if impact.verdict == "affected" else say(key, language)
    )
    yield from _figures(impact, language)
    if any("knows the law until" in warning for warning in impact.warnings):
        yield Text(say("impact.warn.coverage", language), "open")


def _figures(impact: Impact, language: Language) -> Iterable[Part]:
    figures = impact.figures
    if figures is None:
        return
    low, best, high = (figure_text(flop) for flop in figures.estimate)
    spread = "" if low == high else say("impact.figures.spread", language, low=low, high=high)
    yield Text(
        say(
            "impact.figures",
            language,
            bound=figure_text(figures.bound),
            best=best,
            spread=spread,
            share=share_text(figures.utilisation[1]),
            stated=say(f"impact.figures.{'stated' if figures.stated else 'assumed'}", language),
        )
    )


def _scope(impact: Impact, language: Language) -> Iterable[Part]:
    yield Heading(say("impact.heading.scope", language))
    lines = [line for line in impact.scope if line.touches != "would"]
    if not lines:
        yield Text(say("impact.nothing-asked", language))
        return
    yield _scope_table(lines, language)


def _would(impact: Impact, language: Language) -> Iterable[Part]:
    """Drafts, reforms and law that nobody enforces: told apart from what counts."""
    lines = [line for line in impact.scope if line.touches == "would"]
    if lines:
        yield Heading(say("impact.heading.would", language))
        yield _scope_table(lines, language)


def _scope_table(lines: list[Scope], language: Language) -> Table:
    return Table(
        head=tuple(say(f"impact.head.{name}", language) for name in ("rule", "answer", "why")),
        rows=tuple(_scope_row(line, language) for line in lines),
        widths=(30, 15, 55),
        tones=tuple(_TONES[line.touches] for line in lines),
    )


def _scope_row(line: Scope, language: Language) -> tuple[str, str, str]:
    title = in_language(line.title, line.title_ja, language)
    rule = f"{title}: {line.cite} ({line.rule})" if line.rule else title
    role = say(f"impact.role.{line.role}", language)
    answer = f"{say(f'impact.touches.{line.touches}', language)} ({role})"
    if line.touches in ("yes", "unsure", "would") and line.outcome:
        answer = f"{answer}: {outcome_text(line, language)}"
    why = reason_text(line, language)
    duty = in_language(line.duty, line.duty_ja, language)
    if line.touches == "yes" and duty:
        why = f"{why} / {say('impact.says.duty', language, duty=duty)}"
    return rule, answer, why


def _find_out(impact: Impact, language: Language) -> Iterable[Part]:
    if impact.find_out:
        yield Heading(say("impact.heading.find-out", language))
        for one in impact.find_out:
            yield Text(f"– {find_out_text(one, language)}", "open")


def _cost(cost: Cost, language: Language) -> Iterable[Part]:
    yield Heading(say("impact.heading.cost", language))
    if not cost.lines:
        yield Text(say("impact.cost.none", language))
        return
    low, best, high = (money_text(amount, cost.currency, language) for amount in cost.total)
    yield Text(say("impact.cost.total", language, low=low, best=best, high=high), "strong")
    if any(line.delay_days for line in cost.lines):
        days = max(line.delay_days for line in cost.lines)
        key = "impact.cost.delay" if cost.complete else "impact.cost.delay.open"
        yield Text(say(key, language, days=days), "plain" if cost.complete else "open")
    heads = ("duty", "hours", "times", "money", "mark")
    yield Table(
        head=tuple(say(f"impact.head.{name}", language) for name in heads),
        rows=tuple(_cost_row(line, cost, language) for line in cost.lines),
        widths=(44, 14, 12, 22, 8),
        tones=tuple("open" if line.maybe else "plain" for line in cost.lines),
    )
    yield Bars(bars=_bars(cost, language))
    yield Text(say("impact.cost.method", language), "small")


def _cost_row(line: CostLine, cost: Cost, language: Language) -> tuple[str, ...]:
    what = in_language(line.what, line.what_ja, language)
    maybe = f" {say('impact.cost.maybe', language)}" if line.maybe else ""
    money = " – ".join(
        money_text(amount, cost.currency, language) for amount in (line.money[0], line.money[2])
    )
    return (
        f"{what}{maybe}",
        f"{line.hours[0]}–{line.hours[2]}",
        line.times[1] if line.times[0] == line.times[2] else f"{line.times[0]}–{line.times[2]}",
        money,
        " ".join(line.marks),
    )


def _bars(cost: Cost, language: Language) -> tuple[Bar, ...]:
    """The longest first, to one scale; at most six, since a bar is for a glance."""
    longest = max((Fraction(line.money[2]) for line in cost.lines), default=Fraction(0))
    if not longest:
        return ()
    lines = sorted(cost.lines, key=lambda line: -Fraction(line.money[2]))[:6]
    found = []
    for line in lines:
        low, best, high = (round(Fraction(amount) / longest * 1000) for amount in line.money)
        found.append(
            Bar(
                label=in_language(line.what, line.what_ja, language),
                low=low,
                best=best,
                high=high,
                text=money_text(line.money[1], cost.currency, language),
            )
        )
    return tuple(found)


def _contacts(impact: Impact, language: Language) -> Iterable[Part]:
    yield Heading(say("impact.heading.contacts", language))
    heads = ("contact", "help", "where", "mark")
    yield Table(
        head=tuple(say(f"impact.head.{name}", language) for name in heads),
        rows=tuple(
            (
                in_language(one.name, one.name_ja, language),
                say(f"impact.topic.{one.topic}", language),
                one.where or "–",
                one.mark,
            )
            for one in impact.contacts
        ),
        widths=(40, 28, 25, 7),
    )


def _assumptions(impact: Impact, language: Language) -> Iterable[Part]:
    yield Heading(say("impact.heading.assumptions", language))
    wage = money_text(impact.cost.wage, impact.cost.currency, language)
    rows = [*impact.assumptions]
    if impact.cost.lines:
        rows.append(Assumption(id="hours", mark="O"))
    for one in rows:
        told = say(
            f"impact.assume.{one.id}", language, **({"wage": wage} if one.id == "wage" else {})
        )
        yield Text(f"– {told} [{one.mark}]", "small")
    for warning in warnings_in_words(impact.warnings, language):
        yield Text(f"– {warning}", "small")
    yield Text(say("impact.marks", language), "small")


def _packs(impact: Impact, language: Language) -> Iterable[Part]:
    yield Heading(say("impact.heading.packs", language))
    yield Table(
        head=(say("impact.head.pack", language), say("impact.head.digest", language)),
        rows=tuple((f"{pack.name} {pack.version}", pack.sha256) for pack in impact.packs),
        widths=(35, 65),
    )


def _proof(proof: Proof | None, language: Language) -> Iterable[Part]:
    yield Heading(say("impact.heading.proof", language))
    yield Text(say("impact.authoritative", language), "small")
    if proof is None:
        yield Text(say("impact.no-statement", language), "open")
        return
    yield Text(say("impact.proof.statement", language, digest=proof.statement))
    yield Text(say("impact.proof.key", language, id=proof.key))
    if proof.valid_until is not None:
        yield Text(say("impact.proof.valid", language, until=_day(proof.valid_until)))
    yield Code(
        text=f"sekisho:impact:sha256:{proof.statement}",
        says=say("impact.proof.verify", language),
    )
