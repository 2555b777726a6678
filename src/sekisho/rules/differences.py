"""Why the same request is answered differently: what changed in law between two decisions, with cite and date.

Everything is read from the two decisions and their traces, so that anybody who holds both can explain them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.catalogue import Language, say
from sekisho.model.instants import Instant
from sekisho.rules.acting import day
from sekisho.rules.answer import Decision, RuleTrace
from sekisho.rules.answer_words import missing_in_words
from sekisho.rules.limbs import LimbTrace

__all__ = ["Difference", "DifferenceKind", "explain_difference"]

DifferenceKind: TypeAlias = Literal[
    "pack",
    "reading",
    "coverage",
    "rule-began",
    "rule-ended",
    "status",
    "parameter",
    "set",
    "definition",
    "exception-came",
    "exception-went",
    "review",
    "fact",
]
_NOT_ACTING: Final = ("not in force", "not asked")


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change between two decisions; `bears` where it concerns a rule that bears on one of the answers.

    `name` is the rule, parameter, set, definition or exception; `before` and `after` what it was and is, empty where
    it was or is not there; `on` the day of the change, None where the decisions do not tell it. `says` is in words.
    """

    kind: DifferenceKind
    name: str
    before: str = ""
    after: str = ""
    unit: str = ""
    cite: str = ""
    on: Instant | None = None
    bears: bool = False
    says: str
    says_ja: str


def explain_difference(earlier: Decision, later: Decision) -> tuple[Difference, ...]:
    """What changed between two decisions with their traces, those changes first that bear on one of the answers.

    Rules that came into force, ended or changed their status; parameters, sets and definitions that changed;
    exceptions that came or went; other ways of review; and facts that differ, where the requests do.
    """
    asked = _Pair(earlier, later)
    found = [
        *_of_packs(asked),
        *_of_rules(asked),
        *_of_entries(asked),
        *_of_exceptions(asked),
        *_of_reviews(asked),
        *_of_facts(asked),
    ]
    return tuple(_told(one, asked) for one in sorted(found, key=lambda one: not one.bears))


class _Read(msgspec.Struct, frozen=True):
    """A parameter, set or definition as one decision read it, and the rules that did."""

    kind: DifferenceKind
    limb: LimbTrace
    rules: frozenset[str]


class _Pair:
    """Two decisions, read for what they share."""

    def __init__(self, earlier: Decision, later: Decision) -> None:
        self.earlier, self.later = earlier, later
        self.bearing = {rule.id for answer in (earlier, later) for rule in answer.rules}
        self.before = {one.rule: one for one in earlier.trace}
        self.after = {one.rule: one for one in later.trace}


class _Change(msgspec.Struct, frozen=True):
    """A difference before it is put into words."""

    kind: DifferenceKind
    name: str
    before: str = ""
    after: str = ""
    cite: str = ""
    on: Instant | None = None
    bears: bool = True
    unit: str = ""


def _told(change: _Change, asked: _Pair) -> Difference:
    return Difference(
        **msgspec.structs.asdict(change),
        says=_words(change, asked, "en"),
        says_ja=_words(change, asked, "ja"),
    )


def _words(change: _Change, asked: _Pair, language: Language) -> str:
    nothing = say("rules.change.nothing", language)
    dates = {"first": day(asked.earlier.at), "second": day(asked.later.at)}
    when = say("rules.change.between", language, **dates)
    if change.on is not None:
        when = say("rules.change.on", language, day=day(change.on))
    return say(
        f"rules.change.{change.kind}",
        language,
        name=change.name,
        before=_side(change.before, change.unit, language) or nothing,
        after=_side(change.after, change.unit, language) or nothing,
        when=when,
        cite=f" ({change.cite})" if change.cite else "",
    )


def _side(text: str, unit: str, language: Language) -> str:
    """One side of a change: a figure with its unit, a word, or why a pack had no answer."""
    return f"{missing_in_words((text,), language)[0]} {unit}".rstrip() if text else ""


def _of_packs(asked: _Pair) -> Iterator[_Change]:
    one, other = asked.earlier, asked.later
    name = other.policy.name
    if one.policy != other.policy:
        yield _Change("pack", name, _pack(one), _pack(other))
    if one.reading != other.reading:
        yield _Change("reading", name, one.reading, other.reading)
    before, after = _silence(one), _silence(other)
    if bool(before) != bool(after):
        yield _Change("coverage", name, before, after)


def _pack(answer: Decision) -> str:
    return f"{answer.policy.name} {answer.policy.version}"


def _silence(answer: Decision) -> str:
    """Why a pack has no answer; it then names the reason alone, and no rule."""
    why = answer.missing[0] if len(answer.missing) == 1 and not answer.rules else ""
    return why if why.startswith(f"{answer.policy.name} says nothing") else ""


# --- rules ----------------------------------------------------------------------------------------


def _of_rules(asked: _Pair) -> Iterator[_Change]:
    for name in dict.fromkeys([*asked.after, *asked.before]):
        change = _of_rule(name, asked.before.get(name), asked.after.get(name))
        if change is not None:
            yield msgspec.structs.replace(change, bears=name in asked.bearing)


def _of_rule(name: str, before: RuleTrace | None, after: RuleTrace | None) -> _Change | None:
    was, now = _status(before), _status(after)
    told = after or before
    cite = told.cite if told is not None else ""
    since = after.since if after is not None else None
    if _acts(after) and not _acts(before):
        return _Change("rule-began", name, was, now, cite, since)
    if _acts(before) and not _acts(after):
        until = before.until if before is not None else None
        return _Change("rule-ended", name, was, now, cite, since or until)
    is_asked = any(one is not None and one.truth != "not asked" for one in (before, after))
    return _Change("status", name, was, now, cite, since) if is_asked and was != now else None


def _status(trace: RuleTrace | None) -> str:
    return "" if trace is None or trace.status == "unknown" else trace.status


def _acts(trace: RuleTrace | None) -> bool:
    return trace is not None and trace.truth not in _NOT_ACTING


# --- parameters, sets and definitions -------------------------------------------------------------


def _of_entries(asked: _Pair) -> Iterator[_Change]:
    before, after = _entries(asked.earlier), _entries(asked.later)
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name), after.get(name)
        if one is None or other is None or _same(one, other):
            continue
        rules = one.rules | other.rules
        yield _Change(
            other.kind,
            name[1],
            _value(one),
            _value(other),
            other.limb.source or one.limb.source,
            other.limb.since or one.limb.until,
            not rules.isdisjoint(asked.bearing),
            other.limb.unit,
        )


def _same(one: _Read, other: _Read) -> bool:
    """A threshold that is only cited anew has not changed."""
    if one.kind == "parameter":
        return one.limb.threshold == other.limb.threshold
    before, after = one.limb, other.limb
    return (before.since, before.until, before.source) == (after.since, after.until, after.source)


def _value(read: _Read) -> str:
    if read.kind == "parameter":
        return read.limb.threshold
    return day(read.limb.since) if read.limb.since is not None else ""


def _entries(answer: Decision) -> dict[tuple[str, str], _Read]:
    """What the rules asked of the request read from the pack, directly or in definitions."""
    inside = {one.definition: one.limbs for one in answer.definitions}
    found: dict[tuple[str, str], _Read] = {}
    for rule in answer.trace:
        for limb in _opened(rule.limbs, inside):
            key = _key(limb)
            if key is not None:
                before = found[key].rules if key in found else frozenset()
                found[key] = _Read(key[0], limb, before | {rule.rule})
    return found


def _opened(
    limbs: Iterable[LimbTrace], inside: Mapping[str, tuple[LimbTrace, ...]]
) -> Iterator[LimbTrace]:
    for limb in limbs:
        yield limb
        yield from _opened(inside.get(limb.definition, ()), inside)


def _key(limb: LimbTrace) -> tuple[DifferenceKind, str] | None:
    named: tuple[tuple[DifferenceKind, str], ...] = (
        ("parameter", limb.parameter),
        ("set", limb.place_set),
        ("definition", limb.definition),
    )
    return next((pair for pair in named if pair[1]), None)


# --- exceptions, reviews, facts -------------------------------------------------------------------


def _of_exceptions(asked: _Pair) -> Iterator[_Change]:
    """One that an answer would name if it existed then: it is new since, or its rule bore on the answer already."""
    bore, bears = ({rule.id for rule in one.rules} for one in (asked.earlier, asked.later))
    before = {one.id: one for one in asked.earlier.exceptions}
    after = {one.id: one for one in asked.later.exceptions}
    for one in after.values():
        is_new = one.since is not None and one.since > asked.earlier.at
        if one.id not in before and (is_new or not bore.isdisjoint(one.lifts)):
            yield _Change("exception-came", one.id, "", one.title, one.cite, one.since)
    for one in before.values():
        if one.id not in after and not bears.isdisjoint(one.lifts):
            yield _Change("exception-went", one.id, one.title, "", one.cite, one.until)


def _of_reviews(asked: _Pair) -> Iterator[_Change]:
    before = {rule.id: rule.review for rule in asked.earlier.rules}
    for rule in asked.later.rules:
        was, now = before.get(rule.id), rule.review
        if rule.id not in before or (was and was.policy) == (now and now.policy):
            continue
        policies = (was.policy if was is not None else "", now.policy if now is not None else "")
        told = now or was
        cite, on = (told.cite, told.since) if told is not None else ("", None)
        yield _Change("review", rule.id, *policies, cite, on)


def _of_facts(asked: _Pair) -> Iterator[_Change]:
    """Other amounts, places or words: of one request only where the chip table or the reading of it changed."""
    before, after = _facts(asked.earlier, asked.bearing), _facts(asked.later, asked.bearing)
    for name, value in after.items():
        if name in before and before[name] != value:
            yield _Change("fact", name, before[name], value)


def _facts(answer: Decision, rules: set[str]) -> dict[str, str]:
    inside = {one.definition: one.limbs for one in answer.definitions}
    return {
        limb.quantity: limb.value
        for rule in answer.trace
        if rule.rule in rules
        for limb in _opened(rule.limbs, inside)
        if not limb.definition
    }
