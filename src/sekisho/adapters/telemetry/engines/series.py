"""Other questions that the engines answer alike: usual periods, the highest sum in a sliding window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.engines.engine import Engine
from sekisho.adapters.telemetry.engines.expressions import highest_in_windows, usual_periods
from sekisho.adapters.telemetry.engines.source_file import SourceFile
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant

__all__ = ["Amount", "find_highest", "find_usual_periods"]


class Amount(msgspec.Struct, frozen=True):
    """So much of something at an instant, to the account of `key`; a whole number of at most 38 digits."""

    key: str
    at: Instant
    amount: int


def find_usual_periods(engine: Engine, files: Sequence[SourceFile]) -> dict[str, int]:
    """By device: the median distance of its readings in microseconds; a device with one reading has none.

    Files of one site. Exact: engines sort, they do not sample.
    """
    engine.read("readings", [file.path for file in files])
    rows = engine.answer(usual_periods())
    return dict(
        zip(*(rows.column(name).to_pylist() for name in ("device", "period_us")), strict=True)
    )


def find_highest(engine: Engine, amounts: Iterable[Amount], *, window_s: int) -> dict[str, int]:
    """By key: the most that fell within any `window_s` seconds, (at - window, at], amounts of one instant together."""
    if window_s < 1:
        raise InvalidInput("a window lasts at least a second", path="window_s")
    rows = list(amounts)
    table = {
        "key": pa.array([row.key for row in rows], pa.string()),
        "at_us": pa.array([row.at.us for row in rows], pa.int64()),
        "amount": pa.array([row.amount for row in rows], pa.decimal128(38, 0)),
    }
    engine.take("amounts", pa.table(table))
    found = engine.answer(highest_in_windows(window_s * 1_000_000))
    return {
        key: int(highest)
        for key, highest in zip(
            *(found.column(c).to_pylist() for c in ("key", "highest")), strict=True
        )
    }
