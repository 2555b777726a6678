"""Bulk areas: FLOP that a site could have done, less what it declared and what was measured idle, with its error.

Per period: MUF = capacity - declared - idle; positive is computing that nobody declared. Figures are exact integers of
FLOP and the tests compare exact squares; only the printed sigma is a float. Each figure is measured by a named method
with a relative random error, which n measurements divide by n, and a relative systematic error, which they do not:

    sigma^2(MUF)   = sum_k x_k^2 (r_k^2 / n_k + s_k^2)
    sigma^2(CUMUF) = sum_t sum_k x_kt^2 r_k^2 / n_kt  +  sum_k (sum_t x_kt)^2 s_k^2

over strata k = (role, method): one stratum's systematic error is taken as the same in all periods, different strata's
as independent. Source: regimes.md 2 (IAEA statistics). Population: the figures of one site; where a method's errors
come from, its `source` says.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from sekisho.model.amounts import parse_amount
from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import FlopText, Name, Span, Text
from sekisho.model.wire import from_json, parse_json

__all__ = [
    "Accuracy",
    "Alarm",
    "BulkBook",
    "BulkFigure",
    "BulkPeriod",
    "BulkResult",
    "judge_bulk",
    "parse_bulk_book",
    "parse_bulk_books",
]

Role: TypeAlias = Literal["capacity", "declared", "idle"]
Alarm: TypeAlias = Literal["period-3-sigma", "cumulated-3-sigma", "cumulated-significant"]
Relative: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(0|[0-9]\.[0-9]{1,12}|[0-9])(?!\n)$")]
_ROLES: Final[tuple[Role, ...]] = ("capacity", "declared", "idle")
_SIGNS: Final[Mapping[Role, int]] = {"capacity": 1, "declared": -1, "idle": -1}
_MAX: Final = 8 * 1024 * 1024


class Accuracy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A measuring method's relative standard errors as decimals ("0.02" is 2 %), and who found them on what."""

    random: Relative
    systematic: Relative
    source: Text

    @property
    def random_square(self) -> Fraction:
        return parse_amount(self.random) ** 2

    @property
    def systematic_square(self) -> Fraction:
        return parse_amount(self.systematic) ** 2


class BulkFigure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many FLOP in one role, by a method, as the mean of `measurements`."""

    role: Role
    method: Name
    flop: FlopText
    measurements: Annotated[int, msgspec.Meta(ge=1, le=10**9)] = 1


class BulkPeriod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One period's figures; each role must be there, "0" said outright, or the period is not measured."""

    period: Span
    figures: Annotated[tuple[BulkFigure, ...], msgspec.Meta(max_length=1000)]


class BulkBook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bulk area's periods, one behind the other, with the methods used and the significant quantity in FLOP."""

    party: Name
    area: Name
    significant_flop: FlopText
    methods: Mapping[str, Accuracy]
    periods: Annotated[tuple[BulkPeriod, ...], msgspec.Meta(min_length=1, max_length=10_000)]


class BulkResult(msgspec.Struct, frozen=True, kw_only=True):
    """One period judged. FLOP as exact integers, None where not measured; sigma is one standard deviation in FLOP.

    `is_coarse` says that three sigma of the cumulated difference exceed the significant quantity, so that silence of
    the alarms would prove nothing: then the verdict is unverifiable unless an alarm sounds.
    """

    period: Span
    unaccounted: int | None = None
    sigma: float | None = None
    cumulated: int | None = None
    cumulated_sigma: float | None = None
    alarms: tuple[Alarm, ...] = ()
    is_coarse: bool = False
    missing: tuple[str, ...] = ()
    verdict: Literal["holds", "fails", "unverifiable"]


def parse_bulk_book(data: bytes, *, path: str = "") -> BulkBook:
    """Read a bulk area's book from JSON; FLOP are decimal strings. Raises InvalidInput with the field's path."""
    return _check(from_json(BulkBook, parse_json(data, path=path, limit=_MAX), path=path), path)


def parse_bulk_books(data: bytes, *, path: str = "") -> tuple[BulkBook, ...]:
    """Read a list of bulk areas' books from JSON. Raises InvalidInput with the field's path."""
    books = from_json(tuple[BulkBook, ...], parse_json(data, path=path, limit=_MAX), path=path)
    return tuple(_check(book, f"{path}[{place}]") for place, book in enumerate(books))


def _check(book: BulkBook, path: str) -> BulkBook:
    for number, period in enumerate(book.periods):
        where = f"{path}: periods[{number}]"
        if period.period.end <= period.period.start:
            raise InvalidInput("ends before it starts", path=f"{where}.period")
        if number and period.period.start != book.periods[number - 1].period.end:
            raise InvalidInput("does not follow the period before it", path=f"{where}.period")
        for place, figure in enumerate(period.figures):
            if figure.method not in book.methods:
                raise InvalidInput(
                    f"no method {figure.method!r}",
                    path=f"{where}.figures[{place}].method",
                    remedy="give its errors under methods",
                )
    return book


class _Sums:
    """What runs on over the periods: the difference, its random variance, each stratum's total."""

    def __init__(self) -> None:
        self.difference = 0
        self.random = Fraction(0)
        self.totals: dict[tuple[Role, str], int] = defaultdict(int)


def judge_bulk(book: BulkBook) -> tuple[BulkResult, ...]:
    """Every period with its alarms. From a period that is not measured on, no cumulated difference is known."""
    sums: _Sums | None = _Sums()
    found = []
    for period in book.periods:
        missing = tuple(role for role in _ROLES if all(f.role != role for f in period.figures))
        if missing:
            sums = None
            found.append(BulkResult(period=period.period, missing=missing, verdict="unverifiable"))
            continue
        found.append(_judge(period, book, sums))
    return tuple(found)


def _judge(period: BulkPeriod, book: BulkBook, sums: _Sums | None) -> BulkResult:
    difference = sum(_SIGNS[f.role] * int(f.flop) for f in period.figures)
    totals: dict[tuple[Role, str], int] = defaultdict(int)
    random = Fraction(0)
    for figure in period.figures:
        flop = int(figure.flop)
        totals[figure.role, figure.method] += flop
        random += flop * flop * book.methods[figure.method].random_square / figure.measurements
    variance = random + _systematic(totals, book)
    alarms: list[Alarm] = ["period-3-sigma"] if difference * difference > 9 * variance else []
    cumulated, of_all, is_coarse = None, None, False
    if sums is not None:
        sums.difference += difference
        sums.random += random
        for stratum, flop in totals.items():
            sums.totals[stratum] += flop
        cumulated, of_all = sums.difference, sums.random + _systematic(sums.totals, book)
        alarms += _cumulated_alarms(cumulated, of_all, int(book.significant_flop))
        is_coarse = 9 * of_all > int(book.significant_flop) ** 2
    unknown = cumulated is None or is_coarse
    return BulkResult(
        period=period.period,
        unaccounted=difference,
        sigma=math.sqrt(variance),
        cumulated=cumulated,
        cumulated_sigma=None if of_all is None else math.sqrt(of_all),
        alarms=tuple(alarms),
        is_coarse=is_coarse,
        verdict="fails" if alarms else "unverifiable" if unknown else "holds",
    )


def _systematic(totals: Mapping[tuple[Role, str], int], book: BulkBook) -> Fraction:
    squares = (
        flop * flop * book.methods[method].systematic_square for (_, method), flop in totals.items()
    )
    return sum(squares, Fraction(0))


def _cumulated_alarms(difference: int, variance: Fraction, significant: int) -> Sequence[Alarm]:
    found: list[Alarm] = []
    if difference * difference > 9 * variance:
        found.append("cumulated-3-sigma")
    if abs(difference) > significant:
        found.append("cumulated-significant")
    return found
