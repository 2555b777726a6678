"""Laws of usage figures: gaps never narrow, order never matters, sums of buckets hold the whole."""

from __future__ import annotations

from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering import Claims, CountingRule, meter_usage
from sekisho.metering.counting import COUNTS
from sekisho.model.telemetry import Usage
from tests.metering.sums import H100_KHZ, Moment, summed

PPM = st.integers(0, 1_000_000)
MOMENTS = st.lists(
    st.builds(
        Moment,
        tensor=PPM,
        util=PPM,
        pipe=st.integers(0, 300_000),
        clock=st.integers(300_000, 1_980_000).map(lambda khz: khz // 15_000 * 15_000),
        power_mw=st.integers(60_000, 700_000),
    ),
    min_size=1,
    max_size=20,
)
RULES = st.builds(
    CountingRule, count=st.sampled_from(COUNTS), sparsity=st.sampled_from(["performed", "nominal"])
)
CLAIMS = st.builds(
    Claims, number_format=st.sampled_from(["", "bf16", "fp8", "tf32"]), averaged=st.booleans()
)
FIELDS = st.sampled_from(["tensor", "util", "pipe", "power_mw"])


@given(MOMENTS, RULES, CLAIMS, st.booleans())
def test_a_figure_is_in_order_and_inside_its_bound(
    moments: list[Moment], rule: CountingRule, claims: Claims, is_attested: bool
) -> None:
    """Low <= best <= high <= bound, under every rule and claim, attested or not."""
    figure = meter_usage(summed(moments, attested=is_attested), rule, claims)
    assert figure.bound is not None
    assert figure.estimate is not None
    assert 0 <= figure.estimate.low <= figure.estimate.best <= figure.estimate.high
    assert figure.estimate.high <= figure.bound.high


@given(MOMENTS, RULES, CLAIMS, st.sets(st.integers(0, 19), min_size=1))
def test_more_gap_never_narrows_an_estimate(
    moments: list[Moment], rule: CountingRule, claims: Claims, lost: set[int]
) -> None:
    """Losing tensor readings, busy or idle, keeps the old interval inside the new one."""
    holed = [
        msgspec.structs.replace(m, tensor=None) if i in lost else m for i, m in enumerate(moments)
    ]
    before = meter_usage(summed(moments), rule, claims)
    after = meter_usage(summed(holed), rule, claims)
    assert before.estimate is not None
    assert after.estimate is not None
    if before.contradicts:  # then one kind of reading is wrong, and it may have been the lost one
        return
    assert after.estimate.low <= before.estimate.low
    assert after.estimate.high >= before.estimate.high
    assert after.bound == before.bound


@given(MOMENTS, RULES, CLAIMS, FIELDS, st.sets(st.integers(0, 19), min_size=1))
def test_no_gap_narrows_an_attested_bound(
    moments: list[Moment], rule: CountingRule, claims: Claims, field: str, lost: set[int]
) -> None:
    """Whichever reading is withheld, what is not measured counts at the peak."""
    holed = [
        msgspec.structs.replace(m, **{field: None}) if i in lost else m
        for i, m in enumerate(moments)
    ]
    before = meter_usage(summed(moments, attested=True), rule, claims).bound
    after = meter_usage(summed(holed, attested=True), rule, claims).bound
    assert before is not None
    assert after is not None
    assert after.high >= before.high


@given(MOMENTS.flatmap(lambda moments: st.tuples(st.just(moments), st.permutations(moments))))
def test_the_order_of_readings_does_not_matter(
    case: tuple[list[Moment], list[Moment]],
) -> None:
    """Sums are exact, so the figure is the same to the last FLOP."""
    moments, shuffled = case
    assert meter_usage(summed(moments)) == meter_usage(summed(shuffled))


@given(MOMENTS, st.integers(1, 19), RULES)
def test_bounds_of_buckets_add_up_to_the_bound_of_the_whole(
    moments: list[Moment], cut: int, rule: CountingRule
) -> None:
    """At one clock the sum is the whole's, rounded up once for each bucket; a faster clock counts where it was seen."""
    level = [msgspec.structs.replace(m, clock=H100_KHZ) for m in moments]
    for rows, is_level in ((level, True), (moments, False)):
        parts = [summed(part) for part in (rows[:cut], rows[cut:]) if part]
        total = sum(_high(part, rule) for part in parts)
        whole = _high(summed(rows), rule)
        if is_level:
            assert whole <= total <= whole + len(parts)
        else:
            assert total <= whole + len(parts)


def _high(usage: Usage, rule: CountingRule) -> int:
    bound = meter_usage(usage, rule).bound
    assert bound is not None
    return bound.high


@given(MOMENTS, RULES, st.integers(1_830_000, 5_000_000))
def test_the_bound_scales_with_the_highest_clock_seen(
    moments: list[Moment], rule: CountingRule, clock: int
) -> None:
    """One reading above the table's clock lifts the bound of all the time, as far as the part can run."""
    level = [msgspec.structs.replace(m, clock=H100_KHZ) for m in moments]
    fast = [*level[:-1], msgspec.structs.replace(level[-1], clock=clock)]
    ratio = Fraction(_high(summed(fast), rule), _high(summed(level), rule))
    assert abs(ratio - Fraction(min(clock, 2_178_000), H100_KHZ)) < Fraction(1, 10**9)
