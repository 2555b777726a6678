"""Metering: from records of runs to FLOP bounds and calibrated estimates, with tier, method and error."""

from sekisho.metering.accuracy import Accuracy, Split, measure_accuracy
from sekisho.metering.calibration import (
    Calibration,
    Prediction,
    calibrate,
    leave_out,
    reference_calibration,
)
from sekisho.metering.counting import CountingRule, parse_counting_rule
from sekisho.metering.coverage import Coverage, binomial_interval
from sekisho.metering.estimate import DeclaredCheck, Estimate
from sekisho.metering.figure import RunFigure, meter_cpu_time, meter_run
from sekisho.metering.records import RowError, RunRecord
from sekisho.metering.reference import ReferenceRun, parse_reference_runs, reference_runs
from sekisho.metering.run_table import MAX_ROWS, RunTable, parse_run_table
from sekisho.metering.usage_figure import Claims, References, UsageFigure, meter_usage

__all__ = [
    "MAX_ROWS",
    "Accuracy",
    "Calibration",
    "Claims",
    "CountingRule",
    "Coverage",
    "DeclaredCheck",
    "Estimate",
    "Prediction",
    "ReferenceRun",
    "References",
    "RowError",
    "RunFigure",
    "RunRecord",
    "RunTable",
    "Split",
    "UsageFigure",
    "binomial_interval",
    "calibrate",
    "leave_out",
    "measure_accuracy",
    "meter_cpu_time",
    "meter_run",
    "meter_usage",
    "parse_counting_rule",
    "parse_reference_runs",
    "parse_run_table",
    "reference_calibration",
    "reference_runs",
]
