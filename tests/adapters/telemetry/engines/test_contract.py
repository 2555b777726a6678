"""The contract of the engines: each operation in use answers alike on DuckDB, Spark and Spark Connect.

Beside every answer stands the same in plain Python. What an engine fails here may not stand in `expressions`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import ibis  # type: ignore[import-untyped]  # it comes without types
import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types
import pytest

from sekisho.adapters.telemetry.engines import Engine, SourceFile, sum_usage
from sekisho.adapters.telemetry.engines.series import Amount, find_highest, find_usual_periods
from sekisho.adapters.telemetry.readings import READINGS
from sekisho.model.errors import Corrupt
from sekisho.model.instants import Instant
from sekisho.model.telemetry import DeviceSeen
from sekisho.ports.telemetry import UsageQuery
from tests.adapters.telemetry.engines.counting import count_usage
from tests.adapters.telemetry.engines.worlds import (
    HOUR,
    NOON,
    make_world,
    readings_table,
    write_world,
)

LATEST = 2**53 - 1  # microseconds: the year 2255
GIVEN = {"k": "string", "x": "int64", "y": "int64", "s": "int32"}


def answer(engine: Engine, expression: Any) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = engine.answer(expression).to_pylist()
    return rows


def given(engine: Engine, rows: Iterable[tuple[str, int | None, int | None, int | None]]) -> Any:
    columns = list(zip(*rows, strict=True))
    types = (pa.string(), pa.int64(), pa.int64(), pa.int32())
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    engine.take("given", pa.table(dict(zip(GIVEN, arrays, strict=True))))
    return ibis.table(GIVEN, name="given")


def test_the_whole_part_of_a_division_is_exact_up_to_53_bits(engine: Engine) -> None:
    """Just below, on and just above multiples of the steps in use, where a rounded quotient would be one too high."""
    dice = random.Random(1)
    steps = (1000, 60_000, 1_800_000, 60_000_000, 1_800_000_000)
    rows = []
    for step in steps:
        multiples = [0, 1, LATEST // step, *(dice.randrange(LATEST // step) for _ in range(40))]
        rows += [
            ("a", max(0, min(LATEST, times * step + off)), step, None)
            for times in multiples
            for off in (-1, 0, 1)
        ]
    table = given(engine, rows)
    parts = table.select(
        "x", "y", **{f"d{step}": (table.x / step).floor().cast("int64") for step in steps}
    )
    found = answer(engine, parts)
    assert len(found) == len(rows)
    for row in found:
        assert row[f"d{row['y']}"] == row["x"] // row["y"]


def test_remainders_least_greatest_and_choices_pass_nulls_on(engine: Engine) -> None:
    """Flags are tested by remainder; a null in a product, a choice or a comparison is not a zero."""
    dice = random.Random(2)
    values = [None, 0, 1, 5, 2**31 - 1, 2**53, *(dice.randrange(2**40) for _ in range(20))]
    rows = [
        (f"r{n}", dice.choice(values), dice.choice(values), dice.choice([None, 0, 1, 2, 5]))
        for n in range(200)
    ]
    table = given(engine, rows)
    found = answer(
        engine,
        table.select(
            "k",
            odd=table.s % 2 >= 1,
            least=ibis.least(table.x.fill_null(7), table.y.fill_null(9)),
            greatest=ibis.greatest(table.x.fill_null(7), table.y.fill_null(9)),
            chosen=ibis.ifelse(table.s % 2 >= 1, None, table.x),
            unless=ibis.ifelse(table.x.isnull(), None, table.y),
            product=table.s.cast("int64") * table.x,
        ),
    )
    for (key, x, y, s), row in zip(
        sorted(rows), sorted(found, key=lambda one: one["k"]), strict=True
    ):
        assert row["k"] == key
        assert row["odd"] == (None if s is None else s % 2 >= 1)
        filled = [7 if x is None else x, 9 if y is None else y]
        assert (row["least"], row["greatest"]) == (min(filled), max(filled))
        assert row["chosen"] == (None if s is not None and s % 2 else x)
        assert row["unless"] == (None if x is None else y)
        assert row["product"] == (None if s is None or x is None else s * x)


def test_decimal_sums_are_exact_beyond_64_bits(engine: Engine) -> None:
    """Sums of products that fill 63 bits, of 18 and of 19 digits, and a decimal product beyond them."""
    dice = random.Random(3)
    rows = [
        (dice.choice("ab"), dice.choice([None, 2**62, 9 * 10**18]), 10**18 - 1, 3)
        for _ in range(500)
    ]
    table = given(engine, rows)
    found = answer(
        engine,
        table.group_by("k").aggregate(
            wide=table.x.cast("decimal(19, 0)").sum(),
            narrow=table.y.cast("decimal(18, 0)").sum(),
            product=(table.x.cast("decimal(19, 0)") * table.s.cast("decimal(10, 0)")).sum(),
            highest=table.x.max(),
            rows=table.count(),
        ),
    )
    for row in found:
        mine = [one for one in rows if one[0] == row["k"]]
        known = [x for _, x, _, _ in mine if x is not None]
        assert row["wide"] == sum(known) > 2**64
        assert row["narrow"] == sum(y for _, _, y, _ in mine)
        assert row["product"] == 3 * sum(known)
        assert (row["highest"], row["rows"]) == (max(known), len(mine))


def test_a_sum_over_nothing_but_nulls_is_null(engine: Engine) -> None:
    """Which is then not measured, and not zero."""
    table = given(engine, [("a", None, 1, 1), ("a", None, 2, 2)])
    found = answer(
        engine, table.group_by("k").aggregate(nothing=table.x.sum(), highest=table.x.max())
    )
    assert found == [{"k": "a", "nothing": None, "highest": None}]


def test_a_range_join_meets_every_overlap_and_nothing_else(engine: Engine) -> None:
    """Half-open spans that touch do not overlap; equal keys and two inequalities together."""
    dice = random.Random(4)
    spans = [(dice.choice("abc"), dice.randrange(60), dice.randrange(1, 9), n) for n in range(120)]
    pieces = [(dice.choice("abc"), dice.randrange(60), dice.randrange(1, 30), n) for n in range(40)]
    spans = [(k, x, x + y, n) for k, x, y, n in spans]
    pieces = [(k, x, x + y, n) for k, x, y, n in pieces]
    left = given(engine, spans)
    engine.take(
        "others",
        pa.table(
            dict(
                zip(GIVEN, (pa.array(column) for column in zip(*pieces, strict=True)), strict=True)
            )
        ),
    )
    right = ibis.table(GIVEN, name="others")
    joined = left.join(right, [left.k == right.k, left.x < right.y, left.y > right.x])
    found = answer(engine, joined.select(a=joined.s, b=joined.s_right))
    expected = {
        (n, m) for k, x, y, n in spans for j, u, v, m in pieces if k == j and x < v and y > u
    }
    assert len(found) == len(expected) > 100
    assert {(row["a"], row["b"]) for row in found} == expected


def test_the_usual_period_is_the_median_distance(engine: Engine, tmp_path: Path) -> None:
    """Of an even and an odd number of distances, of readings in any order in the file."""
    dice = random.Random(5)
    moments = {f"GPU-{n}": [NOON + dice.randrange(HOUR) for _ in range(n)] for n in range(1, 8)}
    rows = [_bare(device, at) for device, some in moments.items() for at in some]
    table = readings_table(rows).take(pa.array(dice.sample(range(len(rows)), len(rows))))
    pq.write_table(table, tmp_path / "some.parquet")
    found = find_usual_periods(engine, [SourceFile(path=str(tmp_path / "some.parquet"), site="s")])
    expected: dict[str, int] = {}
    for device, some in moments.items():
        ordered = sorted(some)
        steps = [after - before for before, after in pairwise(ordered)]
        expected |= {device: int(median(steps))} if steps else {}
    assert found == expected


def test_the_highest_sliding_window_is_exact(engine: Engine) -> None:
    """Of amounts up to 36 digits, with several at one instant and some exactly a window apart."""
    dice = random.Random(6)
    amounts = [
        Amount(
            dice.choice("ab"),
            Instant(NOON + dice.randrange(30) * 1_000_000),
            dice.choice([1, 10**36]),
        )
        for _ in range(80)
    ]
    expected = {
        key: max(
            sum(
                other.amount
                for other in amounts
                if other.key == key and one.at.us - 5_000_000 < other.at.us <= one.at.us
            )
            for one in amounts
            if one.key == key
        )
        for key in "ab"
    }
    assert find_highest(engine, amounts, window_s=5) == expected


@pytest.mark.parametrize("kind", ["readings", "minutes"])
def test_the_usage_of_a_fleet_is_the_same_on_every_engine(
    engine: Engine, tmp_path: Path, kind: Any
) -> None:
    """Overlaps, slices, hosts, nulls, extremes and boundary times; files as the store writes them."""
    world = make_world(random.Random(7), hours=11, readings=30, longest_ms=500_000)
    files = write_world(world, tmp_path, kind, compression="zstd", version="2.6")
    query = UsageQuery(start=Instant(world.start), end=Instant(world.end), bucket_s=3600)
    found = sum_usage(engine, files, world.allocations, world.devices, query, source=kind)
    bare = [msgspec.structs.replace(usage, evidence="") for usage in found]
    assert bare == count_usage(world, query, kind)


def test_every_codec_and_encoding_of_the_store_reads_the_same(
    engine: Engine, tmp_path: Path
) -> None:
    """Delta-packed numbers, dictionaries and LZ4 come back as they were written."""
    rows = make_world(random.Random(8), hours=3).rows["s1"]
    table = readings_table(rows)
    packed = ["at_us", "span_ms", "tensor_ppm", "power_mw"]
    others = [name for name in table.column_names if name not in packed]
    encodings = dict.fromkeys(packed, "DELTA_BINARY_PACKED")
    for codec in ("none", "zstd", "lz4", "snappy"):
        path = tmp_path / f"{codec}.parquet"
        pq.write_table(
            table, path, compression=codec, use_dictionary=others, column_encoding=encodings
        )
    engine.read(
        "given_files",
        [str(tmp_path / f"{codec}.parquet") for codec in ("none", "zstd", "lz4", "snappy")],
    )
    read = ibis.table(
        {"tensor_ppm": "int32", "at_us": "int64", "power_mw": "int32"}, name="given_files"
    )
    found = answer(
        engine,
        read.aggregate(
            rows=read.count(),
            tensor=read.tensor_ppm.sum(),
            at=read.at_us.cast("decimal(19, 0)").sum(),
            power=read.power_mw.sum(),
        ),
    )
    assert found == [
        {
            "rows": 4 * len(rows),
            "tensor": 4 * sum(row["tensor_ppm"] or 0 for row in rows),
            "at": Decimal(4 * sum(row["at_us"] for row in rows)),
            "power": 4 * sum(row["power_mw"] or 0 for row in rows),
        }
    ]


def _bare(device: str, at_us: int) -> Mapping[str, Any]:
    row = dict.fromkeys(READINGS.names)
    return {**row, "device": device, "at_us": at_us, "span_ms": 0, "flags": 0}


def test_numbers_that_no_field_allows_end_in_an_error(engine: Engine, tmp_path: Path) -> None:
    """A product past 63 bits is never another number: the files are not what the store wrote."""
    wild = {"tensor_ppm": 2**31 - 1, "sm_clock_khz": 2**31 - 1, "span_ms": 1_000_000}
    rows = [{**_bare("GPU-0", NOON), **wild}]
    pq.write_table(readings_table(rows), tmp_path / "wild.parquet")
    files = [SourceFile(path=str(tmp_path / "wild.parquet"), site="s")]
    query = UsageQuery(start=Instant(NOON), end=Instant(NOON + HOUR))
    device = DeviceSeen(device="GPU-0", site="s")
    with pytest.raises(Corrupt):
        list(sum_usage(engine, files, (), [device], query, source="readings"))


def test_a_column_that_is_not_there_is_named(engine: Engine, tmp_path: Path) -> None:
    """A file of another kind is refused, not read as one without measurements."""
    pq.write_table(pa.table({"device": ["GPU-0"], "at_us": [NOON]}), tmp_path / "other.parquet")
    files = [SourceFile(path=str(tmp_path / "other.parquet"), site="s")]
    query = UsageQuery(start=Instant(NOON), end=Instant(NOON + HOUR))
    device = DeviceSeen(device="GPU-0", site="s")
    with pytest.raises(Corrupt, match="span_ms"):
        list(sum_usage(engine, files, (), [device], query, source="readings"))


def test_an_engine_that_says_so_adds_beyond_64_bits(engine: Engine) -> None:
    """And one that does not ends in an error, never in another number."""
    table = given(engine, [("a", 2**62, None, None)] * 8)
    expression = table.group_by("k").aggregate(sum=table.x.sum())
    if engine.adds_wide:
        assert answer(engine, expression) == [{"k": "a", "sum": 2**65}]
    else:
        with pytest.raises(Corrupt):
            answer(engine, expression)
