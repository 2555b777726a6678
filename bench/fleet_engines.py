"""Engines that `make bench` stands beside ours: Polars and chDB, given the same plan and asked for the same sums.

Each does what `sekisho.adapters.telemetry.engines.Engine` asks, so that planning, shares and adding up are shared and
only the engine differs: the same files in the same turns, the same pieces, joined and grouped by it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pyarrow.parquet as pq

from sekisho.adapters.telemetry.engines.cells import LONGEST_MINUTES_MS, cell_ms
from sekisho.adapters.telemetry.engines.engine import with_plain_words

__all__ = ["ChEngine", "PolarsEngine"]

_TIMED = ("tensor", "util", "clock", "power")
_FEW = ("readings", "tensor_ms", "util_ms", "clock_ms", "power_ms", "doubtful_ms")
_WIDE = ("tensor_work", "util_work", "clock_work", "energy_mj")


class _Peer:
    whole_site = False
    adds_wide = True
    name = "peer"

    def __init__(self, bucket_ms: int) -> None:
        self.cells = {
            "readings": cell_ms(bucket_ms),
            "minutes": cell_ms(bucket_ms, LONGEST_MINUTES_MS),
        }
        self._folder = tempfile.TemporaryDirectory(prefix="sekisho-peer-")
        self._paths: list[str] = []
        self._kind = ""

    @property
    def cell_ms(self) -> int:
        return self.cells[self._kind]

    def read(self, name: str, paths: Sequence[str]) -> None:
        self._kind, self._paths = name, list(paths)

    def take(self, name: str, table: Any) -> None:
        pq.write_table(with_plain_words(table), self._pieces(name), compression="none")

    def close(self) -> None:
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pieces(self, name: str = "pieces") -> Path:
        return Path(self._folder.name) / f"{name}.parquet"


class PolarsEngine(_Peer):
    """Lazy frames on the streaming engine; sums that may pass 64 bits in 128."""

    name = "polars"

    def answer(self, _: object) -> Any:
        import polars as pl  # noqa: PLC0415 - not installed everywhere

        self._pl = pl
        rows = pl.scan_parquet(self._paths)
        joined = self._readings(rows) if self._kind == "readings" else self._minutes(rows)
        found = joined.collect(engine="streaming")
        wide = [pl.col(name).cast(pl.Decimal(38, 0)) for name in found.columns if "_work" in name]
        return found.with_columns(wide).to_arrow()

    def _readings(self, rows: Any) -> Any:
        pl = self._pl
        cell = self.cell_ms
        begins = pl.col("at_us") // 1000
        rows = rows.filter(pl.col("span_ms") > 0).with_columns(
            begins=begins, ends=begins + pl.col("span_ms").cast(pl.Int64)
        )
        number = pl.col("begins") // cell
        clock = pl.col("sm_clock_khz").cast(pl.Int64)
        doubtful = pl.col("flags") % 2 == 1
        rows = rows.select(
            "begins",
            "ends",
            pl.col("device").cast(pl.String),
            key=number * 2 + (pl.col("ends") > (number + 1) * cell).cast(pl.Int64),
            clock=clock,
            power=pl.col("power_mw").cast(pl.Int64),
            tensor=pl.when(~doubtful).then(pl.col("tensor_ppm").cast(pl.Int64) * clock),
            util=pl.col("util_ppm").cast(pl.Int64) * clock,
            doubtful=doubtful,
        )
        joined = rows.join(pl.scan_parquet(self._pieces()), on=["device", "key"])
        joined = joined.filter(
            (pl.col("begins") < pl.col("end")) & (pl.col("ends") > pl.col("start"))
        )
        joined = joined.with_columns(
            ms=pl.min_horizontal("ends", "end") - pl.max_horizontal("begins", "start")
        )
        sums = []
        for name in _TIMED:
            work = pl.col(name) * pl.col("ms")
            sums.append(pl.col("ms").filter(pl.col(name).is_not_null()).sum().alias(f"{name}_ms"))
            sums.append(work.cast(pl.Int128).sum().alias(f"{name}_work"))
        return joined.group_by("g").agg(
            *sums,
            readings=(pl.col("begins") >= pl.col("start")).sum().cast(pl.Int64),
            clock_max_khz=pl.col("clock").max(),
            doubtful_ms=pl.col("ms").filter(pl.col("doubtful")).sum(),
        )

    def _minutes(self, rows: Any) -> Any:
        pl = self._pl
        key = pl.col("minute_us") // (self.cell_ms * 1000)
        rows = rows.with_columns(pl.col("device").cast(pl.String), key=key)
        joined = rows.join(pl.scan_parquet(self._pieces()), on=["device", "key"])
        inside = (pl.col("minute_us") >= pl.col("start")) & (pl.col("minute_us") < pl.col("end"))
        return (
            joined.filter(inside)
            .group_by("g")
            .agg(
                *(pl.col(name).sum() for name in _FEW),
                *(pl.col(name).cast(pl.Int128).sum() for name in _WIDE if name != "energy_mj"),
                pl.col("energy_mj").sum(),
                clock_max_khz=pl.col("clock_max_khz").max(),
            )
        )


class ChEngine(_Peer):
    """chDB, ClickHouse in the process; sums that may pass 64 bits as decimals."""

    name = "chdb"

    def __init__(self, bucket_ms: int, threads: int) -> None:
        super().__init__(bucket_ms)
        from chdb import session  # noqa: PLC0415 - not installed everywhere

        self._session = session.Session()
        self._session.query(f"SET max_threads = {threads}")

    def answer(self, _: object) -> Any:
        import pyarrow as pa  # noqa: PLC0415 - as chdb

        text = self._readings() if self._kind == "readings" else self._minutes()
        with pa.ipc.open_file(self._session.query(text, "Arrow").bytes()) as reader:
            return reader.read_all()

    def _files(self) -> str:
        if len(self._paths) == 1:
            return f"file('{self._paths[0]}', Parquet)"
        folder = Path(self._paths[0]).parent
        names = ",".join(Path(path).name for path in self._paths)
        return f"file('{folder}/{{{names}}}', Parquet)"

    def _readings(self) -> str:
        sums = ", ".join(
            f"sum(if(isNull({name}), NULL, ms)) AS {name}_ms,"
            f" sum(toDecimal128({name} * ms, 0)) AS {name}_work"
            for name in _TIMED
        )
        cell = self.cell_ms
        return f"""
        SELECT g, sum(begins >= start) AS readings, {sums}, max(clock) AS clock_max_khz,
               sum(if(doubtful, ms, 0)) AS doubtful_ms
        FROM (
          SELECT *, least(ends, end) - greatest(begins, start) AS ms
          FROM (
            SELECT toString(device) AS device, intDiv(at_us, 1000) AS begins, begins + span_ms AS ends,
                   intDiv(begins, {cell}) AS cell, cell * 2 + (ends > (cell + 1) * {cell}) AS key,
                   toInt64(sm_clock_khz) AS clock, toInt64(power_mw) AS power, flags % 2 = 1 AS doubtful,
                   if(doubtful, NULL, toInt64(tensor_ppm) * clock) AS tensor,
                   toInt64(util_ppm) * clock AS util
            FROM {self._files()} WHERE span_ms > 0
          ) AS r
          INNER JOIN (SELECT device, key, start, end, g FROM file('{self._pieces()}', Parquet)) AS p
          ON r.device = p.device AND r.key = p.key
          WHERE begins < end AND ends > start
        ) GROUP BY g"""  # noqa: S608 - paths and numbers of our own

    def _minutes(self) -> str:
        few = ", ".join(f"sum({name}) AS {name}_" for name in _FEW)
        wide = ", ".join(f"sum(toDecimal128({name}, 0)) AS {name}_" for name in _WIDE)
        names = ", ".join(f"{name}_ AS {name}" for name in (*_FEW, *_WIDE))
        return f"""
        SELECT g, {names}, clock_max_ AS clock_max_khz FROM (
          SELECT g, {few}, {wide}, max(clock_max_khz) AS clock_max_
          FROM (SELECT *, intDiv(minute_us, {self.cell_ms * 1000}) AS key, toString(device) AS name
                FROM {self._files()}) AS r
          INNER JOIN (SELECT device AS name, key, start, end, g FROM file('{self._pieces()}', Parquet)) AS p
          ON r.name = p.name AND r.key = p.key
          WHERE minute_us >= start AND minute_us < end
          GROUP BY g)"""  # noqa: S608 - paths and numbers of our own
