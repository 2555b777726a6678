"""The calibration and its measured error: nothing in it has seen the system that it is tested on."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from sekisho.metering import (
    ReferenceRun,
    Split,
    calibrate,
    leave_out,
    measure_accuracy,
    parse_reference_runs,
    reference_calibration,
    reference_runs,
)
from sekisho.model.chips import known_chips
from sekisho.model.errors import InvalidInput

HEADER = "run_id,system,chip,chips,seconds,params,tokens,declared_flop"
RUN = "a,s,TPU-v5p,512,6887.633,175000000000,1207959552,1268357529600000000000"


def test_the_reference_table_has_fifteen_runs_of_five_systems() -> None:
    """Utilisation of 16-bit peak between 0.70 and 0.82, as the facts say."""
    runs = reference_runs()
    assert len(runs) == 15
    assert len({run.system for run in runs}) == 5
    assert {run.chip for run in runs} == {"TPU v5p", "H100 SXM5"}
    assert all(Fraction("0.70") < run.utilisation < Fraction("0.8204") for run in runs)


def test_utilisation_falls_with_scale() -> None:
    """One slope for all chips, in points for each doubling."""
    found = reference_calibration()
    assert -0.03 < found.slope < -0.01
    assert found.predict("TPU v5p", 6144).best < found.predict("TPU v5p", 512).best


def test_leaving_one_system_out_is_within_the_reported_error() -> None:
    """N = 15 runs of 5 systems: median below 3 %, worst below 9 %, interval and bound hold all."""
    found = measure_accuracy("system")
    assert (found.runs, found.groups) == (15, 5)
    assert found.median_error < 0.03
    assert found.worst_error < 0.09
    assert found.held_by_interval == 15
    assert found.held_by_bound == 15


def test_leaving_a_scale_or_a_chip_out_is_within_the_reported_error() -> None:
    """Scales: worst below 9 %. Chips: worst below 17 %, and the wide interval holds."""
    scale, chip = measure_accuracy("scale"), measure_accuracy("chip")
    assert (scale.groups, chip.groups) == (4, 2)
    assert scale.worst_error < 0.09
    assert chip.worst_error < 0.17
    assert scale.held_by_interval == chip.held_by_interval == 15


def predictions(runs: Sequence[ReferenceRun]) -> dict[str, Fraction]:
    """Each run's utilisation as predicted without its system."""
    return {run.run_id: found.best for run, found in leave_out(runs, lambda run: run.system)}


def test_a_left_out_system_has_no_say_in_its_own_prediction() -> None:
    """Falsify one system's times: the predictions for it do not move, those for the others do."""
    runs = reference_runs()
    system = runs[0].system
    lied = [
        msgspec.structs.replace(run, utilisation=run.utilisation / 2)
        if run.system == system
        else run
        for run in runs
    ]

    honest, false = predictions(runs), predictions(lied)
    for run in runs:
        assert (honest[run.run_id] == false[run.run_id]) is (run.system == system)


def test_a_wilder_population_gives_a_wider_interval() -> None:
    """The width comes from the errors seen, not from a constant."""
    runs = reference_runs()
    wild = [
        msgspec.structs.replace(run, utilisation=run.utilisation * (2 if run.chips == 1024 else 1))
        for run in runs
    ]
    assert calibrate(wild).width > 2 * reference_calibration().width


def test_a_single_run_is_no_ground_for_a_narrow_interval() -> None:
    """A quarter where no two systems share a chip, and no slope out of one scale."""
    alone = calibrate(reference_runs()[:1])
    assert alone.width == 0.25
    assert alone.slope == 0


def test_few_systems_widen_the_error_that_they_showed() -> None:
    """Four systems of one chip: Student's t of three degrees over the normal quantile, 1.62 times the worst error."""
    found = reference_calibration()
    assert found.width == pytest.approx(3.182 / 1.960 * found.worst_error)
    fewer = calibrate([run for run in reference_runs() if run.chips != 1536])
    assert fewer.width / fewer.worst_error == pytest.approx(4.303 / 1.960)


@pytest.mark.parametrize(("split", "groups"), [("system", 5), ("scale", 4), ("chip", 2)])
def test_coverage_is_reported_by_runs_and_by_groups(split: Split, groups: int) -> None:
    """Runs of one system are not independent, so systems count too; high over low stays below three."""
    found = measure_accuracy(split)
    assert (found.coverage.held, found.coverage.of) == (15, 15)
    assert (found.groups_held, found.group_coverage.of) == (groups, groups)
    assert found.group_coverage.low < 0.5 < found.coverage.low
    assert found.median_error <= 0.15
    assert 1 < found.median_width <= found.widest <= 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TPU-v5p", "TPU-v99"),
        ("1268357529600000000000", "1"),
        ("6887.633", "soon"),
        ("512", "-512"),
    ],
)
def test_a_wrong_reference_row_is_refused(old: str, new: str) -> None:
    """Unknown chip, a declared value that is not 6ND, text for a number."""
    good = f"# source\n{HEADER}\n{RUN}\n"
    assert len(parse_reference_runs(good, "r.csv", known_chips())) == 1
    with pytest.raises(InvalidInput, match=r"r\.csv"):
        parse_reference_runs(good.replace(old, new), "r.csv", known_chips())
    with pytest.raises(InvalidInput, match="columns"):
        parse_reference_runs("a,b\n", "r.csv", known_chips())


@pytest.mark.testdata
def test_the_carried_figures_are_those_of_the_public_records(public_records: Path) -> None:
    """Run by run: chips, seconds and declared work."""
    with (public_records / "mlperf" / "runs_v4.0.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["run_id"]: row for row in csv.DictReader(stream) if row["benchmark"] == "gpt3"}
    assert rows.keys() == {run.run_id for run in reference_runs()}
    for run in reference_runs():
        row = rows[run.run_id]
        assert (run.chips, run.seconds) == (int(row["chip_count"]), Fraction(row["seconds"]))
        assert run.declared_flop == 6 * 175 * 10**9 * int(row["work_processed"])
        assert run.system == row["system"]
