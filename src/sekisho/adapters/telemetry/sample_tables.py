"""Tables of samples, whatever file they came in: one metric a row, one metric a column, or a row with labels.

Columns that name what a row speaks of: `timestamp` (or `time`, or `at_us` for whole microseconds), `device` (or
`uuid`, `gpu_uuid`), and optional `chip`, `host`, `mig_profile`, `pci_bus_id`, `gpu_index`. Then either `metric` and
`value`, or a column for each metric, or (the fleet agent's export) `metric_name`, `value` and `labels`. An empty cell
was not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.assembling import assemble
from sekisho.adapters.telemetry.columns import PASSED_OVER, Samples, SeriesBook, Unusable
from sekisho.adapters.telemetry.refusal_counts import Refusing
from sekisho.adapters.telemetry.table_columns import Values, instants_of, parse_time, values_of
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import parse_json

__all__ = ["MAX_COLUMNS", "Batch", "SampleTable", "Shape", "shape_of"]

MAX_COLUMNS: Final = 512
_MOST_NAMED: Final = 8  # columns in a note
_TIMES: Final = ("timestamp", "time", "at_us")
_DEVICES: Final = ("device", "uuid", "gpu_uuid")
_ABOUT: Final = ("chip", "host", "mig_profile", "pci_bus_id", "gpu_index")
_TIME_REMEDY: Final = (
    "write RFC 3339 with a zone (2026-01-31T09:00:00Z), or seconds, milliseconds or microseconds "
    "since the epoch"
)
_NUMBER_REMEDY: Final = (
    "write 640.5, with a point and no unit; leave a cell empty where nothing was measured"
)
_BAD_LABELS: Final = Unusable(reason="malformed", why="labels are one JSON object of texts")


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How a table is laid out: the column of the time, of the device, and of what is measured."""

    kind: Literal["long", "wide", "labelled"]
    time: str
    device: str = ""
    about: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()  # of a wide table: one column each


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of a table. `columns` are Arrow arrays of one length, `where` says where a row stood."""

    columns: Mapping[str, Any]
    rows: int
    where: Callable[[int], str]


def shape_of(names: Sequence[str], *, path: str) -> Shape:
    """How a table with these columns is laid out. Raises InvalidInput where it is none of the three."""
    if len(names) > MAX_COLUMNS:
        raise InvalidInput(
            f"{len(names)} columns, more than {MAX_COLUMNS}", path=path, remedy="split the table"
        )
    if len(set(names)) != len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise InvalidInput(f"the column {twice[:80]!r} stands twice", path=path)
    time = _one_of(_TIMES, names, path, "a time: timestamp, time or at_us")
    if {"metric_name", "value", "labels"} <= set(names):
        return Shape(kind="labelled", time=time)
    device = _one_of(_DEVICES, names, path, "a device: device, uuid or gpu_uuid")
    about = tuple(name for name in _ABOUT if name in names)
    if "metric" in names and "value" in names:
        return Shape(kind="long", time=time, device=device, about=about)
    metrics = tuple(name for name in names if name not in (time, device, *about))
    if not metrics:
        raise InvalidInput(
            "no column says what was measured", path=path, remedy="add metric and value, or power_w"
        )
    return Shape(kind="wide", time=time, device=device, about=about, metrics=metrics)


def _one_of(wanted: Sequence[str], names: Sequence[str], path: str, what: str) -> str:
    found = next((name for name in wanted if name in names), "")
    if not found:
        raise InvalidInput(f"no column holds {what}", path=path, remedy="name it in the first line")
    return found


class SampleTable:
    """Takes a table batch by batch, and gives its samples."""

    def __init__(self, shape: Shape, book: SeriesBook) -> None:
        self.refusing = Refusing()
        self._shape, self._book = shape, book
        self._parts: list[tuple[Any, Any, Any]] = []
        self._idle: set[str] = set()
        self._used: set[str] = set()

    def take(self, batch: Batch) -> None:
        """The samples of some rows, in their order."""
        shape = self._shape
        at_us, timed = self._times(batch)
        if shape.kind == "wide":
            keys = (shape.device, *shape.about)
            self._take_wide(batch, keys, at_us, timed)
            return
        keys = ("metric_name", "labels")
        if shape.kind == "long":
            keys = ("metric", shape.device, *shape.about)
        which, heads = _distinct(batch, keys)
        learn = self._learn_long if shape.kind == "long" else self._learn_labelled
        numbers = np.array([learn(head) for head in heads], np.int64)[which]
        self._take_column(batch, "value", numbers, at_us, timed)

    def samples(self, *, notes: tuple[str, ...] = ()) -> Samples:
        idle = sorted(self._idle - self._used)
        if idle:
            more = f" and {len(idle) - _MOST_NAMED} more" if len(idle) > _MOST_NAMED else ""
            named = ", ".join(name[:40] for name in idle[:_MOST_NAMED])
            notes = (*notes, f"columns that metering does not use: {named}{more}")
        return assemble(self._book, self._parts, self.refusing, notes=notes)

    def _times(self, batch: Batch) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        column = batch.columns[self._shape.time]
        instants = instants_of(column, exact_us=self._shape.time == "at_us")
        return instants.at_us, instants.good

    def _take_column(
        self,
        batch: Batch,
        name: str,
        numbers: npt.NDArray[np.int64],
        at_us: npt.NDArray[np.int64],
        timed: npt.NDArray[np.bool_],
    ) -> None:
        found = values_of(batch.columns[name])
        keep = self._judge(batch, name, found, numbers, timed)
        self._parts.append((numbers[keep], at_us[keep], found.value[keep]))

    def _take_wide(
        self,
        batch: Batch,
        keys: tuple[str, ...],
        at_us: npt.NDArray[np.int64],
        timed: npt.NDArray[np.bool_],
    ) -> None:
        """Row by row, in a row column by column."""
        which, heads = _distinct(batch, keys)
        columns = self._shape.metrics
        number = np.full((batch.rows, len(columns)), PASSED_OVER, np.int64)
        value = np.zeros((batch.rows, len(columns)))
        keep = np.zeros((batch.rows, len(columns)), np.bool_)
        for place, name in enumerate(columns):
            known = np.array([self._learn_long((name, *head)) for head in heads], np.int64)
            number[:, place] = known[which] if len(heads) else PASSED_OVER
            is_idle = bool((known == PASSED_OVER).all())
            if batch.rows:
                (self._idle if is_idle else self._used).add(name)
            found = _passed(batch, name) if is_idle else None
            found = found or values_of(batch.columns[name])
            value[:, place] = found.value
            keep[:, place] = self._judge(batch, name, found, number[:, place], timed)
        at = np.broadcast_to(at_us[:, None], keep.shape)
        self._parts.append((number[keep], at[keep], value[keep]))

    def _judge(
        self,
        batch: Batch,
        name: str,
        found: Values,
        numbers: npt.NDArray[np.int64],
        timed: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.bool_]:
        """Which cells are samples; the others that hold something are counted as refused."""
        keep = found.there.copy()
        ours = numbers >= 0
        timeless = keep & ~timed & ours
        if timeless.any():
            row = int(np.argmax(timeless))
            written = batch.columns[self._shape.time][row].as_py()
            said = f"{batch.where(row)}: {str(written)[:60]!r} {_why_no_time(written)}"
            self.refusing.add("no time", said, remedy=_TIME_REMEDY, count=int(timeless.sum()))
            keep &= ~timeless
        for row, reason in found.bad.items():
            if keep[row] and ours[row]:
                cell = str(batch.columns[name][row].as_py())[:60]
                remedy = _NUMBER_REMEDY if reason == "not a number" else ""
                self.refusing.add(reason, f"{batch.where(row)}, {name}: {cell!r}", remedy=remedy)
                keep[row] = False
        return keep

    def _learn_long(self, head: tuple[str, ...]) -> int:
        key = _key("table", head)
        known = self._book.by_key.get(key)
        if known is not None:
            return known
        labels = dict(zip(("device", *self._shape.about), head[1:], strict=True))
        return self._book.learn(key, head[0], labels)

    def _learn_labelled(self, head: tuple[str, ...]) -> int:
        key = _key("labelled", head)
        known = self._book.by_key.get(key)
        if known is not None:
            return known
        try:
            labels = parse_json(head[1], limit=64 << 10) if head[1] else {}
        except InvalidInput:
            labels = None
        if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
            return self._book.refuse(key, _BAD_LABELS)
        return self._book.learn(key, head[0], {k: str(v) for k, v in labels.items()})


def _key(kind: str, head: tuple[str, ...]) -> bytes:
    """Bytes, because a book counts those; no two heads have the same."""
    return repr((kind, *head)).encode("utf-8", "surrogatepass")


def _distinct(
    batch: Batch, names: tuple[str, ...]
) -> tuple[npt.NDArray[np.int64], list[tuple[str, ...]]]:
    """For each row the number of its combination of texts, and the combinations."""
    code = np.zeros(batch.rows, np.int64)
    for name in names:
        coded = batch.columns[name].dictionary_encode()
        place = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        # Renumbered after each column, so that the product of two stays far below 64 bits.
        _, code = np.unique(code * (len(coded.dictionary) + 1) + place + 1, return_inverse=True)
    _, first, which = np.unique(code, return_index=True, return_inverse=True)
    rows = pa.array(first)
    texts = [batch.columns[name].take(rows).to_pylist() for name in names]
    heads = [tuple(text or "" for text in head) for head in zip(*texts, strict=True)]
    return which.astype(np.int64), heads


def _passed(batch: Batch, name: str) -> Values:
    """A column that is not ours: its cells are counted and not read."""
    column = batch.columns[name]
    there = column.is_valid().to_numpy(zero_copy_only=False).copy()
    if pa.types.is_dictionary(column.type):
        column = pc.binary_length(column.dictionary).take(column.indices)
        there &= column.fill_null(0).to_numpy(zero_copy_only=False) > 0
    elif pa.types.is_string(column.type):
        there &= pc.binary_length(column).fill_null(0).to_numpy(zero_copy_only=False) > 0
    return Values(value=np.zeros(batch.rows), there=there, bad={})


def _why_no_time(written: Any) -> str:
    found = parse_time(str(written)) if written is not None else "is no time"
    return found if isinstance(found, str) else "is no time"
