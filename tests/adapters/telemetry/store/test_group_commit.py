"""Many threads, one file: who waits, who is answered, who is told that nothing was kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sekisho.adapters.telemetry.store import group_commit
from sekisho.adapters.telemetry.store.group_commit import GroupCommit
from sekisho.model.errors import Unavailable


class Table:
    """As much of a table as the commit looks at."""

    def __init__(self, rows: int = 1) -> None:
        self.num_rows = rows


class Written:
    """Notes what is written, and when it may end."""

    def __init__(self) -> None:
        self.groups: list[tuple[str, list[Any]]] = []
        self.may_end = threading.Event()
        self.may_end.set()
        self.error: BaseException | None = None

    def __call__(self, site: str, tables: Sequence[Any], received_us: int) -> None:
        self.may_end.wait(10)
        if self.error is not None:
            raise self.error
        self.groups.append((site, list(tables)))


def run_all(commit: GroupCommit, tables: Sequence[Table], site: str = "osaka") -> list[Any]:
    """Append each from a thread of its own; the answers or errors, in order."""
    with ThreadPoolExecutor(len(tables)) as pool:
        futures = [pool.submit(commit.append, site, t, received_us=1) for t in tables]
        return [future.exception(10) for future in futures]


def test_those_who_come_together_are_written_together() -> None:
    """While a file is being written others gather for the next; all of them are answered by two files."""
    written = Written()
    commit = GroupCommit(written, gather_s=0.2)
    commit.append("osaka", Table(), received_us=1)
    tables = [Table() for _ in range(20)]
    assert run_all(commit, tables) == [None] * 20
    assert [len(group) for _, group in written.groups] == [1, 20]
    assert set(written.groups[1][1]) == set(tables)


def test_lone_writer_does_not_wait() -> None:
    """The first in a while is written at once: waiting would gather nobody."""
    began = time.monotonic()
    GroupCommit(Written(), gather_s=5.0).append("osaka", Table(), received_us=1)
    assert time.monotonic() - began < 5.0


def test_full_group_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once so many rows are gathered the file is written, whatever time is left."""
    monkeypatch.setattr(group_commit, "GATHER_ROWS", 100)
    written = Written()
    commit = GroupCommit(written, gather_s=60.0)
    commit.append("osaka", Table(), received_us=1)
    began = time.monotonic()
    assert run_all(commit, [Table(50), Table(50)]) == [None, None]
    assert time.monotonic() - began < 60.0


def test_nobody_is_answered_where_writing_failed() -> None:
    """A full disk is told to each who waited, and the next group is written as if nothing had been."""
    written = Written()
    commit = GroupCommit(written, gather_s=0.2)
    commit.append("osaka", Table(), received_us=1)
    written.error = Unavailable("no space")
    errors = run_all(commit, [Table() for _ in range(5)])
    assert all(isinstance(error, Unavailable) for error in errors)
    written.error = None
    assert run_all(commit, [Table()]) == [None]


def test_leader_that_dies_leaves_nobody_waiting() -> None:
    """Whatever ends the writing thread, the others learn that their rows are not known to be kept."""
    written = Written()
    commit = GroupCommit(written, gather_s=0.2)
    commit.append("osaka", Table(), received_us=1)
    written.error = KeyboardInterrupt()
    errors = run_all(commit, [Table() for _ in range(5)])
    kinds = sorted(type(error).__name__ for error in errors)
    assert kinds == ["KeyboardInterrupt", *["Unavailable"] * 4]


def test_sites_do_not_wait_for_each_other() -> None:
    """One site's slow disk holds no other site's rows."""
    written = Written()
    commit = GroupCommit(written, gather_s=0.0)
    written.may_end.clear()
    slow = threading.Thread(
        target=commit.append, args=("osaka", Table()), kwargs={"received_us": 1}
    )
    slow.start()
    written.may_end.set()
    commit.append("kobe", Table(), received_us=1)
    slow.join(10)
    assert {site for site, _ in written.groups} == {"osaka", "kobe"}
