"""Closing a licence's books: nothing lives under it any more, what was measured is stated, checkpoints are named.

The measured figure is that of the licensee's usage reports for the licence's run. Where there is none, or one of the
roll-ups behind them is not at hand, it is *not measured*; it is never zero for want of evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from sekisho.licensing import LicenceState
from sekisho.metering.accounts.report_book import Reported
from sekisho.metering.accounts.roll_up import RollUp, RollUpRow
from sekisho.model.amounts import format_flop
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import LicenceClosed, Reference
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.licence_drafts import find_licence
from sekisho.operations.state import State
from sekisho.signing import conceal

__all__ = [
    "MEASURED_FIELDS",
    "NOT_MEASURED",
    "ClosingPlan",
    "close_licence",
    "measure_run",
    "plan_closing",
    "usage_of",
]

NOT_MEASURED: Final = "not measured"
_FIGURES: Final = ("bound_low", "bound_high", "estimate_low", "estimate_best", "estimate_high")
MEASURED_FIELDS: Final = (*_FIGURES, "tiers")
"""What a closing conceals, always all of them and in this order, so that nothing is learnt from their number."""
MAX_NAMED: Final = 400


class ClosingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What closing a licence would state: which reports and checkpoints it names, and the measured figures."""

    number: str
    leaf: str
    usage: tuple[str, ...]
    checkpoints: tuple[str, ...]
    measured: dict[str, str]


def usage_of(state: State, held: LicenceState, until: Instant) -> tuple[Reported, ...]:
    """The usage reports of its licensee that count and reach into the licence's time, in the order of the log."""
    start, end = held.licence.period.start, min(held.licence.period.end, until)
    found = [
        report
        for report in state.usage.reports.values()
        if report.fact.licensee == held.licence.licensee
        and report.corrected_by is None
        and report.fact.period.start < end
        and start < report.fact.period.end
    ]
    return tuple(sorted(found, key=lambda report: report.index))


def measure_run(run: str, roll_ups: Sequence[RollUp | None]) -> dict[str, str]:
    """The figures of one run over all roll-ups, in FLOP; `not measured` where anything of them is missing."""
    rows: list[RollUpRow] = []
    for roll_up in roll_ups:
        if roll_up is None:
            return dict.fromkeys(MEASURED_FIELDS, NOT_MEASURED)
        rows += [row for row in roll_up.rows if row.run == run]
    if not rows:
        return dict.fromkeys(MEASURED_FIELDS, NOT_MEASURED)
    figures = {name: _sum(getattr(row, name) for row in rows) for name in _FIGURES}
    return {**figures, "tiers": " ".join(sorted({tier for row in rows for tier in row.tiers}))}


def plan_closing(
    state: State, number: str, load: Callable[[Reported], RollUp | None], *, now: Instant
) -> ClosingPlan:
    """What closing a licence would state now. Raises InvalidInput, and StateConflict while a lease lives."""
    held = find_licence(state, number)
    if held.closed is not None:
        raise StateConflict(f"licence {number} is closed since {held.closed} already")
    if held.live:
        hosts = sorted({lease.granted.host for lease in held.live_leases()})
        raise StateConflict(
            f"licence {number} has live leases on {', '.join(hosts)}",
            remedy="revoke or suspend it, and wait until they are closed or forfeited",
        )
    reports = usage_of(state, held, now)
    written = state.licences.origins.written.get(held.licence.run, ())
    return ClosingPlan(
        number=number,
        leaf=held.leaf,
        usage=tuple(report.leaf for report in reports[-MAX_NAMED:]),
        checkpoints=tuple(written[-MAX_NAMED:]),
        measured=measure_run(held.licence.run, [load(report) for report in reports]),
    )


def close_licence(desk: Desk, plan: ClosingPlan, draw_salt: Callable[[], bytes]) -> Admitted:
    """State the closing. Raises StateConflict where a lease came to life meanwhile.

    A crash before the append leaves disclosures that belong to nothing; the licence is closed anew.
    """
    hidden = [conceal(name, plan.measured[name], draw_salt()) for name in MEASURED_FIELDS]
    fact = LicenceClosed(
        effective=desk.clock.now(),
        licence=Reference(log=desk.origin, leaf=plan.leaf),
        number=plan.number,
        usage=tuple(Reference(log=desk.origin, leaf=leaf) for leaf in plan.usage),
        checkpoints=plan.checkpoints,
        concealed=tuple(digest for digest, _ in hidden),
    )
    return desk.state_fact(fact, disclosures=tuple(shown.text for _, shown in hidden))


def _sum(values: Iterable[str | None]) -> str:
    """The sum of what every row has; a row without the figure leaves the whole unmeasured."""
    total = 0
    for value in values:
        if value is None:
            return NOT_MEASURED
        total += int(value)
    return format_flop(total)
