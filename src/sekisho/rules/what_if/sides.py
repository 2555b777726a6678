"""One side of a comparison: a pack, read at a date under a reading.

Where no date is given, each request is judged by the law of the day that it speaks of, else of `now`.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.model.statements.shapes import PackReference
from sekisho.rules.answer import Decision, DecisionWord
from sekisho.rules.pack import Pack, Reading
from sekisho.rules.requests import Request

__all__ = ["Answers", "Side", "SideShown"]


class Answers(Protocol):
    """What a comparison asks of a judge: the answer with the rules that bear on it, and the whole decision."""

    def word(self, request: Request) -> tuple[DecisionWord, tuple[str, ...]]: ...

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
        """The instant whose law answers this request. Raises InvalidInput for a day that does not exist."""
        if self.at is not None:
            return self.at
        return parse_date_or_instant(request.on, path="on") if request.on else self.now

    def shown(self) -> SideShown:
        return SideShown(
            pack=self.pack.reference,
            title=self.pack.title,
            title_ja=self.pack.title_ja,
            at="" if self.at is None else str(self.at),
            as_of="" if self.as_of is None else str(self.as_of),
            reading=self.reading,
        )
