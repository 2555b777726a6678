"""The store in an S3-compatible object store, through PyArrow. Needs the extra `analytics`.

An object appears whole or not at all and is durable when the store answers. There is no lock that a dead process gives
up, so whoever compacts leaves a lease, and nothing that it merged is taken away before a later run finds it named by
the manifest that stands: two compactors that both think that they are alone cost work, never rows.
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pyarrow.fs as arrow  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.storage.object_tiles import reason_of
from sekisho.adapters.telemetry.store.files import Entry, mismatch
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict, Unavailable
from sekisho.model.wire import sha256_hex
from sekisho.ports.tile_store import NotStored

__all__ = ["ObjectFiles"]

_AT_ONCE: Final = 8
_LEASE_US: Final = 30 * 60 * 1_000_000
_MAX_OBJECT: Final = 4 << 30
_OURS: Final = re.compile(r"[A-Za-z0-9=._-]{1,255}", re.ASCII)
_LEASE: Final = re.compile(r"(\d{16})-[0-9a-f]{16}", re.ASCII)
_REMEDY: Final = "check bucket, endpoint and credentials (AWS_* variables or profile)"


class ObjectFiles:
    """`StoreFiles` below `prefix` (as `bucket/telemetry`). What an engine reads is fetched once, checked, and kept.

    `scratch` is removed when this is closed, at the latest with the process.
    """

    is_exclusive = False

    def __init__(self, files: Any, prefix: str) -> None:
        self._files = files
        self._prefix = prefix.rstrip("/")
        self.scratch = Path(tempfile.mkdtemp(prefix="sekisho-telemetry-"))
        self._cleared = weakref.finalize(self, shutil.rmtree, self.scratch, ignore_errors=True)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="telemetry")

    def close(self) -> None:
        self._pool.shutdown()
        self._cleared()

    def read(self, path: str, limit: int) -> bytes:
        with _translated(path), self._files.open_input_file(self._place(path)) as source:
            if source.size() > limit:
                raise Corrupt(f"{path} is longer than {limit} bytes", remedy="restore it")
            data: bytes = source.read()
        return data

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        # Crash here: some are there, in no order; what nobody names means nothing.
        for done in [self._pool.submit(self._write, path, data) for path, data in files]:
            done.result()

    def list_files(self, folder: str) -> list[Entry]:
        return sorted(
            (
                Entry(name=info.base_name, size=info.size, changed_us=(info.mtime_ns or 0) // 1000)
                for info in self._list(folder)
                if info.type == arrow.FileType.File
            ),
            key=lambda entry: entry.name,
        )

    def list_folders(self, folder: str) -> list[str]:
        return sorted(
            info.base_name for info in self._list(folder) if info.type == arrow.FileType.Directory
        )

    def remove_all(self, paths: Sequence[str]) -> None:
        for done in [self._pool.submit(self._remove, path) for path in paths]:
            done.result()

    def move(self, old: str, new: str) -> None:
        source, target = self._place(old), self._place(new)
        with _translated(old):
            infos = self._files.get_file_info([source, target])
            is_there = [info.type == arrow.FileType.File for info in infos]
            if is_there == [False, True]:
                return
            # Crash between the two: under both names, and moved again.
            self._files.copy_file(source, target)
        self._remove(old)

    def locate(self, path: str, sha256: str, size: int) -> str:
        kept = self.scratch / f"{sha256}.parquet"
        if kept.exists():
            return str(kept)
        data = self.read(path, min(size, _MAX_OBJECT))
        if sha256_hex(data) != sha256:
            raise mismatch(path)
        aside = kept.with_suffix(f".{secrets.token_hex(4)}")
        aside.write_bytes(data)
        aside.replace(kept)
        return str(kept)

    @contextmanager
    def hold(self, name: str, *, wait_s: float) -> Iterator[None]:
        until = time.monotonic() + wait_s
        while (lease := self._claim(name)) is None:
            if time.monotonic() >= until:
                raise StateConflict(
                    f"another process works on {name}",
                    remedy="let it finish; one that died is forgotten after half an hour",
                )
            time.sleep(0.2 + secrets.randbelow(300) / 1000)
        try:
            yield
        finally:
            with suppress(Unavailable):  # then it runs out by itself
                self._remove(lease)

    def sweep(self, folder: str, before_us: int) -> None:
        """Nothing to do: an object that was not confirmed is not there."""

    def _claim(self, name: str) -> str | None:
        """Leave a lease, then look: whoever sees another's goes back. Both may; never do both stay."""
        folder, now = f"locks/{name}", time.time_ns() // 1000
        own = f"{now + _LEASE_US:016d}-{secrets.token_hex(8)}"
        self._write(f"{folder}/{own}", b"")
        for entry in self.list_files(folder):
            found = _LEASE.fullmatch(entry.name)
            if entry.name != own and found and int(found[1]) > now:
                self._remove(f"{folder}/{own}")
                return None
        return f"{folder}/{own}"

    def _list(self, folder: str) -> list[Any]:
        with _translated(folder):
            selector = arrow.FileSelector(self._place(folder), allow_not_found=True)
            found: list[Any] = self._files.get_file_info(selector)
        return found

    def _write(self, path: str, data: bytes) -> None:
        with _translated(path), self._files.open_output_stream(self._place(path)) as sink:
            sink.write(data)

    def _remove(self, path: str) -> None:
        with suppress(NotStored), _translated(path):
            self._files.delete_file(self._place(path))

    def _place(self, path: str) -> str:
        parts = path.split("/")
        if not all(_OURS.fullmatch(part) and part not in (".", "..") for part in parts):
            raise InvalidInput("this path would leave the store", path=path[:120])
        return f"{self._prefix}/{path}"


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise NotStored(f"{path} is not there", remedy="restore it from a copy") from None
    except OSError as error:
        raise Unavailable(
            f"{path}: the store of telemetry says {reason_of(error)}", remedy=_REMEDY
        ) from None
