"""Closing a licence of a home: what it would state, by the published log; stated by the home's own issuer key."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.report_files import ReportFiles
from sekisho.app.control import Control
from sekisho.app.home import Home
from sekisho.metering.accounts.report_book import Reported
from sekisho.metering.accounts.roll_up import RollUp, payload_digest
from sekisho.operations.closing import ClosingPlan, close_licence, plan_closing
from sekisho.operations.desk import Admitted
from sekisho.operations.reading import read_state
from sekisho.operations.usage.shelf import RollUpShelf

__all__ = ["Admitted", "ClosingPlan", "close_home_licence", "plan_home_closing"]


def plan_home_closing(home: Home, number: str) -> ClosingPlan:
    """What closing would state, by the home's published log; beside a running control plane, nothing is written."""
    state, _ = read_state(FileTileStore(home.public), home.load_root())
    return plan_closing(state, number, _loader(home), now=SystemClock().now())


def close_home_licence(
    home: Home, number: str, *, confirm: Callable[[ClosingPlan], None]
) -> tuple[ClosingPlan, Admitted]:
    """Close a licence's books. `confirm` is shown the plan, and raises to stop: then nothing has changed.

    Raises StateConflict while a control plane runs on this home, and what planning raises.
    """
    with Control(home, {}) as control:
        plan = plan_closing(control.desk.state, number, _loader(home), now=control.clock.now())
        confirm(plan)
        return plan, close_licence(control.desk, plan, lambda: secrets.token_bytes(16))


def _loader(home: Home) -> Callable[[Reported], RollUp | None]:
    """Finds the roll-up behind a report; None where it was erased, or is not kept here."""
    shelf = RollUpShelf(ReportFiles(home.path / "reports"))

    def load(report: Reported) -> RollUp | None:
        kept = shelf.find(report.fact.licensee, report.fact.period)
        if isinstance(kept, RollUp) and payload_digest(kept) == report.digest:
            return kept
        return None

    return load
