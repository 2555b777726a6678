"""What a pack says at an instant, settled once: the entries in force, and where each rule stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from sekisho.model.instants import Instant
from sekisho.rules.acting import is_acting, would_act
from sekisho.rules.limbs import Entry, FactLimb
from sekisho.rules.pack import (
    AmountLimb,
    DatedCondition,
    DatedSet,
    DatedValue,
    LicenceException,
    Pack,
    PlaceLimb,
    Reading,
    Rule,
    Status,
)
from sekisho.rules.requests.shapes import RequestKind

__all__ = ["Law", "Standing", "law_at"]

_Dated = TypeVar("_Dated")


class Standing(msgspec.Struct, frozen=True):
    """A rule on the date; it is `evaluated` where it acts, or is in the books and not enforced."""

    rule: Rule
    status: Status | None
    acts: bool
    evaluated: bool

    def is_asked(self, kind: RequestKind) -> bool:
        return kind in self.rule.kinds


class Law(msgspec.Struct, frozen=True, kw_only=True):
    """The pack at `at`, as it was known at `as_of`, under a reading."""

    pack: Pack
    at: Instant
    as_of: Instant | None
    reading: Reading
    values: Mapping[str, DatedValue | None]
    sets: Mapping[str, DatedSet | None]
    definitions: Mapping[str, DatedCondition | None]
    rules: tuple[Standing, ...]
    exceptions: tuple[tuple[LicenceException, Status], ...]

    def entry_of(self, limb: FactLimb) -> Entry:
        """The parameter's value or the set in force that a limb names."""
        if isinstance(limb, AmountLimb) and limb.parameter:
            return self.values[limb.parameter]
        if isinstance(limb, PlaceLimb) and limb.place_set:
            return self.sets[limb.place_set]
        return None


def law_at(pack: Pack, at: Instant, as_of: Instant | None, reading: Reading) -> Law:
    """Settle every date of the pack."""
    return Law(
        pack=pack,
        at=at,
        as_of=as_of,
        reading=reading,
        values=_settle(pack.parameters, lambda one: one.at(at, as_of)),
        sets=_settle(pack.sets, lambda one: one.at(at, as_of)),
        definitions=_settle(pack.definitions, lambda one: one.at(at, as_of)),
        rules=tuple(_standing(rule, at, as_of, reading) for rule in pack.rules),
        exceptions=tuple(
            (exception, status)
            for exception in pack.exceptions
            if (status := exception.status_at(at, as_of)) is not None and is_acting(status, reading)
        ),
    )


_Named = TypeVar("_Named")


def _settle(named: Mapping[str, _Named], entry: Callable[[_Named], _Dated]) -> dict[str, _Dated]:
    return {name: entry(one) for name, one in named.items()}


def _standing(rule: Rule, at: Instant, as_of: Instant | None, reading: Reading) -> Standing:
    status = rule.status_at(at, as_of)
    acts = is_acting(status, reading)
    return Standing(rule, status, acts, acts or would_act(status, reading))
