"""Allocations as schedulers told them. A newer record of one site, job and start replaces the older; both are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from sekisho.adapters.telemetry.store.files import StoreFiles
from sekisho.adapters.telemetry.store.records import RecordFiles
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation
from sekisho.model.wire import canonical, from_json, parse_json

__all__ = ["AllocationRecords"]

_MAX_BYTES: Final = 256 * 1024 * 1024
_Key = tuple[str, int]


class AllocationRecords:
    """Allocations by site."""

    def __init__(self, files: StoreFiles) -> None:
        self._records = RecordFiles[Allocation](files, "allocations", write=canonical, parse=_parse)

    def save(self, site: str, allocations: Sequence[Allocation], *, recorded_us: int) -> int:
        """Keep those that say something new; how many that were. Of two with one key the later in the list counts."""
        known = self._newest(site)
        news: dict[_Key, Allocation] = {}
        for allocation in allocations:
            before = known.get(_key(allocation))
            if before is None or not _says_the_same(before, allocation) or _key(allocation) in news:
                news[_key(allocation)] = allocation
        self._records.save(site, list(news.values()), recorded_us=recorded_us)
        return len(news)

    def load(self, site: str, start: Instant, end: Instant) -> tuple[Allocation, ...]:
        """Those that touch [start, end), as last told, by start and job."""
        found = [
            allocation
            for allocation in self._newest(site).values()
            if allocation.start < end and (allocation.end is None or allocation.end > start)
        ]
        return tuple(sorted(found, key=lambda a: (a.start, a.job)))

    def history(self, site: str, job: str) -> tuple[tuple[Instant, Allocation], ...]:
        """Everything that was ever told of a job, with when."""
        return tuple(
            (Instant(recorded_us), allocation)
            for recorded_us, allocation in self._records.load(site)
            if allocation.job == job
        )

    def _newest(self, site: str) -> dict[_Key, Allocation]:
        return {_key(allocation): allocation for _, allocation in self._records.load(site)}


def _says_the_same(one: Allocation, other: Allocation) -> bool:
    """Where in its file a record stood says nothing about the job."""
    return msgspec.structs.replace(one, line=0) == msgspec.structs.replace(other, line=0)


def _key(allocation: Allocation) -> _Key:
    return (allocation.job, allocation.start.us)


def _parse(data: bytes, path: str) -> list[Allocation]:
    try:
        return from_json(list[Allocation], parse_json(data, path=path, limit=_MAX_BYTES), path=path)
    except InvalidInput as error:
        raise Corrupt(str(error), remedy="restore it from a copy of the store") from None
