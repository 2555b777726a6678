"""Fencing: a writer that lost its session to another process appends and acknowledges nothing any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from sekisho.adapters.storage import postgres_session
from sekisho.adapters.storage.postgres_log import PostgresLogStore
from sekisho.model.errors import StateConflict, Unavailable
from sekisho.ports.log_store import FencedOff
from tests.adapters.storage.test_postgres_log import entry
from tests.ledger.logs import ORIGIN

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second writer is told at once."""
    monkeypatch.setattr(postgres_session, "LOCK_MS", 100)


@pytest.fixture
def primary(postgres_url: str) -> Iterator[PostgresLogStore]:
    with closing(PostgresLogStore(postgres_url, origin=ORIGIN)) as store:
        store.sequence(0, [entry(0)])
        yield store


def end_session(url: str) -> None:
    """As the server does with a session of a machine that it no longer hears."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'sekisho log' AND datname = current_database()"
        )


def test_a_standby_cannot_write_beside_a_primary(
    primary: PostgresLogStore, postgres_url: str
) -> None:
    """While the first one's session lives the second gets no lock."""
    with pytest.raises(StateConflict, match="another process writes"):
        PostgresLogStore(postgres_url, origin=ORIGIN)
    primary.verify_held()


def test_a_primary_whose_lock_another_took_is_fenced_for_good(
    primary: PostgresLogStore, postgres_url: str
) -> None:
    """It appends nothing, moves no head, and stays fenced even when the other one is gone again."""
    end_session(postgres_url)
    with closing(PostgresLogStore(postgres_url, origin=ORIGIN)) as standby:
        standby.sequence(1, [entry(1)])
        with pytest.raises(Unavailable):
            primary.sequence(1, [entry(2)])
        with pytest.raises(FencedOff):
            primary.sequence(1, [entry(2)])
        with pytest.raises(FencedOff):
            primary.verify_held()
        with pytest.raises(FencedOff):
            primary.sequence(2, [entry(2)])
        assert standby.load_size() == 2
    with pytest.raises(FencedOff):
        primary.verify_held()


def test_a_primary_that_comes_back_behind_anothers_entries_is_fenced(
    primary: PostgresLogStore, postgres_url: str
) -> None:
    """The lock is free again, and the log has entries that this process did not write: its state is old."""
    end_session(postgres_url)
    with closing(PostgresLogStore(postgres_url, origin=ORIGIN)) as standby:
        standby.sequence(1, [entry(1)])
    with pytest.raises(Unavailable):
        primary.verify_held()
    with pytest.raises(FencedOff, match="another process wrote entries 1 to 1"):
        primary.verify_held()


def test_a_primary_that_lost_nothing_but_its_connection_goes_on(
    primary: PostgresLogStore, postgres_url: str
) -> None:
    """Where nobody took the lock meanwhile it is the writer still."""
    end_session(postgres_url)
    with pytest.raises(Unavailable):
        primary.verify_held()
    primary.verify_held()
    primary.sequence(1, [entry(1)])
    assert primary.load_size() == 2
