"""What it costs in a year, by the Standard Cost Model: hours x wage x times a year, fees, days of delay x daily margin.

Hours come from the packs' duties with their marks; wage, margin and times from the answers. What nobody stated is
assumed, marked O, and widens the range. A delay without a stated margin is told in days and never counted as nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.rules.impact.compute import text_of
from sekisho.rules.impact.numerals import format_exact
from sekisho.rules.impact.question import Answer
from sekisho.rules.impact.scope import Scope
from sekisho.rules.pack import Duty

__all__ = ["ASSUMED_HOURS", "ASSUMED_WAGE", "Cost", "CostLine", "Range", "cost_of"]

# Low, best, high.
Range: TypeAlias = tuple[str, str, str]
_Three: TypeAlias = tuple[Fraction, Fraction, Fraction]
Currency: TypeAlias = Literal["JPY", "USD"]

# Our own assumptions (O): an hour of an employee's time with overheads, and the hours of a duty that no pack tells.
ASSUMED_WAGE: Final[Mapping[Currency, int]] = {"JPY": 5_000, "USD": 60}
ASSUMED_HOURS: Final = (2, 8, 40)
_TIMES: Final[Mapping[str, tuple[int, int, int]]] = {
    "once": (1, 1, 1),
    "shipment": (1, 4, 12),
    "run": (1, 2, 4),
    "model": (1, 1, 2),
    "site": (1, 1, 2),
    "customer": (1, 10, 50),
    "incident": (0, 0, 1),
    "month": (12, 12, 12),
    "quarter": (4, 4, 4),
    "half-year": (2, 2, 2),
    "year": (1, 1, 1),
}
_STATED: Final[Mapping[str, str]] = {
    "shipment": "shipments_a_year",
    "run": "runs_a_year",
    "model": "runs_a_year",
    "customer": "customers",
}


class CostLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One duty in a year; amounts are decimal strings, low, best, high. `maybe`: of a rule that is unsure.

    Such a duty counts in the high figure only.
    """

    pack: str
    rule: str
    duty: str
    what: str
    what_ja: str = ""
    hours: Range
    times: Range
    delay_days: int = 0
    money: Range
    maybe: bool = False
    marks: tuple[str, ...] = ()


class Cost(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A year's cost. `complete` is False where days of delay have no stated margin: `total` is then without them."""

    currency: Currency
    lines: tuple[CostLine, ...] = ()
    wage: str
    wage_stated: bool = False
    fees: str
    fees_stated: bool = False
    delay_days: int = 0
    daily_margin: str = ""
    total: Range
    complete: bool = True


def cost_of(lines: Iterable[Scope], given: Mapping[str, Answer]) -> Cost:
    """The duties of every rule that touches, once each, and of the unsure ones as a maybe."""
    currency: Currency = "JPY" if given.get("country") == "JP" else "USD"
    stated_wage, margin = text_of(given, "wage"), text_of(given, "daily_margin")
    fees = Fraction(text_of(given, "fees") or 0)
    wage = Fraction(stated_wage or ASSUMED_WAGE[currency])
    rows = [_cost_line(line, duty, wage, margin, given) for line, duty in _duties(lines)]
    sums = [sum((Fraction(row.money[n]) for row in rows), fees) for n in range(3)]
    delay = sum(row.delay_days for row in rows if not row.maybe)
    late = any(row.delay_days for row in rows)
    return Cost(
        currency=currency,
        lines=tuple(rows),
        wage=format_exact(wage),
        wage_stated=stated_wage is not None,
        fees=format_exact(fees),
        fees_stated=text_of(given, "fees") is not None,
        delay_days=delay,
        daily_margin=margin or "",
        total=_texts((sums[0], sums[1], sums[2])),
        complete=margin is not None or not late,
    )


def _duties(lines: Iterable[Scope]) -> list[tuple[Scope, Duty]]:
    """Each duty of a pack once, whichever of its rules ask for it (one licence answers them all); certain first."""
    found: dict[tuple[str, str], tuple[Scope, Duty]] = {}
    wanted = [line for touch in ("yes", "unsure") for line in lines if line.touches == touch]
    for line in wanted:
        for duty in line.duties if line.outcome != "deny" else ():
            found.setdefault((line.pack, duty.id), (line, duty))
    return list(found.values())


def _cost_line(
    line: Scope, duty: Duty, wage: Fraction, margin: str | None, given: Mapping[str, Answer]
) -> CostLine:
    hours, times = _hours(duty), _times(duty, given)
    delay = duty.delay_days or 0
    a_time = [hour * wage + delay * Fraction(margin or 0) for hour in hours]
    low, best, high = (cost * count for cost, count in zip(a_time, times, strict=True))
    maybe = line.touches == "unsure"
    nothing = Fraction(0)
    return CostLine(
        pack=line.pack,
        rule=line.rule,
        duty=duty.id,
        what=duty.what,
        what_ja=duty.what_ja,
        hours=_texts(hours),
        times=_texts(times),
        delay_days=delay,
        money=_texts((nothing, nothing, high) if maybe else (low, best, high)),
        maybe=maybe,
        marks=(duty.hours_mark if duty.hours is not None else "O",),
    )


def _hours(duty: Duty) -> _Three:
    """What the pack says, halved and doubled (O): effort that nobody measured is known to a factor of two at best."""
    if duty.hours is None:
        low, best, high = ASSUMED_HOURS
        return Fraction(low), Fraction(best), Fraction(high)
    return duty.hours / 2, duty.hours, duty.hours * 2


def _times(duty: Duty, given: Mapping[str, Answer]) -> _Three:
    stated = text_of(given, _STATED.get(duty.per, ""))
    if stated is not None:
        return (Fraction(stated),) * 3
    low, best, high = _TIMES[duty.per]
    return Fraction(low), Fraction(best), Fraction(high)


def _texts(values: _Three) -> Range:
    low, best, high = (format_exact(value) for value in values)
    return low, best, high
