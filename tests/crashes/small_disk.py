"""What happens on a small file system of its own: run by test_log_disk.py in a private mount namespace."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.postgres_log import PostgresLogStore
from sekisho.adapters.storage.sql_log import SqlLogStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.ledger import LogReader, check_log
from sekisho.ledger.sequencer import Appended
from sekisho.model.errors import SekishoError, Unavailable
from tests.ledger.logs import ORIGIN, RunningLog, policy, submission
from tests.postgres import start_server

ENTRY = 4000


def mount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def mounts() -> str:
    """The mount namespace that this process sees."""
    return str(Path("/proc/self/ns/mnt").readlink())


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def play(scenario: str, folder: str, others: str) -> None:
    """A scenario by its name, in other mounts than `others`; the last line says that it went as it should."""
    assert mounts() != others, "this would mount for everybody"
    try:
        globals()[scenario](Path(folder))
    finally:
        # The name of the mount point is busy for everybody until then.
        subprocess.run(["umount", "--lazy", folder], check=True)
    tell("passed")


def refusal_at_opening(path: Path) -> str:
    """What opening the log says when it is refused."""
    with pytest.raises(Unavailable) as refused:
        SqliteLogStore(path, origin=ORIGIN)
    return str(refused.value)


def append_until_refused(log: RunningLog, answered: dict[str, int], first: int) -> SekishoError:
    """Append statements until the log says no; every one answered for is noted."""
    for number in count(first):
        name = f"statement {number}"
        try:
            done = log.sequencer.append_one(submission(name, f"serial {name}", size=ENTRY))
            if number % 8 == 0:
                log.sequencer.integrate()
        except SekishoError as error:
            return error
        answered[name] = done.index
        assert number < first + 20_000, "the disk never filled"
    raise AssertionError


def assert_nothing_lost(log: RunningLog, answered: dict[str, int]) -> None:
    """Published and read by somebody else, the log has every answered statement once, where it was said to be."""
    checkpoint = log.publisher(log.witnesses()).publish().checkpoint
    entries = list(LogReader(log.tiles).entries(0, checkpoint.size, checkpoint))
    for name, index in answered.items():
        wanted = submission(name, size=ENTRY).envelope
        assert entries[index] == wanted, name
        assert entries.count(wanted) == 1, name
    assert check_log(log.tiles, policy()).faults == ()


def go_through_a_full_disk(
    open_store: Callable[[], SqlLogStore], tiles: Path, ballast: Path
) -> None:
    """Fill, be refused, be refused again, make room, go on; then the same over a restart."""
    answered: dict[str, int] = {}
    with closing(open_store()) as store:
        log = RunningLog(store, FileTileStore(tiles))
        log.sequencer.recover()
        refused = append_until_refused(log, answered, 0)
        assert isinstance(refused, Unavailable), repr(refused)
        assert refused.remedy, refused
        tell(f"refused: {refused}")
        again = append_until_refused(log, answered, 30_000)
        assert isinstance(again, Unavailable), repr(again)
        assert len(answered) > 20
        ballast.unlink()
        go_on(log, answered, "after room was made")
    with closing(open_store()) as store:
        again_log = RunningLog(store, FileTileStore(tiles))
        again_log.memories = log.memories
        again_log.sequencer.recover()
        go_on(again_log, answered, "after a restart")


def go_on(log: RunningLog, answered: dict[str, int], name: str) -> None:
    """The log takes new statements, knows the old ones, and has lost nothing."""
    done = log.sequencer.append_one(submission(name, size=ENTRY))
    answered[name] = done.index
    (repeated,) = log.sequencer.append([submission("statement 0", size=ENTRY)])
    assert isinstance(repeated, Appended)
    assert (repeated.index, repeated.fresh) == (answered["statement 0"], False)
    assert_nothing_lost(log, answered)


def full_database(folder: Path) -> None:
    """The database's disk is full, the tiles lie elsewhere."""
    mount(folder, "size=12m")
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(6 << 20))
    elsewhere = folder.with_name("elsewhere")
    go_through_a_full_disk(
        lambda: SqliteLogStore(folder / "log.db", origin=ORIGIN), elsewhere, ballast
    )


def full_tiles(folder: Path) -> None:
    """The tiles' disk is full, the database lies elsewhere and goes on to sequence."""
    mount(folder, "size=8m")
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(6 << 20))
    database = folder.with_name("elsewhere.db")
    go_through_a_full_disk(lambda: SqliteLogStore(database, origin=ORIGIN), folder, ballast)


def full_at_opening(folder: Path) -> None:
    """A new log does not begin where there is no room, and begins once there is."""
    mount(folder, "size=1m")
    (folder / "ballast").write_bytes(bytes((1 << 20) - 8192))
    assert "disk space" in refusal_at_opening(folder / "log.db")
    (folder / "ballast").unlink()
    with SqliteLogStore(folder / "log.db", origin=ORIGIN) as store:
        assert store.load_size() == 0


def read_only(folder: Path) -> None:
    """A folder that becomes read-only: refused at opening and in the middle, in order again after it."""
    mount(folder, "size=8m,ro")
    assert "Read-only" in refusal_at_opening(folder / "log.db")
    remount(folder, "rw")
    with SqliteLogStore(folder / "log.db", origin=ORIGIN) as store:
        log = RunningLog(store, FileTileStore(folder.with_name("elsewhere")))
        log.sequencer.recover()
        answered = {
            "statement 0": log.sequencer.append_one(submission("statement 0", size=ENTRY)).index
        }
        go_on(log, answered, "before")
    # With the file closed the kernel lets the mount become read-only; a log that is there can be refused too.
    remount(folder, "ro")
    assert "Read-only" in refusal_at_opening(folder / "log.db")
    remount(folder, "rw")
    with SqliteLogStore(folder / "log.db", origin=ORIGIN) as store:
        again = RunningLog(store, FileTileStore(folder.with_name("elsewhere")))
        again.memories = log.memories
        again.sequencer.recover()
        go_on(again, answered, "after")


def full_server(folder: Path) -> None:
    """The disk of PostgreSQL is full: its journal cannot grow, it stops, and starts again once there is room."""
    mount(folder, "size=150m,mode=755")
    with start_server(folder) as server:
        url = server.create("log")
        room = os.statvfs(folder)
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(room.f_bavail * room.f_frsize - (2 << 20)))
        answered: dict[str, int] = {}
        tiles = FileTileStore(folder.with_name("elsewhere"))
        with closing(PostgresLogStore(url, origin=ORIGIN)) as store:
            log = RunningLog(store, tiles)
            log.sequencer.recover()
            refused = append_until_refused(log, answered, 0)
            assert isinstance(refused, Unavailable), repr(refused)
            tell(f"refused: {refused}")
            assert len(answered) > 50
            ballast.unlink()
            try:
                server.wait_ready()
            except subprocess.TimeoutExpired:  # it was still going down when we looked
                server.start()
            log.sequencer.resync()
            go_on(log, answered, "after room was made")
