"""Whether a cap was kept: three verdicts from a share with its error."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.instants import Period
from sekisho.model.statements import ReceiptGiven, Reference, Spend
from sekisho.orders.caps import (
    CAP_MARGIN,
    CapUse,
    judge_cap,
    measure_bound,
    measure_devices,
    measure_processor,
    strictest_cap,
)
from tests.factory import NOW, ORIGIN, order_issued, receipt_given
from tests.orders.books import known

PEAK = 1_000_000_000
HOUR = Period(NOW, NOW.plus(3_600))


def use(low: float, high: float, seconds: float = 60.0) -> CapUse:
    return CapUse(low=low, high=high, seconds=seconds, basis="processor-time")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.3, "holds"),
        (0.38, 0.42, "holds"),
        (0.38, 0.5, "not-measured"),
        (0.0, 1.0, "not-measured"),
        (0.45, 0.5, "fails"),
        (1.0, 1.0, "fails"),
    ],
)
def test_the_most_acquits_and_the_least_convicts(low: float, high: float, verdict: str) -> None:
    """Within the cap and the margin of its means even at most: holds; above it even at least: fails; else unknown."""
    assert judge_cap(40, use(low, high)).verdict == verdict


def test_nothing_measured_or_too_short_is_not_measured() -> None:
    """No figure is no zero."""
    assert judge_cap(40, None).verdict == "not-measured"
    assert judge_cap(40, use(0.0, 0.0, seconds=9.0)).verdict == "not-measured"


def test_processor_time_is_both_a_most_and_a_least() -> None:
    """Half of two cores for a minute, give or take the error of two readings."""
    found = measure_processor(60.0, 60.0, 2)
    assert found is not None
    assert found.low < 0.5 < found.high
    assert found.high - found.low < 0.01
    assert measure_processor(-1.0, 60.0, 2) is None
    assert measure_processor(1.0, 0.0, 2) is None


def test_device_time_is_a_most_only() -> None:
    """What a scheduler handed out may have lain idle: it acquits and convicts nobody."""
    found = measure_devices(240.0, 60.0, 4)
    assert found is not None
    assert found.low == 0.0
    assert judge_cap(40, found).verdict == "not-measured"
    assert judge_cap(40, measure_devices(60.0, 60.0, 4)).verdict == "holds"
    assert measure_devices(1.0, 60.0, 0) is None


def quantum(at: float, bound: int, declared: int | None = None, leaf: str = "1") -> ReceiptGiven:
    spend = Spend(
        lease=Reference(log=ORIGIN, leaf=leaf * 64),
        lease_number=1,
        reserved_flop=str(bound + PEAK),
        bound_flop=str(bound),
        declared_flop=None if declared is None else str(declared),
    )
    return msgspec.structs.replace(receipt_given(), effective=NOW.plus(at), spend=spend)


def test_the_metered_bound_acquits_and_what_was_declared_convicts() -> None:
    """A bound above the cap proves nothing; a licensee that says itself that it did more does."""
    low = measure_bound([quantum(0, 0), quantum(60, 20 * PEAK)], PEAK, HOUR)
    assert judge_cap(40, low).verdict == "holds"
    high = measure_bound([quantum(0, 0), quantum(60, 60 * PEAK)], PEAK, HOUR)
    assert judge_cap(40, high).verdict == "not-measured"
    own = measure_bound([quantum(0, 0, 0), quantum(60, 60 * PEAK, 45 * PEAK)], PEAK, HOUR)
    assert judge_cap(40, own).verdict == "fails"


def test_receipts_of_two_leases_are_not_taken_for_one() -> None:
    """Each lease counts anew: the longest stretch under one of them is taken."""
    rows = [
        quantum(0, 50 * PEAK),
        quantum(10, 51 * PEAK),
        quantum(12, 0, leaf="2"),
        quantum(72, 30 * PEAK, leaf="2"),
    ]
    found = measure_bound(rows, PEAK, HOUR)
    assert found is not None
    assert (found.seconds, found.high) == (60.0, 0.5)
    assert measure_bound(rows[:1], PEAK, HOUR) is None
    assert measure_bound(rows, PEAK, Period(NOW.plus(100), NOW.plus(200))) is None
    assert measure_bound(rows, 0, HOUR) is None


def test_the_lowest_percent_counts() -> None:
    """Of several caps the strictest; orders of other kinds leave everything."""
    caps = [known(order_issued(kind="cap", effect="cap", cap_percent=p)) for p in (60, 5, 25)]
    assert strictest_cap(caps) == 5
    assert strictest_cap([known(order_issued())]) is None


@given(st.integers(1, 99), st.floats(0, 1), st.floats(0, 1))
def test_no_use_is_both_acquitted_and_convicted(percent: int, one: float, other: float) -> None:
    """The verdict follows from where the interval lies, whatever it is."""
    low, high = sorted((one, other))
    verdict = judge_cap(percent, use(low, high)).verdict
    limit = percent / 100 + CAP_MARGIN
    assert (verdict == "holds") is (high <= limit)
    assert (verdict == "fails") is (low > limit)
