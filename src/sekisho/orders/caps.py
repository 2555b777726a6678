"""Was a cap kept? Judged from what a meter showed of the work under it, with the error of the measuring. Pure.

Three verdicts: *holds* where even the most that the work can have used lies within the cap, *fails* where even the
least lies above it, *not-measured* otherwise. A bound that is sound against the operator is a most and no least, so it
can acquit and not convict; processor time is both. Protocol sections 8 and 11.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Period
from sekisho.model.statements import ReceiptGiven
from sekisho.orders.registers import KnownOrder

__all__ = [
    "CAP_MARGIN",
    "CapJudged",
    "CapUse",
    "CapVerdict",
    "judge_cap",
    "measure_bound",
    "measure_devices",
    "measure_processor",
    "strictest_cap",
]

CapVerdict: TypeAlias = Literal["holds", "fails", "not-measured"]
CAP_MARGIN: Final = 0.03
"""What the means themselves may overshoot, as a share of the whole: turns of a duty cycle, slices of a quota."""
_READING_ERROR_S: Final = (
    0.2  # two readings, each as late as a busy host and its clock ticks make them
)
_SHORTEST_S: Final = 10.0


class CapUse(msgspec.Struct, frozen=True, kw_only=True):
    """What work used of a host's whole over a stretch of time: shares between `low` and `high`, by which meter."""

    low: float
    high: float
    seconds: float
    basis: Literal["processor-time", "device-time", "metered-bound"]


class CapJudged(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict, with what it rests on in words."""

    verdict: CapVerdict
    reason: str


def strictest_cap(capping: Iterable[KnownOrder]) -> int | None:
    """The lowest percent that any of these orders leaves; None where none caps."""
    caps = (known.order.cap_percent for known in capping)
    return min((percent for percent in caps if percent is not None), default=None)


def judge_cap(percent: int, use: CapUse | None) -> CapJudged:
    """Whether a cap that leaves `percent` was kept; what nothing or too little measured is not measured."""
    if use is None:
        return CapJudged(
            verdict="not-measured", reason="no meter speaks of the work under this cap"
        )
    told = (
        f"between {use.low:.1%} and {use.high:.1%} of the whole by {use.basis} over {use.seconds:.0f} s, "
        f"{percent} % are left"
    )
    if use.seconds < _SHORTEST_S:
        return CapJudged(verdict="not-measured", reason=f"too short a time: {told}")
    limit = percent / 100 + CAP_MARGIN
    if use.high <= limit:
        return CapJudged(verdict="holds", reason=told)
    return CapJudged(verdict="fails" if use.low > limit else "not-measured", reason=told)


def measure_processor(used_s: float, seconds: float, cores: int) -> CapUse | None:
    """From processor seconds: as exact as its readings. None where there is no time or no core to be a share of."""
    whole = seconds * cores
    if whole <= 0 or used_s < 0:
        return None
    error = _READING_ERROR_S / seconds
    share = used_s / whole
    return CapUse(
        low=max(share - error, 0.0), high=share + error, seconds=seconds, basis="processor-time"
    )


def measure_devices(handed_out_s: float, seconds: float, devices: int) -> CapUse | None:
    """From device-seconds that a scheduler handed out: used at most; what lay idle of them nobody says."""
    whole = seconds * devices
    if whole <= 0 or handed_out_s < 0:
        return None
    high = handed_out_s / whole + _READING_ERROR_S / seconds
    return CapUse(low=0.0, high=high, seconds=seconds, basis="device-time")


def measure_bound(
    receipts: Iterable[ReceiptGiven], peak_flop_per_s: int, within: Period
) -> CapUse | None:
    """From the quantum receipts of a period under a cap: their bound is a most, what the work declared a least.

    Only receipts under one lease are compared, since each lease counts anew; the longest such stretch is taken. None
    where there are not two. Times are the host's own word.
    """
    spans: dict[str, list[ReceiptGiven]] = {}
    for receipt in receipts:
        spend = receipt.spend
        if receipt.stage == "quantum" and spend is not None and within.holds(receipt.effective):
            spans.setdefault(spend.lease.leaf, []).append(receipt)
    uses = [use for rows in spans.values() if (use := _span(rows, peak_flop_per_s)) is not None]
    return max(uses, key=lambda use: use.seconds, default=None)


def _span(rows: list[ReceiptGiven], peak_flop_per_s: int) -> CapUse | None:
    first, last = rows[0], rows[-1]
    if first.spend is None or last.spend is None:
        return None
    seconds = last.effective.since(first.effective)
    if seconds <= 0 or peak_flop_per_s <= 0:
        return None
    whole = peak_flop_per_s * seconds
    most = parse_flop(last.spend.bound_flop) - parse_flop(first.spend.bound_flop)
    told, before = last.spend.declared_flop, first.spend.declared_flop
    least = parse_flop(told) - parse_flop(before) if told and before else 0
    if most < 0:
        return None
    return CapUse(
        low=max(least, 0) / whole, high=most / whole, seconds=seconds, basis="metered-bound"
    )
