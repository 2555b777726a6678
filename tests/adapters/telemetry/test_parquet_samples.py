"""Parquet of samples: the shapes of CSV, our own schemas, and files that lie about themselves."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types
import pytest

from sekisho.adapters.telemetry.cleaning import clean
from sekisho.adapters.telemetry.columns import SeriesBook
from sekisho.adapters.telemetry.names_table import table_mapper
from sekisho.adapters.telemetry.parquet_samples import parse_parquet
from sekisho.adapters.telemetry.readings import INCOMING
from sekisho.model.errors import InvalidInput
from sekisho.model.telemetry import FIELDS

NOON = datetime(2026, 9, 21, 12, tzinfo=UTC)
NOON_US = 1_789_992_000_000_000


def book() -> SeriesBook:
    return SeriesBook(table_mapper(site="osaka-1"), "osaka-1")


def packed(columns: dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


def read(body: bytes) -> list[tuple[str, str, int, float]]:
    """Device, field, microseconds, and the value in the field's base unit."""
    known = book()
    samples = parse_parquet(body, known)
    found = []
    for number, at, value in zip(samples.channel, samples.at_us, samples.value, strict=True):
        if number >= 0:
            channel = known.channels[int(number)]
            found.append((channel.device, channel.field, int(at), float(value) * channel.factor))
    return found


@pytest.mark.parametrize(
    "times",
    [
        pa.array([NOON], pa.timestamp("us", "UTC")),
        pa.array([NOON], pa.timestamp("ns", "Asia/Tokyo")),
        pa.array([NOON], pa.timestamp("ms", "UTC")),
        pa.array([NOON_US // 1_000_000], pa.int64()),
        pa.array([NOON_US // 1_000], pa.uint64()),
        pa.array([NOON_US * 1_000], pa.int64()),
        pa.array([NOON_US / 1_000_000], pa.float64()),
        pa.array(["2026-09-21T12:00:00Z"]),
        pa.array(["2026-09-21T21:00:00+09:00"]).dictionary_encode(),
    ],
    ids=str,
)
def test_an_instant_is_the_same_in_every_type(times: Any) -> None:
    """Timestamps with a zone, whole and broken numbers by their magnitude, and text."""
    body = packed({"timestamp": times, "device": ["GPU-a"], "power_w": [612.5]})
    assert read(body) == [("GPU-a", "power_mw", NOON_US, 612.5)]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([3, None], pa.int8()),
        pa.array([3, None], pa.uint64()),
        pa.array([3.0, None], pa.float32()),
        pa.array([Decimal("3.00"), None], pa.decimal128(9, 2)),
        pa.array(["3", None]),
        pa.array(["3", ""], pa.large_string()),
        pa.array(["3", None]).dictionary_encode(),
    ],
    ids=str,
)
def test_a_value_is_the_same_in_every_type_and_null_is_not_measured(values: Any) -> None:
    """Whole numbers, fractions, decimals and text say the same power; null and empty text give no sample."""
    body = packed({"at_us": [NOON_US] * 2, "device": ["GPU-a", "GPU-b"], "power_w": values})
    assert read(body) == [("GPU-a", "power_mw", NOON_US, 3.0)]


def test_a_long_table_is_read_with_its_chips() -> None:
    """With chips in a column beside them, rows of our metrics are samples and a row of another metric is none."""
    names = ["power_w", "sm_clock_mhz", "other"]
    columns = {"timestamp": [NOON_US] * 3, "device": ["GPU-a"] * 3, "metric": names}
    body = packed(columns | {"value": [1, 2, 3], "chip": ["NVIDIA H100"] * 3})
    assert [row[1:] for row in read(body)] == [
        ("power_mw", NOON_US, 1.0),
        ("sm_clock_khz", NOON_US, 2000.0),
    ]


def test_our_incoming_rows_go_out_and_come_back_the_same() -> None:
    """What the store holds is a table that it can take: whole numbers are whole again after cleaning."""
    dice = np.random.default_rng(7)
    rows = 500
    values = {n: dice.integers(f.low, min(f.high, 2**50), rows) for n, f in FIELDS.items()}
    devices = pa.array([f"GPU-{row % 7}" for row in range(rows)]).dictionary_encode()
    columns = {"device": devices, "at_us": NOON_US + np.arange(rows) * 1_000_000}
    table = pa.table(columns | values).cast(INCOMING)
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", row_group_size=64)
    known = book()
    cleaned = clean(parse_parquet(out.getvalue(), known), known, received_us=NOON_US + 10**9)
    assert cleaned.intake.refused == ()
    order = [("at_us", "ascending")]
    assert cleaned.table.sort_by(order).to_pylist() == table.sort_by(order).to_pylist()


def test_columns_of_a_kind_that_no_quantity_has_are_left_alone() -> None:
    """Lists, booleans and remarks beside a power neither become samples nor refuse the file."""
    columns = {"at_us": [NOON_US], "device": ["GPU-a"], "power_w": [1], "tags": [["x"]]}
    assert len(read(packed(columns | {"attested": [True], "remark": ["fine"]}))) == 1


def test_a_cell_that_is_no_number_is_refused_with_its_row() -> None:
    """A word and a blank are told apart, each with its row, its column and what stood there."""
    columns = {"at_us": [NOON_US] * 3, "device": ["GPU-a"] * 3, "power_w": ["1", "much", "N/A"]}
    samples = parse_parquet(packed(columns), book())
    assert [(r.reason, r.count, r.first) for r in samples.refused] == [
        ("not a number", 1, "row 2, power_w: 'much'"),
        ("blank", 1, "row 3, power_w: 'N/A'"),
    ]


def test_a_row_without_a_time_or_device_is_refused_and_counted() -> None:
    """The row without a time is refused and counted; the sample without a device is unusable and says so."""
    columns = {"at_us": [None, NOON_US], "device": ["GPU-a", None], "power_w": [1, 2]}
    known = book()
    samples = parse_parquet(packed(columns), known)
    assert [(r.reason, r.count) for r in samples.refused] == [("no time", 1)]
    assert [known.why(int(number)).reason for number in samples.channel] == ["no device"]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"timestamp": pa.array([NOON], pa.timestamp("us"))}, "have no zone"),
        ({"timestamp": pa.array([True])}, "holds bool"),
        ({"device": pa.array([7])}, "holds int64"),
        ({"power_w": pa.array([[1.0]])}, "holds list"),
        ({"power_w": pa.array([b"1"])}, "holds binary"),
        ({"device": pa.array(["x" * 70_000])}, "a text of 70000 bytes"),
    ],
)
def test_a_column_of_another_type_than_its_name_asks_for_is_refused(
    columns: dict[str, Any], why: str
) -> None:
    """The file as a whole, naming the column, since no row of it could be read."""
    base = {"timestamp": pa.array([NOON_US]), "device": ["GPU-a"], "power_w": [1]}
    with pytest.raises(InvalidInput, match=why):
        parse_parquet(packed(base | columns), book(), path="x.parquet")


@pytest.mark.parametrize("kind", [pa.int64(), pa.string()])
def test_number_of_a_device_says_where_it_sits(kind: Any) -> None:
    """As a number or as text, without a refusal."""
    columns = {"at_us": [NOON_US], "device": ["GPU-0"], "power_w": [400.0]}
    known = book()
    index = pa.array(["3"]).cast(kind)
    samples = parse_parquet(packed({**columns, "gpu_index": index}), known)
    assert samples.refused == ()
    assert known.devices["GPU-0"].slot == "3"
