"""Decide a request under a pack at an instant, the plain way: what auditors run and what the engine must agree with.

Steps: 1 read each rule of the request's kind by its status on that date; 2 evaluate it in three-valued logic; 3 try
the licence exceptions: one that is known to hold takes a licence down to a report or a permit; 4 the strictest rule
that holds decides; 5 where an open rule could be stricter, the answer is unsure and says what is missing, except
that a definite deny stays a deny; 6 where the pack says nothing of such requests on that date, the answer is unsure.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sekisho.model.chips import ChipTable, known_chips
from sekisho.model.instants import Instant
from sekisho.rules.acting import is_acting, is_before, says_nothing, would_act
from sekisho.rules.answer import (
    AppliedException,
    AppliedReview,
    AppliedRule,
    Decision,
    DefinitionTrace,
    RuleTrace,
)
from sekisho.rules.facts import facts_of
from sekisho.rules.logic import Verdict, World, evaluate
from sekisho.rules.pack import LicenceException, Outcome, Pack, Reading, Review, Rule, Status
from sekisho.rules.reliance import beyond, doubts, doubts_of_limbs, in_order, recalled_facts
from sekisho.rules.requests import Request
from sekisho.rules.rows import (
    applied_review,
    applied_rule,
    deciding_limb,
    evaluated_trace,
    exception_row,
    unread_trace,
)
from sekisho.rules.stated import stated_facts
from sekisho.rules.strictness import could_raise, decision_word, outcome_if_lifted

__all__ = ["decide_plainly"]


class _Acting(msgspec.Struct, frozen=True):
    """A rule that counts on that date, and whether it holds."""

    rule: Rule
    status: Status
    verdict: Verdict


class _Tried(msgspec.Struct, frozen=True):
    """A licence exception that exists on that date, with each of its conditions."""

    exception: LicenceException
    status: Status
    conditions: tuple[Verdict, ...]

    @property
    def holds(self) -> bool:
        return bool(self.conditions) and all(one.truth == "true" for one in self.conditions)


def decide_plainly(
    request: Request,
    pack: Pack,
    at: Instant,
    as_of: Instant | None = None,
    *,
    chips: ChipTable | None = None,
    reading: Reading = "enforced",
) -> Decision:
    """Judge `request` by the rules in force at `at`, as they were known at `as_of` (None: as the pack knows).

    `reading` "codified" also takes what stands in the books, "announced" what has been announced or drafted. Raises
    InvalidInput where a fact that the pack asks for is stated with a value of another kind.
    """
    world = World(
        facts={
            **stated_facts(request, pack),
            **facts_of(request, chips if chips is not None else known_chips()),
        },
        parameters=pack.parameters,
        sets=pack.sets,
        definitions=pack.definitions,
        at=at,
        as_of=as_of,
    )
    acting, trace = _read_rules(request, pack, world, reading)
    definitions = _definitions(pack, world)  # those that rules ask about
    before = pack.coverage if is_before(pack.coverage, at) else None
    blank = Decision(
        id=request.id,
        decision="unsure",
        rules=(),
        missing=(),
        warnings=beyond(pack, at),
        policy=pack.reference,
        at=at,
        as_of=as_of,
        reading=reading,
        definitions=definitions,
        trace=trace,
    )
    if before is not None or not acting:
        why = says_nothing(pack.name, request.kind, before)
        return msgspec.structs.replace(blank, missing=(why,))
    return _weigh(blank, pack, acting, world)


# --- 1 and 2: which rules act, and what they say --------------------------------------------------


def _read_rules(
    request: Request, pack: Pack, world: World, reading: Reading
) -> tuple[list[_Acting], tuple[RuleTrace, ...]]:
    acting: list[_Acting] = []
    trace: list[RuleTrace] = []
    for rule in pack.rules:
        status = rule.status_at(world.at, world.as_of)
        acts = is_acting(status, reading)
        if request.kind not in rule.kinds:
            trace.append(unread_trace(rule, status, "not asked"))
        elif status is None or not (acts or would_act(status, reading)):
            trace.append(unread_trace(rule, status, "not in force"))
        else:
            verdict = evaluate(rule.when, world)
            found = verdict.truth, verdict.missing
            trace.append(evaluated_trace(rule, status, found, verdict.limbs, acts=acts))
            acting += [_Acting(rule, status, verdict)] if acts else []
    return acting, tuple(trace)


def _definitions(pack: Pack, world: World) -> tuple[DefinitionTrace, ...]:
    """What has been settled so far, in the order of the pack."""
    return tuple(
        _definition(name, world.settled[name], pack, world)
        for name in pack.definitions
        if name in world.settled
    )


def _definition(name: str, verdict: Verdict, pack: Pack, world: World) -> DefinitionTrace:
    dated = pack.definitions[name].at(world.at, world.as_of)
    return DefinitionTrace(
        definition=name,
        label=pack.definitions[name].label,
        truth=verdict.truth,
        limbs=verdict.limbs,
        missing=verdict.missing,
        source=f"{dated.source}, {dated.cite}" if dated is not None else "",
        mark=dated.mark if dated is not None else "",
        since=dated.start if dated is not None else None,
        until=dated.end if dated is not None else None,
    )


# --- 3: licence exceptions ------------------------------------------------------------------------


def _try_exceptions(pack: Pack, world: World, reading: Reading) -> list[_Tried]:
    tried = []
    for exception in pack.exceptions:
        status = exception.status_at(world.at, world.as_of)
        if status is not None and is_acting(status, reading):
            conditions = tuple(evaluate(part.when, world) for part in exception.eligibility)
            tried.append(_Tried(exception, status, conditions))
    return tried


def _lifters(rule: Rule, tried: list[_Tried]) -> list[LicenceException]:
    """The exceptions that are known to hold for a rule that asks for a licence."""
    if rule.outcome != "licence":
        return []
    return [one.exception for one in tried if one.holds and rule.id in one.exception.lifts]


def _comes_to(rule: Rule, lifters: list[LicenceException]) -> Outcome:
    if not lifters:
        return rule.outcome
    return outcome_if_lifted(len(exception.notices) for exception in lifters)


# --- 4 and 5: the strictest rule decides ----------------------------------------------------------


class _Bearing(msgspec.Struct, frozen=True):
    """A rule that bears on the answer, the exceptions that lift it, and how its applications are looked at."""

    acting: _Acting
    lifters: list[LicenceException]
    review: tuple[Review, AppliedReview] | None


def _weigh(blank: Decision, pack: Pack, acting: list[_Acting], world: World) -> Decision:
    tried = _try_exceptions(pack, world, blank.reading)
    lifters = [_lifters(one.rule, tried) for one in acting]
    held = [
        (_comes_to(one.rule, lifting), one.verdict.truth)
        for one, lifting in zip(acting, lifters, strict=True)
    ]
    bearing = [
        _Bearing(one, lifting, None if lifting else _review(one.rule, world))
        for one, lifting, raises in zip(acting, lifters, could_raise(held), strict=True)
        if one.verdict.truth == "true" or raises
    ]
    word = decision_word(held)
    used = _exceptions(tried, _at_issue(acting, lifters, bearing))
    settling = [one.acting.verdict.missing for one in bearing] if word == "unsure" else []
    return msgspec.structs.replace(
        blank,
        decision=word,
        rules=tuple(_applied(one) for one in bearing),
        exceptions=tuple(row for _, row in used),
        missing=in_order(settling),
        warnings=in_order([blank.warnings, *_doubts(acting, bearing, used, world)]),
    )


def _applied(one: _Bearing) -> AppliedRule:
    return applied_rule(
        one.acting.rule,
        one.acting.status,
        deciding_limb(one.acting.verdict.deciding),
        truth=one.acting.verdict.truth,
        review=one.review[1] if one.review is not None else None,
        lifted_by=tuple(exception.id for exception in one.lifters),
    )


def _review(rule: Rule, world: World) -> tuple[Review, AppliedReview] | None:
    """The first row that holds; where none is known to, the first that may."""
    open_rows: list[tuple[Review, tuple[str, ...]]] = []
    for row in rule.reviews:
        if not row.counts(world.at, world.as_of):
            continue
        verdict = evaluate(row.when, world) if row.when is not None else Verdict(truth="true")
        if verdict.truth == "true":
            return row, applied_review(row, open_rows, holds=True)
        if verdict.truth == "unknown":
            open_rows.append((row, verdict.missing))
    if not open_rows:
        return None
    first = open_rows[0][0]
    return first, applied_review(first, open_rows, holds=False)


def _at_issue(
    acting: list[_Acting], lifters: list[list[LicenceException]], bearing: list[_Bearing]
) -> set[str]:
    """The licences that bear on the answer, and those that would if nothing lifted them."""
    rules = [one.acting.rule for one in bearing]
    rules += [
        one.rule
        for one, lifting in zip(acting, lifters, strict=True)
        if lifting and one.verdict.truth == "unknown"
    ]
    return {rule.id for rule in rules if rule.outcome == "licence"}


def _exceptions(tried: list[_Tried], licences: set[str]) -> list[tuple[_Tried, AppliedException]]:
    """Those that could lift a licence at issue, whether they do or not."""
    found = []
    for one in tried:
        lifts = tuple(rule for rule in one.exception.lifts if rule in licences)
        if lifts:
            conditions = [(verdict.truth, verdict.missing) for verdict in one.conditions]
            found.append((one, exception_row(one.exception, one.status, lifts, conditions)))
    return found


def _doubts(
    acting: list[_Acting],
    bearing: list[_Bearing],
    used: list[tuple[_Tried, AppliedException]],
    world: World,
) -> Iterator[tuple[str, ...]]:
    """What the answer rests on: every rule that acts, whether it holds or not; reviews and exceptions that count."""
    for one in acting:
        yield doubts(one.rule.id, one.status, world.at)
        yield from doubts_of_limbs(one.verdict.deciding, world)
    for row in bearing:
        if row.review is not None:
            yield doubts(f"review of {row.acting.rule.id}", row.review[0], world.at)
    for tried, _ in used:
        if tried.holds:
            yield doubts(tried.exception.id, tried.status, world.at)
            for condition in tried.conditions:
                yield from doubts_of_limbs(condition.deciding, world)
    for row in bearing:
        yield recalled_facts(deciding_limb(row.acting.verdict.deciding))
