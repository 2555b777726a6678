"""A rule pack: dated parameters, sets, definitions and rules as values. What it says at an instant is a pure question.

A rule acts only while one of its dated statuses says so: law can be codified and not enforced, announced and not yet
codified, suspended, revoked. A status that is merely drafted can act where the pack adopts it: `binding` tells a
reader on whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, TypeAlias, TypeVar

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import PackReference
from sekisho.rules.requests.shapes import RequestKind

__all__ = [
    "All",
    "AmountLimb",
    "Any",
    "Condition",
    "Coverage",
    "Dated",
    "DatedCondition",
    "DatedSet",
    "DatedValue",
    "Deadline",
    "Definition",
    "DefinitionLimb",
    "Duty",
    "Eligibility",
    "FlagLimb",
    "LicenceException",
    "Limb",
    "Mark",
    "Not",
    "Outcome",
    "Pack",
    "Parameter",
    "Per",
    "PlaceLimb",
    "PlaceSet",
    "Reading",
    "Review",
    "ReviewPolicy",
    "Rule",
    "RuleSource",
    "Standing",
    "StatedQuantity",
    "Status",
    "StatusWord",
    "Threshold",
    "WordLimb",
]

Mark: TypeAlias = Literal["P", "S", "R", "D", "O"]
Outcome: TypeAlias = Literal["permit", "report", "licence", "deny", "unsure"]
StatusWord: TypeAlias = Literal[
    "codified",  # in the books; `acts` says whether anybody enforces it
    "enforced",
    "in force",
    "announced",
    "proposed",
    "draft",
    "suspended",
    "revoked",
    "ended",
]
# Which law a reader asks for: what is enforced, what stands in the books, or with what has been announced as well.
Reading: TypeAlias = Literal["enforced", "codified", "announced"]
Standing: TypeAlias = Literal["law", "draft", "order", "reform", "policy"]
ReviewPolicy: TypeAlias = Literal[
    "approval", "presumption-of-approval", "case-by-case", "presumption-of-denial", "denial"
]
Per: TypeAlias = Literal[
    "once",
    "shipment",
    "run",
    "model",
    "site",
    "customer",
    "incident",
    "month",
    "quarter",
    "half-year",
    "year",
]
Operator: TypeAlias = Literal[">", ">=", "<", "<=", "=", "!="]
Threshold: TypeAlias = int | Fraction


class RuleSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value was read, and how sure that reading is."""

    title: str
    where: str
    mark: Mark


class Dated(msgspec.Struct, frozen=True, kw_only=True):
    """Something true in a half-open period, known since `recorded`; after `review_by` somebody should look again."""

    start: Instant
    end: Instant | None = None
    recorded: Instant
    review_by: Instant | None = None
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

    value: Threshold | None


class DatedSet(Dated, frozen=True, kw_only=True):
    """Who belongs to a set of places over a period; None ends the set."""

    members: frozenset[str] | None


class DatedCondition(Dated, frozen=True, kw_only=True):
    """What a definition asks over a period; None ends the definition (it is then false)."""

    when: Condition | None


class Status(Dated, frozen=True, kw_only=True):
    """Where a rule stands in law over a period, and whether this pack lets it act."""

    word: StatusWord
    acts: bool


DatedKind = TypeVar("DatedKind", DatedValue, DatedSet, DatedCondition, Status)


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold with a unit and a history."""

    name: str
    unit: str
    means: str
    means_ja: str = ""
    values: tuple[DatedValue, ...]

    def at(self, at: Instant, as_of: Instant | None = None) -> DatedValue | None:
        return _latest(self.values, at, as_of)


class PlaceSet(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of countries with a history: a country group, a tier."""

    name: str
    means: str
    means_ja: str = ""
    versions: tuple[DatedSet, ...]

    def at(self, at: Instant, as_of: Instant | None = None) -> DatedSet | None:
        return _latest(self.versions, at, as_of)


class StatedQuantity(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that this pack asks for by a name of its own; a request tells it under `facts`."""

    name: str
    kind: Literal["amount", "flag", "places", "word"]
    unit: str = ""
    means: str
    means_ja: str = ""
    words: tuple[str, ...] = ()


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A named condition with a history, for rules to ask about; `label` makes it a class of items ("3A090.a").

    It may ask about definitions that stand above it in the file, so there are no loops.
    """

    name: str
    means: str
    means_ja: str = ""
    label: str = ""
    versions: tuple[DatedCondition, ...]

    def at(self, at: Instant, as_of: Instant | None = None) -> DatedCondition | None:
        return _latest(self.versions, at, as_of)


class AmountLimb(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`quantity op threshold`; the threshold is a parameter's name or a value of its own."""

    quantity: str
    op: Operator
    parameter: str = ""
    value: Threshold = 0
    unit: str


class FlagLimb(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`quantity is true` or `is false`."""

    quantity: str
    value: bool


class PlaceLimb(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One (`any-of`) or every one (`all-of`) of the request's places is among `places`, or in the set."""

    quantity: str
    op: Literal["any-of", "all-of"] = "any-of"
    places: tuple[str, ...] = ()
    place_set: str = ""


class WordLimb(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The quantity is one of `words`."""

    quantity: str
    words: tuple[str, ...]


class DefinitionLimb(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The named definition holds (or does not)."""

    definition: str
    value: bool


class All(msgspec.Struct, frozen=True, tag=True):
    """Every part holds."""

    parts: tuple[Condition, ...]


class Any(msgspec.Struct, frozen=True, tag=True):
    """At least one part holds."""

    parts: tuple[Condition, ...]


class Not(msgspec.Struct, frozen=True, tag=True):
    """The part does not hold."""

    part: Condition


Limb: TypeAlias = AmountLimb | FlagLimb | PlaceLimb | WordLimb | DefinitionLimb
Condition: TypeAlias = Limb | All | Any | Not


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """So many days or hours before or after an event, or fixed days of the year ("07-15")."""

    days: int | None = None
    hours: int | None = None
    direction: Literal["before", "after"] = "after"
    event: str = ""
    each_year_on: tuple[str, ...] = ()


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done: what, how often, until when, and what effort we assume for it (hours, O or S)."""

    id: str
    what: str
    what_ja: str = ""
    per: Per
    deadline: Deadline | None = None
    hours: Fraction | None = None
    hours_mark: Mark = "O"
    delay_days: int | None = None


class Review(Dated, frozen=True, kw_only=True):
    """How an application is looked at; of several the first whose condition holds counts."""

    policy: ReviewPolicy
    when: Condition | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the decision table: when the condition holds, the outcome and the duties follow.

    `kinds` are the requests that the rule speaks about. `duty` says in a sentence what `duties` say in parts.
    """

    id: str
    cite: str
    binding: str
    kinds: tuple[RequestKind, ...] = ("training-run",)
    statuses: tuple[Status, ...]
    when: Condition
    outcome: Outcome
    duty: str
    duty_ja: str = ""
    duties: tuple[Duty, ...] = ()
    reviews: tuple[Review, ...] = ()

    def status_at(self, at: Instant, as_of: Instant | None = None) -> Status | None:
        return _latest(self.statuses, at, as_of)


class Eligibility(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of a licence exception, named so that a person can tick it."""

    says: str
    says_ja: str = ""
    when: Condition


class LicenceException(msgspec.Struct, frozen=True, kw_only=True):
    """What lifts a licence requirement where every eligibility condition is known to hold, and what it then asks."""

    id: str
    cite: str
    title: str
    title_ja: str = ""
    statuses: tuple[Status, ...]
    lifts: tuple[str, ...]
    eligibility: tuple[Eligibility, ...]
    notices: tuple[Duty, ...] = ()

    def status_at(self, at: Instant, as_of: Instant | None = None) -> Status | None:
        return _latest(self.statuses, at, as_of)


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The days of law that a pack speaks of: nothing is decided before the first; after `until` it may be stale."""

    start: Instant
    until: Instant | None = None


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Rules and parameters with the identity of the bytes they came from; `over` is what an overlay was laid on."""

    name: str
    version: str
    sha256: str
    title: str
    title_ja: str = ""
    note: str
    standing: Standing = "policy"
    jurisdiction: str = ""
    coverage: Coverage | None = None
    over: tuple[PackReference, ...] = ()
    sources: Mapping[str, RuleSource]
    quantities: Mapping[str, StatedQuantity] = {}
    sets: Mapping[str, PlaceSet] = {}
    parameters: Mapping[str, Parameter]
    definitions: Mapping[str, Definition] = {}
    rules: tuple[Rule, ...]
    exceptions: tuple[LicenceException, ...] = ()

    @property
    def reference(self) -> PackReference:
        return PackReference(name=self.name, version=self.version, sha256=self.sha256)


def _latest(entries: tuple[DatedKind, ...], at: Instant, as_of: Instant | None) -> DatedKind | None:
    """The entry in force; of several recorded for one period the later start wins."""
    found = [entry for entry in entries if entry.counts(at, as_of)]
    return max(found, key=lambda entry: (entry.start, entry.recorded)) if found else None
