"""Figures of usage: which evidence gives which tier, what is said beside, and what is never zero."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from sekisho.metering import Claims, CountingRule, References, UsageFigure, meter_usage
from sekisho.metering.error_model import ERROR_MODEL
from sekisho.model.errors import InvalidInput
from sekisho.model.flop import FlopInterval
from tests.metering.sums import Moment, steady, summed

HOUR_AT_PEAK = 3600 * 1979 * 10**12
NO_TENSOR = {"tensor_ms": 0, "tensor_work": 0, "pipe_ms": 0, "pipe_work": 0}
NOTHING = {**NO_TENSOR, "util_ms": 0, "util_work": 0}


def test_the_bound_is_the_allocated_time_at_the_fastest_format() -> None:
    """Whatever was read; to the last FLOP, and in the words of the method."""
    for usage in (steady(), steady(**NO_TENSOR), steady(**NOTHING), steady(share=0)):
        figure = meter_usage(usage)
        assert figure.bound == FlopInterval(0, HOUR_AT_PEAK)
        assert "dense fp8 peak" in figure.method or "dense int8 peak" in figure.method


@pytest.mark.parametrize(
    ("changes", "tier", "words"),
    [
        ({}, "2", "tensor activity x clock over 100.0%"),
        ({"attested": True}, "3", "attested activity"),
        (NO_TENSOR, "1", "utilisation is not activity"),
        (NOTHING, "0", "workload not stated"),
    ],
)
def test_the_best_evidence_gives_the_tier(changes: dict[str, Any], tier: str, words: str) -> None:
    """Tensor activity before utilisation before allocation."""
    figure = meter_usage(steady(**changes))
    assert figure.tier == tier
    assert words in figure.method


def test_tier_two_is_activity_times_the_16_bit_peak() -> None:
    """An hour at 40 % and the table's clock, less one per cent of padding, and a little beside the matrix unit."""
    estimate = meter_usage(steady(pipe_work=0)).estimate
    assert estimate is not None
    by_hand = 3600 * Fraction(4, 10) * 9895 * 10**11 * Fraction(99, 100)
    assert abs(estimate.best - by_hand) <= 1
    assert estimate.low < by_hand < 2 * by_hand < estimate.high


def test_a_lower_clock_is_less_work() -> None:
    """The same activity at 1.2 GHz under a power cap is 1.2 / 1.83 of it."""
    fast = summed([Moment(tensor=500_000)] * 50)
    slow = summed([Moment(tensor=500_000, clock=1_200_000)] * 50)
    first, second = meter_usage(fast).estimate, meter_usage(slow).estimate
    assert first is not None
    assert second is not None
    assert abs(Fraction(second.best, first.best) - Fraction(1200, 1830)) < Fraction(1, 10**9)


def test_a_claimed_format_moves_the_best_figure_only() -> None:
    """Twice the rate in FP8; the interval stays from the 16-bit rate to the fastest."""
    plain, claimed = (
        meter_usage(steady()),
        meter_usage(steady(), claims=Claims(number_format="FP8")),
    )
    assert plain.estimate is not None
    assert claimed.estimate is not None
    assert claimed.estimate.best > plain.estimate.best * 3 // 2
    assert (claimed.estimate.low, claimed.estimate.high) == (
        plain.estimate.low,
        plain.estimate.high,
    )
    assert "fp8 as claimed" in claimed.method
    odd = meter_usage(steady(), claims=Claims(number_format="fp8-ultra"))
    assert odd.estimate == plain.estimate
    assert "not one of this chip's" in " ".join(odd.notes)


def test_allocation_alone_is_calibrated_only_where_the_work_is_named() -> None:
    """512 H100 in GPT pre-training have reference runs; something unnamed may have idled or run at the peak."""
    usage = steady(**NOTHING, devices=512)
    named = meter_usage(usage, claims=Claims(workload="gpt3"))
    assert named.estimate is not None
    assert named.estimate.calibrated
    assert (named.n, str(named.coverage)) == (15, "15 of 15 (95 %: 78.2% to 100.0%)")
    unnamed = meter_usage(usage)
    assert unnamed.estimate is not None
    assert (unnamed.estimate.low, unnamed.estimate.high) == (0, HOUR_AT_PEAK)
    assert unnamed.estimate.best == named.estimate.best
    other = meter_usage(usage, claims=Claims(workload="resnet"))
    assert other.estimate is None
    assert "no reference runs" in other.method


def test_every_figure_says_what_it_was_held_against() -> None:
    """Population, n, coverage, rule, unit, source, and the parts of its error by their names."""
    figure = meter_usage(steady(evidence="sha256:ab"))
    assert "no recorded device" in figure.population
    assert figure.coverage is not None
    assert figure.n == figure.coverage.of == 56
    assert (figure.rule, figure.unit, figure.source) == ("max-over-formats", "FLOP", "sha256:ab")
    assert {part.name for part in figure.errors} <= {part.name for part in ERROR_MODEL}
    assert figure.measured == 1


def test_the_wire_form_has_decimal_strings() -> None:
    """Every FLOP is text; what is not measured is null."""
    row = meter_usage(steady(), claims=Claims(declared=10**17)).to_row()
    assert row["bound_high"] == str(HOUR_AT_PEAK)
    assert row["declared"] == "1" + "0" * 17
    assert row["unit"] == "FLOP"
    msgspec.json.encode(row)
    unknown = meter_usage(steady(chip="Abacus")).to_row()
    flop = [unknown[key] for key in unknown if str(key).startswith(("bound", "estimate", "energy"))]
    assert flop == [None] * 6


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"chip": "Abacus"}, "unknown chip 'Abacus'"),
        ({"chip": ""}, "no chip stated"),
        (dict.fromkeys(("chip_ms", "clock_ms", "power_ms", *NOTHING), 0), "no allocated time"),
    ],
)
def test_what_cannot_be_told_is_not_measured_and_never_zero(
    changes: dict[str, Any], why: str
) -> None:
    """No bound, no estimate; tier D only where something was declared."""
    figure = meter_usage(steady(**changes))
    assert (figure.bound, figure.estimate, figure.tier) == (None, None, None)
    assert figure.method == f"not measured: {why}"
    assert meter_usage(steady(**changes), claims=Claims(declared=1)).tier == "D"


def test_a_chip_without_a_clock_of_its_own_is_metered_wider() -> None:
    """The highest clock seen stands in, a quarter either way, and the notes say so."""
    figure = meter_usage(steady(chip="H20"))
    assert figure.tier == "2"
    assert "unknown clock" in {part.name for part in figure.errors}
    assert any("highest clock seen stands in" in note for note in figure.notes)
    assert figure.energy_ceiling is None
    recalled = meter_usage(steady(chip="NVIDIA A10"))
    assert "recalled clock" in {part.name for part in recalled.errors}


def test_attested_readings_narrow_the_bound() -> None:
    """40 % in the fastest format with its error, and the pipes beside; the unmeasured part stays at the peak."""
    whole = meter_usage(steady()).bound
    attested = meter_usage(steady(attested=True)).bound
    assert whole is not None
    assert attested is not None
    assert whole.high * 4 // 10 < attested.high < whole.high
    half = steady(attested=True, tensor_ms=1_800_000, tensor_work=steady().tensor_work // 2)
    gap = meter_usage(half).bound
    assert gap is not None
    assert attested.high < gap.high <= whole.high


def test_the_bound_of_attested_readings_trusts_no_word_about_averaging() -> None:
    """A claim of integrating counters narrows the estimate and leaves the bound."""
    spot, averaged = (
        meter_usage(steady(attested=True), claims=Claims(averaged=said)) for said in (False, True)
    )
    assert spot.bound == averaged.bound
    assert spot.estimate is not None
    assert averaged.estimate is not None
    assert averaged.estimate.low > spot.estimate.low


def test_energy_is_a_ceiling_beside_the_bound() -> None:
    """500 W for an hour pay for less than the peak; the time without power counts at the peak."""
    figure = meter_usage(steady(power_ms=1_800_000, energy_mj=1_800_000 * 100))
    assert figure.energy_ceiling is not None
    paid = Fraction(1_800_000 * 100, 1000) * Fraction(165, 100) * 3 * 1979 * 10**12 / 700
    assert figure.energy_ceiling == -(-(paid + 1800 * 1979 * 10**12) // 1)
    assert figure.bound == FlopInterval(0, HOUR_AT_PEAK)
    assert meter_usage(steady(power_ms=0, energy_mj=0)).energy_ceiling is None


@pytest.mark.parametrize(
    ("share", "watts", "check"),
    [
        (900_000, 40, "more work than the energy allows"),
        (900_000, 650, "within"),
        (5_000, 650, "more energy than the work explains"),
        (5_000, 300, "within"),
    ],
)
def test_work_and_energy_that_do_not_fit_are_a_finding(share: int, watts: int, check: str) -> None:
    """Both ways, beyond both errors; heat without work may be another pipe that nobody read."""
    hour_mj = watts * 1000 * 3600
    figure = meter_usage(steady(share, energy_mj=hour_mj, pipe_ms=0, pipe_work=0))
    assert figure.energy_check == check
    assert (check in figure.findings) is (check != "within")


def test_heat_is_explained_by_the_pipes_beside_the_matrix_unit() -> None:
    """Rendering at 600 W hides nothing."""
    busy = steady(0, energy_mj=600_000 * 3600, pipe_work=steady(500_000).tensor_work)
    assert meter_usage(busy).energy_check == "within"


@pytest.mark.parametrize(
    ("declared", "check"),
    [
        (10**15, "below the estimate"),
        (14 * 10**17, "within"),
        (50 * 10**17, "above the estimate"),
        (HOUR_AT_PEAK + 1, "above the bound"),
    ],
)
def test_declared_against_metered_beyond_both_errors_is_a_finding(
    declared: int, check: str
) -> None:
    """A tenth either way is the declaration's own error."""
    figure = meter_usage(steady(), claims=Claims(declared=declared, averaged=True))
    assert figure.declared_check == check
    assert bool(figure.findings) is (check != "within")


def test_allocation_without_references_convicts_nobody() -> None:
    """An unnamed workload's estimate contradicts a declaration at the bound only."""
    usage = steady(**NOTHING, chip="A100", clock_max_khz=1_410_000)
    assert not meter_usage(usage, claims=Claims(declared=1, workload="gpt")).findings


def test_activity_above_utilisation_is_a_finding() -> None:
    """A matrix unit cannot work while no kernel runs."""
    figure = meter_usage(steady(900_000, util_work=steady().util_work // 100))
    assert figure.contradicts
    assert "tensor activity above utilisation" in figure.findings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tensor_ms", 3_600_000 + 120_001),
        ("util_ms", -1),
        ("tensor_work", 10**30),
        ("util_work", -1),
    ],
)
def test_sums_that_contradict_themselves_are_refused(name: str, value: int) -> None:
    """Named, with the remedy; two minutes more may come from cutting minutes."""
    with pytest.raises(InvalidInput, match="measured") as error:
        meter_usage(steady(**{name: value}))
    assert name in str(error.value.path)
    assert meter_usage(steady(tensor_ms=3_600_000 + 120_000)).measured == 1


@pytest.mark.parametrize("count", ["bf16-equivalent", "max-over-formats", "format-used"])
def test_the_rule_is_a_parameter_of_every_figure(count: str) -> None:
    """BF16 equivalents halve FP8, so the bound is half; the rule stands in the figure."""
    figure = meter_usage(steady(), CountingRule(count=count))  # type: ignore[arg-type]  # one of the literals
    assert figure.rule == count
    assert figure.bound is not None
    share = Fraction(figure.bound.high, HOUR_AT_PEAK)
    assert share == (Fraction(1, 2) if count == "bf16-equivalent" else 1)


def test_what_was_set_aside_and_what_is_claimed_twice_is_said() -> None:
    """Doubtful and overlapped time stand in the notes, and so does a clock that was not seen."""
    figure: UsageFigure = meter_usage(
        steady(doubtful_ms=360_000, overlapped_ms=36_000, chip_ms=7_200_000)
    )
    notes = " ".join(figure.notes)
    assert "5.0% of the time was measured and set aside as doubtful" in notes
    assert "0.5% of the time is claimed by another allocation" in notes
    assert "could add up to 8.2%" in notes


def test_other_tables_may_be_given() -> None:
    """A figure rests on the tables that it is handed."""
    assert meter_usage(steady(), references=References(clocks={})).energy_ceiling is None


def test_an_attested_bound_takes_six_deviations_of_sampling() -> None:
    """By hand: active time (1 + 2 % counter + 2 % clock + 6 root(period / active)) in FP8, roundings, full pipes."""
    usage = steady(attested=True, pipe_ms=0, pipe_work=0)
    active_ms = 3_600_000 * 4 // 10
    sampling = 6 * (36_000 / active_ms) ** 0.5
    per_ms, vector_per_ms = 1979 * 10**9, 132 * 512 * 1_830_000
    matrix = (active_ms * (1.04 + sampling) + 3_600_000 * 5e-7) * per_ms
    beside = 3_600_000 * (1 + 1.5e-6) * vector_per_ms
    bound = meter_usage(usage).bound
    assert bound is not None
    assert bound.high == pytest.approx(matrix + beside, rel=1e-5)


@pytest.mark.parametrize(("share", "padding"), [(400_000, 8), (150_000, 35), (50_000, 97)])
def test_the_low_end_fears_padding(share: int, padding: int) -> None:
    """By hand, without sampling: what padding, counter and clock may have added is taken off."""
    estimate = meter_usage(steady(share), claims=Claims(averaged=True)).estimate
    assert estimate is not None
    counted = Fraction(share, 10**6) * 3600 * 9895 * 10**11
    left = max(Fraction(100 - padding - 4, 100), Fraction(0))
    assert estimate.low == pytest.approx(float(counted * left), rel=1e-4)


def test_readings_of_zero_still_leave_what_rounding_hides() -> None:
    """Half a millionth of the matrix unit and of each of three pipes: small, and not nothing."""
    usage = steady(0, pipe_work=0, util_work=0)
    estimate = meter_usage(usage, claims=Claims(averaged=True)).estimate
    assert estimate is not None
    matrix = Fraction(3_600_000, 2 * 10**6) * 1979 * 10**9
    beside = 3 * Fraction(3_600_000, 2 * 10**6) * 132 * 512 * 1_830_000
    assert estimate.low == 0
    assert Fraction(estimate.high) == matrix + beside
