"""The private store that a standby elsewhere shares: durable in both places, and each side gets what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from sekisho.adapters.storage import postgres_session
from sekisho.adapters.storage.postgres_holders import end_silent_writer
from sekisho.adapters.storage.postgres_log import PostgresLogStore
from sekisho.adapters.storage.private_postgres import PrivatePostgres
from sekisho.adapters.storage.private_shared import SharedPrivate
from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.model.errors import StateConflict, Unavailable
from sekisho.ports.private_store import Paper
from tests.ledger.logs import ORIGIN
from tests.postgres import Server

pytestmark = pytest.mark.postgres

PAPER = Paper(kind="receipt", host="host-1", number=1, digest="aa" * 32, envelope=b"\x00receipt")
SECRET = "a concealed amount of 12345678901234567890 FLOP"


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_session, "LOCK_MS", 100)


@pytest.fixture
def open_on(tmp_path: Path, postgres_url: str) -> Callable[[str], SharedPrivate]:
    """A store by the name of its machine, over the one database."""

    def opened(machine: str) -> SharedPrivate:
        own = PrivateSqlite(tmp_path / f"{machine}.sqlite")
        return SharedPrivate(own, PrivatePostgres(postgres_url, origin=ORIGIN))

    return opened


def test_what_one_machine_stated_the_other_one_has(
    open_on: Callable[[str], SharedPrivate],
) -> None:
    """Disclosures in their order, papers byte for byte; once more is harmless."""
    with closing(open_on("first")) as first:
        for _ in range(2):
            first.save_disclosures("d1", [SECRET, "second"])
            first.save_paper(PAPER)
    with closing(open_on("second")) as second:
        assert second.load_disclosures() == {"d1": (SECRET, "second")}
        assert second.load_papers("receipt", "host-1") == [PAPER]
        assert second.find_paper("receipt", PAPER.digest) == PAPER
        second.save_disclosures("d2", ["third"])
    with closing(open_on("first")) as first:
        assert set(first.load_disclosures()) == {"d1", "d2"}


def test_a_home_that_was_alone_brings_what_it_has(
    open_on: Callable[[str], SharedPrivate], tmp_path: Path
) -> None:
    """The database is new: what the home's file held is there for the other one."""
    with closing(PrivateSqlite(tmp_path / "first.sqlite")) as alone:
        alone.save_disclosures("d1", [SECRET])
        alone.save_paper(PAPER)
    open_on("first").close()
    with closing(open_on("second")) as second:
        assert second.load_disclosures() == {"d1": (SECRET,)}
        assert second.load_papers("receipt") == [PAPER]


def test_what_is_erased_leaves_both(
    open_on: Callable[[str], SharedPrivate],
    postgres_url: str,
    postgres_server: Server,
    tmp_path: Path,
) -> None:
    """No row of it, and no byte in the table's file at the server once that has written out what it holds."""
    with closing(open_on("first")) as first:
        first.save_disclosures("d1", [SECRET])
        first.save_disclosures("d2", ["kept"])
        assert SECRET.encode() in table_bytes(postgres_server, postgres_url)
        first.erase_disclosures("d1")
        assert first.load_disclosures() == {"d2": ("kept",)}
        assert SECRET.encode() not in table_bytes(postgres_server, postgres_url)
        first.save_disclosures("d3", ["the session goes on"])
    assert SECRET.encode() not in (tmp_path / "first.sqlite").read_bytes()


def table_bytes(server: Server, url: str) -> bytes:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute("SELECT pg_relation_filepath('private.disclosures')").fetchone()
    assert row is not None
    return (server.data / str(row[0])).read_bytes()


def test_one_process_writes_it(open_on: Callable[[str], SharedPrivate]) -> None:
    """While the first one's session lives a second gets none."""
    with (
        closing(open_on("first")),
        pytest.raises(StateConflict, match="writes the private store"),
    ):
        open_on("second")


def test_a_lost_connection_is_unavailable_once(
    open_on: Callable[[str], SharedPrivate], postgres_url: str
) -> None:
    """The call under way is told; the next one connects again, and both places hold the same."""
    with closing(open_on("first")) as first:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'sekisho private store'"
            )
        with pytest.raises(Unavailable):
            first.save_paper(PAPER)
        assert first.load_papers("receipt") == []
        first.save_paper(PAPER)
        assert first.load_papers("receipt") == [PAPER]


def test_only_a_silent_writer_loses_its_sessions(
    open_on: Callable[[str], SharedPrivate], postgres_url: str
) -> None:
    """One that asked a moment ago keeps the lock; with no patience at all it loses log and private store alike."""
    assert end_silent_writer(postgres_url, ORIGIN, 0.0) is None
    with (
        closing(PostgresLogStore(postgres_url, origin=ORIGIN)) as log,
        closing(open_on("first")) as private,
    ):
        log.verify_held()
        assert end_silent_writer(postgres_url, ORIGIN, 3_600.0) is None
        log.verify_held()
        assert end_silent_writer(postgres_url, ORIGIN, 0.0) is not None
        with pytest.raises(Unavailable):
            log.verify_held()
        with pytest.raises(Unavailable):
            private.save_paper(PAPER)


def test_another_logs_writer_is_left_alone(postgres_url: str) -> None:
    """Its lock has another number, in the same database."""
    with closing(PostgresLogStore(postgres_url, origin=ORIGIN)) as log:
        assert end_silent_writer(postgres_url, "another.example/log", 0.0) is None
        log.verify_held()
