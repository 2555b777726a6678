"""Metering: from records of runs to FLOP bounds and calibrated estimates, with tier, method and error."""

from sekisho.metering.accuracy import Accuracy, Split, measure_accuracy
from sekisho.metering.calibration import (
    Calibration,
    Prediction,
    calibrate,
    leave_out,
    reference_calibration,
)
from sekisho.metering.figure import DeclaredCheck, Estimate, RunFigure, meter_cpu_time, meter_run
from sekisho.metering.records import RowError, RunRecord
from sekisho.metering.reference import ReferenceRun, parse_reference_runs, reference_runs
from sekisho.metering.run_table import MAX_ROWS, RunTable, parse_run_table

__all__ = [
    "MAX_ROWS",
    "Accuracy",
    "Calibration",
    "DeclaredCheck",
    "Estimate",
    "Prediction",
    "ReferenceRun",
    "RowError",
    "RunFigure",
    "RunRecord",
    "RunTable",
    "Split",
    "calibrate",
    "leave_out",
    "measure_accuracy",
    "meter_cpu_time",
    "meter_run",
    "parse_reference_runs",
    "parse_run_table",
    "reference_calibration",
    "reference_runs",
]
