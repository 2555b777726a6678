"""A desk whose usage reports rest on a made-up store of telemetry."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from sekisho.adapters.storage.report_files import ReportFiles
from sekisho.metering.accounts.roll_up import RollUp
from sekisho.model.instants import Instant
from sekisho.model.statements import UsageReported
from sekisho.model.statements.shapes import Span
from sekisho.operations.usage.accounting import Grounds, collect_entries
from sekisho.operations.usage.reporting import (
    Planned,
    Stated,
    UsageReports,
    plan_reports,
    roll_up_period,
)
from sekisho.operations.usage.shelf import RollUpShelf
from sekisho.signing import Recorded
from tests.desks import MovingClock, TestDesk
from tests.usage_days import MadeTelemetry, allocated, used

__all__ = ["DAY", "NEXT", "PERIOD", "Reporting", "a_day"]

DAY = Instant.parse("2026-11-22T00:00:00Z")
NEXT = DAY.plus(86_400)
PERIOD = Span(start=DAY, end=NEXT)


def a_day() -> MadeTelemetry:
    """Two hours of acme, one of party-1, one that nobody claims."""
    return MadeTelemetry(
        [
            used("1", DAY),
            used("1", DAY.plus(3_600)),
            used("2", DAY),
            used("", DAY, chips=1),
        ],
        [allocated("1", DAY, hours=2), allocated("2", DAY, hours=1, customer="party-1")],
    )


class Reporting:
    """Reports of one desk over one store."""

    def __init__(
        self, folder: Path, telemetry: MadeTelemetry | None = None, holders: int = 0
    ) -> None:
        self.clock = MovingClock(NEXT.plus(3_600))
        self.made = TestDesk(folder, self.clock, holders=holders)
        self.telemetry = telemetry or a_day()
        self.shelf = RollUpShelf(ReportFiles(folder / "reports"))
        self.drawn = 0
        self.reports = UsageReports(self.made.desk, self.shelf, draw=self._draw)
        self.made.desk.on_forgotten(self.reports.forget)

    def __enter__(self) -> Self:
        self.made.__enter__()
        self.reports.complete(self.made.deposits.book.erased)
        return self

    def __exit__(self, *_: object) -> None:
        self.made.__exit__(None, None, None)

    def roll_ups(self, start: Instant = DAY) -> tuple[RollUp, ...]:
        """What the store gives now for a day."""
        period = Span(start=start, end=start.plus(86_400))
        grounds = Grounds()
        found = collect_entries(self.telemetry, period.start, period.end, grounds)
        parties = self.made.desk.state.regime.parties

        def name_of(party: str) -> str:
            return party if party in parties else f"customer/{party.encode().hex()}"

        return roll_up_period(found, period, counting=grounds.rule.name, name_of=name_of)

    def plan(self, start: Instant = DAY) -> tuple[Planned, ...]:
        return plan_reports(self.shelf, self.made.desk.state.usage, self.roll_ups(start))

    def report(self, reason: str = "", start: Instant = DAY) -> tuple[Stated, ...]:
        return self.reports.report(self.plan(start), reason=reason)

    def stated(self) -> list[Recorded]:
        """The usage reports in the log."""
        return [
            recorded
            for recorded in self.made.desk.recorded()
            if isinstance(recorded.verified.predicate, UsageReported)
        ]

    def _draw(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")
