"""The amount thresholds that a pack's acting rules ask about at a date, through the definitions that they use.

A threshold is what somebody may stay below: `> T` and `>= T` of a rule, and the caps `<= T` and `< T` of a licence
exception or of a range, which are crossed at the same place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from sekisho.model.instants import Instant
from sekisho.rules.acting import is_acting
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    DefinitionLimb,
    Not,
    Pack,
    Threshold,
)
from sekisho.rules.requests import RequestKind
from sekisho.rules.what_if.sides import Side

__all__ = ["UpperThreshold", "thresholds_of"]

# Each operator as what it means to be beyond its threshold.
_BEYOND: Final = {">": ">", ">=": ">=", "<=": ">", "<": ">="}


class UpperThreshold(msgspec.Struct, frozen=True, kw_only=True):
    """`quantity op value unit` is beyond it; asked of requests of `kinds` by `rules`, exceptions among them.

    `parameter` is its name in the pack, empty where the number stands in the condition itself.
    """

    quantity: str
    op: str
    value: Threshold
    unit: str
    parameter: str
    kinds: tuple[RequestKind, ...]
    rules: tuple[str, ...]

    def is_over(self, amount: Threshold) -> bool:
        """Whether the amount is beyond the threshold, so that the limb holds."""
        return amount > self.value if self.op == ">" else amount >= self.value


def thresholds_of(side: Side, at: Instant) -> tuple[UpperThreshold, ...]:
    """Each upper threshold above nought once, with the rules, the exceptions and the kinds of request that meet it."""
    found: dict[tuple[str, str, Threshold, str], UpperThreshold] = {}
    for name, kinds, condition in _conditions(side, at):
        for one in _limbs(condition, side.pack, at, side.as_of):
            key = (one.quantity, one.op, one.value, one.unit)
            found[key] = _joined(found.get(key, one), name, kinds)
    return tuple(
        msgspec.structs.replace(one, kinds=tuple(sorted(one.kinds))) for one in found.values()
    )


def _conditions(
    side: Side, at: Instant
) -> Iterator[tuple[str, tuple[RequestKind, ...], Condition]]:
    """The conditions of acting rules, and of acting exceptions for what the rules that they lift speak about."""
    kinds: dict[str, tuple[RequestKind, ...]] = {}
    for rule in side.pack.rules:
        if is_acting(rule.status_at(at, side.as_of), side.reading):
            kinds[rule.id] = rule.kinds
            yield rule.id, rule.kinds, rule.when
    for exception in side.pack.exceptions:
        lifted = [kind for rule in exception.lifts for kind in kinds.get(rule, ())]
        if lifted and is_acting(exception.status_at(at, side.as_of), side.reading):
            for condition in exception.eligibility:
                yield exception.id, tuple(dict.fromkeys(lifted)), condition.when


def _joined(known: UpperThreshold, name: str, kinds: tuple[RequestKind, ...]) -> UpperThreshold:
    return msgspec.structs.replace(
        known,
        kinds=tuple(dict.fromkeys(known.kinds + kinds)),
        rules=tuple(dict.fromkeys((*known.rules, name))),
    )


def _limbs(
    condition: Condition, pack: Pack, at: Instant, as_of: Instant | None
) -> Iterator[UpperThreshold]:
    """The thresholds in a condition with what they stand for at the date."""
    if isinstance(condition, All | Any):
        for part in condition.parts:
            yield from _limbs(part, pack, at, as_of)
    elif isinstance(condition, Not):
        yield from _limbs(condition.part, pack, at, as_of)
    elif isinstance(condition, DefinitionLimb):
        dated = pack.definitions[condition.definition].at(at, as_of)
        if dated is not None and dated.when is not None:
            yield from _limbs(dated.when, pack, at, as_of)
    elif isinstance(condition, AmountLimb) and condition.op in _BEYOND:
        value = _value(condition, pack, at, as_of)
        if value is not None and value > 0:
            yield UpperThreshold(
                quantity=condition.quantity,
                op=_BEYOND[condition.op],
                value=value,
                unit=condition.unit,
                parameter=condition.parameter,
                kinds=(),
                rules=(),
            )


def _value(limb: AmountLimb, pack: Pack, at: Instant, as_of: Instant | None) -> Threshold | None:
    if not limb.parameter:
        return limb.value
    dated = pack.parameters[limb.parameter].at(at, as_of)
    return dated.value if dated is not None else None
