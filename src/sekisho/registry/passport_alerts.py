"""What a passport's own lines contradict, found again: a clone's alert that was cut out of the file is missed.

Only what one chip's lines show by themselves: a sighting under another identity, or where the chip cannot be. What
the register knew besides (other chips, other signers) is its word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sekisho.model.custody import Standing
from sekisho.registry.custody import Captured, MemoryBook
from sekisho.registry.custody.acts import WITHOUT_EFFECT
from sekisho.registry.custody.facts import Facts, Reading
from sekisho.registry.custody.sightings import contradictions, where_seen
from sekisho.registry.passport_line import Line
from sekisho.registry.terms import RegisterTerms

__all__ = ["Unnamed", "find_unnamed"]


class Unnamed(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of lines that lack an alert: `surely`, or unless an event of the past came later than the sighting."""

    surely: tuple[int, ...]
    perhaps: tuple[int, ...]


def find_unnamed(
    epc: str,
    path: Sequence[tuple[Captured, Standing | None]],
    lines: Iterable[Line],
    terms: RegisterTerms,
) -> Unnamed:
    """Sightings among the lines whose alerts are not in them. `path` is the fold of these lines."""
    named: Mapping[int, set[str]] = {
        line.number: {alert.code for alert in line.alerts} for line in lines
    }
    reading, book = Reading(terms), MemoryBook()
    surely: list[int] = []
    perhaps: list[int] = []
    before: Standing | None = None
    for captured, after in path:
        facts = reading.facts(captured)
        if before is not None and facts.effect in WITHOUT_EFFECT:
            told = named.get(captured.number, set())
            shown = _shown(book, epc, before, facts) - told
            seen = where_seen(before, facts) if epc in facts.named else None
            if shown and len(facts.named - {""}) == 1:
                surely.append(captured.number)
            elif shown or (seen is not None and seen[0] not in told):
                perhaps.append(captured.number)
        before = after
    return Unnamed(surely=tuple(surely), perhaps=tuple(perhaps))


def _shown(book: MemoryBook, epc: str, was: Standing, facts: Facts) -> set[str]:
    if epc not in facts.named or facts.act == "register":
        return set()
    alone = len(facts.named - {""}) == 1
    return {code for code, _ in contradictions(book, epc, was, facts, alone=alone)}
