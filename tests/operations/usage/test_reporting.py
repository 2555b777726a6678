"""Usage reports: one for each customer and day, stated once, corrected by new statements that name the old."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.metering.accounts.roll_up import payload_digest, roll_up_digest
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict
from sekisho.model.statements import UsageReported
from sekisho.operations.usage.reporting import UNCLAIMED, Planned
from sekisho.signing import open_fields
from tests.reported import DAY, PERIOD, Reporting

ACME = "customer/" + b"acme".hex()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Reporting]:
    with Reporting(tmp_path, holders=3) as made:
        yield made


def facts(desk: Reporting) -> list[UsageReported]:
    found = [recorded.verified.predicate for recorded in desk.stated()]
    return [fact for fact in found if isinstance(fact, UsageReported)]


def of(desk: Reporting, licensee: str) -> Planned:
    return next(plan for plan in desk.plan() if plan.roll_up.licensee == licensee)


def test_a_day_is_one_statement_for_each_customer(desk: Reporting) -> None:
    """An enrolled party by its name, another by a tag, and the time that nobody claims."""
    stated = desk.report()
    assert [row.planned.roll_up.licensee for row in stated] == [ACME, UNCLAIMED, "party-1"]
    assert [row.admitted.fresh for row in stated] == [True] * 3
    assert all(fact.period == PERIOD and fact.effective == PERIOD.end for fact in facts(desk))
    assert all(fact.counting == "max-over-formats" for fact in facts(desk))


def test_the_statement_conceals_what_the_document_tells(desk: Reporting) -> None:
    """Digest, figures and name are those of the kept roll-up, opened by the kept disclosures."""
    stated = desk.report()
    for row, recorded in zip(stated, desk.stated(), strict=True):
        fact = recorded.verified.predicate
        assert isinstance(fact, UsageReported)
        kept = desk.shelf.find(fact.licensee, PERIOD)
        assert kept == row.planned.roll_up
        assert fact.rollup == roll_up_digest(row.planned.roll_up)
        texts = desk.made.desk.disclosures_of(recorded.verified.digest)
        assert open_fields(texts, fact.concealed).fields == row.planned.roll_up.concealed_fields()
    deposited = [r for r in desk.made.desk.recorded() if r.verified.kind == "disclosure-deposited"]
    assert len(deposited) == len(stated)


def test_the_same_roll_up_twice_is_one_entry(desk: Reporting) -> None:
    """Asked again, the plan is unchanged and the log does not grow."""
    desk.report()
    size = desk.made.desk.state.size
    assert {plan.kind for plan in desk.plan()} == {"unchanged"}
    again = desk.report()
    assert [row.admitted.fresh for row in again] == [False] * 3
    assert desk.made.desk.state.size == size


def test_other_figures_are_a_correction_that_names_the_old_statement(desk: Reporting) -> None:
    """The old one stays in the log; the new one counts; what it lowers is said before."""
    desk.report()
    first = desk.made.desk.state.usage.find(ACME, PERIOD)
    desk.telemetry.correct("1", chips=4)
    plan = of(desk, ACME)
    assert (plan.kind, plan.is_lowering) == ("correction", True)
    change = plan.change("bound_high")
    assert change is not None
    assert change < 0
    stated = desk.report("readings were counted twice")
    assert [row.admitted.fresh for row in stated] == [True, False, False]
    chain = desk.made.desk.state.usage.chain(ACME, PERIOD)
    assert first is not None
    assert [link.digest for link in chain] == [first.digest, stated[0].admitted.digest]
    assert chain[1].fact.corrects == first.digest
    assert stated[0].planned.roll_up.reason == "readings were counted twice"


def test_a_correction_without_a_reason_is_refused_and_nothing_is_kept(desk: Reporting) -> None:
    """Whoever changes a figure says why."""
    desk.report()
    desk.telemetry.correct("1", chips=1)
    with pytest.raises(InvalidInput, match="without a reason"):
        desk.report("  ")
    assert len(facts(desk)) == 3
    kept = desk.shelf.find(ACME, PERIOD)
    assert kept is not None
    assert len(desk.shelf.load(desk.shelf.names()[0])) == 1


def test_a_correction_is_corrected_in_one_chain(desk: Reporting) -> None:
    """Up and down again; the last link counts."""
    desk.report()
    desk.telemetry.correct("1", chips=9)
    assert not of(desk, ACME).is_lowering
    desk.report("one more chip")
    desk.telemetry.correct("1", chips=8)
    assert of(desk, ACME).is_lowering
    desk.report("no, it was not")
    assert len(desk.made.desk.state.usage.chain(ACME, PERIOD)) == 3


def test_a_customer_whose_usage_is_gone_is_corrected_to_nothing(desk: Reporting) -> None:
    """A report is not forgotten because its readings are: an empty roll-up takes its place, and it is said."""
    desk.report()
    desk.telemetry.usages = [u for u in desk.telemetry.usages if u.job != "1"]
    plan = of(desk, ACME)
    assert (plan.kind, plan.roll_up.rows, plan.is_lowering) == ("correction", (), True)
    desk.report("the job was another customer's")
    assert of(desk, ACME).kind == "unchanged"


def test_a_day_that_is_not_over_is_refused_before_anything_is_kept(desk: Reporting) -> None:
    """By the log's own clock, whatever the reporter's says."""
    desk.clock.move(-7_200)
    with pytest.raises(InvalidInput, match="day that is over"):
        desk.report()
    assert desk.shelf.names() == ()


def test_a_plan_from_before_somebody_elses_report_is_refused(desk: Reporting) -> None:
    """Two who report at once: the second looks again."""
    plan = desk.plan()
    desk.report()
    with pytest.raises(StateConflict, match="meanwhile"):
        desk.reports.report(plan)
    assert len(facts(desk)) == 3


def test_a_report_of_which_the_roll_up_is_lost_is_not_made_again(tmp_path: Path) -> None:
    """The log holds it; a second first report would contradict it."""
    with Reporting(tmp_path) as desk:
        desk.report()
        for path in (tmp_path / "reports").rglob("*.json"):
            path.unlink()
        with pytest.raises(StateConflict, match="no roll-up of it is kept"):
            desk.plan()


def test_a_roll_up_that_was_changed_on_the_disk_is_named(tmp_path: Path) -> None:
    """Stop; do not guess."""
    with Reporting(tmp_path) as desk:
        desk.report()
        next((tmp_path / "reports").rglob("*.json")).write_bytes(b"{}")
        with pytest.raises(Corrupt, match="kept roll-up"):
            desk.plan()


def test_an_erased_account_leaves_no_byte_and_is_not_made_again(desk: Reporting) -> None:
    """The disclosures go, and the document with them; its statement stays."""
    desk.report()
    known = desk.made.desk.state.usage.find(ACME, PERIOD)
    assert known is not None
    desk.made.deposits.erase(known.digest, "Data act, section 9")
    files = [p.read_bytes() for p in desk.made.folder.joinpath("reports").rglob("*.json")]
    assert not any(b'"acme"' in data for data in files)
    assert desk.made.desk.disclosures_of(known.digest) == ()
    with pytest.raises(StateConflict, match="erased by law"):
        desk.plan()


def test_what_a_crash_left_to_erase_is_erased_at_the_next_start(tmp_path: Path) -> None:
    """Stated and destroyed in the private store, and the document still there."""
    with Reporting(tmp_path) as desk:
        desk.report()
        known = desk.made.desk.state.usage.find(ACME, PERIOD)
        assert known is not None
        desk.made.desk._forgotten.clear()  # the crash before the document goes
        desk.made.deposits.erase(known.digest, "Data act, section 9")
    with Reporting(tmp_path) as desk:
        files = [p.read_bytes() for p in tmp_path.joinpath("reports").rglob("*.json")]
        assert not any(b'"acme"' in data for data in files)


def test_the_heads_of_receipt_chains_come_along_and_make_no_correction(tmp_path: Path) -> None:
    """They move on after the day; the account of the day does not."""
    with Reporting(tmp_path) as desk:
        desk.report()
        plan = of(desk, "party-1")
        moved = msgspec.structs.replace(plan.roll_up, salt="00" * 16)
        assert payload_digest(moved) != payload_digest(plan.roll_up)
        assert plan.kind == "unchanged"


def test_two_days_are_two_reports(desk: Reporting) -> None:
    """Half-open days touch."""
    from tests.usage_days import allocated, used

    desk.telemetry.usages.append(used("1", DAY.plus(-86_400)))
    desk.telemetry.records.append(allocated("1", DAY.plus(-86_400), hours=1))
    desk.report()
    desk.report(start=DAY.plus(-86_400))
    assert len(facts(desk)) == 4


def test_roll_ups_of_several_periods_at_once_are_refused(desk: Reporting) -> None:
    """A plan is of one period."""
    from sekisho.operations.usage.reporting import plan_reports
    from tests.usage_days import used

    desk.telemetry.usages.append(used("9", DAY.plus(-86_400)))
    both = (*desk.roll_ups(), *desk.roll_ups(DAY.plus(-86_400)))
    with pytest.raises(InvalidInput, match="several periods"):
        plan_reports(desk.shelf, desk.made.desk.state.usage, both)
