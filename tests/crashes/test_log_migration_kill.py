"""A process is killed in the middle of bringing an old database up to date."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from tests.adapters.storage.first_release import make_old_log
from tests.adapters.storage.test_log_migrations import assert_migrated, version_of
from tests.crashes.nursery import Nursery, open_nursery
from tests.ledger.logs import ORIGIN


def migrate_and_die(path: str, statement: str) -> None:
    """The child: it opens the database, and gets a kill -9 before its statement of this number."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == int(statement):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    SqliteLogStore(Path(path), origin=ORIGIN).close()
    sys.stdout.write("done\n")
    sys.stdout.flush()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with open_nursery("tests.crashes.test_log_migration_kill") as nursery:
        yield nursery


def test_killed_migration_is_done_again(tmp_path: Path, nursery: Nursery) -> None:
    """Killed at later and later points, it leaves the old database each time, and then the new one."""
    path, kills = tmp_path / "log.db", 0
    make_old_log(path)
    for statement in range(3, 99, 4):
        with nursery.child("migrate_and_die", str(path), str(statement)) as child:
            if child.lines.read() == "done\n":
                break
        kills += 1
        assert version_of(path) in (1, 2)
    with SqliteLogStore(path, origin=ORIGIN) as store:
        assert_migrated(store)
    assert kills > 5
