"""Group commit: what many threads bring within a moment becomes one file, and all are answered when it is durable."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Condition
from typing import Any, Final

from sekisho.model.errors import SekishoError, Unavailable

__all__ = ["GATHER_ROWS", "GATHER_S", "GroupCommit"]

GATHER_S: Final = 0.1
"""The least time between two files of one site: ten files a second at the most, whatever comes."""
GATHER_ROWS: Final = 250_000
"""Rows at which nobody waits any longer."""

Table = Any  # pyarrow comes without types


class _Group:
    """Tables that are written together. `error` is told to all who brought one."""

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self.rows = 0
        self.received_us = 0
        self.is_over = False
        self.is_durable = False
        self.error: SekishoError | None = None


class GroupCommit:
    """The first to come leads: waits a moment for others, writes for all of them, and wakes them.

    While one group is written the next gathers. A lone writer waits only where it wrote within the last moment.
    """

    def __init__(
        self, write: Callable[[str, Sequence[Table], int], object], *, gather_s: float = GATHER_S
    ) -> None:
        self._write = write
        self._gather_s = gather_s
        self._changed = Condition()
        self._open: dict[str, _Group] = {}
        self._written: dict[str, float] = {}

    def append(self, site: str, table: Table, *, received_us: int) -> None:
        """Returns when the rows are durable. Raises what writing raised: then nothing was answered for."""
        with self._changed:
            group = self._open.get(site)
            leads = group is None
            if group is None:
                group = self._open[site] = _Group()
            group.tables.append(table)
            group.rows += table.num_rows
            group.received_us = max(group.received_us, received_us)
            if group.rows >= GATHER_ROWS:
                self._changed.notify_all()
        if leads:
            self._lead(site, group)
        else:
            self._follow(group)

    def _lead(self, site: str, group: _Group) -> None:
        try:
            with self._changed:
                due = self._written.get(site, 0.0) + self._gather_s
                self._changed.wait_for(
                    lambda: group.rows >= GATHER_ROWS, max(0.0, due - time.monotonic())
                )
                self._written[site] = time.monotonic()
                self._close(site, group)
            self._write(site, group.tables, group.received_us)
            group.is_durable = True
        except SekishoError as error:
            group.error = error
            raise
        finally:
            # Whatever ended this thread: those who wait learn that their rows are not known to be durable.
            with self._changed:
                self._close(site, group)
                group.is_over = True
                self._changed.notify_all()

    def _follow(self, group: _Group) -> None:
        with self._changed:
            self._changed.wait_for(lambda: group.is_over)
        if not group.is_durable:
            message = group.error.message if group.error else "the writing of this group was ended"
            raise Unavailable(message, remedy="send it again")

    def _close(self, site: str, group: _Group) -> None:
        if self._open.get(site) is group:
            del self._open[site]
