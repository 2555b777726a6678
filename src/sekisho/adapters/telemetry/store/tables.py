"""Tables as the store's files hold them: written with their digest, read only where it is the one that was named."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.readings import INCOMING
from sekisho.adapters.telemetry.store.files import StoreFiles, mismatch
from sekisho.model.errors import Corrupt
from sekisho.model.wire import sha256_hex

__all__ = [
    "MAX_FILE",
    "check_schema",
    "concat",
    "device_codes",
    "encode_part",
    "encode_segment",
    "read_file",
    "read_table",
    "to_incoming",
]

MAX_FILE: Final = 4 << 30
_GROUP_ROWS: Final = 512 * 1024
# Half the time and six tenths of the bytes of dictionaries and zstd throughout, and DuckDB reads it as fast.
_FEW_VALUES: Final = frozenset(
    {
        "device",
        "span_ms",
        "sm_clock_khz",
        "clock_max_khz",
        "mem_used_kib",
        "xid",
        "flags",
        "readings",
    }
)
"""Columns that a dictionary serves; of the others the differences are packed."""
Ints = npt.NDArray[np.int64]


def encode_segment(table: pa.Table) -> bytes:
    """An incoming file's bytes: read once, and whole."""
    return _encode(table, write_statistics=False)


def encode_part(table: pa.Table) -> bytes:
    """A settled part's bytes: small, with statistics, in row groups that engines read side by side."""
    return _encode(table, row_group_size=_GROUP_ROWS)


def read_table(data: bytes, *, path: str, sha256: str, schema: Any) -> pa.Table:
    """The table of a file that was written with that digest; its devices in one dictionary. Raises Corrupt."""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise mismatch(path)
    try:
        table = pq.read_table(pa.BufferReader(data))
    except pa.ArrowException as error:
        raise Corrupt(f"{path} is no Parquet file: {error}", remedy="restore it") from None
    check_schema(table, schema, path)
    return concat([table])


def read_file(files: StoreFiles, path: str, sha256: str, schema: Any) -> pa.Table:
    """As `read_table`, from the store."""
    return read_table(files.read(path, MAX_FILE), path=path, sha256=sha256, schema=schema)


def check_schema(table: pa.Table, schema: Any, path: str) -> None:
    """Raises Corrupt where the columns are not those of `schema`, in number, name, order or type."""
    held = [(field.name, field.type) for field in table.schema]
    if held != [(field.name, field.type) for field in schema]:
        raise Corrupt(f"{path} has other columns than it should", remedy="restore it from a copy")


def to_incoming(table: pa.Table) -> pa.Table:
    """Settled rows as they came in: what `settle` takes."""
    return table.select(INCOMING.names).cast(INCOMING)


def concat(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables one after the other, in one chunk, with one dictionary of devices."""
    if len(tables) == 1 and all(column.num_chunks == 1 for column in tables[0].columns):
        return tables[0]
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def device_codes(table: pa.Table) -> tuple[Ints, list[str]]:
    """The devices of a table's rows as numbers, and what the numbers mean."""
    if table.num_rows == 0:
        return np.zeros(0, np.int64), []
    column = concat([table.select(["device"])]).column("device").chunk(0)
    codes: Ints = column.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, column.dictionary.to_pylist()


def digest(data: bytes) -> str:
    return sha256_hex(data)


def _encode(table: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    measured = [name for name in table.column_names if name not in _FEW_VALUES]
    pq.write_table(
        table,
        sink,
        compression="lz4",
        use_dictionary=[name for name in table.column_names if name in _FEW_VALUES],
        column_encoding=dict.fromkeys(measured, "DELTA_BINARY_PACKED"),
        **options,
    )
    data: bytes = sink.getvalue().to_pybytes()
    return data
