"""What a pack says on a date, in words: in English or Japanese, with the history of everything that has one."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from sekisho.catalogue import Language, say
from sekisho.cli.plain_text import tame, wrap
from sekisho.cli.rules_pack_rows import amount_text
from sekisho.rules.answer_words import event_in_words

if TYPE_CHECKING:
    from sekisho.model.instants import Instant
    from sekisho.rules.pack import (
        Condition,
        Dated,
        Duty,
        LicenceException,
        Pack,
        Parameter,
        Rule,
        Status,
    )

__all__ = ["Reader", "pack_text"]

_INDENT = "  "


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Who reads a pack: for which date, in which language, and whether every condition is to be written out."""

    at: Instant
    language: Language
    in_full: bool = False

    def say(self, key: str, **values: object) -> str:
        return say(f"law.{key}", self.language, **values)

    def pick(self, english: str, japanese: str) -> str:
        """The text in the reader's language; English where nobody wrote Japanese."""
        return tame(japanese if self.language == "ja" and japanese else english)


def pack_text(pack: Pack, reader: Reader) -> str:
    """The whole page, without the last line end. Text of strangers cannot move the cursor."""
    lines = [*_head(pack, reader)]
    parts = {
        "parameters": [line for p in pack.parameters.values() for line in _parameter(p, reader)],
        "sets": [*_sets(pack, reader)],
        "definitions": [*_definitions(pack, reader)],
        "rules": [line for rule in pack.rules for line in _rule(rule, pack, reader)],
        "exceptions": [line for e in pack.exceptions for line in _exception(e, pack, reader)],
    }
    for key, found in parts.items():
        if found:
            lines += ["", reader.say(key), *(_INDENT + line for line in found)]
    return "\n".join(wrap(line, _depth(line) + 4) for line in lines)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _head(pack: Pack, reader: Reader) -> Iterator[str]:
    yield f"{pack.name} {pack.version}: {reader.say('on-date', day=_day(reader.at))}"
    yield f"sha256 {pack.sha256}"
    yield reader.pick(pack.title, pack.title_ja)
    yield tame(pack.note)
    where = f"{pack.jurisdiction}, " if pack.jurisdiction else ""
    yield f"{reader.say('standing')}: {where}{reader.say(f'standing.{pack.standing}')}"
    if pack.coverage is not None:
        yield f"{reader.say('coverage')}: {_span(pack.coverage.start, pack.coverage.until)}"
    for below in pack.over:
        yield f"{reader.say('over')} {below.name} {below.version} (sha256 {below.sha256})"


def _parameter(parameter: Parameter, reader: Reader) -> Iterator[str]:
    now = parameter.at(reader.at)
    value = now.value if now is not None else None
    shown = f"{_short(value)} {parameter.unit}" if value is not None else reader.say("value.none")
    source = f" ({_source(now)})" if now is not None else ""
    yield f"{parameter.name}: {shown}{source}"
    yield _INDENT + reader.pick(parameter.means, parameter.means_ja)
    for entry in parameter.values if len(parameter.values) > 1 else ():
        word = _short(entry.value) if entry.value is not None else reader.say("value.ended")
        yield f"{_INDENT}{_span(entry.start, entry.end)}: {word} ({_source(entry)})"


def _sets(pack: Pack, reader: Reader) -> Iterator[str]:
    for places in pack.sets.values():
        now = places.at(reader.at)
        members = now.members if now is not None else None
        shown = ", ".join(sorted(members)) if members else reader.say("value.none")
        source = f" ({_source(now)})" if now is not None else ""
        yield f"{places.name}: {shown}{source}"
        yield _INDENT + reader.pick(places.means, places.means_ja)


def _definitions(pack: Pack, reader: Reader) -> Iterator[str]:
    for definition in pack.definitions.values():
        now = definition.at(reader.at)
        label = f" [{tame(definition.label)}]" if definition.label else ""
        source = f" ({_source(now)})" if now is not None else ""
        yield f"{definition.name}{label}{source}"
        yield _INDENT + reader.pick(definition.means, definition.means_ja)
        if now is None or now.when is None:
            yield _INDENT + reader.say("definition.none")
        elif reader.in_full:
            yield from _when(now.when, pack, reader)


def _rule(rule: Rule, pack: Pack, reader: Reader) -> Iterator[str]:
    outcome = reader.say(f"outcome.{rule.outcome}")
    yield f"{rule.id}: {outcome}; {_standing(rule.status_at(reader.at), reader)} ({tame(rule.cite)})"
    kinds = ", ".join(reader.say(f"kind.{kind}") for kind in rule.kinds)
    yield f"{_INDENT}{reader.pick(rule.duty, rule.duty_ja)} [{kinds}; {tame(rule.binding)}]"
    yield from _timeline(rule.statuses, reader)
    if not reader.in_full:
        return
    yield from _when(rule.when, pack, reader)
    yield from _duties(rule.duties, reader)
    for review in rule.reviews:
        policy = reader.say(f"policy.{review.policy}")
        yield f"{_INDENT}{reader.say('review')}: {policy}, {_span(review.start, review.end)}"
        if review.when is not None:
            yield from (_INDENT + line for line in _when(review.when, pack, reader))


def _exception(exception: LicenceException, pack: Pack, reader: Reader) -> Iterator[str]:
    title = reader.pick(exception.title, exception.title_ja)
    standing = _standing(exception.status_at(reader.at), reader)
    yield f"{exception.id}: {title}; {standing} ({tame(exception.cite)})"
    yield f"{_INDENT}{reader.say('lifts')} {', '.join(exception.lifts)}"
    yield from _timeline(exception.statuses, reader)
    for entry in exception.eligibility:
        yield f"{_INDENT}- {reader.pick(entry.says, entry.says_ja)}"
        if reader.in_full:
            yield from (_INDENT + line for line in _when(entry.when, pack, reader))
    yield from _duties(exception.notices, reader)


def _standing(status: Status | None, reader: Reader) -> str:
    if status is None:
        return reader.say("status.none")
    return f"{reader.say(f'status.{status.word}')}, {reader.say('acts' if status.acts else 'acts.not')}"


def _timeline(statuses: tuple[Status, ...], reader: Reader) -> Iterator[str]:
    """Every status, the one of the date marked; nothing where there is only one."""
    now = max((s for s in statuses if s.counts(reader.at, None)), key=_order, default=None)
    for status in sorted(statuses, key=_order) if len(statuses) > 1 else ():
        mark = ">" if status is now else " "
        note = f": {tame(status.note)}" if status.note else ""
        span = _span(status.start, status.end)
        yield f"{mark} {span}: {_standing(status, reader)} ({_source(status)}){note}"


def _order(status: Status) -> tuple[Instant, Instant]:
    return status.start, status.recorded


def _duties(duties: tuple[Duty, ...], reader: Reader) -> Iterator[str]:
    for duty in duties:
        parts = [reader.pick(duty.what, duty.what_ja), reader.say(f"per.{duty.per}")]
        deadline = duty.deadline
        if deadline is not None and deadline.each_year_on:
            parts.append(reader.say("deadline.each-year", days=", ".join(deadline.each_year_on)))
        elif deadline is not None:
            unit = "days" if deadline.days is not None else "hours"
            count = deadline.days if deadline.days is not None else deadline.hours
            event = event_in_words(deadline.event, reader.language)
            key = f"deadline.{unit if count else 'at-once'}.{deadline.direction}"
            parts.append(reader.say(key, count=count, event=tame(event)))
        if duty.hours is not None:
            parts.append(
                f"{reader.say('hours', hours=amount_text(duty.hours))} ({duty.hours_mark})"
            )
        yield f"{_INDENT}* {'; '.join(parts)}"


def _when(condition: Condition, pack: Pack, reader: Reader) -> Iterator[str]:
    from sekisho.cli.rules_condition_text import condition_lines

    for line in condition_lines(condition, pack, reader):
        yield _INDENT * 2 + line


def _source(entry: Dated) -> str:
    return f"{entry.source}, {tame(entry.cite)}; {entry.mark}"


def _short(value: int | Fraction) -> str:
    """An amount as people write it: 1e24 where it is a round number of many digits."""
    if isinstance(value, int) and value >= 10**9:
        bare = str(value).rstrip("0")
        zeros = len(str(value)) - len(bare)
        return f"{bare}e{zeros}" if zeros >= 6 else str(value)
    return amount_text(value)


def _span(start: Instant, end: Instant | None) -> str:
    return f"{_day(start)} .. {_day(end) if end is not None else ''}".rstrip()


def _day(at: Instant) -> str:
    return str(at).removesuffix("T00:00:00Z")
