"""Accounts and usage reports of a deployment: a telemetry store, and a home whose log takes the roll-ups."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.report_files import ReportFiles
from sekisho.app.control import Control
from sekisho.app.home import Home
from sekisho.app.telemetry import open_telemetry
from sekisho.metering.accounts import Account, Question
from sekisho.metering.accounts.roll_up import RollUp
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.names import fold_name
from sekisho.model.statements.shapes import Span
from sekisho.operations.reading import read_state
from sekisho.operations.usage.accounting import Collected, Grounds, account_usage, collect_entries
from sekisho.operations.usage.reporting import Planned, Stated, plan_reports, roll_up_period
from sekisho.operations.usage.shelf import RollUpShelf
from sekisho.operations.usage.verifying import (
    RollUpCheck,
    check_against_log,
    check_against_readings,
    worst_of,
)
from sekisho.ports.telemetry import Telemetry

__all__ = [
    "Collected",
    "Grounds",
    "Planned",
    "RollUpCheck",
    "Stated",
    "UsageDay",
    "account_store",
    "check_against_log",
    "check_against_readings",
    "collect_store",
    "plan_usage_day",
    "report_usage_day",
    "shelf_of",
    "sum_anew",
    "worst_of",
]

DAY_S = 86_400


class UsageDay(msgspec.Struct, frozen=True, kw_only=True):
    """What is reported: a day in UTC, from a store, on grounds that say how."""

    day: Instant
    store: str
    grounds: Grounds

    @property
    def period(self) -> Span:
        return Span(start=self.day, end=self.day.plus(DAY_S))


def account_store(
    store: str,
    question: Question,
    grounds: Grounds,
    *,
    engine: str = "duckdb",
    heard: Callable[[int, int], None] = lambda *_: None,
) -> Account:
    """Answer a question from a telemetry store. Raises what the store raises."""
    return account_usage(open_telemetry(store, engine=engine), question, grounds, heard)


def collect_store(
    store: str, start: Instant, end: Instant, grounds: Grounds, *, engine: str = "duckdb"
) -> Collected:
    """The metered entries of a stretch of time."""
    return collect_entries(open_telemetry(store, engine=engine), start, end, grounds)


def shelf_of(home: Home) -> RollUpShelf:
    """The roll-ups that a home keeps."""
    return RollUpShelf(ReportFiles(home.path / "reports"))


def plan_usage_day(home: Home, asked: UsageDay) -> tuple[Planned, ...]:
    """What reporting a day would do, by the home's published log; beside a running control plane; nothing is written.

    Raises InvalidInput where no regime is founded or nothing is published here.
    """
    state, _ = read_state(FileTileStore(home.public), home.load_root())
    roll_ups = _roll_ups(home, asked, frozenset(state.regime.parties))
    return plan_reports(shelf_of(home), state.usage, roll_ups)


def report_usage_day(
    home: Home, asked: UsageDay, *, reason: str, confirm: Callable[[tuple[Planned, ...]], None]
) -> tuple[Stated, ...]:
    """Keep and state a day's roll-ups. `confirm` is shown the plan, and raises to stop: then nothing has changed.

    Raises StateConflict while a control plane runs on this home, and what planning and reporting raise.
    """
    with Control(home, {}) as control:
        roll_ups = _roll_ups(home, asked, frozenset(control.desk.state.regime.parties))
        planned = plan_reports(shelf_of(home), control.desk.state.usage, roll_ups)
        confirm(planned)
        return control.usage.report(planned, reason=reason)


def sum_anew(roll_up: RollUp, store: str, grounds: Grounds) -> tuple[RollUp, ...]:
    """The roll-ups of the same period from a store: what an outsider with the readings holds a document against."""
    telemetry: Telemetry = open_telemetry(store)
    found = collect_entries(telemetry, roll_up.period.start, roll_up.period.end, grounds)
    return roll_up_period(
        found, roll_up.period, counting=grounds.rule.name, name_of=lambda _: roll_up.licensee
    )


def _roll_ups(home: Home, asked: UsageDay, parties: frozenset[str]) -> tuple[RollUp, ...]:
    if asked.day.us % (DAY_S * 1_000_000):
        raise InvalidInput("is no day", path="--day", remedy="write 2026-01-31")
    found = collect_store(asked.store, asked.period.start, asked.period.end, asked.grounds)
    key = home.tag_key()

    def name_of(party: str) -> str:
        """An enrolled party is public already; any other customer is a tag that nobody else can make."""
        if party in parties:
            return party
        digest = hashlib.sha256(fold_name(party).encode()).hexdigest()
        return f"customer/{key.tag('usage-customer', digest)}"

    return roll_up_period(found, asked.period, counting=asked.grounds.rule.name, name_of=name_of)
