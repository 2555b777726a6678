"""One side of a comparison: a pack, read at a date under a reading.

Where no date is given, each request is judged by the law of the day that it speaks of, else of `now`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.model.statements.shapes import PackReference
from sekisho.rules.answer import Decision, DecisionWord
from sekisho.rules.pack import Dated, Pack, Reading
from sekisho.rules.requests import Request

__all__ = ["Answers", "Side", "SideShown"]


class Answers(Protocol):
    """What a comparison asks of a judge: the answer with the rules and exceptions behind it, and the whole decision."""

    def grounds(self, request: Request) -> tuple[DecisionWord, tuple[str, ...]]: ...

    def decide(self, request: Request) -> Decision: ...


class SideShown(msgspec.Struct, frozen=True, kw_only=True):
    """A side as a document names it; `at` is empty where each request's own day counts."""

    pack: PackReference
    title: str
    title_ja: str
    at: str
    as_of: str
    reading: Reading


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A pack read at `at` (None: at each request's own day, else at `now`), as known at `as_of`."""

    pack: Pack
    at: Instant | None = None
    now: Instant
    as_of: Instant | None = None
    reading: Reading = "enforced"

    def day_of(self, request: Request) -> Instant:
        """The instant whose law answers this request."""
        if self.at is not None:
            return self.at
        return parse_date_or_instant(request.on, path="on") if request.on else self.now

    def law_changes(self) -> tuple[Instant, ...]:
        """Every instant at which something in the pack begins or ends: between two of them its law is one."""
        pack = self.pack
        entries: list[Sequence[Dated]] = [one.values for one in pack.parameters.values()]
        entries += [one.versions for one in pack.sets.values()]
        entries += [one.versions for one in pack.definitions.values()]
        entries += [rule.statuses for rule in pack.rules]
        entries += [rule.reviews for rule in pack.rules]
        entries += [exception.statuses for exception in pack.exceptions]
        found = {one.start for every in entries for one in every}
        found |= {one.end for every in entries for one in every if one.end is not None}
        if pack.coverage is not None:
            found.add(pack.coverage.start)
        return tuple(sorted(found))

    def shown(self) -> SideShown:
        return SideShown(
            pack=self.pack.reference,
            title=self.pack.title,
            title_ja=self.pack.title_ja,
            at="" if self.at is None else str(self.at),
            as_of="" if self.as_of is None else str(self.as_of),
            reading=self.reading,
        )
