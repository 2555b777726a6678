"""The SQLite file of inventories: what firms declare and what fleet agents report; only its owner may read it.

Both are sensitive (serials, sites), neither is in the log. One file, since a reconciliation reads both.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, MetaData

from sekisho.adapters.storage.sqlite_log import open_engine
from sekisho.adapters.storage.sqlite_refusals import translated
from sekisho.model.errors import Unavailable

__all__ = ["SCHEMA", "InventoriesFile"]

SCHEMA = MetaData()
"""The tables of the stores that share the file."""


class InventoriesFile:
    """The open file. Several processes may have it open: every transaction takes the write lock for a moment."""

    def __init__(self, path: Path) -> None:
        """Raises Unavailable where the folder cannot be written, Corrupt where the file is not ours."""
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise Unavailable(f"{path}: {error.strerror}", remedy="check rights") from None
        self._lock = threading.RLock()
        self._engine = open_engine(path)
        try:
            with self.transaction() as connection:
                SCHEMA.create_all(connection)
        except BaseException:
            self._engine.dispose()
            raise

    def close(self) -> None:
        with self._lock:
            self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One connection for all threads, so one at a time; durable once it is left without an error."""
        told = translated(
            "the file of inventories",
            retry="check disk space, then try again",
            mend="restore inventories.sqlite from a backup",
        )
        with told, self._lock, self._engine.begin() as connection:
            yield connection
