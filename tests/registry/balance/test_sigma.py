from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Span
from sekisho.model.wire import canonical
from sekisho.registry.balance import (
    Accuracy,
    BulkBook,
    BulkFigure,
    BulkPeriod,
    BulkResult,
    judge_bulk,
    parse_bulk_book,
)
from sekisho.registry.balance.sigma import Role
from tests.registry.balance.worlds import at

METHODS = {
    "nameplate": Accuracy(random="0", systematic="0.01", source="synthetic"),
    "meter": Accuracy(random="0.02", systematic="0.005", source="synthetic"),
}
UNIT = 10**21
STRATA: tuple[tuple[Role, str], ...] = (
    ("capacity", "nameplate"),
    ("declared", "meter"),
    ("idle", "meter"),
)


def figure(role: Role, flop: int, method: str = "meter", n: int = 1) -> BulkFigure:
    return BulkFigure(role=role, method=method, flop=str(flop), measurements=n)


def period(number: int, *figures: BulkFigure) -> BulkPeriod:
    return BulkPeriod(period=Span(start=at(number * 24), end=at(number * 24 + 24)), figures=figures)


def book(*periods: BulkPeriod, significant: int = 10**30) -> BulkBook:
    return BulkBook(
        party="cloud",
        area="osaka",
        significant_flop=str(significant),
        methods=METHODS,
        periods=periods,
    )


def day(number: int, gap: int = 0, n: int = 4) -> BulkPeriod:
    """1,000 units of capacity, 700 declared, the rest idle but for `gap`."""
    return period(
        number,
        figure("capacity", 1000 * UNIT, "nameplate"),
        figure("declared", 700 * UNIT, n=n),
        figure("idle", (300 - gap) * UNIT, n=n),
    )


def test_the_difference_is_exact_to_the_last_flop() -> None:
    """38 digits are no floats."""
    huge = 10**37 + 1
    result = judge_bulk(
        book(period(0, figure("capacity", huge), figure("declared", huge - 1), figure("idle", 0)))
    )[0]
    assert result.unaccounted == 1


def test_sigma_of_a_period_is_the_formula_by_hand() -> None:
    """sqrt(1000^2 .01^2 + 700^2 (.02^2/4 + .005^2) + 300^2 (.02^2/4 + .005^2)) units."""
    result = judge_bulk(book(day(0)))[0]
    by_hand = math.sqrt(100 + (490_000 + 90_000) * (0.0001 + 0.000025)) * UNIT
    assert result.sigma == pytest.approx(by_hand, rel=1e-12)


def test_a_systematic_error_grows_with_the_periods_and_a_random_one_with_their_root() -> None:
    """Over nine equal days."""
    results = judge_bulk(book(*(day(n) for n in range(9))))
    systematic = 9**2 * (100 + 580_000 * 0.000025)
    by_hand = math.sqrt(systematic + 9 * 580_000 * 0.0001) * UNIT
    assert results[-1].cumulated_sigma == pytest.approx(by_hand, rel=1e-12)


def test_a_large_difference_sounds_its_alarm() -> None:
    """50 units are more than three sigma (13.1); on both sides of nought."""
    for gap in (50, -50):
        result = judge_bulk(book(day(0, gap)))[0]
        assert result.unaccounted == gap * UNIT
        assert result.alarms == ("period-3-sigma", "cumulated-3-sigma")
        assert result.verdict == "fails"


def test_many_small_differences_are_found_by_their_sum() -> None:
    """No single day sounds, the sum exceeds one significant quantity."""
    results = judge_bulk(book(*(day(n, 15) for n in range(9)), significant=130 * UNIT))
    assert not any("period-3-sigma" in result.alarms for result in results)
    assert [len(result.alarms) for result in results] == [0] * 8 + [1]
    assert results[-1].alarms == ("cumulated-significant",)


def test_silence_of_a_coarse_meter_proves_nothing() -> None:
    """Where three sigma exceed the significant quantity the verdict is unverifiable."""
    result = judge_bulk(book(day(0), significant=20 * UNIT))[0]
    assert (result.is_coarse, result.alarms, result.verdict) == (True, (), "unverifiable")
    fine = judge_bulk(book(day(0), significant=100 * UNIT))[0]
    assert (fine.is_coarse, fine.verdict) == (False, "holds")


def test_a_period_that_is_not_measured_is_not_nought_and_ends_the_sum() -> None:
    """What is not known stays unknown; the days after it are judged by themselves."""
    blind = period(1, figure("capacity", 1000 * UNIT), figure("declared", 700 * UNIT))
    results = judge_bulk(book(day(0), blind, day(2, 50)))
    assert results[1] == BulkResult(period=blind.period, missing=("idle",), verdict="unverifiable")
    assert (results[2].cumulated, results[2].verdict) == (None, "fails")
    assert judge_bulk(book(day(0), blind, day(2)))[2].verdict == "unverifiable"


def test_the_alarm_is_decided_by_exact_squares() -> None:
    """Just at three sigma it is silent, one FLOP beyond it sounds."""
    methods = {
        "meter": Accuracy(random="0.1", systematic="0", source="synthetic"),
        "known": Accuracy(random="0", systematic="0", source="synthetic"),
    }
    for gap, alarms in ((3 * 10**30, ()), (3 * 10**30 + 1, ("period-3-sigma",))):
        made = BulkBook(
            party="cloud",
            area="osaka",
            significant_flop=str(10**37),
            methods=methods,
            periods=(
                period(
                    0,
                    figure("capacity", 10**31),
                    figure("declared", 10**31 - gap, "known"),
                    figure("idle", 0, "known"),
                ),
            ),
        )
        assert judge_bulk(made)[0].alarms[:1] == alarms


def simulate(seed: int, days: int) -> tuple[float, float]:
    """The share of days, and of sums of nine days, that sound at three sigma where nothing was diverted."""
    draw = random.Random(seed)
    single = summed = 0
    for _ in range(days):
        drift = {
            stratum: draw.gauss(0, float(METHODS[stratum[1]].systematic)) for stratum in STRATA
        }
        periods = tuple(_measured(draw, number, drift) for number in range(9))
        results = judge_bulk(book(*periods))
        single += "period-3-sigma" in results[0].alarms
        summed += "cumulated-3-sigma" in results[-1].alarms
    return single / days, summed / days


def _measured(draw: random.Random, number: int, drift: dict[tuple[Role, str], float]) -> BulkPeriod:
    true: dict[Role, int] = {"capacity": 1000, "declared": 700, "idle": 300}
    figures = []
    for (role, method), bias in drift.items():
        noise = draw.gauss(0, float(METHODS[method].random) / 2)
        flop = int(true[role] * UNIT * (1 + bias + noise))
        figures.append(figure(role, flop, method, n=4))
    return period(number, *figures)


def test_the_rate_of_false_alarms_is_what_three_sigma_promise() -> None:
    """Synthetic, normal errors, 1,500 histories of nine days, 0.27 % expected: 4 of 1,500, 95 % within 1 to 8."""
    single, summed = simulate(seed=20_260_101, days=1_500)
    assert 0 < single <= 9 / 1_500
    assert 0 < summed <= 9 / 1_500


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"periods": []}, "periods"),
        ({"methods": {}}, "no method 'nameplate'; give its errors"),
        ({"significant_flop": "1e25"}, "significant_flop"),
        ({"sigma": "0"}, "sigma"),
    ],
)
def test_a_bad_book_is_refused_with_its_path(change: dict[str, Any], why: str) -> None:
    """FLOP are decimal strings, methods have errors."""
    plain = {**json.loads(canonical(book(day(0)))), **change}
    with pytest.raises(InvalidInput, match=why):
        parse_bulk_book(canonical(plain), path="bulk.json")


def test_a_gap_between_periods_is_refused() -> None:
    """Computing could hide in it."""
    with pytest.raises(InvalidInput, match=r"periods\[1\].period: does not follow"):
        parse_bulk_book(canonical(book(day(0), day(2))), path="bulk.json")
    assert parse_bulk_book(canonical(book(day(0), day(1)))) == book(day(0), day(1))
