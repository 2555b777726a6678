"""Figures: the bound is sound, the estimate honest, and what is not measured is never zero."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering import (
    RunFigure,
    RunRecord,
    meter_cpu_time,
    meter_run,
    parse_run_table,
    reference_runs,
)
from sekisho.model.chips import known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.flop import FlopInterval, HostPeak


def record(**changes: object) -> RunRecord:
    """512 H100 for 3,000 seconds of GPT-3."""
    fields: dict[str, object] = {
        "run_id": "r",
        "chip": "NVIDIA H100-SXM5-80GB",
        "chips": 512,
        "seconds": Fraction(3000),
        "benchmark": "gpt3",
    }
    return RunRecord(**{**fields, **changes})  # type: ignore[arg-type]  # a test's own field names


def figure(**changes: object) -> RunFigure:
    """The figure of that run."""
    return meter_run(record(**changes))


def test_the_bound_is_chips_times_fastest_peak_times_seconds() -> None:
    """Exactly, rounded up to a whole FLOP, from zero."""
    assert figure().bound == FlopInterval(0, 512 * 3000 * 1979 * 10**12)
    assert figure(chips=1, seconds=Fraction(1, 3)).bound == FlopInterval(0, -(-1979 * 10**12 // 3))


@pytest.mark.parametrize(
    "said",
    [
        {"precision": "bf16"},
        {"utilisation": Fraction(1, 100)},
        {"sm_clock_ratio": Fraction(1, 2), "utilisation": Fraction(1, 2)},
        {"energy_j": Fraction(1)},
        {"declared": 1},
        {"benchmark": "nothing much"},
        {"params": 1, "tokens": 1},
    ],
    ids=str,
)
def test_nothing_that_the_operator_says_narrows_the_bound(said: dict[str, object]) -> None:
    """Precision, utilisation, energy and declarations are words; allocation is evidence."""
    assert figure(**said).bound == figure().bound


def test_the_bound_holds_all_fifteen_reference_runs() -> None:
    """Their declared work is true, so a bound below one of them would be unsound."""
    for run in reference_runs():
        found = meter_run(
            RunRecord(run_id=run.run_id, chip=run.chip, chips=run.chips, seconds=run.seconds)
        )
        assert found.bound is not None
        assert found.bound.holds(run.declared_flop)


@given(
    st.sampled_from([chip.name for chip in known_chips()]),
    st.integers(1, 10**9),
    st.fractions(min_value=Fraction(1, 1000), max_value=10**7),
    st.sampled_from(["gpt3", "", "bert"]),
    st.one_of(st.none(), st.fractions(min_value=Fraction(1, 100), max_value=1)),
)
def test_an_estimate_lies_in_order_and_inside_the_bound(
    chip: str, chips: int, seconds: Fraction, benchmark: str, utilisation: Fraction | None
) -> None:
    """For every chip of the table, any scale, any time."""
    found = figure(
        chip=chip, chips=chips, seconds=seconds, benchmark=benchmark, utilisation=utilisation
    )
    assert found.bound is not None
    if found.estimate is not None:
        estimate = found.estimate
        assert found.bound.low <= estimate.low <= estimate.best <= estimate.high <= found.bound.high


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"chip": "AMD Radeon RX 7900 XTX"}, "unknown chip 'AMD Radeon RX 7900 XTX'"),
        ({"chip": ""}, "no chip stated"),
        ({"seconds": None}, "no seconds"),
        ({"chips": None}, "no count of chips"),
        (
            {"chips": None, "seconds": None, "chip": "?"},
            "unknown chip '?', no count of chips, no seconds",
        ),
    ],
    ids=str,
)
def test_what_lacks_is_named_and_nothing_is_zero(changes: dict[str, object], why: str) -> None:
    """Not measured: no bound, no estimate; tier D only where something was declared."""
    found = figure(**changes)
    assert found.method == f"not measured: {why}"
    assert not found.is_measured
    assert found.tier is None
    row = found.to_row()
    assert [row[key] for key in row if key.startswith(("bound", "estimate"))] == [None] * 5
    assert figure(**changes, declared=7).tier == "D"
    assert figure(**changes, declared=7).declared_check is None


def test_declared_is_given_or_six_n_d() -> None:
    """A given value first; both parameters and tokens are needed for the formula."""
    assert figure(declared=9, params=2, tokens=3).declared == 9
    assert figure(params=2, tokens=3).declared == 36
    assert figure(params=2).declared is None


def test_another_workload_has_a_bound_and_no_estimate() -> None:
    """The reference runs say nothing about image networks, so nothing is said."""
    found = figure(benchmark="resnet")
    assert found.is_measured
    assert found.estimate is None
    assert "no reference runs of 'resnet'" in found.method


def test_an_unstated_workload_may_have_been_idling() -> None:
    """The interval reaches down to zero and the method says why."""
    found = figure(benchmark="")
    assert found.estimate is not None
    assert found.estimate.low == 0
    assert not found.estimate.calibrated
    assert "workload not stated" in found.method


@pytest.mark.parametrize("chip", ["NVIDIA H200-SXM5-141GB", "NVIDIA A100-SXM4-80GB", "AMD MI300X"])
def test_a_chip_without_reference_runs_gets_a_wide_interval(chip: str) -> None:
    """From half to a fifth more, and the method says why."""
    estimate = figure(chip=chip).estimate
    assert estimate is not None
    assert estimate.low * 2 <= estimate.best + 1
    assert not estimate.calibrated
    assert "no reference run on this chip" in figure(chip=chip).method


def test_a_scale_outside_the_references_widens_the_interval() -> None:
    """H100 runs were seen at 512 chips only."""

    def width(chips: int) -> Fraction:
        estimate = figure(chips=chips).estimate
        assert estimate is not None
        return Fraction(estimate.high - estimate.low, estimate.best)

    assert width(512) < width(256) < width(8)
    assert width(512) < width(1024) < width(100_000)
    assert "outside" in figure(chips=8).method


def test_stated_utilisation_is_used_and_named_as_stated() -> None:
    """Utilisation x clock ratio x the stated format's peak; not calibrated."""
    found = figure(precision="fp8", utilisation=Fraction(4, 10), sm_clock_ratio=Fraction(9, 10))
    assert found.estimate is not None
    assert found.estimate.best == 512 * 3000 * 1979 * 10**12 * 36 // 100
    assert "as stated" in found.method
    open_format = figure(utilisation=Fraction(4, 10)).estimate
    assert open_format is not None
    assert open_format.high > open_format.best * 2
    assert figure(precision="fp64", utilisation=Fraction(1, 2)).estimate is None


@pytest.mark.parametrize(
    ("declared", "check"),
    [
        (10**15, "below the estimate"),
        (125 * 10**19, "within"),
        (20 * 10**20, "above the estimate"),
        (512 * 3000 * 1979 * 10**12 + 1, "above the bound"),
        (512 * 3000 * 1979 * 10**12, "above the estimate"),
    ],
)
def test_a_declaration_beyond_both_errors_is_a_finding(declared: int, check: str) -> None:
    """To the last FLOP at the bound."""
    found = figure(declared=declared)
    assert found.declared_check == check
    assert found.is_finding is (check != "within")


def test_an_estimate_without_references_convicts_nobody() -> None:
    """Other chips, scales and workloads can contradict a declaration at the bound only."""
    for changes in ({"chip": "A100"}, {"chips": 8}, {"benchmark": "bert"}, {"benchmark": ""}):
        assert figure(**changes, declared=1).is_finding is False
        assert figure(**changes, declared=10**30).is_finding is True


def test_a_figure_of_more_than_38_digits_is_refused() -> None:
    """Declared 6ND can pass what the wire holds."""
    with pytest.raises(InvalidInput, match="38 digits"):
        figure(params=10**30, tokens=10**30)


def test_cpu_time_bounds_a_host_run() -> None:
    """CPU seconds x the declared peak of a core; no estimate."""
    peak = HostPeak(cores=2, clock_hz=3 * 10**9, flop_per_cycle=16)
    found = meter_cpu_time("canary", Fraction(5, 2), peak, declared=7)
    assert found.bound == FlopInterval(0, 120 * 10**9)
    assert found.to_row()["bound_high"] == "120000000000"
    assert found.declared_check is None
    assert "declared peak" in found.method


def test_the_wire_form_has_decimal_strings() -> None:
    """Every FLOP is text, whatever its size."""
    row = figure(declared=125 * 10**19).to_row()
    assert row["bound_high"] == str(512 * 3000 * 1979 * 10**12)
    assert row["declared"] == "1250000000000000000000"
    assert row["tier"] == "0"
    assert all(value is None or isinstance(value, str) for value in row.values())


@pytest.mark.testdata
def test_the_whole_public_run_table_is_answered(public_records: Path) -> None:
    """1,940 rows: 1,934 measured, five unknown chips, one without seconds; every GPT-3 run within."""
    data = (public_records / "mlperf" / "runs_v4.0.csv").read_bytes()
    table = parse_run_table(data, "runs_v4.0.csv")
    assert table.errors == []
    figures = [meter_run(row) for row in table.records]
    unmeasured = [found.method for found in figures if not found.is_measured]
    assert len(figures) == 1940
    assert len(unmeasured) == 6
    assert sum("RX 7900 XTX" in method for method in unmeasured) == 5
    gpt3 = [found for found in figures if found.declared is not None]
    assert len(gpt3) == 15
    for found in gpt3:
        assert found.bound is not None
        assert found.bound.holds(found.declared or 0)
        assert found.declared_check == "within"
