"""A rule pack: dated parameters and rules as values. What it says at an instant is a pure question.

A rule acts only while one of its dated statuses says so, and a status that is merely drafted can act where the
pack adopts it: `binding` tells a reader on whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, TypeVar

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import PackReference

__all__ = [
    "All",
    "AmountLimb",
    "Any",
    "Condition",
    "DatedValue",
    "FlagLimb",
    "Mark",
    "Not",
    "Outcome",
    "Pack",
    "Parameter",
    "PlaceLimb",
    "Rule",
    "RuleSource",
    "Status",
    "StatusWord",
]

Mark: TypeAlias = Literal["P", "S", "R", "D", "O"]
Outcome: TypeAlias = Literal["report", "licence", "deny", "unsure"]
StatusWord: TypeAlias = Literal["codified", "in force", "announced", "proposed", "draft", "ended"]
Operator: TypeAlias = Literal[">", ">=", "<", "<=", "=", "!="]


class RuleSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value was read, and how sure that reading is."""

    title: str
    where: str
    mark: Mark


class Dated(msgspec.Struct, frozen=True, kw_only=True):
    """Something true in a half-open period, known since `recorded`."""

    start: Instant
    end: Instant | None = None
    recorded: Instant
    source: str
    cite: str
    mark: Mark
    note: str = ""

    def counts(self, at: Instant, as_of: Instant | None) -> bool:
        """In force at `at`, by what was known at `as_of` (None: by all that the pack knows)."""
        known = as_of is None or self.recorded <= as_of
        return known and self.start <= at and (self.end is None or at < self.end)


class DatedValue(Dated, frozen=True, kw_only=True):
    """A parameter's value over a period; None ends the parameter."""

    value: int | None


class Status(Dated, frozen=True, kw_only=True):
    """Where a rule stands in law over a period, and whether this pack lets it act."""

    word: StatusWord
    acts: bool


DatedKind = TypeVar("DatedKind", DatedValue, Status)


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold with a unit and a history."""

    name: str
    unit: str
    means: str
    values: tuple[DatedValue, ...]

    def at(self, at: Instant, as_of: Instant | None = None) -> DatedValue | None:
        return _latest(self.values, at, as_of)


class AmountLimb(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`quantity op threshold`; the threshold is a parameter's name or a value of its own."""

    quantity: str
    op: Operator
    parameter: str = ""
    value: int = 0
    unit: str


class FlagLimb(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`quantity is true` or `is false`."""

    quantity: str
    value: bool


class PlaceLimb(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One of the request's jurisdictions is among `places`."""

    quantity: str
    places: tuple[str, ...]


class All(msgspec.Struct, frozen=True, tag=True):
    """Every part holds."""

    parts: tuple[Condition, ...]


class Any(msgspec.Struct, frozen=True, tag=True):
    """At least one part holds."""

    parts: tuple[Condition, ...]


class Not(msgspec.Struct, frozen=True, tag=True):
    """The part does not hold."""

    part: Condition


Condition: TypeAlias = AmountLimb | FlagLimb | PlaceLimb | All | Any | Not


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the decision table: when the condition holds, the outcome and the duty follow."""

    id: str
    cite: str
    binding: str
    statuses: tuple[Status, ...]
    when: Condition
    outcome: Outcome
    duty: str

    def status_at(self, at: Instant, as_of: Instant | None = None) -> Status | None:
        return _latest(self.statuses, at, as_of)


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Rules and parameters with the identity of the bytes they came from."""

    name: str
    version: str
    sha256: str
    title: str
    note: str
    sources: Mapping[str, RuleSource]
    parameters: Mapping[str, Parameter]
    rules: tuple[Rule, ...]

    @property
    def reference(self) -> PackReference:
        return PackReference(name=self.name, version=self.version, sha256=self.sha256)


def _latest(entries: tuple[DatedKind, ...], at: Instant, as_of: Instant | None) -> DatedKind | None:
    """The entry in force; of several recorded for one period the later start wins."""
    found = [entry for entry in entries if entry.counts(at, as_of)]
    return max(found, key=lambda entry: (entry.start, entry.recorded)) if found else None
