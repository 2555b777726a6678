"""Columns of a table as numbers: instants and values, each with what could not be read.

How a time is written, by rule and never by guess at a zone:

- RFC 3339 with `Z` or an offset: `2026-01-31T09:00:00Z`, `2026-01-31 18:00:00.5+09:00`.
- a number: below 10^11 seconds since the epoch, below 10^14 milliseconds, below 10^17 microseconds, else nanoseconds.
  So a number is read as the same instant, to its unit, from 1973 to the year 5138.
- a time without a zone is refused: nobody but its writer knows which hour it was.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # it comes without types

from sekisho.model.telemetry import Reason

__all__ = ["Instants", "Values", "instants_of", "parse_time", "values_of"]

_WHOLE: Final = r"^[0-9]{1,19}$"
_RFC_3339: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
_NUMBER: Final = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,12})?", re.ASCII)
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_VALUE: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_SPECIAL: Final = {
    "nan": np.nan,
    "+nan": np.nan,
    "-nan": np.nan,
    "inf": np.inf,
    "+inf": np.inf,
    "infinity": np.inf,
    "+infinity": np.inf,
    "-inf": -np.inf,
    "-infinity": -np.inf,
}
_NOT_MEASURED: Final = frozenset(
    {"n/a", "[n/a]", "na", "null", "none", "-", "not supported", "[not supported]"}
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SCALES: Final = ((10**11, 1_000_000), (10**14, 1_000), (10**17, 1))
_MOST_US: Final = 2**62
NO_ZONE: Final = "names no zone"


class Instants(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds since the epoch; `good` is False where there is no instant."""

    at_us: npt.NDArray[np.int64]
    good: npt.NDArray[np.bool_]


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers; `there` is False for an empty cell, `bad` gives the reason for a cell that is no number."""

    value: npt.NDArray[np.float64]
    there: npt.NDArray[np.bool_]
    bad: dict[int, Reason]  # row -> why, rows in order


def instants_of(column: Any, *, exact_us: bool = False) -> Instants:
    """The instants of an Arrow column: text, whole numbers, or timestamps with a zone."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        cast = column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
        return Instants(at_us=_filled(cast, 0), good=_there(column))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _from_numbers(column, exact_us=exact_us)
    coded = column.dictionary_encode()
    known = _from_text(coded.dictionary)
    place = _filled(coded.indices, -1)
    at_us, good = np.append(known.at_us, 0), np.append(known.good, False)
    return Instants(at_us=at_us[place], good=good[place])


def parse_time(text: str) -> int | str:
    """Microseconds since the epoch, or in words why there are none."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return _scaled(Decimal(text))
    found = _MOMENT.fullmatch(text)
    if found is None:
        return "is no time"
    day, hour, fraction, zone = found.groups()
    if zone is None:
        return NO_ZONE
    offset = "+00:00" if zone in "Zz" else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{hour}{offset}")
        since = moment - _EPOCH
    except (ValueError, OverflowError):
        return "is no time"
    whole = since // timedelta(microseconds=1)
    return whole + int(f"{fraction or ''}000000"[:6])


def values_of(column: Any) -> Values:
    """The numbers of an Arrow column of numbers, of text, or of a dictionary of texts."""
    kind = column.type
    there = _there(column)
    if pa.types.is_dictionary(kind):
        return _value_by_value(column, there)
    if not pa.types.is_string(kind):
        return Values(
            value=_filled(column.cast(pa.float64(), safe=False), 0.0), there=there, bad={}
        )
    empty = pc.equal(column, "")
    try:
        numbers = pc.if_else(empty, "0", column).cast(pa.float64())
    except pa.ArrowInvalid:
        return _value_by_value(column.dictionary_encode(), there)
    there &= ~_filled(empty, True)
    return Values(value=_filled(numbers, 0.0), there=there, bad={})


def _from_numbers(column: Any, *, exact_us: bool) -> Instants:
    """Rule of the magnitudes; a number below zero or beyond what counts is no instant."""
    good = _there(column)
    number = _filled(column.cast(pa.float64(), safe=False), np.nan)
    good &= (number >= 0) & (number < _MOST_US)
    if pa.types.is_integer(column.type):
        whole = _filled(column.cast(pa.int64(), safe=False), 0)
    else:
        whole = np.where(good, number, 0).astype(np.int64)
    if exact_us:
        return Instants(at_us=np.where(good, whole, 0), good=good)
    at_us = np.where(good, whole // 1000, 0)
    for below, times in reversed(_SCALES):
        if pa.types.is_integer(column.type) or times == 1:
            scaled = np.where(whole < below, whole, 0) * times
        else:
            scaled = np.rint(np.where(number < below, number, 0.0) * times).astype(np.int64)
        at_us = np.where(good & (number < below), scaled, at_us)
    return Instants(at_us=at_us, good=good)


def _from_text(texts: Any) -> Instants:
    """The instants of different texts: all of one form in one go, else one by one."""
    count = len(texts)
    all_good = np.ones(count, np.bool_)
    if count and pc.all(pc.match_substring_regex(texts, _WHOLE), min_count=0).as_py():
        try:
            return _from_numbers(texts.cast(pa.int64()), exact_us=False)
        except pa.ArrowInvalid:
            pass  # 19 digits may be more than 64 bits hold: one by one
    if count and pc.all(pc.match_substring_regex(texts, _RFC_3339), min_count=0).as_py():
        try:
            cast = texts.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
            return Instants(at_us=_filled(cast, 0), good=all_good)
        except pa.ArrowInvalid:
            pass  # the thirtieth of February: one by one
    found = [parse_time(text) for text in texts.to_pylist()]
    at_us = np.array([each if isinstance(each, int) else 0 for each in found], np.int64)
    return Instants(at_us=at_us, good=np.array([isinstance(e, int) for e in found], np.bool_))


def _scaled(number: Decimal) -> int | str:
    if number < 0:
        return "lies before 1970"
    for below, times in _SCALES:
        if number < below:
            return int(number * times)
    us = int(number / 1000)
    return us if us < _MOST_US else "is no time"


def _value_by_value(coded: Any, there: npt.NDArray[np.bool_]) -> Values:
    """Each different text judged once."""
    judged = [_value(text) for text in coded.dictionary.to_pylist()]
    place = _filled(coded.indices, -1)
    numbers = np.array([each if isinstance(each, float) else 0.0 for each in judged] + [0.0])
    wrong = np.array([isinstance(each, str) for each in judged] + [False])
    there = there & ~np.array([each is None for each in judged] + [True])[place]
    bad: dict[int, Reason] = {}
    for row in np.flatnonzero(wrong[place] & there):
        reason = judged[int(place[row])]
        bad[int(row)] = "blank" if reason == "blank" else "not a number"
    return Values(value=numbers[place], there=there, bad=bad)


def _value(text: str) -> float | str | None:
    """A number, None for nothing, or the reason why it is none."""
    text = text.strip()
    if not text:
        return None
    if _VALUE.fullmatch(text):
        return float(text)
    lowered = text.lower()
    if lowered in _SPECIAL:
        return float(_SPECIAL[lowered])
    return "blank" if lowered in _NOT_MEASURED else "not a number"


def _there(column: Any) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
    return found


def _filled(column: Any, blank: Any) -> Any:
    """As a NumPy array, nulls replaced."""
    filled = pc.fill_null(column, blank) if column.null_count else column
    array = filled.to_numpy(zero_copy_only=False)
    return array if array.flags.writeable else array.copy()
