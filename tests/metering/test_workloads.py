"""Generated workloads: the same everywhere, truth counted and not read, and readings that fit a real store."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import msgspec
import pytest

from sekisho.metering import CountingRule
from sekisho.metering.tensor_clocks import tensor_clocks
from sekisho.metering.workloads import START_US, families, generate, usage_of
from sekisho.metering.workloads.kernels import (
    Kernel,
    Machine,
    attention,
    elementwise,
    fft,
    gap,
    product,
)
from sekisho.model.chips import known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.flop import gemm
from sekisho.model.telemetry import FIELDS

NAMES = [family.name for family in families()]


def machine(name: str = "H100 SXM5") -> Machine:
    """A chip as the generator sees it."""
    chip = known_chips().find(name)
    assert chip is not None
    return Machine(chip=chip, row=tensor_clocks()[chip.name])


def test_there_are_at_least_twenty_families_of_every_kind() -> None:
    """Names once each; training, inference and neither."""
    assert len(NAMES) == len(set(NAMES)) >= 20
    assert {family.kind for family in families()} == {"training", "inference", "other"}
    for part in ("moe", "lora", "rl-", "speculative", "offloaded", "throttled", "diluted", "fft"):
        assert any(part in name for name in NAMES), part


@pytest.mark.parametrize("name", NAMES)
def test_a_trace_fits_the_store_and_its_sums_the_meter(name: str) -> None:
    """Every column a field of the store within its limits, running sums that end at the exact total."""
    trace = generate(name, seed=3, seconds=12)
    count = len(trace.at_us)
    assert count >= 120
    assert trace.at_us[0] == START_US
    assert trace.at_us[-1] == START_US + (count - 1) * 100_000
    for field, column in trace.readings.items():
        assert len(column) == count
        assert FIELDS[field].low <= min(column) <= max(column) <= FIELDS[field].high
    for number_format, total in trace.operations.items():
        sums = trace.done[number_format]
        assert list(sums) == sorted(sums)
        assert sums[-1] == total > 0
    usage = usage_of(trace)
    assert usage.chip_ms == count * 100 == usage.tensor_ms
    assert 0 <= usage.tensor_work <= usage.tensor_ms * usage.clock_max_khz * 10**6


def test_the_same_seed_gives_the_same_trace_on_every_machine() -> None:
    """A golden digest of operations, which rest on whole numbers drawn from the seed; another seed differs."""
    one, again, other = (generate("lora", seed=seed, seconds=5) for seed in (1, 1, 2))
    assert one == again
    assert one.operations != other.operations
    text = msgspec.json.encode(dict(sorted(one.operations.items())))
    assert hashlib.sha256(text).hexdigest()[:16] == "6b6d8d99850f3629"


def test_the_truth_is_counted_from_what_was_asked() -> None:
    """2 m n k, whatever the tiles; two products over a triangle and five a score; 5 N log2 N."""
    h100 = machine()
    asked = product(h100, 197, 1000, 333, "bf16", 7)
    assert asked.operations["bf16"] == 7 * gemm(197, 1000, 333)
    scores = 300 * 301 // 2
    assert attention(h100, 300, 4, 64, "bf16", 2).operations == {
        "bf16": 2 * 4 * scores * 64 * 4,
        "fp32": 2 * 5 * scores * 4,
    }
    assert fft(h100, 1024, 3).operations == {"fp32": 3 * 5 * 1024 * 10}
    assert elementwise(h100, 10, flop=0).operations == {}
    joined = Kernel.join([asked, asked, gap(1.0)])
    assert joined.operations["bf16"] == 2 * asked.operations["bf16"]


@pytest.mark.parametrize(
    ("m", "n", "k", "least"), [(8192, 8192, 8192, 1.0), (197, 768, 768, 1.05), (5, 4096, 4096, 1.5)]
)
def test_padding_costs_cycles_that_are_no_operations(m: int, n: int, k: int, least: float) -> None:
    """A square product fits its tiles; one of five rows is mostly padding."""
    h100 = machine()
    found = product(h100, m, n, k, "bf16")
    per_cycle = h100.row.sms * h100.row.fp16_ops
    wasted = found.tensor * per_cycle / gemm(m, n, k)
    assert wasted == pytest.approx(1.0) if least == 1.0 else wasted > least


@pytest.mark.parametrize(
    ("number_format", "times"), [("fp8", 0.5), ("tf32", 2.0), ("fp64", 16.0), ("fp16", 1.0)]
)
def test_formats_take_cycles_by_their_rate(number_format: str, times: float) -> None:
    """Twice as fast in FP8, half in TF32."""
    h100 = machine()
    sixteen = product(h100, 4096, 4096, 4096, "bf16")
    other = product(h100, 4096, 4096, 4096, number_format)
    assert other.tensor / sixteen.tensor == pytest.approx(times, rel=0.01)


def test_a_power_cap_lowers_the_clock_and_the_readings_show_it() -> None:
    """Throttled training runs well below the clock of the same work uncapped."""
    free = usage_of(generate("dense-pretraining", seed=2, seconds=20))
    capped = usage_of(generate("throttled-training", seed=2, seconds=20))
    assert capped.clock_work / capped.clock_ms < 0.85 * free.clock_work / free.clock_ms
    limit = tensor_clocks()[capped.chip].tdp_w
    assert capped.energy_mj / capped.power_ms < 0.65 * limit


def test_spot_readings_take_a_moment_for_the_whole_period() -> None:
    """Averages over ten seconds agree with those over one; moments of a bursty run do not."""
    trace = generate("disguised-training", seed=1, seconds=60)

    def share(period_s: int, *, is_spot: bool) -> Fraction:
        usage = usage_of(trace, period_s=period_s, is_spot=is_spot)
        return Fraction(usage.tensor_work, usage.clock_work)

    assert abs(share(10, is_spot=False) / share(1, is_spot=False) - 1) < Fraction(5, 100)
    assert share(10, is_spot=True) != share(10, is_spot=False)
    assert usage_of(trace, period_s=10).readings == -(-len(trace.at_us) // 100)
    with pytest.raises(InvalidInput, match="does not fit"):
        usage_of(trace, period_s=1000)


def test_rules_weigh_the_truth() -> None:
    """FP8 as BF16 equivalents is half, beside its attention in 16 bits."""
    trace = generate("gemm-burn-fp8", seed=1, seconds=2)
    used, by_bits = (
        trace.flop(CountingRule(count=count)) for count in ("format-used", "bf16-equivalent")
    )
    assert by_bits < used * 51 / 100


@pytest.mark.parametrize(
    ("name", "seconds", "hz", "why"),
    [("abacus", 1, 1, "no family"), ("lora", 0, 1, "lasts"), ("lora", 1, 101, "lasts")],
)
def test_what_cannot_be_generated_is_refused(name: str, seconds: int, hz: int, why: str) -> None:
    """With the names that are known."""
    with pytest.raises(InvalidInput, match=why):
        generate(name, seed=1, seconds=seconds, hz=hz)
