"""Samples and rows of telemetry, made by hand in few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.cleaning import Cleaned, clean
from sekisho.adapters.telemetry.columns import Channel, Samples, SeriesBook, Unusable
from sekisho.adapters.telemetry.limits import LIMITS, Limits
from sekisho.adapters.telemetry.readings import INCOMING
from sekisho.adapters.telemetry.series_rules import settle
from sekisho.model.telemetry import DeviceSeen

__all__ = [
    "DAY_US",
    "NOON",
    "Row",
    "S",
    "Said",
    "cleaned",
    "incoming",
    "named_book",
    "readings",
    "row_dicts",
    "steady",
]

S = 1_000_000
DAY_US = 86_400 * S
NOON = 1_790_000_000 * S // DAY_US * DAY_US + DAY_US // 2
"""Some noon, in microseconds."""

Said = tuple[str, str, int, float]
"""Device, field (perhaps with @factor), microseconds, reported value."""
Row = Mapping[str, Any]


def named_book(site: str = "osaka-1") -> SeriesBook:
    """A book whose series are called field@factor; `other` is not ours, `lost...` names no device."""

    def mapper(
        name: str, labels: Mapping[str, str]
    ) -> tuple[Channel, DeviceSeen] | Unusable | None:
        if name == "other":
            return None
        if name.startswith("lost"):
            return Unusable(reason="no device", why=f"{name} names no device")
        field, _, factor = name.partition("@")
        device = labels["device"]
        seen = DeviceSeen(device=device, site=site, host=labels.get("host", "n1"))
        return Channel(device=device, field=field, factor=float(factor or 1)), seen

    return SeriesBook(mapper, site)


def cleaned(
    said: Iterable[Said],
    *,
    received_us: int = NOON,
    book: SeriesBook | None = None,
    limits: Limits = LIMITS,
) -> Cleaned:
    """What cleaning makes of a delivery."""
    book = book or named_book()
    numbers, at, values = [], [], []
    for device, field, at_us, value in said:
        key = (device, field)
        number = book.by_key.get(key)
        numbers.append(book.learn(key, field, {"device": device}) if number is None else number)
        at.append(at_us)
        values.append(value)
    samples = Samples(
        channel=np.array(numbers, dtype=np.int64),
        at_us=np.array(at, dtype=np.int64),
        value=np.array(values, dtype=np.float64),
    )
    return clean(samples, book, received_us=received_us, limits=limits)


def incoming(rows: Sequence[Row]) -> pa.Table:
    """INCOMING rows: `device` and `at_us` needed, other fields null where left out."""
    names = [row["device"] for row in rows]
    devices = list(dict.fromkeys(names))
    places = pa.array([devices.index(name) for name in names], type=pa.int32())
    device = pa.DictionaryArray.from_arrays(places, pa.array(devices, type=pa.string()))
    others = [
        pa.array([row.get(field.name) for row in rows], type=field.type)
        for field in list(INCOMING)[1:]
    ]
    return pa.Table.from_arrays([device, *others], schema=INCOMING)


def steady(
    count: int, *, device: str = "GPU-a", start: int = NOON, period: int = 10 * S, **fields: Any
) -> list[dict[str, Any]]:
    """Rows at even distances; a field is a number, or a function of the row's number."""
    return [
        {
            "device": device,
            "at_us": start + number * period,
            **{name: what(number) if callable(what) else what for name, what in fields.items()},
        }
        for number in range(count)
    ]


def readings(rows: Sequence[Row], **options: Any) -> list[dict[str, Any]]:
    """What settling makes of rows."""
    return row_dicts(settle(incoming(rows), **options))


def row_dicts(table: Any) -> list[dict[str, Any]]:
    """A table's rows, without what is null."""
    return [
        {name: value for name, value in row.items() if value is not None}
        for row in table.to_pylist()
    ]
