"""Accounts: who computed how much, in which window, when a threshold was met, and when one will be."""

from sekisho.metering.accounts.account import (
    PER_UNIT,
    Account,
    Crossing,
    Foreseen,
    KeyAccount,
    PeakWindow,
    Question,
    Style,
    WindowFigures,
    account,
)
from sekisho.metering.accounts.entries import (
    Correction,
    Entry,
    Ledger,
    Reading,
    Unit,
    standing_at,
)
from sekisho.metering.accounts.figures import Figures, add_up
from sekisho.metering.accounts.forecast import Forecast, Outlook, Rate, forecast
from sekisho.metering.accounts.job_table import JobTable, parse_job_table
from sekisho.metering.accounts.keys import KEYS, Identities, KeyKind, identify
from sekisho.metering.accounts.lineage import JobNamed, Runs, join_runs
from sekisho.metering.accounts.ownership import (
    Owned,
    Ownership,
    OwnerTable,
    parse_owner_table,
)
from sekisho.metering.accounts.windows import Window, parse_window
from sekisho.metering.accounts.work_line import Passing, Peak, Stretch, WorkLine

__all__ = [
    "KEYS",
    "PER_UNIT",
    "Account",
    "Correction",
    "Crossing",
    "Entry",
    "Figures",
    "Forecast",
    "Foreseen",
    "Identities",
    "JobNamed",
    "JobTable",
    "KeyAccount",
    "KeyKind",
    "Ledger",
    "Outlook",
    "Owned",
    "OwnerTable",
    "Ownership",
    "Passing",
    "Peak",
    "PeakWindow",
    "Question",
    "Rate",
    "Reading",
    "Runs",
    "Stretch",
    "Style",
    "Unit",
    "Window",
    "WindowFigures",
    "WorkLine",
    "account",
    "add_up",
    "forecast",
    "identify",
    "join_runs",
    "parse_job_table",
    "parse_owner_table",
    "parse_window",
    "standing_at",
]
