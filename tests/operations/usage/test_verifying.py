"""A roll-up in an outsider's hands: held against the log, and against readings summed anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.metering.accounts.roll_up import RollUp
from sekisho.operations.usage.verifying import (
    check_against_log,
    check_against_readings,
    worst_of,
)
from tests.reported import Reporting


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Reporting]:
    with Reporting(tmp_path) as made:
        yield made


def reported(desk: Reporting) -> RollUp:
    """The roll-up of acme as it was stated."""
    return next(row.planned.roll_up for row in desk.report() if row.planned.roll_up.party == "acme")


def verdicts(roll_up: RollUp, desk: Reporting) -> dict[str, str]:
    checks = (
        *check_against_log(roll_up, desk.made.desk.state.usage),
        *check_against_readings(roll_up, desk.roll_ups()),
    )
    return {check.name: check.verdict for check in checks}


def test_an_honest_roll_up_holds_in_all_four(desk: Reporting) -> None:
    """Statement, current, figures, evidence."""
    assert verdicts(reported(desk), desk) == dict.fromkeys(
        ("statement", "current", "figures", "evidence"), "holds"
    )


def test_another_figure_is_another_document(desk: Reporting) -> None:
    """One operation less: the log holds no such statement, and the readings say otherwise."""
    honest = reported(desk)
    row = honest.rows[0]
    lowered = msgspec.structs.replace(row, bound_high=str(int(row.bound_high or 0) - 1))
    forged = msgspec.structs.replace(honest, rows=(lowered,))
    found = verdicts(forged, desk)
    assert found["statement"] == "fails"
    assert found["figures"] == "fails"


def test_a_roll_up_that_was_corrected_since_does_not_count(desk: Reporting) -> None:
    """It was stated, and something took its place."""
    old = reported(desk)
    desk.telemetry.correct("1", chips=1)
    desk.report("fewer chips")
    (statement, current) = check_against_log(old, desk.made.desk.state.usage)
    assert statement.verdict == "holds"
    assert current.verdict == "fails"


def test_what_is_not_at_hand_is_unverifiable(desk: Reporting) -> None:
    """No log, no readings: nothing is passed."""
    checks = (
        *check_against_log(reported(desk), None),
        *check_against_readings(reported(desk), None),
    )
    assert {check.verdict for check in checks} == {"unverifiable"}
    assert worst_of(checks) == "unverifiable"


def test_files_that_were_compacted_leave_the_figures_and_not_their_digest(desk: Reporting) -> None:
    """The same readings in other files."""
    honest = reported(desk)
    desk.telemetry.correct("1", evidence="sha256:" + "f" * 64)
    found = verdicts(honest, desk)
    assert (found["figures"], found["evidence"]) == ("holds", "unverifiable")


def test_readings_that_hold_nothing_of_a_customer_contradict_its_roll_up(desk: Reporting) -> None:
    """Figures out of nowhere."""
    honest = reported(desk)
    (figures,) = check_against_readings(honest, [])
    assert figures.verdict == "fails"
    assert worst_of([figures]) == "fails"
