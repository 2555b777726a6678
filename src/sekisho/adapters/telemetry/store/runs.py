"""Rows of a day sorted by device on disk, so that they are settled a few devices at a time in bounded memory.

Rows come in the order in which they were received, every device in every file. A run holds a few million of them, in
one record batch for each bucket of devices; a bucket is then read from all runs. The files are scratch: a crash loses
nothing, since the segments stand.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.store.tables import concat, device_codes

__all__ = ["RUN_ROWS", "Runs", "bucket_of", "take_bucket"]

RUN_ROWS: Final = 2_000_000


def bucket_of(device: str, buckets: int) -> int:
    """The part of the fleet that a device belongs to, for ever; a slice lies with its parent."""
    return zlib.crc32(device.partition("/")[0].encode()) % buckets


def take_bucket(table: pa.Table, bucket: int, buckets: int) -> pa.Table:
    """The rows of one bucket."""
    if buckets == 1:
        return table
    return table.filter(pa.array(_buckets_of(table, buckets) == bucket))


class Runs:
    """Scratch files in a folder that somebody else removes. Add all, then load bucket by bucket (at most 65,536)."""

    def __init__(
        self, folder: Path, schema: Any, buckets: int, *, run_rows: int = RUN_ROWS
    ) -> None:
        self.buckets = buckets
        self._folder = folder
        self._schema = schema
        self._run_rows = run_rows
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._numbers: dict[str, int] = {}
        self._devices: list[str] = []
        self._maps: list[Any] = []
        self._runs: list[tuple[Any, dict[int, int]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runs.clear()
        for held in self._maps:
            held.close()

    def add(self, table: pa.Table) -> None:
        self._waiting.append(table)
        self._waiting_rows += table.num_rows
        if self._waiting_rows >= self._run_rows:
            self.flush()

    def flush(self) -> None:
        """Write the run that waits. Call it once after the last `add`."""
        if not self._waiting_rows:
            return
        table = concat(self._waiting)
        self._waiting, self._waiting_rows = [], 0
        bucket = _buckets_of(table, self.buckets)
        # Sixteen bits are sorted by radix, in a tenth of the time.
        order = np.argsort(bucket.astype(np.uint16), kind="stable")
        counts = np.bincount(bucket, minlength=self.buckets)
        self._write(self._numbered(table).take(pa.array(order)), counts)

    def load(self, bucket: int) -> pa.Table:
        """The rows of a bucket, in the order in which they were added."""
        pieces = [
            self._padded(reader.get_batch(places[bucket]))
            for reader, places in self._runs
            if bucket in places
        ]
        if not pieces:
            return self._schema.empty_table()
        table = pa.concat_tables(pieces).combine_chunks()
        numbers = table.column("device").to_numpy()
        present = np.flatnonzero(np.bincount(numbers, minlength=len(self._devices)))
        places = np.zeros(len(self._devices), np.int32)
        places[present] = np.arange(len(present), dtype=np.int32)
        names = pa.array([self._devices[number] for number in present], pa.string())
        device = pa.DictionaryArray.from_arrays(pa.array(places[numbers]), names)
        return table.set_column(0, self._schema.field("device"), device).cast(self._schema)

    def _numbered(self, table: pa.Table) -> pa.Table:
        """Devices as numbers over all runs, and without the columns that nobody measured: both keep runs small."""
        codes, names = device_codes(table)
        numbers = np.array([self._number(name) for name in names], np.int32)
        table = table.set_column(0, "device", pa.array(numbers[codes]))
        empty = [name for name in table.column_names if table[name].null_count == table.num_rows]
        return table.drop_columns(empty)

    def _number(self, device: str) -> int:
        number = self._numbers.setdefault(device, len(self._devices))
        if number == len(self._devices):
            self._devices.append(device)
        return number

    def _write(self, table: pa.Table, counts: npt.NDArray[np.int64]) -> None:
        path = self._folder / f"{len(self._runs)}.arrow"
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        places: dict[int, int] = {}
        start = 0
        with (
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_file(sink, table.schema, options=options) as writer,
        ):
            for bucket in np.flatnonzero(counts):
                rows = int(counts[bucket])
                batch = table.slice(start, rows).combine_chunks().to_batches()[0]
                writer.write_batch(batch)
                places[int(bucket)] = len(places)
                start += rows
        held = pa.OSFile(str(path))  # not mapped: pages of it would count as memory of this process
        self._maps.append(held)
        self._runs.append((pa.ipc.open_file(held), places))

    def _padded(self, batch: pa.RecordBatch) -> pa.Table:
        """With the columns that this run left out."""
        columns = {}
        for field in self._schema:
            if field.name in batch.schema.names:
                columns[field.name] = batch.column(field.name)
            else:
                columns[field.name] = pa.nulls(batch.num_rows, field.type)
        return pa.table(columns)


def _buckets_of(table: pa.Table, buckets: int) -> npt.NDArray[np.int64]:
    codes, names = device_codes(table)
    return np.array([bucket_of(name, buckets) for name in names], np.int64)[codes]
