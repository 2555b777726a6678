"""What the rules answer: a decision with every reason, and the answers of several regimes side by side."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import PackReference
from sekisho.rules.logic import LimbTrace, Truth
from sekisho.rules.pack import Duty, Reading

__all__ = [
    "AppliedException",
    "AppliedReview",
    "AppliedRule",
    "Decision",
    "DecisionWord",
    "DefinitionTrace",
    "RuleTrace",
    "SideBySide",
]

DecisionWord: TypeAlias = Literal["permit", "report", "licence", "deny", "unsure"]


class AppliedReview(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an application would be looked at; `truth` "unknown" where missing facts could lead to another policy."""

    policy: str
    cite: str
    mark: str
    truth: Truth
    missing: tuple[str, ...] = ()
    since: Instant | None = None


class AppliedRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule that bears on the decision, with the limb that decided it (or keeps it open)."""

    id: str
    cite: str
    quantity: str
    threshold: str
    unit: str
    op: str
    value: str
    outcome: str
    truth: Truth
    status: str
    binding: str
    duty: str
    duty_ja: str = ""
    duties: tuple[Duty, ...] = ()
    review: AppliedReview | None = None
    source: str = ""  # of the threshold, or of the rule's status where that is weaker
    mark: str = ""
    since: Instant | None = None  # the first day of that status
    lifted_by: tuple[str, ...] = ()  # licence exceptions that lift this rule


class AppliedException(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A licence exception that could lift a rule that holds: it lifts only where it is known to hold.

    `open` names the eligibility conditions that are not known, `failed` those that do not hold; `missing` the facts
    that would settle the open ones; `notices` what the exception asks where it is used.
    """

    id: str
    cite: str
    title: str
    title_ja: str = ""
    lifts: tuple[str, ...]
    truth: Truth
    status: str
    open: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    notices: tuple[Duty, ...] = ()
    since: Instant | None = None
    until: Instant | None = None


class RuleTrace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one rule of the pack was read: each limb, or why the rule did not act at that date.

    `cite`, `since` and `until` are those of the status that was read. A rule that is codified and not enforced has its
    limbs too, and a note of what it would say.
    """

    rule: str
    outcome: str
    status: str
    truth: Truth | Literal["not in force", "not asked"]
    limbs: tuple[LimbTrace, ...] = ()
    missing: tuple[str, ...] = ()
    note: str = ""
    cite: str = ""
    since: Instant | None = None
    until: Instant | None = None


class DefinitionTrace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a definition was read that a rule asks about: once, however many rules ask."""

    definition: str
    label: str = ""
    truth: Truth
    limbs: tuple[LimbTrace, ...] = ()
    missing: tuple[str, ...] = ()
    source: str = ""
    mark: str = ""
    since: Instant | None = None
    until: Instant | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one request with all its reasons; `missing` names what would settle an unsure one.

    `policy` is the pack by name, version and digest. `warnings` tell what the answer rests on that is recalled, stale
    or beyond what the pack knows. A rule that an exception lifts stands in `rules` with `lifted_by`. `trace` tells each
    rule of the pack in its order, `definitions` what the traced limbs name; both are empty without a trace.
    """

    id: str
    decision: DecisionWord
    rules: tuple[AppliedRule, ...]
    exceptions: tuple[AppliedException, ...] = ()
    missing: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    policy: PackReference
    at: Instant
    as_of: Instant | None
    reading: Reading = "enforced"
    definitions: tuple[DefinitionTrace, ...] = ()
    trace: tuple[RuleTrace, ...]


class SideBySide(msgspec.Struct, frozen=True, kw_only=True):
    """What several regimes say of one request, unmerged; `decision` is the strictest of them and decides nothing.

    `conflicts` says in words where they differ. `missing` is the union of the unsure ones'.
    """

    id: str
    decision: DecisionWord
    regimes: tuple[Decision, ...]
    conflicts: tuple[str, ...]
    missing: tuple[str, ...] = ()
