"""From sums of telemetry to entries: whose they are, over which time, and at which rate it goes on."""

from __future__ import annotations

from fractions import Fraction

from sekisho.metering.accounts.usage_entries import JobRecords, entries_of, rates_now
from sekisho.metering.counting import CountingRule
from tests.metering.accounts.made import T0, at
from tests.usage_days import EVIDENCE, allocated, used

RULE = CountingRule()
H100_PEAK = 1_979_000_000_000_000  # dense FP8, FLOP/s


def test_an_entry_is_metered_and_bears_its_jobs_names() -> None:
    """Customer and run from the record, figures and tier from the meter, evidence from the store."""
    records = JobRecords([allocated("1", T0, run="gpt")])
    (entry,) = entries_of([used("1", T0)], records, RULE)
    assert (entry.customer, entry.run, entry.site, entry.tier) == ("acme", "gpt", "tokyo", "2")
    assert entry.high is not None
    assert entry.high >= 8 * 3_600 * H100_PEAK
    assert entry.best is not None
    assert entry.best < entry.high
    assert entry.evidence == EVIDENCE
    assert entry.gap_ms == 0


def test_an_entry_lasts_as_long_as_its_job_was_there() -> None:
    """A job that began at half past is spread over its half hour and no longer."""
    begins = T0.plus(1_800)
    records = JobRecords([allocated("1", begins, hours=0.25)])
    (entry,) = entries_of([used("1", T0)], records, RULE)
    assert (entry.start, entry.end) == (begins, begins.plus(900))


def test_the_hull_of_two_allocations_in_one_hour_is_the_entry() -> None:
    """Requeued within the hour: from the first beginning to the last end."""
    records = JobRecords(
        [allocated("1", T0.plus(60), hours=0.1), allocated("1", T0.plus(1_800), hours=9)]
    )
    (entry,) = entries_of([used("1", T0)], records, RULE)
    assert (entry.start, entry.end) == (T0.plus(60), T0.plus(3_600))


def test_what_no_job_claims_and_what_no_record_names_is_there_all_the_same() -> None:
    """Whole-device accounting: nothing is dropped for want of a name."""
    entries = list(entries_of([used("", T0), used("ghost", T0)], JobRecords([]), RULE))
    assert [e.customer for e in entries] == ["", ""]
    assert all(e.high for e in entries)
    assert [(e.start, e.end) for e in entries] == [(T0, T0.plus(3_600))] * 2


def test_an_unknown_chip_is_an_entry_without_figures() -> None:
    """Its time counts, as not measured."""
    (entry,) = entries_of([used("1", T0, chip="Nonesuch")], JobRecords([]), RULE)
    assert (entry.bound, entry.estimate) == (None, None)
    assert entry.chip_ms == 8 * 3_600_000


def test_what_runs_goes_on_at_its_bound_and_at_its_last_days_estimate() -> None:
    """Eight chips at peak; the estimate as measured over the hours that it ran."""
    records = JobRecords([allocated("1", T0, hours=100), allocated("over", T0, hours=1)])
    entries = list(entries_of([used("1", T0), used("1", T0.plus(3_600))], records, RULE))
    ((carrier, rate),) = rates_now(records, entries, RULE, T0.plus(7_200))
    assert carrier.customer == "acme"
    assert rate.bound == Fraction(8 * H100_PEAK, 10**6)
    assert entries[0].best is not None
    assert rate.estimate == Fraction(2 * entries[0].best, 7_200 * 10**6)
    assert rate.until == T0.plus(100 * 3_600).us


def test_a_rate_that_nobody_measured_is_none() -> None:
    """No reading of the last day, an unknown chip: not zero."""
    records = JobRecords([allocated("1", T0, end=None, chip="Nonesuch")])
    ((_, rate),) = rates_now(records, [], RULE, at(3))
    assert (rate.bound, rate.estimate, rate.until) == (None, None, None)


def test_a_record_without_a_chip_goes_on_at_the_bound_that_was_metered() -> None:
    """Schedulers often name none: the devices' own readings tell."""
    records = JobRecords([allocated("1", T0, chip=""), allocated("1", T0.plus(60), chip="")])
    entries = list(entries_of([used("1", T0)], records, RULE))
    rates = [rate for _, rate in rates_now(records, entries, RULE, T0.plus(3_600))]
    assert entries[0].high is not None
    assert [rate.bound for rate in rates] == [Fraction(entries[0].high, 3_600 * 10**6), 0]


def test_the_estimate_of_a_job_in_several_parts_counts_once() -> None:
    """Bounds are each part's own; the estimate is of the job."""
    records = JobRecords([allocated("1", T0), allocated("1", T0.plus(60))])
    entries = list(entries_of([used("1", T0)], records, RULE))
    rates = [rate for _, rate in rates_now(records, entries, RULE, T0.plus(3_600))]
    assert [rate.bound for rate in rates] == [Fraction(8 * H100_PEAK, 10**6)] * 2
    assert rates[1].estimate == 0
