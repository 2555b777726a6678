"""Minute sums and gaps from settled readings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.readings import CATCH_UP, DOUBTFUL, MINUTES
from sekisho.adapters.telemetry.series import Column, column_of
from sekisho.model.instants import Instant
from sekisho.ports.telemetry import Gap

__all__ = ["find_gaps", "minutes_of"]

_MINUTE_US: Final = 60_000_000
_PIPES: Final = ("fp16_ppm", "fp32_ppm", "fp64_ppm")
# A hole between the readings of two days counts as a gap from so many usual spans on.
_SPANS: Final = 2
_FOR_GAPS: Final = ("device", "at_us", "span_ms", "flags", "energy_mj")

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def minutes_of(readings: Any) -> Any:
    """MINUTES of READINGS: exact sums over the readings that began in each minute of each device.

    Sorted by device and minute, as the readings are by device and time. What was not measured is absent from a sum;
    that a sum is 0 with 0 milliseconds beside it says *not measured*.
    """
    if not len(readings):
        return MINUTES.empty_table()
    table = readings.unify_dictionaries().combine_chunks()
    codes = _codes(table)
    minute = table.column("at_us").to_numpy() // _MINUTE_US
    is_first = np.ones(len(table), dtype=np.bool_)
    is_first[1:] = (codes[1:] != codes[:-1]) | (minute[1:] != minute[:-1])
    begins = np.flatnonzero(is_first)
    sums = {name: np.add.reduceat(values, begins) for name, values in _summands(table).items()}
    clock = _known(table, "sm_clock_khz")
    highest = np.maximum.reduceat(clock.or_else(0), begins) if clock else np.zeros(len(begins))
    columns = {
        **sums,
        "energy_mj": sums["energy_mj"] // 1000,
        "readings": np.diff(np.append(begins, len(table))),
        "clock_max_khz": highest,
    }
    return pa.Table.from_arrays(
        [
            table.column("device").combine_chunks().take(pa.array(begins)),
            pa.array(minute[begins] * _MINUTE_US),
            *(pa.array(columns[name].astype(np.int64)) for name in MINUTES.names[2:]),
        ],
        schema=MINUTES,
    )


def find_gaps(readings: Any, *, site: str) -> Iterator[Gap]:
    """Stretches without a reading, device by device: from where the reading before ceased to stand.

    Readings of several days and of several tables may lie one after the other in any order. A hole across midnight is
    a gap where it is longer than two usual spans of the device. Without the column `energy_mj` no gap tells energy.
    """
    if not len(readings):
        return
    table = _by_device(readings)
    codes, at_us = _codes(table), table.column("at_us").to_numpy()
    span_us = table.column("span_ms").to_numpy().astype(np.int64) * 1000
    ends = at_us[:-1] // 1000 * 1000 + span_us[:-1]
    follows = table.column("flags").to_numpy()[1:] & CATCH_UP != 0
    usual = _usual_spans(codes, span_us)
    follows |= at_us[1:] - ends > _SPANS * usual[codes[1:]] + 1000
    for row in np.flatnonzero(follows & (codes[1:] == codes[:-1]) & (at_us[1:] > ends)):
        yield Gap(
            device=table.column("device")[int(row)].as_py(),
            site=site,
            start=Instant(int(ends[row])),
            end=Instant(int(at_us[row + 1])),
            energy_mj=_grown(table, int(row)),
        )


def _grown(table: Any, row: int) -> int | None:
    """What the energy counter grew by from a row to the next; None where the columns at hand leave it out."""
    if "energy_mj" not in table.column_names:
        return None
    before, after = (table.column("energy_mj")[place].as_py() for place in (row, row + 1))
    if before is None or after is None or after < before:
        return None
    grown: int = after - before
    return grown


def _by_device(readings: Any) -> Any:
    """The columns that gaps are read from, each device's readings together and in order."""
    names = [name for name in _FOR_GAPS if name in readings.column_names]
    table = readings.select(names).unify_dictionaries().combine_chunks()
    codes, at_us = _codes(table), table.column("at_us").to_numpy()
    if ((codes[1:] == codes[:-1]) & (at_us[1:] < at_us[:-1])).any() or _comes_back(codes):
        return table.take(pa.array(np.lexsort((at_us, codes))))
    return table


def _comes_back(codes: npt.NDArray[np.int32]) -> bool:
    """Whether a device's readings lie in several places."""
    stretches = 1 + int(np.count_nonzero(codes[1:] != codes[:-1]))
    return stretches > len(np.unique(codes))


def _codes(table: Any) -> npt.NDArray[np.int32]:
    codes: npt.NDArray[np.int32] = table.column("device").combine_chunks().indices.to_numpy()
    return codes


def _usual_spans(codes: npt.NDArray[np.int32], span_us: Ints) -> Ints:
    """The median span of each device, by its number."""
    order = np.lexsort((span_us, codes))
    counts = np.bincount(codes)
    middle = np.cumsum(counts) - counts + (counts - 1) // 2
    found: Ints = span_us[order][np.maximum(middle, 0)]
    return found


def _known(table: Any, name: str) -> Column | None:
    return column_of(table.column(name))


def _summands(table: Any) -> Mapping[str, Ints]:
    """For each sum of MINUTES what each reading adds to it."""
    span = table.column("span_ms").to_numpy().astype(np.int64)
    flags = table.column("flags").to_numpy()
    is_doubtful = flags & DOUBTFUL != 0
    clock, power = _known(table, "sm_clock_khz"), _known(table, "power_mw")
    found = {name: np.zeros(len(span), dtype=np.int64) for name in MINUTES.names[2:]}
    found["span_ms"] = span
    found["doubtful_ms"] = np.where(is_doubtful, span, 0)
    if power:
        found["power_ms"] = np.where(_is_known(power), span, 0)
        found["energy_mj"] = (
            power.numbers * found["power_ms"]
        )  # mW x ms is uJ: cut once, after summing
    if clock:
        clock_ms = np.where(_is_known(clock), span, 0)
        clock_work = clock.numbers * clock_ms
        found["clock_ms"], found["clock_work"] = clock_ms, clock_work
        believed_ms = np.where(is_doubtful, 0, clock_ms)
        _add(found, "tensor", _known(table, "tensor_ppm"), clock, believed_ms)
        _add(found, "util", _known(table, "util_ppm"), clock, clock_ms)
        _add(found, "pipe", _all_pipes(table), clock, believed_ms)
    return found


def _add(
    found: dict[str, Ints], name: str, share: Column | None, clock: Column, span_ms: Ints
) -> None:
    """A share x clock x milliseconds, and the milliseconds in which the share is known."""
    if share is not None:
        known_ms = np.where(_is_known(share), span_ms, 0)
        found[f"{name}_ms"] = known_ms
        found[f"{name}_work"] = share.numbers * (clock.numbers * known_ms)


def _all_pipes(table: Any) -> Column | None:
    """The pipes beside the tensor pipe together; not known where one of them is not."""
    pipes = [_known(table, name) for name in _PIPES]
    if not all(pipes):
        return None
    known = np.logical_and.reduce([np.broadcast_to(_is_known(p), len(table)) for p in pipes if p])
    return Column(np.add.reduce([p.numbers for p in pipes if p], dtype=np.int64), known)


def _is_known(column: Column) -> Bools | np.bool_:
    return np.True_ if column.known is None else column.known
