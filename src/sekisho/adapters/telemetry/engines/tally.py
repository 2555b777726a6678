"""Sums by bucket, job, chip type and site, added up from pieces and answers until their bucket is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.engines.buckets import Buckets
from sekisho.adapters.telemetry.engines.cells import MINUTE_MS, Grouped, Lookup
from sekisho.adapters.telemetry.engines.device_counts import DeviceCounts
from sekisho.adapters.telemetry.engines.expressions import SUMS, WIDE_SUMS
from sekisho.adapters.telemetry.engines.fleet import ClaimBook, Ints
from sekisho.adapters.telemetry.engines.numbering import CLAIM_BITS, count_rows, number_groups
from sekisho.adapters.telemetry.engines.pieces import Pieces
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Usage

__all__ = ["Tally"]

_TOLD: Final = (
    *(name for name in SUMS if name not in ("power_work", "energy_mj")),
    "overlapped_ms",
    "open_ms",
)
_WHOLE: Final = frozenset({"readings", "clock_max_khz"})
"""Sums that the share of a slice does not divide."""


class Tally:
    """What is known so far of buckets that are not over."""

    def __init__(self, buckets: Buckets, book: ClaimBook, evidence: str) -> None:
        self.book = book
        self._buckets = buckets
        self._evidence = evidence
        self._sums = _Columns()
        self._devices = DeviceCounts()

    def add_pieces(self, pieces: Pieces) -> None:
        """Count the time and the devices of a window's pieces."""
        buckets = self._buckets
        first, last = buckets.number(pieces.start), buckets.number(pieces.end - 1)
        line = np.array(self.book.line_of, dtype=np.int64)[pieces.claim]
        self._devices.add(line, pieces.device, first, last)
        # A job's devices mostly have the same span: it is cut once for all of them.
        rows = (pieces.end, pieces.start, pieces.claim, pieces.overlapped.astype(np.int64))
        (end, start, claim, over), times = count_rows(*rows)
        row, start, end = buckets.cut(start, end)
        ms = (end - start) * times[row]
        claim = claim[row]
        plain = self.plain_of[claim]
        times_ms = {"chip_ms": ms, "overlapped_ms": ms * over[row]}
        behind = np.where(plain != claim, ms, 0)
        if behind.any():
            times_ms["open_ms"] = behind
        self._sums.add((buckets.number(start) << CLAIM_BITS) | plain, times_ms)

    def group(self, pieces: Pieces) -> Grouped:
        """Pieces cut at the edges of buckets, by what their sums are told of."""
        return self._buckets.group(pieces, self.plain_of)

    @property
    def plain_of(self) -> Ints:
        return np.array(self.book.plain_of, dtype=np.int64)

    def add_sums(self, rows: Any, lookup: Lookup) -> None:
        """Rows of an engine: `g` and sums of it; a sum that is null has nothing in it."""
        number = _whole(rows.column("g").combine_chunks())
        part = lookup.share_ms[number] != MINUTE_MS
        columns: dict[str, Ints] = {}
        for name in rows.column_names:
            column = rows.column(name).combine_chunks()
            if name in WIDE_SUMS:
                columns |= _limbs(name, column)
            elif name in SUMS:
                columns[name] = _whole(column)
        whole = ~part
        groups = lookup.groups[number]
        self._sums.add(groups[whole], {name: column[whole] for name, column in columns.items()})
        if part.any():
            some = {name: column[part] for name, column in columns.items()}
            self._sums.add(groups[part], _shared(some, lookup.share_ms[number[part]]))

    def finish(self, until: int) -> Iterator[Usage]:
        """The usage of all buckets that end by this moment, which are then forgotten."""
        limit = self._buckets.over(until) << CLAIM_BITS
        groups, columns = self._sums.take(limit)
        numbers = self._devices.take(limit)
        lines = _lines_of(groups, columns, self.book)
        for (bucket, line), sums in sorted(
            lines.items(), key=lambda item: (item[0][0], self.book.lines[item[0][1]])
        ):
            seen = numbers.get((bucket << CLAIM_BITS) | line, 0)
            yield self._usage(bucket, line, seen, sums)

    def _usage(self, bucket: int, number: int, devices: int, sums: Mapping[str, int]) -> Usage:
        line = self.book.lines[number]
        start, end = self._buckets.bounds(bucket)
        named = Usage(
            job=line.job,
            site=line.site,
            chip=line.chip,
            exempt=line.exempt,
            start=Instant(start * 1000),
            end=Instant(end * 1000),
            devices=devices,
            chip_ms=sums.get("chip_ms", 0),
            evidence=self._evidence,
        )
        energy_mj = sums.get("energy_mj", 0) + sums.get("power_work", 0) // 1000
        known = {name: sums[name] for name in _TOLD if name in sums}
        return msgspec.structs.replace(named, energy_mj=energy_mj, **known)


class _Columns:
    """Rows of sums by group, added up whenever many have gathered."""

    _MANY: Final = 2_000_000

    def __init__(self) -> None:
        self._waiting: list[tuple[Ints, Mapping[str, Ints]]] = []
        self._rows = 0

    def add(self, groups: Ints, columns: Mapping[str, Ints]) -> None:
        self._waiting.append((groups, columns))
        self._rows += groups.size
        if self._rows > self._MANY:
            self._gather()

    def take(self, limit: int) -> tuple[Ints, dict[str, Ints]]:
        """The sums of all groups below the limit, which are then gone."""
        groups, columns = self._gather()
        cut = int(np.searchsorted(groups, limit))
        self._waiting = [(groups[cut:], {name: column[cut:] for name, column in columns.items()})]
        self._rows = groups.size - cut
        return groups[:cut], {name: column[:cut] for name, column in columns.items()}

    def _gather(self) -> tuple[Ints, dict[str, Ints]]:
        groups = np.concatenate([np.empty(0, np.int64), *(group for group, _ in self._waiting)])
        found, place = number_groups(groups)
        columns = {}
        for name in dict.fromkeys(name for _, some in self._waiting for name in some):
            parts = [
                some.get(name, np.zeros(group.size, np.int64)) for group, some in self._waiting
            ]
            add = np.maximum if name == "clock_max_khz" else np.add
            columns[name] = np.zeros(found.size, dtype=np.int64)
            add.at(columns[name], place, np.concatenate(parts))
        self._waiting, self._rows = [(found, columns)], found.size
        return found, columns


def _lines_of(
    groups: Ints, columns: Mapping[str, Ints], book: ClaimBook
) -> dict[tuple[int, int], dict[str, int]]:
    """Sums by bucket and line: limbs put together, shares of slices taken, claims of one line added."""
    claims = (groups & ((1 << CLAIM_BITS) - 1)).tolist()
    buckets = (groups >> CLAIM_BITS).tolist()
    values = {name: _integers(name, columns) for name in dict.fromkeys(map(_name_of, columns))}
    lines: dict[tuple[int, int], dict[str, int]] = {}
    for row, (bucket, claim) in enumerate(zip(buckets, claims, strict=True)):
        make = book.claims[claim].make
        line = lines.setdefault((bucket, book.line_of[claim]), {})
        for name, column in values.items():
            value = column[row]
            if name == "clock_max_khz":
                line[name] = max(line.get(name, 0), value)
                continue
            if name not in _WHOLE and make.slices_of > 1:
                value = value * make.slices // make.slices_of
            line[name] = line.get(name, 0) + value
    return lines


def _whole(column: Any) -> Ints:
    found: Ints = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return found


def _limbs(name: str, column: Any) -> dict[str, Ints]:
    """A sum that may not fit 64 bits in three parts of 32, 32 and 64 bits, each of which adds up alone."""
    wide = column.cast(pa.decimal128(38, 0)).fill_null(0)
    data = np.frombuffer(wide.buffers()[1], dtype=np.int64).reshape(-1, 2)
    data = data[wide.offset : wide.offset + len(wide)]
    low = data[:, 0]
    return {
        f"{name}|0": low & 0xFFFFFFFF,
        f"{name}|1": (low >> 32) & 0xFFFFFFFF,
        f"{name}|2": data[:, 1].copy(),
    }


def _shared(columns: Mapping[str, Ints], share_ms: Ints) -> dict[str, Ints]:
    """The share of each sum in minutes that a piece covers in part, cut down to a whole number."""
    shares = share_ms.tolist()
    found: dict[str, Ints] = {}
    for name in dict.fromkeys(map(_name_of, columns)):
        if name == "clock_max_khz":
            found[name] = columns[name]
            continue
        values = zip(_integers(name, columns), shares, strict=True)
        parts = [value * share // MINUTE_MS for value, share in values]
        if name in WIDE_SUMS:
            found |= _limbs(name, pa.array([Decimal(part) for part in parts], pa.decimal128(38, 0)))
        else:
            found[name] = np.array(parts, dtype=np.int64)
    return found


def _name_of(column: str) -> str:
    return column.partition("|")[0]


def _integers(name: str, columns: Mapping[str, Ints]) -> Sequence[int]:
    if name in columns:
        return columns[name].tolist()  # type: ignore[no-any-return]
    parts = [columns[f"{name}|{limb}"].tolist() for limb in range(3)]
    return [low + (mid << 32) + (high << 64) for low, mid, high in zip(*parts, strict=True)]
