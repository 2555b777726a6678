"""Decide a request under a pack at an instant: deny over licence over report over permit, or unsure.

Steps: 1 take the rules whose status lets them act at that date; 2 evaluate each in three-valued logic; 3 the
strictest true rule decides; 4 where an open rule could be stricter, the answer is unsure and says what is
missing, except that a definite deny stays a deny whatever is missing.
"""

from __future__ import annotations

from typing import Final

from sekisho.model.chips import ChipTable, known_chips
from sekisho.model.instants import Instant
from sekisho.rules.answer import AppliedRule, Decision, DecisionWord, RuleTrace
from sekisho.rules.facts import facts_of
from sekisho.rules.logic import LimbTrace, Verdict, World, evaluate
from sekisho.rules.pack import Pack, Rule, Status
from sekisho.rules.requests import Request

__all__ = ["decide"]

_SEVERITY: Final = {"permit": 0, "report": 1, "licence": 2, "deny": 3}
# A rule that ends in "unsure" says that only a person can tell: it could turn out as strict as any.
_COULD_BE: Final = {"report": "report", "licence": "licence", "deny": "deny", "unsure": "deny"}


def decide(
    request: Request,
    pack: Pack,
    at: Instant,
    as_of: Instant | None = None,
    *,
    chips: ChipTable | None = None,
) -> Decision:
    """Judge `request` by the rules in force at `at`, as they were known at `as_of` (None: as the pack knows)."""
    world = World(
        facts=facts_of(request, chips if chips is not None else known_chips()),
        parameters=pack.parameters,
        at=at,
        as_of=as_of,
    )
    trace: list[RuleTrace] = []
    acting: list[tuple[Rule, Status, Verdict]] = []
    for rule in pack.rules:
        status = rule.status_at(at, as_of)
        if status is None or not status.acts:
            trace.append(_not_acting(rule, status))
            continue
        verdict = evaluate(rule.when, world)
        acting.append((rule, status, verdict))
        trace.append(_acting(rule, status, verdict))
    word = _decision_word(acting)
    bearing = [entry for entry in acting if _bears(entry, word, acting)]
    return Decision(
        id=request.id,
        decision=word,
        rules=tuple(_applied(*entry) for entry in bearing),
        missing=_missing(bearing) if word == "unsure" else (),
        policy=pack.reference,
        at=at,
        as_of=as_of,
        trace=tuple(trace),
    )


def _definite(acting: list[tuple[Rule, Status, Verdict]]) -> str:
    """The strictest outcome of the rules that are true."""
    true = [rule.outcome for rule, _, verdict in acting if verdict.truth == "true"]
    return max(
        (word for word in true if word != "unsure"), key=_SEVERITY.__getitem__, default="permit"
    )


def _decision_word(acting: list[tuple[Rule, Status, Verdict]]) -> DecisionWord:
    definite = _definite(acting)
    if any(_raises(entry, definite) for entry in acting):
        return "unsure"
    # mypy cannot see that `_definite` gives a key of _SEVERITY
    words: dict[str, DecisionWord] = {"report": "report", "licence": "licence", "deny": "deny"}
    return words.get(definite, "permit")


def _raises(entry: tuple[Rule, Status, Verdict], definite: str) -> bool:
    """An open rule that could still make the decision stricter than `definite`."""
    rule, _, verdict = entry
    is_open = verdict.truth == "unknown" or (verdict.truth == "true" and rule.outcome == "unsure")
    return is_open and _SEVERITY[_COULD_BE[rule.outcome]] > _SEVERITY[definite]


def _bears(
    entry: tuple[Rule, Status, Verdict],
    word: DecisionWord,
    acting: list[tuple[Rule, Status, Verdict]],
) -> bool:
    """True rules always; open ones where they are why the answer is unsure."""
    return entry[2].truth == "true" or (word == "unsure" and _raises(entry, _definite(acting)))


def _missing(bearing: list[tuple[Rule, Status, Verdict]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for _, _, verdict in bearing for name in verdict.missing))


def _applied(rule: Rule, status: Status, verdict: Verdict) -> AppliedRule:
    limb = _deciding_limb(verdict)
    return AppliedRule(
        id=rule.id,
        cite=rule.cite,
        quantity=limb.quantity,
        threshold=limb.threshold,
        unit=limb.unit,
        op=limb.op,
        value=limb.value,
        outcome=rule.outcome,
        truth=verdict.truth,
        status=status.word,
        binding=rule.binding,
        duty=rule.duty,
    )


def _deciding_limb(verdict: Verdict) -> LimbTrace:
    """The first amount with the rule's truth, else the first limb with it, else the first limb."""
    same = [limb for limb in verdict.limbs if limb.truth == verdict.truth]
    return next((limb for limb in same if limb.unit), (same or list(verdict.limbs))[0])


def _acting(rule: Rule, status: Status, verdict: Verdict) -> RuleTrace:
    return RuleTrace(
        rule=rule.id,
        outcome=rule.outcome,
        status=status.word,
        truth=verdict.truth,
        limbs=verdict.limbs,
        missing=verdict.missing,
        note=status.note,
    )


def _not_acting(rule: Rule, status: Status | None) -> RuleTrace:
    word = status.word if status is not None else "unknown"
    why = "does not act on that date" if status is not None else "no status on that date"
    return RuleTrace(
        rule=rule.id, outcome=rule.outcome, status=word, truth="not in force", note=why
    )
