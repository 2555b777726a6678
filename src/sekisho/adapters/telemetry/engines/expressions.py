"""The analytics, written once: Ibis expressions that every engine answers alike.

Only operations that tests/adapters/telemetry/engines/test_contract.py proves equal on all engines stand here. What that
rules out, and what is done instead:

- Ibis divides whole numbers through doubles on every engine, `//` included: wrong above 2**53. Here only times are
  divided; shares of sums are taken afterwards, in whole numbers.
- A sum of 64-bit numbers overflows on Spark and not on DuckDB: what may, is summed as a decimal.
- Times are microseconds in 64 bits. Spark hands back timestamps without their zone.
- No ASOF join, no hash of an engine, no batches.
"""

from __future__ import annotations

from typing import Any, Final

import ibis  # type: ignore[import-untyped]  # it comes without types
import msgspec

from sekisho.adapters.telemetry.engines.cells import LONG_KEY, Keys
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


class Question(msgspec.Struct, frozen=True):
    """What is known of the files at hand, and so can be left out.

    `absent`: columns that no file has a value in (of minutes: one that is not zero). `small`: sums without decimals,
    since they stay below 2**63 over all rows at hand; on an engine that adds beyond 64 bits, all. `digits`: 18 where
    no row's product reaches 10**18, else 19; `Keys` says why never more. `since_us`: no reading that began earlier
    reaches into the window.
    """

    keys: Keys
    absent: frozenset[str] = frozenset()
    small: frozenset[str] = frozenset()
    digits: int = 19
    since_us: int | None = None


def sum_readings(question: Question) -> Any:
    """Exact sums by `g` over table `readings` joined to table `pieces`; spans are clipped at the pieces' edges."""
    rows = _rated(_keyed(_table("readings", _READINGS), question), question)
    joined = _met(rows)
    began = ibis.ifelse(joined.begins >= joined.start, 1, 0)
    sums: dict[str, Any] = {"readings": began.sum()}
    for name, (ms, work) in _MEASURED.items():
        if name in joined.columns:
            sums |= {ms: _time_of(joined[name], joined), work: _work(joined, name, question)}
    if "clock" in joined.columns:
        sums["clock_max_khz"] = joined.clock.max()
    if "flags" not in question.absent:
        sums["doubtful_ms"] = ibis.ifelse(joined.is_doubtful, joined.ms, None).sum()
    return joined.group_by("g").aggregate(**sums)


def sum_minutes(question: Question) -> Any:
    """Exact sums by `g` over table `minutes` joined to table `pieces`, each minute whole; see `Lookup.share_ms`."""
    minutes = _table("minutes", _MINUTES)
    if question.since_us is not None:
        minutes = minutes.filter(minutes.minute_us >= question.since_us)
    minutes = minutes.mutate(key=_whole_part(minutes.minute_us, question.keys.cell_ms * 1000))
    pieces = _table("pieces", _PIECES)
    joined = minutes.join(
        pieces,
        [
            minutes.device == pieces.device,
            minutes.key == pieces.key,
            minutes.minute_us >= pieces.start,
            minutes.minute_us < pieces.end,
        ],
    )
    sums: dict[str, Any] = {}
    for name in _MINUTE_SUMS:
        if name == "clock_max_khz":
            sums[name] = joined[name].max()
        elif name not in question.absent:
            amount = joined[name]
            wide = name in WIDE_SUMS - question.small
            sums[name] = (_decimal(amount, question.digits) if wide else amount).sum()
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
    "start": "int64",
    "end": "int64",
    "g": "int32",
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
    """From when to when a reading stands, in milliseconds, and the key of the pieces that it may overlap."""
    rows = rows.filter(rows.span_ms > 0)
    if question.since_us is not None:
        rows = rows.filter(rows.at_us >= question.since_us)
    step = question.keys.cell_ms
    begins = _whole_part(rows.at_us, 1000)
    rows = rows.mutate(begins=begins, ends=begins + rows.span_ms.cast("int64"))
    rows = rows.mutate(cell=_whole_part(rows.begins, step))
    near = rows.cell * 2 + 1
    if question.keys.long:
        near = ibis.ifelse(rows.ends <= (rows.cell + 2) * step, near, LONG_KEY)
    return rows.mutate(key=ibis.ifelse(rows.ends <= (rows.cell + 1) * step, rows.cell * 2, near))


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
    kept = ["device", "key", "begins", "ends", *(["is_doubtful"] if "flags" not in absent else [])]
    return rows.select(*kept, **rates)


def _met(rows: Any) -> Any:
    """Rows beside the pieces that they overlap, with `ms` of overlap."""
    pieces = _table("pieces", _PIECES)
    joined = rows.join(
        pieces,
        [
            rows.device == pieces.device,
            rows.key == pieces.key,
            rows.begins < pieces.end,
            rows.ends > pieces.start,
        ],
    )
    end = ibis.least(joined.ends, joined.end)
    return joined.mutate(ms=end - ibis.greatest(joined.begins, joined.start))


def _time_of(rate: Any, joined: Any) -> Any:
    return ibis.ifelse(rate.isnull(), None, joined.ms).sum()


def _work(joined: Any, name: str, question: Question) -> Any:
    if name == "pipe":  # three shares: their product may pass 2**63
        return (_decimal(joined[name], 19) * joined.ms.cast("decimal(10, 0)")).sum()
    product = joined[name] * joined.ms
    if f"{name}_work" in question.small:
        return product.sum()
    return _decimal(product, 18 if name in ("clock", "power") else question.digits).sum()


def _whole_part(amount: Any, step: int) -> Any:
    """floor(amount / step), exact through doubles for amounts of at most 53 bits, whatever the step."""
    return (amount / step).floor().cast("int64")


def _decimal(value: Any, digits: int) -> Any:
    return value.cast(f"decimal({digits}, 0)")
