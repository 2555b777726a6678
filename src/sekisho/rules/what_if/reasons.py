"""Which rule is responsible for a change: those that bear on one side only, and the limb that tells them apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from sekisho.rules.answer import Decision
from sekisho.rules.limbs import Truth
from sekisho.rules.pack import LicenceException, Pack, Rule
from sekisho.rules.what_if.changes import CHANGES, Change, change_of
from sekisho.rules.what_if.tally import Pair

__all__ = ["How", "Reason", "RuleEffect", "reasons_of", "responsible", "rule_effects"]

How: TypeAlias = Literal["appears", "disappears", "stays"]
"""Whether the rule bears under B alone, under A alone, or under both while the answer differs all the same."""


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule as it bore on one request on one side, with the limb that decided it or keeps it open.

    Of a licence exception `outcome` is "lifts", `lifted` the rules that it lifts or could, `failed` and `open` its
    conditions that do not hold or are not known.
    """

    side: Literal["a", "b"]
    rule: str
    outcome: str
    truth: Truth
    quantity: str = ""
    value: str = ""
    op: str = ""
    threshold: str = ""
    unit: str = ""
    cite: str = ""
    lifted_by: tuple[str, ...] = ()
    lifted: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


class RuleEffect(msgspec.Struct, frozen=True, kw_only=True):
    """How many requests changed because a rule appears, disappears, or turns out otherwise, by the kind of change.

    A licence exception counts like a rule, with the outcome "lifts". A request with two such rules counts under both.
    `example` is how the rule bore on the first of them. `duty` is a rule's, of an exception its title.
    """

    rule: str
    how: How
    outcome: str
    cite: str
    duty: str
    duty_ja: str
    changes: Mapping[Change, int]
    total: int
    example: Reason | None


def responsible(rules_a: Sequence[str], rules_b: Sequence[str]) -> Mapping[str, How]:
    """The rules that stand on one side only; where there are none, all that stand on both."""
    found: dict[str, How] = {rule: "appears" for rule in rules_b if rule not in rules_a}
    found.update({rule: "disappears" for rule in rules_a if rule not in rules_b})
    return found or dict.fromkeys(rules_b, "stays")


def rule_effects(
    pairs: Mapping[Pair, int], reasons: Mapping[Pair, tuple[Reason, ...]], packs: tuple[Pack, Pack]
) -> tuple[RuleEffect, ...]:
    """Every rule that is responsible for a change, the most frequent first."""
    counts: dict[tuple[str, How], dict[Change, int]] = {}
    examples: dict[tuple[str, How], Reason] = {}
    for pair in sorted(pairs):
        change = change_of(pair[0], pair[2])
        if change is None:
            continue
        for rule, how in responsible(pair[1], pair[3]).items():
            changes = counts.setdefault((rule, how), {})
            changes[change] = changes.get(change, 0) + pairs[pair]
            side = "a" if how == "disappears" else "b"
            told = (r for r in reasons.get(pair, ()) if (r.rule, r.side) == (rule, side))
            for reason in told:
                examples.setdefault((rule, how), reason)
    rules: dict[str, Rule | LicenceException] = {}
    for pack in packs:
        rules.update({rule.id: rule for rule in pack.rules})
        rules.update({exception.id: exception for exception in pack.exceptions})
    effects = [
        _effect(rules[key[0]], key, changes, examples.get(key)) for key, changes in counts.items()
    ]
    return tuple(sorted(effects, key=lambda effect: (-effect.total, effect.rule, effect.how)))


def _effect(
    rule: Rule | LicenceException,
    key: tuple[str, How],
    changes: Mapping[Change, int],
    example: Reason | None,
) -> RuleEffect:
    told = (
        (rule.outcome, rule.duty, rule.duty_ja)
        if isinstance(rule, Rule)
        else ("lifts", rule.title, rule.title_ja)
    )
    return RuleEffect(
        rule=key[0],
        how=key[1],
        outcome=told[0],
        cite=rule.cite,
        duty=told[1],
        duty_ja=told[2],
        changes={change: changes[change] for change in CHANGES if change in changes},
        total=sum(changes.values()),
        example=example,
    )


def reasons_of(a: Decision, b: Decision, names: Mapping[str, How]) -> tuple[Reason, ...]:
    """How each of the rules and exceptions named bore on one request, with the limb that decided it."""
    return (*_reasons("a", a, names), *_reasons("b", b, names))


def _reasons(
    side: Literal["a", "b"], decision: Decision, names: Mapping[str, How]
) -> Iterator[Reason]:
    for rule in decision.rules:
        if rule.id in names:
            yield Reason(
                side=side,
                rule=rule.id,
                outcome=rule.outcome,
                truth=rule.truth,
                quantity=rule.quantity,
                value=rule.value,
                op=rule.op,
                threshold=rule.threshold,
                unit=rule.unit,
                cite=rule.cite,
                lifted_by=rule.lifted_by,
            )
    for exception in decision.exceptions:
        if exception.id in names:
            yield Reason(
                side=side,
                rule=exception.id,
                outcome="lifts",
                truth=exception.truth,
                cite=exception.cite,
                lifted=exception.lifts,
                failed=exception.failed,
                open=exception.open,
            )
