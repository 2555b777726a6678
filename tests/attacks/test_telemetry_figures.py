"""Operators who bend telemetry: an estimate may be fooled, a bound never, and what does not fit is a finding."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from sekisho.metering import Claims, CountingRule, UsageFigure, meter_usage
from sekisho.metering.workloads import Trace, generate, usage_of
from sekisho.model.telemetry import Usage

RULE = CountingRule()


@pytest.fixture(scope="module")
def burn() -> Trace:
    """Large products in BF16 on an H100 that draws about 700 W."""
    return generate("gemm-burn", seed=2, seconds=20)


def truth_is_bounded(figure: UsageFigure, truth: Fraction) -> bool:
    """The one thing that must hold."""
    return figure.bound is not None and figure.bound.low <= truth <= figure.bound.high


def test_tensor_readings_sent_as_zero(burn: Trace) -> None:
    """Cleaning sets the zeros aside: the time is a gap, the bound stays, the interval still holds the truth."""
    honest = meter_usage(usage_of(burn))
    usage = msgspec.structs.replace(
        usage_of(burn), tensor_ms=0, tensor_work=0, doubtful_ms=usage_of(burn).chip_ms
    )
    figure = meter_usage(usage)
    assert figure.bound == honest.bound
    assert truth_is_bounded(figure, burn.flop(RULE))
    assert figure.estimate is not None
    assert figure.estimate.low <= burn.flop(RULE) <= figure.estimate.high
    assert "set aside as doubtful" in " ".join(figure.notes)


def test_tensor_readings_scaled_to_a_hundredth(burn: Trace) -> None:
    """The estimate falls, the bound does not, and power gives it away."""
    usage = usage_of(burn)
    faked = msgspec.structs.replace(usage, tensor_work=usage.tensor_work // 100)
    honest, figure = meter_usage(usage), meter_usage(faked)
    assert honest.findings == ()
    assert figure.bound == honest.bound
    assert truth_is_bounded(figure, burn.flop(RULE))
    assert figure.estimate is not None
    assert figure.estimate.high < burn.flop(RULE)
    assert figure.findings == ("more energy than the work explains",)


def test_busy_readings_withheld(burn: Trace) -> None:
    """Only the idle half is reported: the other half counts at the peak, in the estimate too."""
    usage = usage_of(burn)
    idle = msgspec.structs.replace(usage, tensor_ms=usage.chip_ms // 2, tensor_work=0)
    figure = meter_usage(idle)
    assert figure.estimate is not None
    assert figure.estimate.high >= burn.flop(RULE)
    assert truth_is_bounded(figure, burn.flop(RULE))


def test_an_overclocked_chip(burn: Trace) -> None:
    """A tenth above its highest clock, past the table's peak: the bound follows the clock that was seen."""
    busy = _at_clock(usage_of(burn), Fraction(11, 10))
    truth = Fraction(11, 10) * burn.flop(RULE) * Fraction(11, 10)  # and every cycle used
    in_fp8 = 2 * truth
    figure = meter_usage(busy, claims=Claims(number_format="bf16"))
    table_peak = busy.chip_ms * 1979 * 10**9
    assert in_fp8 > table_peak
    assert truth_is_bounded(figure, in_fp8)
    assert "above the" in " ".join(figure.notes)


def _at_clock(usage: Usage, times: Fraction) -> Usage:
    return msgspec.structs.replace(
        usage,
        clock_max_khz=int(usage.clock_max_khz * times),
        clock_work=int(usage.clock_work * times),
        tensor_work=int(usage.tensor_work * times),
        util_work=int(usage.util_work * times),
        pipe_work=int(usage.pipe_work * times),
    )


def test_sixteen_bits_claimed_while_eight_run() -> None:
    """The best figure is halved; interval and bound hold what really ran."""
    trace = generate("gemm-burn-fp8", seed=1, seconds=10)
    figure = meter_usage(usage_of(trace), claims=Claims(number_format="fp16", averaged=True))
    truth = trace.flop(RULE)
    assert figure.estimate is not None
    assert figure.estimate.best < truth * 6 / 10
    assert figure.estimate.low <= truth <= figure.estimate.high
    assert truth_is_bounded(figure, truth)


@pytest.mark.parametrize("claim", ["fp8-sparse", "2:4", "int1", "\x1b[2J"])
def test_sparsity_claimed_to_halve_the_count(burn: Trace, claim: str) -> None:
    """No claim of skipped zeros lowers anything; where skipped zeros count, they double the bound for everyone."""
    usage = usage_of(burn)
    plain, claimed = meter_usage(usage), meter_usage(usage, claims=Claims(number_format=claim))
    assert (claimed.bound, claimed.estimate) == (plain.bound, plain.estimate)
    assert "\x1b" not in " ".join(claimed.notes)
    nominal = meter_usage(usage, CountingRule(sparsity="nominal"))
    assert nominal.bound is not None
    assert plain.bound is not None
    assert abs(nominal.bound.high - 2 * plain.bound.high) <= 1


def test_a_declaration_far_below_what_ran(burn: Trace) -> None:
    """A tenth of the work declared is a finding, with activity read at all."""
    declared = int(burn.flop(RULE) / 10)
    figure = meter_usage(usage_of(burn), claims=Claims(declared=declared))
    assert figure.declared_check == "below the estimate"
    assert "declared FLOP below the estimate" in figure.findings


def test_a_declaration_above_the_bound(burn: Trace) -> None:
    """Somebody else's work, or other chips."""
    declared = int(burn.flop(RULE) * 100)
    assert meter_usage(usage_of(burn), claims=Claims(declared=declared)).findings == (
        "declared FLOP above the bound",
    )


def test_power_readings_lowered_to_fake_idleness(burn: Trace) -> None:
    """Activity that 20 W cannot pay for is a finding; the bound never read power."""
    usage = usage_of(burn)
    cold = msgspec.structs.replace(usage, energy_mj=20 * usage.power_ms)
    figure = meter_usage(cold)
    assert figure.energy_check == "more work than the energy allows"
    assert truth_is_bounded(figure, burn.flop(RULE))


def test_attested_readings_that_leave_out_the_busy_time(burn: Trace) -> None:
    """A signature proves readings unchanged, not complete: what is missing counts at the peak."""
    usage = msgspec.structs.replace(usage_of(burn), attested=True)
    cut = msgspec.structs.replace(usage, tensor_ms=usage.chip_ms // 2, tensor_work=0)
    assert truth_is_bounded(meter_usage(usage), burn.flop(RULE))
    assert truth_is_bounded(meter_usage(cut), burn.flop(RULE))
