"""The analytics, written once: Ibis expressions that every engine answers alike.

Only operations that tests/adapters/telemetry/engines/test_contract.py proves equal on all engines stand here. What that
rules out, and what is done instead:

- Ibis divides whole numbers through doubles on every engine, `//` included, and that is wrong above 2**53. Here the
  quotient is below 2**51, and what is divided has no remainder; `%` is exact.
- A sum of 64-bit numbers overflows on Spark and not on DuckDB: what may, is summed as a decimal.
- Times are microseconds in 64 bits. Spark hands back timestamps without their zone.
- No ASOF join, no hash of an engine, no batches.
"""

from __future__ import annotations

from typing import Any, Final

import ibis  # type: ignore[import-untyped]  # it comes without types
import msgspec

from sekisho.adapters.telemetry.engines.cells import Keys
from sekisho.adapters.telemetry.readings import DOUBTFUL, WIDE_FIELDS
from sekisho.model.telemetry import FIELDS

__all__ = [
    "SUMS",
    "WIDE_SUMS",
    "Question",
    "highest_in_windows",
    "sum_minutes",
    "sum_readings",
    "usual_periods",
]

_MINUTE_SUMS: Final = (
    *("readings", "tensor_ms", "tensor_work", "util_ms", "util_work", "clock_ms", "clock_work"),
    *("clock_max_khz", "power_ms", "energy_mj", "pipe_ms", "pipe_work", "doubtful_ms"),
)
SUMS: Final = (*_MINUTE_SUMS, "power_work")
"""Columns of an answer beside `g`; one that is not there is zero. `power_work` is mW x ms: microjoules."""
WIDE_SUMS: Final = frozenset(
    {"tensor_work", "util_work", "clock_work", "power_work", "pipe_work", "energy_mj"}
)
"""Of these, those that may not fit 64 bits."""

_PIPES: Final = ("fp16_ppm", "fp32_ppm", "fp64_ppm")
_MINUTE_MS: Final = 60_000


class Question(msgspec.Struct, frozen=True):
    """What is known of the files at hand, and so can be left out.

    `absent`: columns that no file has a value in (of minutes: one that is not zero). `digits`: 18 where no row's
    product reaches 10**18, else 19; `Keys` says why never more. `since_us`: no reading that began earlier reaches
    into the window.
    """

    keys: Keys
    absent: frozenset[str] = frozenset()
    digits: int = 19
    since_us: int | None = None


def sum_readings(question: Question) -> Any:
    """Exact sums by `g` over table `readings` joined to table `pieces`; spans are clipped at the pieces' edges."""
    rows = _rated(_keyed(_table("readings", _READINGS), question), question)
    joined = _met(rows, rows.at, rows.until)
    sums: dict[str, Any] = {"readings": ibis.ifelse(joined.at >= joined.start_us, 1, 0).sum()}
    for name, (ms, work) in _MEASURED.items():
        if name in joined.columns:
            sums |= {ms: _time_of(joined[name], joined), work: _work(joined, name, question)}
    if "clock" in joined.columns:
        sums["clock_max_khz"] = joined.clock.max()
    if "flags" not in question.absent:
        sums["doubtful_ms"] = ibis.ifelse(joined.is_doubtful, joined.ms, None).sum()
    return joined.group_by("g").aggregate(**sums)


def sum_minutes(question: Question) -> Any:
    """Exact sums by `g` over table `minutes` joined to table `pieces`.

    A minute that a piece covers in part gives it floor(sum x milliseconds / 60,000) of each sum.
    """
    minutes = _table("minutes", _MINUTES)
    if question.since_us is not None:
        minutes = minutes.filter(minutes.minute_us >= question.since_us)
    key = minutes.minute_us - minutes.minute_us % (question.keys.cell_ms * 1000)
    minutes = minutes.mutate(key=key)
    joined = _met(minutes, minutes.minute_us, minutes.minute_us + _MINUTE_MS * 1000)
    wanted = [name for name in _MINUTE_SUMS if name not in question.absent]
    sums: dict[str, Any] = {}
    for name in wanted:
        if name == "clock_max_khz":
            sums[name] = joined[name].max()
            continue
        part = (_wide_part if name in WIDE_SUMS else _part)(joined[name], joined.ms)
        share = ibis.ifelse(joined.ms == _MINUTE_MS, joined[name], part)
        sums[name] = (_decimal(share, question.digits) if name in WIDE_SUMS else share).sum()
    return joined.group_by("g").aggregate(**sums)


def usual_periods() -> Any:
    """By device of table `readings`: the median distance between readings in microseconds, half ones cut off."""
    rows = _table("readings", _READINGS).select("device", "at_us")
    before = rows.at_us.lag().over(group_by="device", order_by="at_us")
    steps = rows.mutate(step_us=rows.at_us - before)
    steps = steps.filter(steps.step_us.notnull())
    return steps.group_by("device").aggregate(
        period_us=steps.step_us.median().floor().cast("int64")
    )


def highest_in_windows(width_us: int) -> Any:
    """By key of table `amounts` (key, at_us, amount): the highest sum of any stretch of `width_us`, its end included.

    The stretch is half-open, (at - width, at]; amounts of one instant belong together.
    """
    rows = _table("amounts", {"key": "string", "at_us": "int64", "amount": "decimal(38, 0)"})
    window = ibis.range_window(
        preceding=width_us - 1, following=0, group_by="key", order_by="at_us"
    )
    slid = rows.mutate(within=rows.amount.sum().over(window))
    return slid.group_by("key").aggregate(highest=slid.within.max())


_READINGS: Final = {
    "device": "string",
    "at_us": "int64",
    "span_ms": "int32",
    "flags": "int32",
    **{name: "int64" if name in WIDE_FIELDS else "int32" for name in FIELDS},
}
_MINUTES: Final = {
    "device": "string",
    "minute_us": "int64",
    **dict.fromkeys(_MINUTE_SUMS, "int64"),
}
_PIECES: Final = {
    "device": "string",
    "key": "int64",
    "start_us": "int64",
    "end_us": "int64",
    "g": "int64",
}
_MEASURED: Final = {
    "tensor": ("tensor_ms", "tensor_work"),
    "util": ("util_ms", "util_work"),
    "clock": ("clock_ms", "clock_work"),
    "power": ("power_ms", "power_work"),
    "pipe": ("pipe_ms", "pipe_work"),
}
"""Rates of a reading, each null where it was not measured, and the sums that they are for."""


def _table(name: str, columns: dict[str, str]) -> Any:
    return ibis.table(columns, name=name)


def _keyed(rows: Any, question: Question) -> Any:
    """From when to when a reading stands, to the millisecond, and the key of the pieces that it may overlap."""
    rows = rows.filter(rows.span_ms > 0)
    if question.since_us is not None:
        rows = rows.filter(rows.at_us >= question.since_us)
    rows = rows.mutate(at=rows.at_us - rows.at_us % 1000)
    rows = rows.mutate(until=rows.at + rows.span_ms.cast("int64") * 1000)
    keys = question.keys
    cell_us = keys.cell_ms * 1000
    cell = rows.at - rows.at % cell_us
    key = cell
    if keys.long:
        key = ibis.ifelse(rows.until <= cell + 2 * cell_us, cell + 1, -1)
    elif keys.crossing:
        key = cell + 1
    if keys.crossing:
        key = ibis.ifelse(rows.until <= cell + cell_us, cell, key)
    return rows.mutate(key=key)


def _rated(rows: Any, question: Question) -> Any:
    """The rates of each reading: a share counts only beside a clock, that of a pipe only where nothing doubts it."""
    absent = question.absent
    rates: dict[str, Any] = {}
    if "flags" not in absent:
        rows = rows.mutate(is_doubtful=rows.flags % (2 * DOUBTFUL) >= DOUBTFUL)
    if "power_mw" not in absent:
        rates["power"] = rows.power_mw.cast("int64")
    if "sm_clock_khz" not in absent:
        clock = rates["clock"] = rows.sm_clock_khz.cast("int64")
        if "tensor_ppm" not in absent:
            rates["tensor"] = rows.tensor_ppm.cast("int64") * clock
        if "util_ppm" not in absent:
            rates["util"] = rows.util_ppm.cast("int64") * clock
        if not absent.intersection(_PIPES):
            first, second, third = (rows[name].cast("int64") for name in _PIPES)
            rates["pipe"] = (first + second + third) * clock
    if "flags" not in absent:
        doubted = {name: rates[name] for name in ("tensor", "pipe") if name in rates}
        rates |= {n: ibis.ifelse(rows.is_doubtful, None, rate) for n, rate in doubted.items()}
    kept = ["device", "key", "at", "until", *(["is_doubtful"] if "flags" not in absent else [])]
    return rows.select(*kept, **rates)


def _met(rows: Any, start: Any, end: Any) -> Any:
    """Rows beside the pieces that they overlap, with `ms` of overlap."""
    pieces = _table("pieces", _PIECES)
    rows = rows.mutate(begins=start, ends=end)
    joined = rows.join(
        pieces,
        [
            rows.device == pieces.device,
            rows.key == pieces.key,
            rows.begins < pieces.end_us,
            rows.ends > pieces.start_us,
        ],
    )
    shared = ibis.least(joined.ends, joined.end_us) - ibis.greatest(joined.begins, joined.start_us)
    return joined.mutate(ms=(shared / 1000).cast("int64"))


def _time_of(rate: Any, joined: Any) -> Any:
    return ibis.ifelse(rate.isnull(), None, joined.ms).sum()


def _work(joined: Any, name: str, question: Question) -> Any:
    if name == "pipe":  # three shares: their product may pass 2**63
        return (_decimal(joined[name], 19) * joined.ms.cast("decimal(10, 0)")).sum()
    digits = 18 if name in ("clock", "power") else question.digits
    return _decimal(joined[name] * joined.ms, digits).sum()


def _part(amount: Any, ms: Any) -> Any:
    """floor(amount x ms / 60,000) where the product is below 2**63 and the quotient below 2**51."""
    product = amount * ms
    return ((product - product % _MINUTE_MS) / _MINUTE_MS).round().cast("int64")


def _wide_part(amount: Any, ms: Any) -> Any:
    """The same for any amount of 63 bits: what 60,000 divides apart from the rest."""
    rest = amount % _MINUTE_MS
    return ((amount - rest) / _MINUTE_MS).round().cast("int64") * ms + _part(rest, ms)


def _decimal(value: Any, digits: int) -> Any:
    return value.cast(f"decimal({digits}, 0)")
