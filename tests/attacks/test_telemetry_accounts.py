"""Attacks on accounts: work split, renamed, timed and corrected so that no threshold is seen to be met."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.metering.accounts import (
    OwnerTable,
    Stretch,
    WorkLine,
    parse_job_table,
    parse_owner_table,
    standing_at,
)
from sekisho.metering.accounts.roll_up import statement_of
from sekisho.model.errors import InvalidInput, NotAuthorised, SekishoError, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import make_payload
from sekisho.operations.usage.reporting import Planned
from sekisho.signing import parse_envelope, sign_payload
from sekisho.signing.keys import Signer
from tests import factory as f
from tests.metering.accounts.made import answer, at, entry, job, only, question
from tests.reported import NEXT, PERIOD, Reporting

ACME = "customer/" + b"acme".hex()
LIMIT = 1_000


def owner_of(*customers: str) -> OwnerTable:
    rows = "\n".join(f"{customer},holding" for customer in customers)
    return parse_owner_table(f"customer,owner\n{rows}\n".encode(), "owners.csv")


def test_a_run_split_over_customers_of_one_owner_is_one_owners_work() -> None:
    """Ten accounts at a tenth each: none crosses, their owner does, and their run is one."""
    names = [f"shell{n}" for n in range(10)]
    entries = [entry(0, 10, 110, job=name, customer=name) for name in names]
    jobs = tuple(job(name, customer=name, run="gpt") for name in names)
    by_customer = answer(entries, question(thresholds=(LIMIT,), style="sliding"), jobs=jobs)
    assert all(row.crossings == () for row in by_customer.keys)
    for by in ("owner", "run"):
        found = only(
            answer(
                entries,
                question(by=by, thresholds=(LIMIT,), style="sliding"),
                jobs=jobs,
                owners=owner_of(*names),
            )
        )
        reached = -(-10 * 86_400 * 10**6 * LIMIT // (10 * 110))
        assert found.crossings[0].at.us == at(0).us + reached


def test_a_run_split_over_shell_firms_with_small_shares_is_their_common_holders() -> None:
    """No shell holds half; who holds the shells does."""
    rows = "".join(f"acme,shell{n},0.25\nshell{n},z,\n" for n in range(4))
    table = parse_owner_table(f"customer,owner,share\n{rows}".encode(), "owners.csv")
    assert table.owned_at("acme", at(0).us).owners == ("z",)


def test_a_run_split_over_sites_is_one_run_and_one_customers_work() -> None:
    """Decentralised training: each site below, the sum above."""
    entries = [entry(0, 10, 600, job="7", site=site) for site in ("tokyo", "osaka")]
    jobs = tuple(job("7", site=site, run="gpt") for site in ("tokyo", "osaka"))
    for by in ("customer", "run"):
        found = answer(entries, question(by=by, thresholds=(LIMIT,), style="sliding"), jobs=jobs)
        assert [c.at for c in only(found).crossings if c.reading == "bound"][:1] == [at(10 / 1.2)]
    by_site = answer(entries, question(by="site", thresholds=(LIMIT,), style="sliding"), jobs=jobs)
    assert all(row.crossings == () for row in by_site.keys)


def test_restarts_under_new_names_are_one_run_by_their_checkpoints() -> None:
    """Each restart has a new job and a new run name, and names the checkpoint that it began from."""
    entries = [entry(n, n + 1, 300, job=f"j{n}") for n in range(4)]
    jobs = tuple(
        job(f"j{n}", n, run=f"run-{n}", parents=(f"j{n - 1}",) if n else ()) for n in range(4)
    )
    found = answer(entries, question(by="run", thresholds=(LIMIT,), style="sliding"), jobs=jobs)
    ups = [c for c in only(found).crossings if (c.reading, c.direction) == ("bound", "up")]
    assert only(found).key == "run-0"
    assert len(ups) == 1


def test_restarts_from_a_checkpoint_that_nobody_recorded_are_one_run() -> None:
    """Leaving the parent's record out joins them all the same, as origin unknown."""
    entries = [entry(n, n + 1, 300, job=f"j{n}") for n in range(4)]
    jobs = tuple(job(f"j{n}", n, run=f"run-{n}", parents=("c" * 64,)) for n in range(4))
    found = only(answer(entries, question(by="run", thresholds=(LIMIT,)), jobs=jobs))
    assert found.total.bound_high == 1_200
    assert "origin is unknown" in found.notes[0]


def test_naming_a_strangers_run_as_parent_adds_nothing_to_the_stranger() -> None:
    """Else anybody could drive a competitor over a threshold."""
    entries = [entry(0, 1, 900, job="a"), entry(0, 1, 900, job="m", customer="mallory")]
    jobs = (job("a", run="gpt"), job("m", customer="mallory", parents=("gpt", "a")))
    found = answer(entries, question(by="run", thresholds=(LIMIT,)), jobs=jobs)
    assert {row.key: row.total.bound_high for row in found.keys} == {"gpt": 900, "m": 900}
    assert any("another owner" in note for row in found.keys for note in row.notes)


def test_work_just_below_the_threshold_in_each_calendar_month_is_seen_by_a_sliding_window() -> None:
    """999 in the last days of January and 999 in the first of February."""
    entries = [entry(26, 31, LIMIT - 1), entry(31, 36, LIMIT - 1)]
    months = only(answer(entries, question("month", thresholds=(LIMIT,), style="calendar")))
    assert months.crossings == ()
    sliding = only(answer(entries, question("30d", thresholds=(LIMIT,), style="sliding")))
    up = next(c for c in sliding.crossings if c.reading == "bound")
    exact = at(31).us + -(-5 * 86_400 * 10**6 // (LIMIT - 1))
    assert up.at == Instant(exact)


def test_spellings_of_one_customer_are_one_customer() -> None:
    """Capitals, full-width letters and spaces split nothing."""
    entries = [
        entry(0, 10, 600, job="1", customer="Acme  Inc"),
        entry(0, 10, 600, job="2", customer="ＡＣＭＥ inc"),
    ]
    found = only(answer(entries, question(thresholds=(LIMIT,), style="sliding")))
    assert found.crossings


def test_selling_the_firm_in_mid_run_divides_the_owner_and_not_the_run() -> None:
    """The new owner's work begins at the sale; the run goes on."""
    table = parse_owner_table(
        b"customer,owner,from,to\nacme,x,,2026-01-06\nacme,y,2026-01-06,\n", "owners.csv"
    )
    entries = [entry(0, 5, 600, job="1"), entry(5, 10, 600, job="2")]
    jobs = (job("1", 0, run="gpt"), job("2", 5, run="other", parents=("1",)))
    by_owner = answer(entries, question(by="owner"), jobs=jobs, owners=table)
    assert {row.key: row.total.bound_high for row in by_owner.keys} == {"x": 600, "y": 600}


def test_a_job_of_one_microsecond_and_one_of_no_length_break_nothing() -> None:
    """All the work in one microsecond crosses in that microsecond; none at all holds nothing."""
    start = at(0).us
    line = WorkLine([Stretch(start, start + 1, 10**30, 1), Stretch(start, start, 5, 1)])
    (up, down) = line.find_passings([10**30], 60)
    assert (up.at, down.at) == (start + 1, start + 61)
    table = parse_job_table(b"job,start,end,flop\n1,5,5,1e20\n2,5,5,0\n", "f.csv")
    assert [error.line for error in table.errors] == [2]
    assert len(table.entries) == 1


def test_figures_of_38_digits_add_up_without_losing_one() -> None:
    """Floating point would."""
    big = 10**38 - 1
    found = only(answer([entry(0, 1, big), entry(1, 2, 1, name="x")], question("month")))
    assert found.total.bound_high == 10**38


def test_a_lowering_in_silence_is_shown() -> None:
    """A correction says what it lowers; a second figure under an old name is refused."""
    first = entry(0, 1, 1_000, name="first", recorded=at(1))
    lower = entry(0, 1, 1, name="second", recorded=at(2), replaces=("first",))
    (change,) = standing_at([first, lower]).corrections
    assert change.is_lowering
    assert change.bound_change == -999
    with pytest.raises(InvalidInput, match="stands twice"):
        standing_at([first, entry(0, 1, 1, name="first", recorded=at(2))])


# --- in the log -----------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Reporting]:
    with Reporting(tmp_path) as made:
        yield made


def acme(desk: Reporting) -> Planned:
    return next(plan for plan in desk.plan() if plan.roll_up.licensee == ACME)


def test_a_replay_of_a_report_adds_nothing(desk: Reporting) -> None:
    """The same envelope again, and the same payload signed again, are the entry that stands."""
    desk.report()
    size = desk.made.desk.state.size
    recorded = desk.stated()[0]
    admitted = desk.made.desk.admit(recorded.verified.envelope.raw, own=True)
    assert not admitted.fresh
    again = sign_payload(parse_envelope(recorded.verified.envelope.raw).payload, [f.OPERATOR])
    assert not desk.made.desk.admit(again.raw, own=True).fresh
    assert desk.made.desk.state.size == size


def test_a_second_first_report_of_a_day_is_refused(desk: Reporting) -> None:
    """With other figures, or for half of the day: only a correction may change them, and it shows."""
    stated = desk.report()
    honest = next(r.planned.roll_up for r in stated if r.planned.roll_up.licensee == ACME)
    other = msgspec.structs.replace(honest, rows=(), salt="77" * 16)
    half = msgspec.structs.replace(
        other, period=msgspec.structs.replace(PERIOD, end=PERIOD.start.plus(3_600))
    )
    for forged in (other, half):
        with pytest.raises(StateConflict, match="already"):
            desk.made.desk.state_fact(statement_of(forged)[0])


def test_a_correction_of_another_customers_report_is_refused(desk: Reporting) -> None:
    """And so is one that corrects what is corrected already: no two figures stand side by side."""
    desk.report()
    mine, other = (desk.made.desk.state.usage.find(name, PERIOD) for name in (ACME, "party-1"))
    assert mine is not None
    assert other is not None
    wrong = msgspec.structs.replace(mine.fact, corrects=other.digest)
    with pytest.raises(StateConflict, match="another licensee"):
        desk.made.desk.state_fact(wrong)
    desk.telemetry.correct("1", chips=4)
    desk.report("fewer")
    twice = msgspec.structs.replace(mine.fact, corrects=mine.digest, rollup="1" * 64)
    with pytest.raises(StateConflict, match="already"):
        desk.made.desk.state_fact(twice)


@pytest.mark.parametrize(
    ("key", "error"), [(f.PARTY, NotAuthorised), (f.OPERATOR, InvalidInput)], ids=["party", "own"]
)
def test_nobody_but_the_control_plane_reports_usage(
    desk: Reporting, key: Signer, error: type[SekishoError]
) -> None:
    """A licensee's own report is refused, and one that is handed in from outside under whatever key."""
    fact, _ = statement_of(msgspec.structs.replace(acme(desk).roll_up, salt="11" * 16))
    with pytest.raises(error):
        desk.made.desk.admit(sign_payload(make_payload(fact), [key]).raw)
    assert desk.stated() == []


def test_the_reporters_clock_dates_nothing(desk: Reporting) -> None:
    """A report is dated by the end of its day, whenever it is made; before that it is refused."""
    desk.clock.move(40 * 86_400)
    desk.report()
    assert {r.verified.predicate.effective for r in desk.stated()} == {NEXT}


def test_a_clock_set_back_reports_no_day_that_is_not_over(desk: Reporting) -> None:
    """The figures would still change."""
    desk.clock.move(-20 * 3_600)
    with pytest.raises(InvalidInput, match="day that is over"):
        desk.report()
    assert desk.stated() == []


# --- size -----------------------------------------------------------------------------------------


def many(count: int) -> tuple[float, int]:
    """Account so many overlapping jobs with rates that no decimal holds; seconds taken, crossings found."""
    line = [
        Stretch(n * 7_000_003, n * 7_000_003 + 10**9 + n % 9_973, 10**15 + n, 10**9 + n % 9_973)
        for n in range(count)
    ]
    began = time.process_time()
    levels = [10**15 * part for part in (1, 50, 100)]
    found = WorkLine(line).find_passings(levels, 5 * 10**9)
    return time.process_time() - began, len(found)


def test_fifty_thousand_jobs_take_seconds() -> None:
    """N log n: no pair of jobs is compared, no denominator of all jobs is made."""
    seconds, found = many(50_000)
    assert found
    assert seconds < 10


@pytest.mark.soak
def test_a_million_jobs_grow_as_they_should() -> None:
    """Twenty times as many take not much more than twenty times as long."""
    small, _ = many(50_000)
    large, _ = many(1_000_000)
    assert large < 40 * small + 5


def test_touches_without_number_are_decided_each_exactly() -> None:
    """A line that rests on the threshold at every bend, at rates of thirds and sevenths."""
    line = [Stretch(n * 21, n * 21 + 21, 7 if n % 2 else 3, 21) for n in range(2_000)]
    began = time.process_time()
    found = WorkLine(line).find_passings([10], 42)
    assert time.process_time() - began < 5
    assert found[0].at == 42
    assert {passing.direction for passing in found} == {"up", "down"}
