"""Cleaning: each sample of one delivery is taken, passed over, a duplicate, or refused with a reason and an example.

The rules stand in docs/guide/telemetry.md with their numbers, and their numbers in `limits.py`. They are asked in this
order, and the first that speaks decides: is the series ours; is its time possible; is the value a number, a blank,
negative, out of range. What stands is converted to whole numbers of the stored unit and pivoted to rows.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from sekisho.adapters.telemetry.channels import NO_FIELD, ChannelTable, table_of
from sekisho.adapters.telemetry.columns import PASSED_OVER, Samples, SeriesBook
from sekisho.adapters.telemetry.limits import LIMITS, Limits
from sekisho.adapters.telemetry.pivoting import Pivoted, Values, pivot
from sekisho.adapters.telemetry.readings import INCOMING
from sekisho.adapters.telemetry.refusing import Verdict, delivery_notes, tell_refusals
from sekisho.adapters.telemetry.rounding import round_scaled
from sekisho.adapters.telemetry.sentinels import is_sentinel
from sekisho.model.telemetry import Intake, Refusals

__all__ = ["Cleaned", "clean"]

_DAY_US: Final = 86_400_000_000
_STALE: Final = 0x7FF0000000000002  # Prometheus says with this NaN that a series has ended
_YEAR_US: Final = 31_536_000_000_000

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """`table` has the schema INCOMING: a row for each device and instant of the delivery, in no promised order."""

    table: Any
    intake: Intake


def clean(
    samples: Samples, book: SeriesBook, *, received_us: int, limits: Limits = LIMITS
) -> Cleaned:
    """Judge each sample of one delivery, convert and pivot those that stand; the others are counted."""
    table = table_of(book, limits)
    is_ours = _ours(samples, table)
    refused = [*samples.refused, *_unusable(samples, book)]
    passed_over = int(np.count_nonzero((samples.channel >= PASSED_OVER) & ~is_ours))
    if not is_ours.all():
        samples = _only(samples, is_ours)
    if not len(samples.channel):
        return _nothing(samples, refused, passed_over)
    verdicts, stored = _judge(samples, table, received_us=received_us, limits=limits)
    refused += tell_refusals(verdicts, samples, book)
    is_good = verdicts == Verdict.GOOD
    if not is_good.all():
        samples, stored = _only(samples, is_good), stored[is_good]
    if not len(stored):
        return _nothing(samples, refused, passed_over)
    values = Values(
        device=table.device[samples.channel],
        field=table.field[samples.channel],
        at_us=samples.at_us,
        stored=stored,
    )
    rows = pivot(values, table.devices)
    return Cleaned(
        table=rows.table,
        intake=_intake(
            rows,
            refused,
            passed_over,
            delivery_notes(samples, book, rows, received_us=received_us, limits=limits),
        ),
    )


def _ours(samples: Samples, table: ChannelTable) -> Bools:
    """Whether a series is a channel whose quantity the store has."""
    is_channel = samples.channel >= 0
    if (table.field == NO_FIELD).any():
        is_channel &= table.field[np.where(is_channel, samples.channel, 0)] != NO_FIELD
    return is_channel


def _only(samples: Samples, which: Bools) -> Samples:
    return msgspec.structs.replace(
        samples,
        channel=samples.channel[which],
        at_us=samples.at_us[which],
        value=samples.value[which],
    )


def _unusable(samples: Samples, book: SeriesBook) -> list[Refusals]:
    """Samples of series that the book itself calls unusable, by reason, with the first series."""
    numbers = samples.channel[samples.channel < PASSED_OVER]
    counts: dict[str, Refusals] = {}
    for number, count in zip(*np.unique(numbers, return_counts=True), strict=True):
        why = book.why(int(number))
        known = counts.get(why.reason)
        counts[why.reason] = Refusals(
            reason=why.reason,
            count=int(count) + (known.count if known else 0),
            # The number nearest to -2 is the series that was met first.
            first=why.why,
            remedy="see the guide on telemetry",
        )
    return list(counts.values())


def _judge(
    samples: Samples, table: ChannelTable, *, received_us: int, limits: Limits
) -> tuple[Codes, npt.NDArray[np.int64]]:
    """A verdict and a stored number (of no meaning where refused) for each sample."""
    channel, value = samples.channel, samples.value
    scaled = round_scaled(value, table.times, table.over, channel)
    # Comparisons with NaN are false, so whatever is not a number is not in range.
    is_good = (value >= 0) & (scaled >= table.least[channel]) & (scaled <= table.highest[channel])
    is_good &= ~is_sentinel(value)
    is_good &= _in_time(samples, received_us=received_us, limits=limits)
    verdicts = np.zeros(len(value), dtype=np.uint8)
    bad = np.flatnonzero(~is_good)
    if len(bad):
        verdicts[bad] = _reasons(
            samples.at_us[bad], value[bad], received_us=received_us, limits=limits
        )
        scaled[bad] = 0
    stored = np.minimum(scaled, table.most[channel]).astype(np.int64)
    return verdicts, stored


def _in_time(samples: Samples, *, received_us: int, limits: Limits) -> Bools | np.bool_:
    oldest, newest = _window(received_us, limits)
    if samples.at_us.min() >= oldest and samples.at_us.max() <= newest:
        return np.True_
    return (samples.at_us >= oldest) & (samples.at_us <= newest)


def _window(received_us: int, limits: Limits) -> tuple[int, int]:
    """The earliest and the latest instant that a sample may name."""
    oldest = received_us - limits.oldest_days * _DAY_US
    return max(oldest, _first_us(limits)), received_us + limits.ahead_s * 1_000_000


def _first_us(limits: Limits) -> int:
    return (limits.first_year - 1970) * _YEAR_US


def _reasons(
    at_us: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    *,
    received_us: int,
    limits: Limits,
) -> Codes:
    """Why samples that do not stand do not; the last assignment is the first rule."""
    oldest, newest = _window(received_us, limits)
    found = np.full(len(value), Verdict.OUT_OF_RANGE, dtype=np.uint8)
    found[value < 0] = Verdict.NEGATIVE
    found[is_sentinel(value) | (value.view(np.int64) == _STALE)] = Verdict.BLANK
    found[~np.isfinite(value) & (value.view(np.int64) != _STALE)] = Verdict.NOT_A_NUMBER
    found[at_us > newest] = Verdict.IN_THE_FUTURE
    found[at_us < oldest] = Verdict.TOO_OLD
    found[at_us < _first_us(limits)] = Verdict.NO_TIME
    return found


def _intake(
    rows: Pivoted, refused: list[Refusals], passed_over: int, notes: tuple[str, ...]
) -> Intake:
    return Intake(
        taken=rows.taken,
        passed_over=passed_over,
        duplicates=rows.repeated,
        refused=tuple(refused),
        notes=notes,
        fields=rows.fields,
    )


def _nothing(samples: Samples, refused: list[Refusals], passed_over: int) -> Cleaned:
    intake = Intake(passed_over=passed_over, refused=tuple(refused), notes=samples.notes)
    return Cleaned(table=INCOMING.empty_table(), intake=intake)
