"""Small records (devices, allocations): immutable files, all of them read, the newest word on each thing last."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Final, Generic, TypeVar

import msgspec

from sekisho.adapters.telemetry.store.files import StoreFiles, mismatch
from sekisho.adapters.telemetry.store.names import check_site
from sekisho.model.errors import Corrupt
from sekisho.model.wire import sha256_hex

__all__ = ["MAX_RECORDS", "RecordFiles", "RecordName", "parse_record_name"]

MAX_RECORDS: Final = 50_000
"""Records in one file."""
_MAX_BYTES: Final = 256 * 1024 * 1024
_NAME: Final = re.compile(
    r"(?P<recorded>\d{16})-(?P<rows>\d{1,6})-(?P<random>[0-9a-f]{16})-(?P<sha256>[0-9a-f]{64})\.records",
    re.ASCII,
)
T = TypeVar("T")


class RecordName(msgspec.Struct, frozen=True, kw_only=True):
    """A file's name, which is its manifest."""

    recorded_us: int
    rows: int
    random: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.recorded_us:016d}-{self.rows}-{self.random}-{self.sha256}.records"


def parse_record_name(name: str) -> RecordName | None:
    """A file's name as that of records; None where it is not one."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return RecordName(
        recorded_us=int(found["recorded"]),
        rows=int(found["rows"]),
        random=found["random"],
        sha256=found["sha256"],
    )


class RecordFiles(Generic[T]):
    """The records of one kind, site by site, in `<kind>/site=<site>/`. Files once read are remembered: none changes."""

    def __init__(
        self,
        files: StoreFiles,
        kind: str,
        *,
        write: Callable[[list[T]], bytes],
        parse: Callable[[bytes, str], list[T]],
    ) -> None:
        self.kind = kind
        self._files = files
        self._write = write
        self._parse = parse
        self._known: dict[str, list[T]] = {}
        self._mutex = Lock()

    def save(self, site: str, records: list[T], *, recorded_us: int) -> tuple[str, ...]:
        """Keep them; durable when it returns. The names of their files."""
        folder, names = f"{self.kind}/site={check_site(site)}", []
        # Newer than all that stand, whatever the clock says: order is what decides between two words on one thing.
        recorded_us = max([recorded_us, *(name.recorded_us + 1 for name in self.names(site))])
        for number, (rows, data) in enumerate(self._pieces(records)):
            name = RecordName(
                recorded_us=recorded_us + number,  # so that the order stays
                rows=rows,
                random=secrets.token_hex(8),
                sha256=sha256_hex(data),
            )
            # Crash here: some files of the list; whoever handed it in was not answered and hands it in again.
            self._files.write_all([(f"{folder}/{name}", data)])
            names.append(str(name))
        return tuple(names)

    def _pieces(self, records: list[T]) -> Iterator[tuple[int, bytes]]:
        """The records in files of a bounded number and size."""
        for start in range(0, len(records), MAX_RECORDS):
            some = records[start : start + MAX_RECORDS]
            data = self._write(some)
            if len(data) <= _MAX_BYTES // 4 or len(some) == 1:
                yield len(some), data
            else:
                half = len(some) // 2
                yield from self._pieces(some[:half])
                yield from self._pieces(some[half:])

    def names(self, site: str) -> tuple[RecordName, ...]:
        """The record files of a site, oldest first. Raises Corrupt where something else lies among them."""
        folder, found = f"{self.kind}/site={check_site(site)}", []
        for entry in self._files.list_files(folder):
            name = parse_record_name(entry.name)
            if name is None:
                raise Corrupt(
                    f"{folder}/{entry.name} is no file of this store",
                    remedy="move it elsewhere, then try again",
                )
            found.append(name)
        return tuple(found)

    def load(self, site: str) -> list[tuple[int, T]]:
        """Every record of a site with when it was recorded, oldest first."""
        names = self.names(site)
        return [(name.recorded_us, record) for name in names for record in self._read(site, name)]

    def load_one(self, site: str, name: RecordName) -> list[T]:
        """The records of one file."""
        return self._read(site, name)

    def remove(self, site: str, names: tuple[RecordName, ...]) -> None:
        """Take files away whose records stand elsewhere."""
        if names:
            self._files.remove_all([f"{self.kind}/site={site}/{name}" for name in names])

    def _read(self, site: str, name: RecordName) -> list[T]:
        path = f"{self.kind}/site={site}/{name}"
        with self._mutex:
            known = self._known.get(path)
        if known is None:
            data = self._files.read(path, _MAX_BYTES)
            if sha256_hex(data) != name.sha256:
                raise mismatch(path)
            known = self._parse(data, path)
            with self._mutex:
                self._known[path] = known
        return known
